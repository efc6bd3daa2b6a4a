"""Findings: the one currency that all rules pay in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum


class Severity(str, Enum):
    """How much a finding weighs: an error stops, a warning is told, an info is there to be asked for."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """One thing that a rule has to say.

    message is a full sentence; required and found are words for a person; fix is what to paste or do; source is where
    the rule is documented.
    """

    id: str
    severity: Severity
    subject: str
    message: str
    required: str = ""
    found: str = ""
    fix: str = ""
    source: str = ""


@dataclass(frozen=True)
class Rule:
    """What findings of one id have in common. what is one sentence that says what is required; source a URL."""

    id: str
    severity: Severity
    what: str
    source: str = ""

    def finding(self, subject: str, message: str, *, required: str = "", found: str = "", fix: str = "") -> Finding:
        """A finding of this rule."""
        return Finding(self.id, self.severity, subject, message, required, found, fix, self.source)


@dataclass(frozen=True)
class Report:
    """All findings of a run."""

    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, *groups: Iterable[Finding]) -> Report:
        """All findings of all groups, errors first, otherwise in their order."""
        order = list(Severity)
        everything = [finding for group in groups for finding in group]
        return cls(tuple(sorted(everything, key=lambda finding: order.index(finding.severity))))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop."""
        return self._of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are told."""
        return self._of(Severity.WARNING)

    def strict(self) -> Report:
        """The same, with every warning an error."""
        raised = (replace(one, severity=Severity.ERROR) for one in self.warnings)
        return Report((*self.errors, *raised, *self._of(Severity.INFO)))

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is severity)
