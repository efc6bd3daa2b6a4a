"""The live state of each cluster against its setup file, from what was read to plan it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.model import BUSY_STATES, state_of
from azext_amlk8s.diagnosis import compute_errors
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rules import Severity
from azext_amlk8s.settings.facts import offline_state
from azext_amlk8s.setup_files.model import Resource
from azext_amlk8s.setup_files.plan import (
    ADOPT,
    BLOCKED,
    CREATE,
    NONE,
    REMOVING,
    UNKNOWN,
    UPDATE,
    ClusterPlan,
    ResourcePlan,
)

IN_SYNC, DRIFTED, CHANGING, MISSING, UNREADABLE, OFFLINE, FAILING = STATES = (
    "in sync", "drifted", "changing", "missing", "unknown", "offline", "failing",
)  # fmt: skip
# What apply would bring about, and what has to be resolved by somebody.
DIFFERENT, BAD = (DRIFTED, CHANGING, MISSING), (UNREADABLE, OFFLINE, FAILING)
IMMUTABLE = "D116"


@dataclass(frozen=True)
class LiveResources:
    """The cluster, its extension and its compute as Azure returns them, None where they do not exist."""

    cluster: Resource | None = None
    extension: Resource | None = None
    compute: Resource | None = None


@dataclass(frozen=True)
class ClusterStatus:
    """The state of one cluster. keys are those that differ from the file; detail is the cause as one sentence.

    since is when an offline cluster was last connected, in ISO 8601, empty where Azure does not say.
    """

    setup: str
    cluster: ClusterRef
    state: str
    keys: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    detail: str = ""
    since: str = ""

    def to_object(self) -> dict[str, Any]:
        """The status as `status --file` returns it."""
        return {
            "setup": self.setup,
            "cluster": self.cluster.name,
            "id": self.cluster.id,
            "state": self.state,
            "detail": self.detail,
            "since": self.since or None,
            "drift": [dict(key) for key in self.keys],
        }


def cluster_status(plan: ClusterPlan, live: LiveResources) -> ClusterStatus:
    """The state of a cluster: what hides the others comes first."""
    keys = tuple(_drift(plan))
    for state, (detail, since) in _candidates(plan, live, keys):
        if detail:
            return ClusterStatus(plan.setup, plan.cluster, state, keys, redact_text(detail), since)
    return ClusterStatus(plan.setup, plan.cluster, IN_SYNC)


def _candidates(
    plan: ClusterPlan, live: LiveResources, keys: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    unknown = next((resource for resource in plan.resources if resource.action == UNKNOWN), None)
    errors = [finding for finding in plan.findings if finding.severity is Severity.ERROR and finding.id != IMMUTABLE]
    if live.cluster is None:
        yield UNREADABLE, (unknown.note if unknown else "", "")
        yield MISSING, (f"Cluster '{plan.cluster.name}' does not exist.", "")
    yield OFFLINE, _offline(live.cluster or {})
    yield FAILING, (_failure(live), "")
    yield CHANGING, (_progress(live), "")
    missing = [
        resource for resource in plan.resources
        if resource.kind in ("extension", "compute") and _is_absent(resource, live)
    ]  # fmt: skip
    yield MISSING, (_listed(f"{resource.kind} '{resource.name}'" for resource in missing), "")
    yield UNREADABLE, (f"{unknown.kind} '{unknown.name}': {unknown.note}" if unknown else "", "")
    yield DRIFTED, (_listed(_key_text(key) for key in keys), "")
    yield FAILING, (f"{errors[0].message} [{errors[0].id}]" if errors else "", "")


def _is_absent(resource: ResourcePlan, live: LiveResources) -> bool:
    """Whether the resource is to be created, or would be if nothing blocked it."""
    exists = live.extension if resource.kind == "extension" else live.compute
    return exists is None and resource.action in (CREATE, BLOCKED)


def _offline(cluster: Resource) -> tuple[str, str]:
    """Why the cluster cannot be reached by Azure, and since when; empty where it can."""
    properties = properties_of(cluster)
    if connectivity := offline_state(cluster):
        since = str(properties.get("lastConnectivityTime") or "")
        return f"{connectivity} since {since[:19].replace('T', ' ')} UTC" if since else connectivity, since
    power = str((properties.get("powerState") or {}).get("code") or "")
    return ("The cluster is stopped." if power.lower() == "stopped" else ""), ""


def _failure(live: LiveResources) -> str:
    """The first cause of a failed extension or compute."""
    for kind, resource in (("Extension", live.extension), ("Compute", live.compute)):
        state = state_of(resource) if resource else ""
        if resource and state.lower() not in ("", "succeeded", *BUSY_STATES):
            if kind == "Extension":
                statuses = properties_of(resource).get("statuses") or ()
                texts = [str(status.get("message") or "") for status in statuses if isinstance(status, Mapping)]
            else:
                texts = [f"{error.code}: {error.message}" for error in compute_errors(resource)]
            cause = next((" ".join(text.split()) for text in texts if text), "")
            return f"{kind} '{resource.get('name')}' is in state {state}{f': {cause}' if cause else '.'}"
    return ""


def _progress(live: LiveResources) -> str:
    for kind, resource in (("Extension", live.extension), ("Compute", live.compute)):
        state = state_of(resource) if resource else ""
        if resource and state.lower() in BUSY_STATES:
            return f"{kind} '{resource.get('name')}' is in state {state}."
    return ""


def _drift(plan: ClusterPlan) -> Iterator[Mapping[str, Any]]:
    """The keys that differ, and the objects that are missing."""
    for resource in plan.resources:
        if resource.action in (NONE, ADOPT, UNKNOWN):
            continue
        for change in resource.changes:
            yield {"kind": resource.kind, "name": resource.name, **change.to_object()}
        if resource.action == CREATE and not resource.changes:
            yield {"kind": resource.kind, "name": resource.name, "key": "", "before": None, "after": "exists"}
        elif resource.action == UPDATE and not resource.changes:
            yield {"kind": resource.kind, "name": resource.name, "key": "", "before": resource.note, "after": ""}
        elif resource.action in REMOVING:
            yield {"kind": resource.kind, "name": resource.name, "key": "", "before": "exists", "after": None}


def _key_text(key: Mapping[str, Any]) -> str:
    """A difference in a few words: enableInference; small: cpu; namespace ml."""
    if not key["key"]:
        text = f"{key['kind']} {key['name']}".strip()
        return text if key["after"] is not None else f"{text} is not in the files"
    return f"{key['name']}: {key['key']}" if key["kind"] == "instance type" else str(key["key"])


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def status_object(statuses: Sequence[ClusterStatus]) -> dict[str, Any]:
    """What `status --file` returns."""
    states = [status.state for status in statuses]
    return {
        "summary": {state: states.count(state) for state in STATES},
        "clusters": [status.to_object() for status in statuses],
    }


def status_exit_code(statuses: Iterable[ClusterStatus], *, detailed: bool) -> int:
    """1 where a cluster is failing, offline or unknown; with detailed 4 where apply would change something; else 0."""
    states = {status.state for status in statuses}
    if states & set(BAD):
        return 1
    return 4 if detailed and states & set(DIFFERENT) else 0
