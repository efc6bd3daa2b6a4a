"""Pieces of table views that several groups share. A table fits 100 columns with names of usual length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli.declaration import Row

WIDTH, NARROWEST = 100, 20


def shorten(text: str, width: int = 60) -> str:
    """The text on one line, cut to `width` characters."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def fit_width(rows: list[Row], column: str, width: int = WIDTH) -> list[Row]:
    """The rows with the texts of one column shortened, so that the table of az fits the width."""
    others = {key for row in rows for key in row} - {column}
    taken = sum(2 + max(len(key), *(len(str(row.get(key) or "")) for row in rows)) for key in others)
    return [{**row, column: shorten(str(row.get(column) or ""), max(width - taken, NARROWEST))} for row in rows]


def finding_rows(findings: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each finding, errors first. The fix is in the other output formats."""
    rows: list[Row] = [
        {
            "Id": finding["id"],
            "Severity": finding["severity"],
            "Subject": shorten(finding["subject"], 28),
            "Message": finding["message"].removeprefix(f"{finding['subject']}: "),
        }
        for finding in findings
    ]
    return fit_width(rows, "Message")
