"""How far an installation is, read from its pods alone: events may be of an earlier attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.diagnosis.pod_failures import PULL_REASONS, Failure, find_failures


@dataclass(frozen=True)
class PodProgress:
    """How many of the pods that should run are ready, and what prevents others, image pulls first."""

    ready: int
    total: int
    failures: tuple[Failure, ...] = ()

    @property
    def pull_failures(self) -> tuple[Failure, ...]:
        """Those whose image cannot be pulled."""
        return tuple(failure for failure in self.failures if failure.reason in PULL_REASONS)

    @property
    def text(self) -> str:
        """`pods ready 9 of 15, gateway-5d4f: ImagePullBackOff: …`; empty without pods."""
        if not self.total:
            return ""
        counts = f"pods ready {self.ready} of {self.total}"
        return ", ".join([counts, *(f"{failure.name}: {failure.text}" for failure in self.failures[:1])])


def read_pod_progress(pods: Iterable[Mapping[str, Any]]) -> PodProgress:
    """The progress of pods as the cluster lists them; those that have succeeded or are being deleted do not count."""
    expected = [
        pod
        for pod in pods
        if (pod.get("status") or {}).get("phase") != "Succeeded"
        and not (pod.get("metadata") or {}).get("deletionTimestamp")
    ]
    failures = sorted(find_failures(expected), key=lambda failure: failure.reason not in PULL_REASONS)
    return PodProgress(sum(_is_ready(pod) for pod in expected), len(expected), tuple(failures))


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)
