"""What would change in each cluster, as values and as `plan` returns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rules import Finding, Problem, Problems, Report, Severity, rule

CREATE, UPDATE, DETACH, DELETE, ADOPT, NONE, BLOCKED, UNKNOWN = ACTIONS = (
    "create", "update", "detach", "delete", "adopt", "none", "blocked", "unknown",
)  # fmt: skip
REMOVING = (DETACH, DELETE)
CHANGING = (CREATE, UPDATE, *REMOVING)


@dataclass(frozen=True)
class Change:
    """A value before and after; before is None for one that is not set."""

    key: str
    before: str | None
    after: str

    def to_object(self) -> dict[str, Any]:
        """The change as `plan` returns it."""
        return {"key": self.key, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class ResourcePlan:
    """What happens to one resource of a cluster.

    settings are those of the files that a new one gets, derived are those that follow from them or from the cluster;
    note is a sentence, such as what the resource costs.
    """

    kind: str
    name: str
    action: str
    changes: Sequence[Change] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    derived: Mapping[str, str] = field(default_factory=dict)

    def to_object(self) -> dict[str, Any]:
        """The resource as `plan` returns it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "action": self.action,
            "changes": [change.to_object() for change in self.changes],
            "settings": dict(self.settings),
            "derived": dict(self.derived),
            "note": self.note,
        }


@dataclass(frozen=True)
class ClusterPlan:
    """What happens to the resources of one cluster, in the order in which apply changes them, and the findings.

    places says where in the files the key is that a finding is about, as file:line:column.
    """

    setup: str
    cluster: ClusterRef
    resources: Sequence[ResourcePlan]
    findings: Sequence[Finding] = ()
    places: Mapping[Finding, str] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The action that says most: blocked, unknown, create, update, detach, delete, adopt or none."""
        actions = {resource.action for resource in self.resources}
        if any(finding.severity is Severity.ERROR for finding in self.findings):
            return BLOCKED
        return next(
            (action for action in (BLOCKED, UNKNOWN, CREATE, UPDATE, *REMOVING, ADOPT) if action in actions), NONE
        )

    @property
    def extension(self) -> ResourcePlan | None:
        """What happens to the extension, None where the setup has none."""
        return next((resource for resource in self.resources if resource.kind == "extension"), None)

    @property
    def changes(self) -> bool:
        """Whether apply would write something."""
        return self.action != BLOCKED and any(resource.action in CHANGING for resource in self.resources)

    def to_object(self) -> dict[str, Any]:
        """The cluster as `plan` returns it."""
        return {
            "setup": self.setup,
            "cluster": self.cluster.name,
            "id": self.cluster.id,
            "action": self.action,
            "resources": [resource.to_object() for resource in self.resources],
            "findings": [
                _finding_object(finding, self.places.get(finding, "")) for finding in Report.of(self.findings).findings
            ],
        }


@rule(
    "D116",
    Severity.ERROR,
    title="Immutable parts of a compute",
    requires="The cluster, namespace, identity and description of an attached compute stay as they are.",
    why="Azure does not change them while the compute is attached.",
)
def immutable_compute(name: str, differences: Sequence[str], replace: str) -> Problems:
    """An existing compute with other values; replace is the command that detaches it and attaches it again."""
    if differences:
        message = f"Compute '{name}' cannot be changed while it is attached: {'; '.join(differences)}."
        fix = f"To detach it and attach it again, which ends its jobs and endpoints:\n{replace}"
        yield Problem(name, message, fix=fix)


@rule(
    "D117",
    Severity.ERROR,
    title="State of a resource",
    requires="A resource must be in state Succeeded, or be changing.",
)
def failed_resource(kind: str, name: str, state: str, fix: str) -> Problems:
    """A resource that failed."""
    yield Problem(name, f"The {kind} '{name}' is in state {state}.", expected="Succeeded", found=state, fix=fix)


@rule("D118", Severity.ERROR, title="Planning of a cluster", requires="Everything that planning needs must be there.")
def cannot_plan(cluster: str, reason: str, fix: str, part: str = "") -> Problems:
    """Something that is missing, such as the cluster itself; reason is a sentence, part that of the file about it."""
    yield Problem(cluster, reason, fix=fix, related=(part,) if part else ())


@rule(
    "D119",
    Severity.ERROR,
    title="Sources of secrets",
    requires="A secret that has to be sent must be readable where the file says it is.",
)
def unreadable_secret(place: str, key: str, source: str, reason: str, fix: str) -> Problems:
    """A secret that cannot be read; reason is a clause."""
    where = f"{place}: {key}" if place else key
    yield Problem(key, f"{where}: cannot be read from {source}: {reason}.", found=source, fix=fix)


@rule(
    "D120",
    Severity.ERROR,
    title="Owner of a compute",
    requires="A compute must belong to one setup only.",
    why="Two setups would change it in turns.",
)
def other_owner(name: str, owner: str, setup: str) -> Problems:
    """A compute whose tag names another setup."""
    if owner and owner != setup:
        message = f"Compute '{name}' belongs to setup '{owner}'; expected '{setup}'."
        yield Problem(name, message, expected=setup, found=owner, fix="Use another name for the compute or the setup.")


def summarize(plans: Iterable[ClusterPlan]) -> dict[str, int]:
    """The number of clusters by action, zeros included."""
    actions = [plan.action for plan in plans]
    return {action: actions.count(action) for action in ACTIONS}


def plan_object(plans: Sequence[ClusterPlan]) -> dict[str, Any]:
    """What `plan` returns."""
    return {"summary": summarize(plans), "clusters": [plan.to_object() for plan in plans]}


def exit_code(plans: Sequence[ClusterPlan], *, detailed: bool) -> int:
    """1 where a cluster is blocked or unknown; with detailed 4 where something would change; else 0."""
    if any(plan.action in (BLOCKED, UNKNOWN) for plan in plans):
        return 1
    return 4 if detailed and any(plan.changes for plan in plans) else 0


def _finding_object(finding: Finding, place: str) -> dict[str, str]:
    return {
        "id": finding.id,
        "place": place,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
    }
