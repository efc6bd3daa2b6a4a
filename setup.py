import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PACKAGE = (HERE / "azext_amlk8s/__init__.py").read_text(encoding="utf-8")
VERSION = re.search(r'^VERSION = "([^"]+)"', PACKAGE, re.M).group(1)

setup(
    name="amlk8s",
    version=VERSION,
    description="Bring AKS and Arc-connected Kubernetes clusters into Azure Machine Learning: "
    "install the extension, attach the compute, manage instance types.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8")
    + "\n\n"
    + (HERE / "HISTORY.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["azext_amlk8s", "azext_amlk8s.*"]),
    package_data={"azext_amlk8s": ["azext_metadata.json", "knowledge/*.json", "knowledge/*.yaml"]},
    python_requires=">=3.10",
    install_requires=(HERE / "requirements.txt").read_text(encoding="utf-8").split(),
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: System Administrators",
        # Each of these has been run: see `make test` with PYTHON.
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
    ],
)
