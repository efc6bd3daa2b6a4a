"""Public templates, scripts and documents: lint finds what their readers would, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from azext_amlk8s.lint import SourceFile, lint

CASES = yaml.safe_load((Path(__file__).parent / "lint_public_files.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_public_file(case: dict[str, Any], shared: Path) -> None:
    path = shared / "corpus" / case["file"]
    if not path.exists():
        pytest.skip(f"{case['repository']} {case['path']} is not at {case['file']}: no copy is at hand")
    file = SourceFile(path.name, path.read_text(encoding="utf-8"))
    assert sorted({each.finding.id for each in lint([file]).findings}) == sorted(case["expects"])
