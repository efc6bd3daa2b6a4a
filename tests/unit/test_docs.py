"""The generated tables, the rules that they are made of, and that a rule is played by a scenario."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.scenarios.runner import read
from tools.docs import pages, rules
from tools.prove_wheel import ROOT

SCENARIOS = ROOT / "tests" / "scenarios"
# What is met by commands that write, or by their judges: settings, certificates, versions, facts, updates, computes,
# instance types and their fit. Each rule of these stands in a scenario.
PLAYED = "STVFUCIN"
PACKAGE = ROOT / "azext_amlk8s"


@pytest.mark.parametrize("name", sorted(pages()))
def test_what_is_generated_is_fresh(name: str) -> None:
    """Else: python -m tools.docs"""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name]


def test_a_rule_is_a_sentence() -> None:
    """Else the table would say nothing."""
    assert [one.id for one in rules() if not one.what.endswith(".") or one.source[:8] not in ("", "https://")] == []


def test_every_id_is_a_rules() -> None:
    """An id that stands in the package without a rule would be in no table."""
    used = {one for file in PACKAGE.rglob("*.py") for one in re.findall(r'"([A-Z]\d{3})"', file.read_text("utf-8"))}
    assert used - {one.id for one in rules()} == set()


def test_every_rule_is_played() -> None:
    """A scenario expects it, by its id."""
    files: list[Path] = [file for file in SCENARIOS.glob("*.yaml") if file.name != "world.yaml"]
    expected = {finding for file in files for scenario in read(file) for finding in scenario.findings}
    assert [one.id for one in rules() if one.id[0] in PLAYED and one.id not in expected] == []
