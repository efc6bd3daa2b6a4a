"""The sandbox as a process in the background, identified by its folder."""

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
    """A command of the sandbox failed; the message is for the user."""


def state(directory: Path) -> dict[str, Any] | None:
    """The state file of a running sandbox, None if none runs."""
    try:
        content: dict[str, Any] = json.loads((directory / "state.json").read_text(encoding="utf-8"))
        os.kill(content["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return content


def running(directory: Path) -> dict[str, Any]:
    """The state of a running sandbox. Raises SandboxError if none runs."""
    content = state(directory)
    if content is None:
        raise SandboxError(f"No sandbox runs in {directory}. Start one: python -m sandbox up --dir {directory}")
    return content


def up(directory: Path, world: Path | None, seconds: float, record: Path | None = None) -> dict[str, Any]:
    """Start a sandbox and return when it is ready. Raises SandboxError if one runs already or the start fails."""
    if state(directory):
        raise SandboxError(f"A sandbox runs in {directory} already. Stop it: python -m sandbox down --dir {directory}")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "state.json").unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "serve",
        "--dir",
        str(directory),
        "--provisioning-seconds",
        str(seconds),
    ]
    with (directory / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *_option("--world", world), *_option("--record", record)],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if (content := state(directory)) and content["pid"] == process.pid:
            return content
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.terminate()
    tail = (directory / "sandbox.log").read_text(errors="replace").strip().splitlines()[-1:]
    raise SandboxError(f"The sandbox did not start: {' '.join(tail) or 'no message'}")


def _option(name: str, value: Path | None) -> list[str]:
    return [name, str(value)] if value else []


def down(directory: Path) -> bool:
    """Stop the sandbox and wait for its end; returns False if none ran."""
    content = state(directory)
    if content is None:
        return False
    os.kill(content["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state(directory):
        if time.monotonic() > deadline:
            os.kill(content["pid"], signal.SIGKILL)
            break
        time.sleep(0.05)
    return True
