"""You and your subscription: the CLI, providers, features, permissions, locks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from azext_amlk8s.checks.facts import (
    AKS,
    ARC,
    BEFORE,
    CLI,
    CLUSTER,
    FEATURE,
    GROUP_PERMISSIONS,
    LOCKS,
    PERMISSIONS,
    PROVIDERS,
    Facts,
    Objects,
    properties_of,
)
from azext_amlk8s.checks.installation import setting_check
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.shell import join

KNOWN = load("checks")
RBAC = "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting"
LOCK_PAGE = "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources"
FEATURE_PAGE = "https://learn.microsoft.com/azure/aks/cluster-extensions"


@rule(
    "K101",
    Severity.ERROR,
    title="Azure CLI version",
    requires="The Azure CLI has the version that this extension requires.",
    source=KNOWN["cli"]["source"],
    why="Older versions lack what the extension calls.",
    check=CheckSpec("subscription", (CLI,)),
)
def cli_version(facts: Facts) -> Results:
    """The oldest version is the one of azext_metadata.json."""
    oldest, version = KNOWN["cli"]["oldest"], facts[CLI]
    if _numbers(version) < _numbers(oldest):
        message = f"The Azure CLI has version {version}; {oldest} or newer is required."
        yield Problem("az", message, oldest, version, "az upgrade")
    else:
        yield Observation(version)


providers = setting_check("F110", "Resource providers", CheckSpec("subscription", (CLUSTER, PROVIDERS), retry=True))


@rule(
    "K102",
    Severity.INFO,
    title="AKS-ExtensionManager feature",
    requires="The feature AKS-ExtensionManager is registered for clusters that were created before 2022.",
    source=FEATURE_PAGE,
    check=CheckSpec("subscription", uses=(FEATURE,), phase=BEFORE, clusters=AKS),
)
def extension_feature(facts: Facts) -> Results:
    """Azure may no longer know the feature; newer clusters do not need it."""
    state = str(properties_of(facts.get(FEATURE)).get("state") or "")
    if not state:
        yield Observation("Azure no longer has this feature")
        return
    name, namespace = KNOWN["feature"]["name"], KNOWN["feature"]["namespace"]
    if state.lower() != "registered":
        message = f"The feature {name} is {state}; clusters that were created before 2022 need it."
        fix = f"az feature register --namespace {namespace} --name {name}"
        yield Problem(name, message, "Registered", state, fix)
    else:
        yield Observation(state)


@rule(
    "K103",
    Severity.ERROR,
    title="Permissions to install",
    requires="You may write extensions on the cluster and read the cluster's credentials.",
    source=RBAC,
    why="Azure refuses the installation with AuthorizationFailed.",
    check=CheckSpec("subscription", (CLUSTER, PERMISSIONS), phase=BEFORE, retry=True),
)
def permissions_on_cluster(facts: Facts) -> Results:
    """Any role that grants the actions counts, built-in or custom."""
    actions = cluster_actions(facts.cluster.type)
    yield from _missing_permissions(facts, facts[PERMISSIONS], actions, facts.cluster.name, facts.cluster.id)


@rule(
    "K104",
    Severity.ERROR,
    title="Permissions to create a relay",
    requires="You may create an Azure Relay in the resource group of an Arc-connected cluster.",
    source=RBAC,
    why="The extension talks to Azure Machine Learning through a relay in this resource group.",
    check=CheckSpec("subscription", (GROUP_PERMISSIONS,), phase=BEFORE, retry=True, clusters=ARC),
)
def permissions_on_group(facts: Facts) -> Results:
    """The relay is created in the cluster's resource group."""
    group = facts.cluster.resource_group
    scope = f"/subscriptions/{facts.cluster.subscription}/resourceGroups/{group}"
    yield from _missing_permissions(facts, facts[GROUP_PERMISSIONS], KNOWN["actions"]["relay"], group, scope)


@rule(
    "K105",
    Severity.ERROR,
    title="Locks",
    requires="No ReadOnly lock is set on the cluster, its resource group or its subscription.",
    source=LOCK_PAGE,
    why="A ReadOnly lock rejects the installation and reading the cluster's credentials.",
    check=CheckSpec("subscription", (LOCKS,), phase=BEFORE),
)
def read_only_locks(facts: Facts) -> Results:
    """A lock against deletion does not prevent an installation."""
    for lock in facts[LOCKS]:
        level = str(properties_of(lock).get("level"))
        if level.lower() == "readonly":
            scope = str(lock.get("id")).partition("/providers/Microsoft.Authorization/")[0].rsplit("/", 1)[-1]
            message = f"The lock '{lock.get('name')}' makes {scope} read-only."
            fix = join(["az", "lock", "delete", "--ids", str(lock.get("id"))])
            yield Problem(str(lock.get("name")), message, "no ReadOnly lock", level, fix)
    yield Observation("none ReadOnly")


def cluster_actions(cluster_type: str) -> list[str]:
    """The actions on a cluster of a type that an installation takes."""
    return [*KNOWN["actions"]["cluster"], *KNOWN["actions"][cluster_type.lower()]]


def grants(permissions: Iterable[Any] | None, action: str) -> bool:
    """Whether the caller's permissions include an action: one role is enough that grants it and does not exclude it."""
    return any(
        _matches_any(permission.get("actions"), action) and not _matches_any(permission.get("notActions"), action)
        for permission in permissions or ()
    )


def _missing_permissions(
    facts: Facts, permissions: Objects, actions: Sequence[str], subject: str, scope: str
) -> Results:
    missing = [action for action in actions if not grants(permissions, action)]
    if missing:
        message = f"You do not have permission on {subject} for {' and '.join(missing)}."
        assign = ["az", "role", "assignment", "create", "--role", "Contributor", "--scope", scope]
        fix = f"An owner of {subject} can grant it, with this or a custom role that has these actions."
        if facts.target.caller:
            fix = f"{join([*assign, '--assignee', facts.target.caller])}\n{fix}"
        yield Problem(subject, message, ", ".join(missing), "not allowed", fix)
    else:
        yield Observation(f"all {len(actions)} actions allowed")


def _matches_any(patterns: Iterable[str] | None, action: str) -> bool:
    return any(re.fullmatch(re.escape(str(pattern)).replace(r"\*", ".*"), action, re.I) for pattern in patterns or ())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
