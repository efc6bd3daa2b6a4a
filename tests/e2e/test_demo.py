"""The story that `make demo` tells, from an installed wheel and a sandbox of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.prove_wheel import ROOT


@pytest.mark.timeout(300)
def test_the_demo_ends_as_it_is_told(extension_dir: Path) -> None:
    """Every command of the story ends with the exit code that the story expects."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
