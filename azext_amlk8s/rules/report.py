"""All findings of a run, without those that only follow from others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from azext_amlk8s.rules.model import Finding, Rule, Severity
from azext_amlk8s.rules.registry import find_rule


@dataclass(frozen=True)
class Report:
    """The findings of a run, errors first; consequences of other findings are left out."""

    findings: tuple[Finding, ...] = field(default=())

    @classmethod
    def of(cls, *groups: Iterable[Finding]) -> Report:
        """The findings of all groups, without consequences and duplicates."""
        order = list(Severity)
        findings = list(dict.fromkeys(finding for group in groups for finding in group))
        causes = [candidate for candidate in findings if find_cause(candidate, findings) is None]
        return cls(tuple(sorted(causes, key=lambda finding: order.index(finding.severity))))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the command."""
        return self._of(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are printed and do not stop the command."""
        return self._of(Severity.WARNING)

    def strict(self) -> Report:
        """The same report with every warning treated as an error."""
        raised = (replace(warning, severity=Severity.ERROR) for warning in self.warnings)
        return Report((*self.errors, *raised, *self._of(Severity.INFO)))

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is severity)


def find_cause(finding: Finding, findings: Iterable[Finding]) -> Finding | None:
    """The finding among these of which this one is a consequence, as its rule declares it."""
    rule = find_rule(finding.id)
    if rule is None or not (rule.follows or rule.follows_any):
        return None
    return next((cause for cause in findings if cause is not finding and _causes(cause, finding, rule)), None)


def _causes(cause: Finding, finding: Finding, rule: Rule[Any]) -> bool:
    if cause.id in rule.follows_any:
        return True
    return cause.id in rule.follows and bool(_subjects(cause) & _subjects(finding))


def _subjects(finding: Finding) -> set[str]:
    return {subject.lower() for subject in (finding.subject, *finding.related)}
