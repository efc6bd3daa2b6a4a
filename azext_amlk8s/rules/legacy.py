"""The older form of a declaration, until every package declares its rules with `@rule`."""

from __future__ import annotations

from dataclasses import dataclass

from azext_amlk8s.rules.model import Finding, Severity


@dataclass(frozen=True)
class LegacyRule:
    """What findings of one id have in common."""

    id: str
    severity: Severity
    what: str
    source: str = ""

    def finding(self, subject: str, message: str, *, required: str = "", found: str = "", fix: str = "") -> Finding:
        """A finding of this rule."""
        return Finding(self.id, self.severity, subject, message, required, found, fix, self.source)
