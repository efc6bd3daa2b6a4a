"""`make demo`, with the installed wheel and a sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.prove_wheel import ROOT


@pytest.mark.timeout(300)
def test_demo(extension_dir: Path) -> None:
    """Every command ends with its expected exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
