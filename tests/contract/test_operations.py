"""Every operation that our client asks for has a judge, or an assumption that is named."""

from __future__ import annotations

from tools.contract import operations


def test_everything_has_a_judge_or_an_assumption() -> None:
    assert [one["operation"] for one in operations() if not (one["judges"] or one["assumed"])] == []
