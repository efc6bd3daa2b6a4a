import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PACKAGE = (HERE / "azext_amlk8s/__init__.py").read_text(encoding="utf-8")
VERSION = re.search(r'^VERSION = "([^"]+)"', PACKAGE, re.M).group(1)

setup(
    name="amlk8s",
    version=VERSION,
    description="Azure CLI extension for AKS and Arc-connected Kubernetes clusters in Azure Machine Learning: "
    "install the cluster extension, attach computes, manage instance types, find out what is wrong.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    author="The contributors of az amlk8s",
    keywords=["azure", "azure-cli", "azure-machine-learning", "kubernetes", "aks", "azure-arc"],
    packages=find_packages(include=["azext_amlk8s", "azext_amlk8s.*"]),
    package_data={"azext_amlk8s": ["azext_metadata.json", "knowledge/*.json", "knowledge/*.yaml"]},
    python_requires=">=3.10",
    install_requires=(HERE / "requirements.txt").read_text(encoding="utf-8").split(),
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: OS Independent",
        "Topic :: System :: Systems Administration",
        # `make matrix` tests these.
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
    ],
)
