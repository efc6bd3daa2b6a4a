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
