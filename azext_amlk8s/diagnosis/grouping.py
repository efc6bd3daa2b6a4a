"""Many failures with one cause as one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.diagnosis.explain import Explanation, explain_failure
from azext_amlk8s.diagnosis.pod_failures import Failure, find_failures

MAX_NAMES = 2


@dataclass(frozen=True)
class CauseGroup:
    """Failures with the same explanation, in the order in which they were found; there is at least one."""

    explanation: Explanation
    failures: tuple[Failure, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """The names of what fails, each once, with its namespace where that is known."""
        return tuple(
            dict.fromkeys("/".join(filter(None, (failure.namespace, failure.name))) for failure in self.failures)
        )

    @property
    def summary(self) -> str:
        """How many and which: `pod jobs/a`, or `14 pods (jobs/a, jobs/b and 12 more)`."""
        kind = self.failures[0].kind.lower() or "object"
        if len(self.subjects) == 1:
            return f"{kind} {self.subjects[0]}"
        shown = ", ".join(self.subjects[:MAX_NAMES])
        rest = len(self.subjects) - MAX_NAMES
        return (
            f"{len(self.subjects)} {kind}s ({shown} and {rest} more)"
            if rest > 0
            else f"{len(self.subjects)} {kind}s ({shown})"
        )


def group_by_cause(failures: Iterable[Failure]) -> tuple[CauseGroup, ...]:
    """The failures by their most specific explanation, the largest group first, unknown causes last.

    Failures whose cause is unknown form one group for each reason.
    """
    groups: dict[tuple[str, str, str], tuple[Explanation, list[Failure]]] = {}
    for failure in failures:
        explanation = explain_failure(failures=(failure,))[0]
        key = (explanation.code or failure.reason, explanation.scope, explanation.name)
        groups.setdefault(key, (explanation, []))[1].append(failure)
    causes = [CauseGroup(explanation, tuple(members)) for explanation, members in groups.values()]
    return tuple(sorted(causes, key=lambda group: (not group.explanation.known, -len(group.subjects))))


def group_pods_by_cause(
    pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]] = ()
) -> tuple[CauseGroup, ...]:
    """The same for pods and events as the cluster returns them: pending and failing pods, and pods never created."""
    return group_by_cause(find_failures(pods, events))
