"""Every operation of the client has evidence or a named assumption."""

from __future__ import annotations

from tools.contract import operations


def test_every_operation_has_evidence_or_an_assumption() -> None:
    assert [one["operation"] for one in operations() if not (one["evidence"] or one["assumed"])] == []
