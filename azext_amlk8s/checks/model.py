"""Checks, their outcomes, and how facts become outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from azext_amlk8s.checks.facts import CLUSTER, COMPUTES, IN_CLUSTER, WORKSPACE, Facts
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.rules import (
    CheckSpec,
    Fact,
    Finding,
    NotApplicable,
    Observation,
    Rule,
    Severity,
    Unavailable,
    find_cause,
)

# The check that reports why a fact is unavailable.
REPORTED_BY: dict[Fact[Any], tuple[str, ...]] = {
    CLUSTER: ("K201",),
    **dict.fromkeys(IN_CLUSTER, ("K201", "K301", "K302")),
    **dict.fromkeys((WORKSPACE, COMPUTES), ("K601",)),
}


class Status(str, Enum):
    """The outcome of a check; it is skipped where its facts are unavailable or its cause has been reported."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Category:
    """A heading, with its checks in order."""

    id: str
    title: str


@dataclass(frozen=True)
class Check:
    """A rule that `az amlk8s check` evaluates on facts, or one that passes on the findings of other rules."""

    id: str
    title: str
    severity: Severity
    spec: CheckSpec
    evaluate: Callable[[Facts], Iterable[Finding | Observation]]

    @classmethod
    def of(cls, rule: Rule[[Facts]]) -> Check:
        """The check of a rule that declares one."""
        if rule.check is None:
            raise ValueError(f"rule {rule.id} is not a check")
        return cls(rule.id, rule.title, rule.severity, rule.check, rule.results)

    @property
    def fatal(self) -> bool:
        """Whether a problem stops an installation."""
        return self.severity is Severity.ERROR

    @property
    def facts(self) -> tuple[Fact[Any], ...]:
        """All facts that it looks at."""
        return (*self.spec.needs, *self.spec.uses)

    @property
    def names(self) -> tuple[str, ...]:
        """Its id, and those of the rules whose findings it passes on."""
        return (self.id, *self.spec.relays)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check. note says what was observed, or why the check was skipped."""

    check: Check
    status: Status
    findings: tuple[Finding, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Result:
    """The outcomes of a run, in order."""

    outcomes: tuple[Outcome, ...]

    def of(self, status: Status) -> tuple[Outcome, ...]:
        """The outcomes of a status."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is status)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, errors first."""
        order = list(Severity)
        findings = (finding for outcome in self.outcomes for finding in outcome.findings)
        return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))

    @property
    def healthy(self) -> bool:
        """Whether there is no error."""
        return not self.of(Status.FAILED)

    @property
    def may_recover(self) -> bool:
        """Whether waiting may resolve every error."""
        return all(outcome.check.spec.retry for outcome in self.of(Status.FAILED))


def evaluate(check: Check, facts: Facts, earlier: Sequence[Finding] = ()) -> Outcome:
    """The outcome of a check; what follows from earlier findings is skipped."""
    for fact in check.spec.needs:
        if isinstance(value := facts.state(fact), Unavailable):
            return Outcome(check, Status.SKIPPED, note=_reported(fact, earlier) or value.reason)
    try:
        results = tuple(check.evaluate(facts))
    except NotApplicable as reason:
        return Outcome(check, Status.SKIPPED, note=str(reason))
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        # One object of the cluster with values of wrong types must not end the other checks.
        return Outcome(check, Status.SKIPPED, note=f"unexpected values in a response ({type(error).__name__})")
    findings = [_redacted(result) for result in results if isinstance(result, Finding)]
    causes = [find_cause(finding, [*earlier, *findings]) for finding in findings]
    kept = tuple(finding for finding, cause in zip(findings, causes, strict=True) if cause is None)
    if findings and not kept:
        ids = dict.fromkeys(cause.id for cause in causes if cause)
        return Outcome(check, Status.SKIPPED, note=f"see {', '.join(ids)}")
    note = "; ".join(result.text for result in results if isinstance(result, Observation))
    return Outcome(check, _status(kept), kept, note)


def _status(findings: Iterable[Finding]) -> Status:
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Status.FAILED
    return Status.WARNING if Severity.WARNING in severities else Status.PASSED


def _reported(fact: Fact[Any], earlier: Iterable[Finding]) -> str:
    """Where the user can read why a fact is unavailable, if a check has reported it."""
    ids = {finding.id for finding in earlier}
    return next((f"see {id}" for id in REPORTED_BY.get(fact, ()) if id in ids), "")


def _redacted(finding: Finding) -> Finding:
    """A finding without the secrets that a text of the cluster may hold."""
    return replace(finding, message=redact_text(finding.message), found=redact_text(finding.found))
