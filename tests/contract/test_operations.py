"""Every operation of the client has evidence or a named assumption."""

from __future__ import annotations

from tools.contract import operations


def test_every_operation_has_evidence_or_an_assumption() -> None:
    assert [
        operation["operation"] for operation in operations() if not (operation["evidence"] or operation["assumed"])
    ] == []
