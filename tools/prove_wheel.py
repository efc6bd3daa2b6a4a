"""Prove that the built wheel is one that a user's az takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AZ = Path(sys.executable).with_name("az")


def wheel() -> Path:
    """The one wheel in dist/."""
    (found,) = (ROOT / "dist").glob("amlk8s-*.whl")
    return found


def install_extension(config_dir: Path) -> None:
    """`az extension add` of the built wheel into an AZURE_CONFIG_DIR."""
    run(["az", "extension", "add", "--yes", "--source", str(wheel())], config_dir)


def run(command: list[str], config_dir: Path) -> str:
    """Run az from an empty folder, so that nothing of the checkout can stand in for what was installed."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "AZURE_CONFIG_DIR": str(config_dir), "AZURE_CORE_COLLECT_TELEMETRY": "no"}
        done = subprocess.run(
            [str(AZ), *command[1:]],
            cwd=empty,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}")
    return done.stdout


def main() -> None:
    """Install into a clean configuration and ask for help."""
    with tempfile.TemporaryDirectory() as scratch:
        config_dir = Path(scratch)
        install_extension(config_dir)
        print(run(["az", "amlk8s", "-h"], config_dir))
        size = sum(file.stat().st_size for file in (config_dir / "cliextensions").rglob("*") if file.is_file())
    print(f"{wheel().name} was taken by az and answers; {size / 1e6:.1f} MB installed")


if __name__ == "__main__":
    main()
