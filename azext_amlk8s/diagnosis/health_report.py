"""The health report of the extension in its cluster: config map arcml-healthcheck, namespace azureml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

NAMESPACE, NAME = "azureml", "arcml-healthcheck"
MAX_REPORT, MAX_CHECKS = 100_000, 200
# The reports that belong to an operation, the most relevant first.
HOOKS_OF = {
    "create": ("pre-install", "pre-delete"),
    "update": ("pre-upgrade", "pre-rollback"),
    "delete": ("pre-delete",),
    "test": ("test",),
}
KEY = re.compile(r"^reports-(?P<hook>[\w-]+)$")
HEADERS = {
    "duration": "duration",
    "date": "date",
    "k8sdistribution": "distribution",
    "k8sinfrastructure": "infrastructure",
    "correlationid": "correlation_id",
    "troubleshootingguide": "guide",
}
HEADER = re.compile(rf"^[ \t\"']{{0,80}}(?P<name>{'|'.join(HEADERS)})[ \t]{{0,80}}:(?P<value>[^\r\n]*)", re.I | re.M)
CHECK = re.compile(
    r"Status:\s*(?P<status>\w+)[\s,;]+Name:\s*(?P<name>[\w./-]+)"
    r"(?:[\s,;]+ErrorCode:\s*(?P<code>[\w-]+))?(?:[\s,;]+ErrorMessage:[ \t]*(?P<message>[^\r\n]*))?",
    re.I,
)


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    passed: bool
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class HealthReport:
    """One key of the config map; hook is pre-install, pre-upgrade, pre-rollback, pre-delete or test."""

    hook: str
    checks: tuple[Check, ...] = ()
    duration: str = ""
    date: str = ""
    distribution: str = ""
    infrastructure: str = ""
    correlation_id: str = ""
    guide: str = ""

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)


def read_reports(config_map: Mapping[str, Any] | None) -> tuple[HealthReport, ...]:
    """Every report of the config map; other keys are ignored."""
    data = config_map.get("data") if isinstance(config_map, Mapping) else None
    reports = []
    for key, text in data.items() if isinstance(data, Mapping) else ():
        named = KEY.match(str(key))
        if named and isinstance(text, str):
            reports.append(read_report(text[-MAX_REPORT:], named["hook"]))
    return tuple(reports)


def read_report(text: str, hook: str = "") -> HealthReport:
    """A report, or some lines of one; lines that are not understood are ignored."""
    headers = {HEADERS[match["name"].lower()]: match["value"].strip(" \t,\"'") for match in HEADER.finditer(text)}
    checks = tuple(
        Check(
            match["name"],
            match["status"].lower() in ("passed", "succeeded", "ok"),
            (match["code"] or "").upper(),
            " ".join((match["message"] or "").split()),
        )
        for match in islice(CHECK.finditer(text), MAX_CHECKS)
    )
    return HealthReport(hook, checks, **headers)


def reports_for(reports: Iterable[HealthReport], operation: str = "") -> tuple[HealthReport, ...]:
    """The reports of an operation (create, update, delete, test), the most relevant first; all without one."""
    reports = tuple(reports)
    hooks = HOOKS_OF.get(operation)
    if hooks is None:
        return reports
    return tuple(report for hook in hooks for report in reports if report.hook == hook)
