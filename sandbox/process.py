"""The sandbox as a process in the background, found again through its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

READY_SECONDS = 60
STOP_SECONDS = 15


class SandboxError(Exception):
    """What went wrong, in one sentence for a person."""


def state(directory: Path) -> dict[str, Any] | None:
    """What a running sandbox wrote of itself, or None."""
    try:
        told: dict[str, Any] = json.loads((directory / "state.json").read_text(encoding="utf-8"))
        os.kill(told["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return told


def running(directory: Path) -> dict[str, Any]:
    """The state of a running sandbox. Raises SandboxError when there is none."""
    told = state(directory)
    if told is None:
        raise SandboxError(f"No sandbox runs in {directory}. Start one: python -m sandbox up --dir {directory}")
    return told


def up(directory: Path, world: Path | None, seconds: float, record: Path | None = None) -> dict[str, Any]:
    """Start a sandbox and return when it is ready. Raises SandboxError when one runs there already or it fails."""
    if state(directory):
        raise SandboxError(f"A sandbox runs in {directory} already. Stop it: python -m sandbox down --dir {directory}")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "state.json").unlink(missing_ok=True)
    words = [sys.executable, "-m", "sandbox", "serve", "--dir", str(directory), "--provisioning-seconds", str(seconds)]
    with (directory / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(
            [*words, *_option("--world", world), *_option("--record", record)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if (told := state(directory)) and told["pid"] == process.pid:
            return told
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.terminate()
    tail = (directory / "sandbox.log").read_text(errors="replace").strip().splitlines()[-1:]
    raise SandboxError(f"The sandbox did not start: {' '.join(tail) or 'it said nothing'}")


def _option(name: str, value: Path | None) -> list[str]:
    return [name, str(value)] if value else []


def down(directory: Path) -> bool:
    """Stop the sandbox and wait until it is gone; False when none ran."""
    told = state(directory)
    if told is None:
        return False
    os.kill(told["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state(directory):
        if time.monotonic() > deadline:
            os.kill(told["pid"], signal.SIGKILL)
            break
        time.sleep(0.05)
    return True
