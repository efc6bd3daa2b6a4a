"""A real pseudo-terminal: text for people where no format is chosen, the same object as in a pipe otherwise."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import termios

import pytest

from tests.support import Sandbox

COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")
VALIDATE = ("amlk8s", "extension", "validate", "--config", "enableTraining=True", "enableInference=yes")


def run_at_terminal(box: Sandbox, *arguments: str, columns: int = 100, **environment: str) -> tuple[int, str]:
    """Exit code and output of az at a terminal of this width; stdout and stderr together, as a person sees them."""
    az = shutil.which("az", path=box.env["PATH"]) or "az"
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(box.folder)
        os.execve(az, ["az", *arguments], {**box.env, **environment})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    output = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code, output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_validation_as_text(box: Sandbox, columns: int) -> None:
    code, output = run_at_terminal(box, *VALIDATE, columns=columns)
    assert code == 1
    lines = COLOUR.sub("", output).splitlines()
    assert lines[0].startswith("✗ enableInference")
    assert lines[-1].startswith("✗ 1 error")
    assert all(len(line) <= columns or "Try: " in line for line in lines)


@pytest.mark.parametrize("arguments", [("-o", "json"), ("--query", "[].id")])
def test_chosen_format_is_kept(box: Sandbox, arguments: tuple[str, ...]) -> None:
    code, output = run_at_terminal(box, *VALIDATE, *arguments)
    assert code == 1
    assert json.loads(COLOUR.sub("", output))


def test_configured_format_is_kept(box: Sandbox) -> None:
    _, output = run_at_terminal(box, *VALIDATE, AZURE_CORE_OUTPUT="json")
    assert json.loads(COLOUR.sub("", output))


def test_no_colour(box: Sandbox) -> None:
    _, output = run_at_terminal(box, *VALIDATE, NO_COLOR="1")
    assert "\x1b[3" not in output


def test_pipe_gets_the_object(box: Sandbox) -> None:
    assert box.az(*VALIDATE).json


@pytest.mark.parametrize("columns", [80, 120])
def test_status_as_text(box: Sandbox, columns: int) -> None:
    code, output = run_at_terminal(box, "amlk8s", "status", "-g", "ml-rg", "-c", "aks-poc", columns=columns)
    assert code == 0
    lines = [line.rpartition("\r")[2] for line in COLOUR.sub("", output).rstrip().split("\n")]
    assert lines[0].startswith("✓ Cluster         aks-poc  AKS")
    assert lines[-1].startswith("Next: az amlk8s ")
    assert all(len(line) <= columns or "Try: " in line for line in lines)
