"""`make matrix`: the unit and command line tests on every supported Python, and the demo on the oldest supported az.

Each Python gets a virtual environment in .venv/matrix, built by uv and reused until the requirements change. A Python
that this machine does not have is skipped, with the reason. The oldest supported az runs on the oldest Python.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.prove_wheel import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
ENVIRONMENTS = ROOT / ".venv" / "matrix"
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-test.txt")
UV = str(Path(sys.executable).with_name("uv"))


def main() -> int:
    """Exit code 0 only if all tests passed on every Python of this machine, and at least one is installed."""
    results = {version: run_python(version) for version in PYTHONS}
    print("\n".join(f"Python {version}: {result}" for version, result in results.items()))
    passed = [result for result in results.values() if result.startswith("passed")]
    failed = [result for result in results.values() if result.startswith("failed")]
    return 1 if failed or not passed else 0


def run_python(version: str) -> str:
    """The result of one Python: passed, failed or skipped, and why."""
    interpreter = find_python(version)
    if not interpreter:
        return f"skipped: python{version} is not installed"
    started = time.monotonic()
    oldest = version == PYTHONS[0]
    python = build_environment(version, interpreter, f"azure-cli=={oldest_az()}" if oldest else "azure-cli")
    commands = [[python, "-m", "pytest", "-n", "2", "tests/unit", "tests/cli"]]
    if oldest:
        commands.append([python, "-m", "tools.demo"])
    for command in commands:
        print(f"+ {' '.join(command)}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            return f"failed: {' '.join(command[1:])}"
    az = f" with az {oldest_az()}, demo included" if oldest else ""
    return f"passed{az} in {time.monotonic() - started:.0f} s"


def find_python(version: str) -> str | None:
    """The interpreter of a version, installed by pyenv or on PATH."""
    pyenv = shutil.which("pyenv")
    root = subprocess.run([pyenv, "root"], text=True, capture_output=True, check=False).stdout.strip() if pyenv else ""
    candidates = [str(path) for path in sorted(Path(root).glob(f"versions/{version}.*/bin/python"))] if root else []
    candidates += [path for path in [shutil.which(f"python{version}")] if path]
    # The shims of pyenv exist for versions that are not active, and fail.
    usable = (
        path for path in candidates if not subprocess.run([path, "-V"], capture_output=True, check=False).returncode
    )
    return next(usable, None)


def oldest_az() -> str:
    """The oldest version of az that the extension accepts."""
    metadata = json.loads((ROOT / "azext_amlk8s" / "azext_metadata.json").read_text(encoding="utf-8"))
    return str(metadata["azext.minCliCoreVersion"])


def build_environment(version: str, interpreter: str, az: str) -> str:
    """The Python of the environment for a version; built where it is missing or its requirements have changed."""
    folder = ENVIRONMENTS / version
    python = str(folder / "bin" / "python")
    texts = [file.read_text(encoding="utf-8") for file in REQUIREMENTS]
    digest = hashlib.sha256("\n".join([az, interpreter, *texts]).encode()).hexdigest()
    mark = folder / "requirements.sha256"
    if mark.exists() and mark.read_text(encoding="utf-8") == digest:
        return python
    subprocess.run([UV, "venv", "--quiet", "--clear", "--seed", "--python", interpreter, str(folder)], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", python, "-r", str(REQUIREMENTS[1]), az]
    subprocess.run(install, cwd=ROOT, check=True)
    mark.write_text(digest, encoding="utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
