"""You and your subscription: the CLI, providers, features, permissions, locks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s.checks import installation
from azext_amlk8s.checks.facts import Facts
from azext_amlk8s.checks.model import AKS, ARC, Check, When
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.cluster_rules import F110

TOLD = load("checks")
RBAC = "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting"
LOCKS = "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources"
FEATURES = "https://learn.microsoft.com/azure/aks/cluster-extensions"

K101 = Rule("K101", Severity.ERROR, "The Azure CLI is recent enough.", TOLD["cli"]["source"])
K102 = Rule(
    "K102", Severity.INFO, "The feature AKS-ExtensionManager is registered, where an old cluster asks.", FEATURES
)
K103 = Rule("K103", Severity.ERROR, "You may do on the cluster what an installation does.", RBAC)
K104 = Rule("K104", Severity.ERROR, "You may make a relay in the cluster's resource group, where one is needed.", RBAC)
K105 = Rule("K105", Severity.ERROR, "No lock keeps the cluster from being written to.", LOCKS)


def cli_is_recent(facts: Facts) -> Iterator[Finding]:
    """Seed page, prerequisites, with the version that this extension itself is made for."""
    oldest = TOLD["cli"]["oldest"]
    if _numbers(str(facts.cli)) < _numbers(oldest):
        message = f"The Azure CLI has version {facts.cli}, and {oldest} is needed."
        yield K101.finding("az", message, required=oldest, found=str(facts.cli), fix="az upgrade")


def feature_is_registered(facts: Facts) -> Iterator[Finding]:
    """Seed page, prerequisites. The flag is history: Azure may not know it any more; clusters of today do without."""
    state = str((((facts.feature or {}).get("properties")) or {}).get("state") or "")
    if state and state.lower() != "registered":
        name, namespace = TOLD["feature"]["name"], TOLD["feature"]["namespace"]
        message = f"The feature {name} is {state}; clusters that were made before 2022 need it."
        fix = f"az feature register --namespace {namespace} --name {name}"
        yield K102.finding(name, message, required="Registered", found=state, fix=fix)


def permitted_on_cluster(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 5.1, what the caller needs."""
    actions = [*TOLD["actions"]["cluster"], *TOLD["actions"][facts.place.cluster_type.lower()]]
    scope = str((facts.cluster or {}).get("id") or "")
    yield from _refused(K103, facts.permissions, actions, facts.place.cluster, scope, "Contributor")


def permitted_on_group(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 step 11: the relay is made in the cluster's resource group."""
    scope = f"/subscriptions/{facts.place.subscription}/resourceGroups/{facts.place.group}"
    actions = TOLD["actions"]["relay"]
    yield from _refused(K104, facts.group_permissions, actions, facts.place.group, scope, "Contributor")


def no_lock(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7a: the scope is locked. A lock against deletion is none against installing."""
    for lock in facts.locks:
        level = str((lock.get("properties") or {}).get("level"))
        if level.lower() == "readonly":
            scope = str(lock.get("id")).partition("/providers/Microsoft.Authorization/")[0]
            message = f"The lock {lock.get('name')} keeps {scope.rsplit('/', 1)[-1]} from being written to."
            fix = f"az lock delete --ids {lock.get('id')}"
            yield K105.finding(str(lock.get("name")), message, required="no lock ReadOnly", found=level, fix=fix)


def allows(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether the caller's permissions include an action: one role is enough that grants it and does not except it."""
    return any(
        _any(one.get("actions"), action) and not _any(one.get("notActions"), action) for one in permissions or ()
    )


def _refused(
    rule: Rule, permissions: Any, actions: Sequence[str], subject: str, scope: str, role: str
) -> Iterator[Finding]:
    if missing := [action for action in actions if not allows(permissions, action)]:
        message = f"You lack a role on {subject} that allows {' and '.join(missing)}."
        fix = f"az role assignment create --assignee YOU --role {role} --scope {scope}"
        yield rule.finding(subject, message, required=", ".join(missing), found="not allowed", fix=fix)


def _any(patterns: Any, action: str) -> bool:
    return any(re.fullmatch(re.escape(str(one)).replace(r"\*", ".*"), action, re.I) for one in patterns or ())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(word) for word in re.findall(r"\d+", version)[:3])


CHECKS = (
    Check(K101, "subscription", cli_is_recent, ("cli",)),
    installation.check(F110, "subscription", ("cluster", "providers"), retry=True),
    Check(K102, "subscription", feature_is_registered, wants=("feature",), when=When.BEFORE, clusters=AKS),
    Check(K103, "subscription", permitted_on_cluster, ("cluster", "permissions"), when=When.BEFORE, retry=True),
    Check(K104, "subscription", permitted_on_group, ("group_permissions",), when=When.BEFORE, retry=True, clusters=ARC),
    Check(K105, "subscription", no_lock, ("locks",), when=When.BEFORE),
)
