"""docs/sandbox.md ends with the table of who judges what, as operations.json has it."""

from __future__ import annotations

from tests.conftest import ROOT
from tools.contract import operations, table


def test_the_table_is_made_from_the_data() -> None:
    assert (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8").endswith(table(operations()))


def test_everything_has_a_judge_or_an_assumption() -> None:
    assert [one["operation"] for one in operations() if not (one["judges"] or one["assumed"])] == []
