"""Findings on files as lines of text: position, severity, message, rule; the fix below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.console.reports import count, fix_lines


def lint_lines(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each finding, by position, with its fix; the verdict last. Findings of severity info are left out."""
    shown = [finding for finding in findings if finding["severity"] != "info"]
    lines: list[str] = []
    for finding in shown:
        place = f"{finding['file']}:{finding['line']}:{finding['column']}"
        lines.append(f"{place}: {finding['severity']}: {finding['message']}  [{finding['id']}]")
        lines += fix_lines(finding["fix"])
    counts = {severity: sum(each["severity"] == severity for each in shown) for severity in ("error", "warning")}
    found = [count(number, severity) for severity, number in counts.items() if number]
    mark = "✗" if counts["error"] else "!" if counts["warning"] else "✓"
    return [*lines, *([""] if lines else []), f"{mark} {' and '.join(found) or 'No problems'} found."]
