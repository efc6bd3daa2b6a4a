"""A part of the fault matrix, always the same; `make faults` runs all of it."""

from __future__ import annotations

import os

import pytest

from tests.faults.cases import read_commands
from tests.faults.matrix import Result, run_matrix

CELLS = int(os.environ.get("AMLK8S_FAULT_CELLS", "220"))
WORKERS = int(os.environ.get("AMLK8S_FAULT_WORKERS", "3"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    return run_matrix(tmp_path_factory.mktemp("faults"), workers=WORKERS, sample=CELLS)[0]


@pytest.mark.timeout(900)
def test_the_sample_is_complete(results: list[Result]) -> None:
    assert len(results) == CELLS


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", [one.name for one in read_commands()])
def test_no_sampled_cell_is_wrong(command: str, results: list[Result]) -> None:
    wrong = {result.cell: result.wrong for result in results if result.command == command and result.wrong}
    assert wrong == {}
