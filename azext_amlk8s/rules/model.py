"""Rules, the findings that they yield, and the facts that they look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class Severity(str, Enum):
    """How much a finding weighs: an error stops the command, a warning is printed, an info is shown on request."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Problem:
    """What the function of a rule yields; the rule adds its id, severity and source.

    subject is the key, object or resource that has the problem, and related are others that it is also about (the
    setting that a misspelt key was meant to be). fix has one command or one sentence per line; a command is complete
    and keeps the user's own values. severity replaces the rule's own where a case weighs less or more.
    """

    subject: str
    message: str
    expected: str = ""
    found: str = ""
    fix: str = ""
    related: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True)
class Finding:
    """One problem that a rule reports. message is a full sentence; source is the URL that documents the rule."""

    id: str
    severity: Severity
    subject: str
    message: str
    expected: str = ""
    found: str = ""
    fix: str = ""
    source: str = ""
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fact(Generic[T_co]):
    """A key of `Facts`: the name of a fact, and the type of its value."""

    name: str


@dataclass(frozen=True)
class Unavailable:
    """A fact that could not be read, and why; absent where there is no such thing. fix says what to do, if known."""

    reason: str
    absent: bool = False
    fix: str = ""


@dataclass(frozen=True)
class Observation:
    """What a check saw, as a clause that stands beside its title: "3 of 3 nodes are ready"."""

    text: str


class NotApplicable(Exception):
    """Raised by the function of a check where there is nothing to check; the message is a clause that says why."""


@dataclass(frozen=True)
class CheckSpec:
    """What makes a rule a check of `az amlk8s check`.

    needs are facts without which the check is skipped; uses are facts that it takes as they come, perhaps Unavailable.
    phase is "before" an installation, "installed", or "always". retry says that waiting may resolve it. clusters is
    managedClusters or connectedClusters where the check makes sense on one type alone. relays are ids of rules whose
    findings the check passes on.
    """

    category: str
    needs: tuple[Fact[Any], ...] = ()
    uses: tuple[Fact[Any], ...] = ()
    phase: str = "always"
    retry: bool = False
    clusters: str = ""
    relays: tuple[str, ...] = ()


Result = Problem | Finding | Observation


@dataclass(frozen=True)
class Rule(Generic[P]):
    """A rule: its declaration, and the function that finds what violates it. Call it to get findings.

    title is a topic ("Nodes for inference routers"), never a claim; requires is one sentence that says what is
    required, why says what happens otherwise. follows are ids of rules of which this one may be a consequence: it is
    not reported for a subject for which one of them has been; follows_any likewise, whatever the subject. languages are
    those of files in which a rule over files reports; none for all, and for rules over other things.
    """

    id: str
    severity: Severity
    title: str
    requires: str
    function: Callable[P, Iterable[Result]]
    source: str = ""
    why: str = ""
    follows: tuple[str, ...] = ()
    follows_any: tuple[str, ...] = ()
    check: CheckSpec | None = None
    languages: tuple[str, ...] = ()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Finding, ...]:
        """The findings of this rule for these arguments."""
        return tuple(result for result in self.results(*args, **kwargs) if isinstance(result, Finding))

    def results(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Finding | Observation]:
        """The findings of this rule, those that it passes on from other rules, and what it saw besides."""
        for result in self.function(*args, **kwargs):
            yield self.finding(result) if isinstance(result, Problem) else result

    def finding(self, problem: Problem) -> Finding:
        """A finding of this rule."""
        return Finding(
            self.id,
            problem.severity or self.severity,
            problem.subject,
            problem.message,
            problem.expected,
            problem.found,
            problem.fix,
            self.source,
            problem.related,
        )


Problems = Iterator[Problem]
Results = Iterator[Result]
