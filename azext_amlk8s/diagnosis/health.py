"""The health report that the extension leaves in its cluster: config map arcml-healthcheck, namespace azureml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE, NAME = "azureml", "arcml-healthcheck"
# Which parts speak of which operation, the first the more telling (field guide compute 6.3).
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
HEADER = re.compile(rf"^[\s\"']*(?P<name>{'|'.join(HEADERS)})\s*:\s*(?P<value>.*?)[\s,\"']*$", re.I | re.M)
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
        return tuple(one for one in self.checks if not one.passed)


def read_reports(config_map: Mapping[str, Any] | None) -> tuple[HealthReport, ...]:
    """Every report of the config map; no map, no data and keys of other kinds give none."""
    data = (config_map or {}).get("data")
    found = []
    for key, text in data.items() if isinstance(data, Mapping) else ():
        named = KEY.match(str(key))
        if named and isinstance(text, str):
            found.append(read_report(text, named["hook"]))
    return tuple(found)


def read_report(text: str, hook: str = "") -> HealthReport:
    """A report, or the lines of one that somebody kept; what is not understood is passed over."""
    headers = {HEADERS[one["name"].lower()]: one["value"].strip() for one in HEADER.finditer(text)}
    checks = tuple(
        Check(
            one["name"],
            one["status"].lower() in ("passed", "succeeded", "ok"),
            (one["code"] or "").upper(),
            " ".join((one["message"] or "").split()),
        )
        for one in CHECK.finditer(text)
    )
    return HealthReport(hook, checks, **headers)


def relevant(reports: Iterable[HealthReport], operation: str = "") -> tuple[HealthReport, ...]:
    """The reports that speak of an operation (create, update, delete), the most telling first; all for none."""
    kept = list(reports)
    hooks = HOOKS_OF.get(operation)
    if hooks is None:
        return tuple(kept)
    return tuple(one for hook in hooks for one in kept if one.hook == hook)
