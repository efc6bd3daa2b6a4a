"""kill -9 at every request of the commands that attach: the same command, run again, leads to the same end state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.cases import cells_of, measure, read_commands, read_faults
from tests.faults.evaluation import evaluate
from tests.faults.stage import FaultStage

COMMANDS = ("compute attach --replace", "compute attach")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_command_is_completed_by_the_same_command(name: str, tmp_path: Path) -> None:
    """Identity, tags and description survive, and the settings that were saved are deleted at the end."""
    command = next(command for command in read_commands() if command.name == name)
    # Settings that only the record of the replacement can restore.
    *others, last = command.given
    if "--replace" in name:
        command = replace(command, given=(*others, f"{last} --tags team=vision --description nights"))
    kills = [fault for fault in read_faults()[0] if fault.signal == "kill"]
    stage = FaultStage(tmp_path / "stage")
    try:
        baseline = measure(stage, command)
        cells = list(cells_of(command, baseline, kills))
        assert len(cells) >= len({request.path for request in baseline.requests})
        wrong = {cell.name: problems for cell in cells if (problems := evaluate(stage, cell, baseline))}
        assert wrong == {}
        assert list((tmp_path / "stage" / "azure" / "amlk8s").glob("replace-*")) == []
    finally:
        stage.end()
