"""What a check is, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from azext_amlk8s.checks.facts import Facts, Inapplicable
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

AKS, ARC = "managedClusters", "connectedClusters"
Judge = Callable[[Facts], Iterable[Finding]]


class When(Enum):
    """Before an installation, on what is installed, or both."""

    BEFORE = "before"
    INSTALLED = "installed"
    ALWAYS = "always"


class Status(str, Enum):
    """What came of a check. One is skipped where what it needs could not be seen."""

    PASSED = "passed"
    WARNED = "warning"
    FAILED = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Category:
    """A heading, with its checks in order."""

    id: str
    title: str


@dataclass(frozen=True)
class Check:
    """One thing that is required: the rule says what, and whether its lack is fatal or a warning.

    needs are facts (fields of Facts) without which it cannot be judged, wants those that it takes as they come, None or
    Unseen. retry says that waiting may mend it. relays are ids of rules of other rooms whose findings it passes on.
    clusters is AKS or ARC where it makes sense on one kind of cluster alone.
    """

    rule: Rule
    category: str
    judge: Judge
    needs: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    when: When = When.ALWAYS
    retry: bool = False
    relays: tuple[str, ...] = ()
    clusters: str = ""

    @property
    def id(self) -> str:
        """The rule's."""
        return self.rule.id

    @property
    def fatal(self) -> bool:
        """Whether its lack is an error, else a warning."""
        return self.rule.severity is Severity.ERROR

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts that it looks at."""
        return (*self.needs, *self.wants)


@dataclass(frozen=True)
class Outcome:
    """What came of a check; note says why it was skipped."""

    check: Check
    status: Status
    findings: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Result:
    """All that came of a run, in order."""

    outcomes: tuple[Outcome, ...]

    def of(self, status: Status) -> tuple[Outcome, ...]:
        """The outcomes of a status."""
        return tuple(one for one in self.outcomes if one.status is status)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, errors first."""
        order = list(Severity)
        told = (finding for one in self.outcomes for finding in one.findings)
        return tuple(sorted(told, key=lambda finding: order.index(finding.severity)))

    @property
    def healthy(self) -> bool:
        """Whether there is no error."""
        return not self.of(Status.FAILED)

    @property
    def waits_help(self) -> bool:
        """Whether every error may pass by itself."""
        return all(one.check.retry for one in self.of(Status.FAILED))


def judged(check: Check, facts: Facts, missing: Mapping[str, Any]) -> Outcome:
    """The outcome of a check on facts; missing are those of its needs that could not be seen, with the reason."""
    if missing:
        return Outcome(check, Status.SKIPPED, note=next(iter(missing.values())).why)
    try:
        findings = tuple(_told(one) for one in check.judge(facts))
    except Inapplicable as why:
        return Outcome(check, Status.SKIPPED, note=str(why))
    weights = {one.severity for one in findings}
    if Severity.ERROR in weights:
        return Outcome(check, Status.FAILED, findings)
    return Outcome(check, Status.WARNED if Severity.WARNING in weights else Status.PASSED, findings)


def _told(one: Finding) -> Finding:
    """A finding without the secrets that a text of the cluster may hold."""
    return replace(one, message=redact_text(one.message), found=redact_text(one.found))
