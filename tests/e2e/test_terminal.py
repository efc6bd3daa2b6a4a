"""A real pseudo-terminal: text for people where no format is chosen, the same object as in a pipe otherwise."""

from __future__ import annotations

import json

import pytest

from tests.support import Sandbox
from tests.terminal import COLOUR, run_at_terminal

VALIDATE = ("amlk8s", "extension", "validate", "--config", "enableTraining=True", "enableInference=yes")


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
