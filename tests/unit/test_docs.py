"""The generated documents, the rules in them, and that each rule has a scenario."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.scenarios.runner import read
from tools.docs import pages, rules
from tools.prove_wheel import ROOT

SCENARIOS = ROOT / "tests" / "scenarios"
# The version of az is that of the test environment; tests/unit/test_checks.py has older ones.
WITHOUT_SCENARIO = {"K101"}
# The rules of setup files (D) have tests in tests/unit alone.
LETTERS = "STVFUCINWKD"
PACKAGE = ROOT / "azext_amlk8s"


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_document_is_up_to_date(name: str) -> None:
    """Otherwise: make docs"""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages()[name]


def test_requirement_of_a_rule_is_a_sentence() -> None:
    incomplete = [
        rule.id for rule in rules() if not rule.requires.endswith(".") or rule.source[:8] not in ("", "https://")
    ]
    assert incomplete == []


def test_every_id_belongs_to_a_rule() -> None:
    """An ID in the package without a rule would be in no table."""
    used = {name for file in PACKAGE.rglob("*.py") for name in re.findall(r'"([A-Z]\d{3})"', file.read_text("utf-8"))}
    assert used - {rule.id for rule in rules()} == set()


def test_every_rule_has_a_scenario() -> None:
    files: list[Path] = [file for file in SCENARIOS.glob("*.yaml") if file.name != "world.yaml"]
    expected = {finding for file in files for scenario in read(file) for finding in scenario.findings}
    # A check that passes on the findings of other rules has none of its own.
    own = {rule.id for rule in rules() if rule.id[0] in LETTERS and not (rule.check and rule.check.relays)}
    assert sorted(own - expected - WITHOUT_SCENARIO) == []


def test_scopes_of_explain_are_those_of_the_knowledge_base() -> None:
    from azext_amlk8s.cli.root import SCOPES
    from azext_amlk8s.diagnosis.knowledge_base import SCOPES as KNOWN

    assert (*KNOWN, "rule") == SCOPES
