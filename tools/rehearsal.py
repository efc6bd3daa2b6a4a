"""`make sandbox`: a rehearsal environment. A running sandbox, az logged in to it, and the extension installed there.

It writes activation scripts for bash and zsh, fish and PowerShell to the folder of the sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.demo import exports, sandbox
from tools.prove_wheel import ROOT, install_extension, wheel

FOLDER = ROOT / ".sandbox"
SHELLS = {"bash, zsh": ("activate", "source"), "fish": ("activate.fish", "source"), "PowerShell": ("activate.ps1", ".")}


def main() -> int:
    """Start the sandbox if it is not running, install the extension, write the scripts and print how to use them."""
    if not is_running():
        sandbox("up", "--dir", str(FOLDER))
    variables = exports(sandbox("env", "--dir", str(FOLDER)))
    config = Path(variables["AZURE_CONFIG_DIR"])
    install_once(config)
    # An extension folder of the user must not be used in its place.
    variables["AZURE_EXTENSION_DIR"] = str(config / "cliextensions")
    write_scripts(variables)
    print(text())
    return 0


def is_running() -> bool:
    """Whether a process of the sandbox runs in the folder."""
    try:
        os.kill(json.loads((FOLDER / "state.json").read_text(encoding="utf-8"))["pid"], 0)
    except (OSError, ValueError, KeyError):
        return False
    return True


def install_once(config: Path) -> None:
    """Install the wheel in dist/ into an AZURE_CONFIG_DIR unless this build is installed there already."""
    mark = config / "installed-wheel"
    build = f"{wheel().name} {wheel().stat().st_mtime_ns}"
    if not mark.exists() or mark.read_text(encoding="utf-8") != build:
        # az keeps what is installed when the version is the same.
        shutil.rmtree(config / "cliextensions" / "amlk8s", ignore_errors=True)
        install_extension(config)
        mark.write_text(build, encoding="utf-8")


def write_scripts(variables: Mapping[str, str]) -> None:
    """Write one activation script for each kind of shell."""
    folder = str(Path(sys.executable).parent)
    for name, script in (("activate", posix), ("activate.fish", fish), ("activate.ps1", powershell)):
        (FOLDER / name).write_text(script(variables, folder), encoding="utf-8")


def posix(variables: Mapping[str, str], folder: str) -> str:
    """The script for bash and zsh."""
    lines = [f"export {name}={_quoted(value, posix_escape)}" for name, value in variables.items()]
    return "\n".join([*lines, f'export PATH={_quoted(folder, posix_escape)}:"$PATH"', ""])


def fish(variables: Mapping[str, str], folder: str) -> str:
    """The script for fish."""
    lines = [f"set -gx {name} {_quoted(value, fish_escape)}" for name, value in variables.items()]
    return "\n".join([*lines, f"set -gx PATH {_quoted(folder, fish_escape)} $PATH", ""])


def powershell(variables: Mapping[str, str], folder: str) -> str:
    """The script for PowerShell on any platform."""
    lines = [f"$env:{name} = {_quoted(value, powershell_escape)}" for name, value in variables.items()]
    path = f"$env:PATH = {_quoted(folder, powershell_escape)} + [IO.Path]::PathSeparator + $env:PATH"
    return "\n".join([*lines, path, ""])


def _quoted(value: str, escape: Callable[[str], str]) -> str:
    return f"'{escape(value)}'"


def posix_escape(value: str) -> str:
    return value.replace("'", "'\\''")


def fish_escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def powershell_escape(value: str) -> str:
    return value.replace("'", "''")


def text() -> str:
    """What to paste next."""
    folder = os.path.relpath(FOLDER)
    lines = [f"    {shell + ':':<13}{verb} {folder}/{script}" for shell, (script, verb) in SHELLS.items()]
    return "\n".join(
        [
            "",
            "The rehearsal environment is ready. Activate it in your shell:",
            "",
            *lines,
            "",
            "Then try:    az amlk8s check --pre -g ml-rg -c aks-poc -t managedClusters --scenario both",
            "To stop it:  make sandbox-down",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
