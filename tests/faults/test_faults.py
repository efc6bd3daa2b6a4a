"""A part of the fault matrix; `make faults` runs all of it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.matrix import run_matrix

CELLS = int(os.environ.get("AMLK8S_FAULT_CELLS", "60"))
SEED = int(os.environ.get("AMLK8S_FAULT_SEED", "1"))


def test_no_sampled_cell_is_wrong(tmp_path: Path) -> None:
    result = run_matrix(tmp_path, sample=CELLS, seed=SEED)
    assert result["cells"] == CELLS
    assert result["wrong"] == {}
