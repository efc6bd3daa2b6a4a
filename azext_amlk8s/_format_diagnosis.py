"""Table views of findings and explanations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from azext_amlk8s._format import Row, short


def explanation_rows(found: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of explanations, or of the whole knowledge base."""
    return [
        OrderedDict(
            Code=one.get("code") or "unknown",
            Name=one.get("name"),
            Scope=one.get("scope"),
            Meaning=one.get("meaning") or short(str((one.get("parts") or {}).get("message") or "")),
            Fix=(one.get("fix") or [""])[0],
        )
        for one in found
    ]


def check_rows(report: Mapping[str, Any]) -> list[Row]:
    """The rows of a check: one for each finding, and one for each check that has none."""
    return [
        OrderedDict(
            Category=category["id"],
            Id=(finding or check)["id"],
            Status=finding["severity"] if finding else check["status"],
            Subject=finding["subject"] if finding else "",
            What=short(finding["message"] if finding else check["note"] or check["what"], 100),
            Fix=(finding["fix"].splitlines() or [""])[0] if finding else "",
        )
        for category in report["categories"]
        for check in category["checks"]
        for finding in check["findings"] or [None]
    ]


def bundle_row(bundle: Mapping[str, Any]) -> Row:
    """The row of a diagnosis that was written."""
    return OrderedDict(
        Archive=bundle["archive"], Page=bundle["page"], Files=len(bundle["files"]), Verdict=bundle["verdict"]
    )


def finding_rows(findings: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of findings, errors first."""
    return [
        OrderedDict(
            Id=one["id"],
            Severity=one["severity"],
            Subject=one["subject"],
            Message=one["message"].removeprefix(f"{one['subject']}: "),
            Fix=" | ".join(line.strip() for line in one["fix"].splitlines()),
        )
        for one in findings
    ]
