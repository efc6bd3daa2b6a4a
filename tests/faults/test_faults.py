"""A part of the fault matrix, always the same; `make faults` runs all of it."""

from __future__ import annotations

import os

import pytest

from tests.faults.cases import read_commands, read_faults
from tests.faults.matrix import Result, run_matrix

CELLS = int(os.environ.get("AMLK8S_FAULT_CELLS", "280"))
WORKERS = int(os.environ.get("AMLK8S_FAULT_WORKERS", "3"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    return run_matrix(tmp_path_factory.mktemp("faults"), workers=WORKERS, sample=CELLS)[0]


@pytest.mark.timeout(900)
def test_the_sample_has_each_command_and_each_fault_that_does_not_wait_for_long(results: list[Result]) -> None:
    assert len(results) >= CELLS
    assert {result.command for result in results} == {command.name for command in read_commands()}
    assert {result.fault for result in results} == {fault.name for fault in read_faults()[0] if not fault.first}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", [item.name for item in read_commands()])
def test_no_sampled_cell_is_wrong(command: str, results: list[Result]) -> None:
    wrong = {result.cell: result.wrong for result in results if result.command == command and result.wrong}
    assert wrong == {}
