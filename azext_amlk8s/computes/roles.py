"""The roles that a workspace's user-assigned identity needs (field guide compute 5.1)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.computes.ids import ClusterRef


@dataclass(frozen=True)
class RoleNeeded:
    """A role that a principal needs at a scope, and what happens without it."""

    role: str
    role_id: str
    scope: str
    principal_id: str
    symptom: str

    @property
    def command(self) -> str:
        """What grants it."""
        words = ["--role", self.role, "--scope", self.scope, "--assignee-object-id", self.principal_id]
        return " ".join(
            ["az role assignment create", *map(shlex.quote, words), "--assignee-principal-type ServicePrincipal"]
        )


def identity_principals(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The principal ids of the user-assigned identities of a resource, none where it has a system-assigned one."""
    identity = resource.get("identity") or {}
    if "systemassigned" in str(identity.get("type")).lower():
        return ()
    held = (identity.get("userAssignedIdentities") or {}).values()
    return tuple(one["principalId"] for one in held if one and one.get("principalId"))


def needed_roles(principal_id: str, cluster: ClusterRef) -> tuple[RoleNeeded, ...]:
    """What the identity of a workspace needs on a cluster; more on an Arc-connected one, for its relay."""
    scopes = {"cluster": cluster.id, "clusterResourceGroup": cluster.group_id}
    return tuple(
        RoleNeeded(one["role"], one["id"], scopes[one["scope"]], principal_id, one["symptom"])
        for one in knowledge.load("roles")["workspaceIdentity"]
        if cluster.kind in one["clusters"]
    )


def missing_roles(needed: Iterable[RoleNeeded], assignments: Sequence[Mapping[str, Any]]) -> tuple[RoleNeeded, ...]:
    """Those that no assignment gives, at the scope or above it; Owner and Contributor include what they cover."""
    includes = knowledge.load("roles")["includes"]
    held = []
    for assignment in assignments:
        properties = assignment.get("properties") or {}
        role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower()
        scope = str(properties.get("scope", "")).lower().rstrip("/")
        held += [(properties.get("principalId"), one, scope) for one in (role, *includes.get(role, ()))]
    return tuple(
        one
        for one in needed
        if not any(
            principal == one.principal_id and role == one.role_id.lower() and _covers(scope, one.scope.lower())
            for principal, role, scope in held
        )
    )


def look_alikes(assignments: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of assigned roles that are taken for a needed one because they are called almost the same."""
    alike = {
        one["notToBeTakenFor"]["id"]: one["notToBeTakenFor"]["role"]
        for one in knowledge.load("roles")["workspaceIdentity"]
        if "notToBeTakenFor" in one
    }
    roles = {
        str((one.get("properties") or {}).get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower() for one in assignments
    }
    return tuple(name for role, name in alike.items() if role in roles)


def _covers(scope: str, wanted: str) -> bool:
    return wanted == scope or wanted.startswith(scope + "/")
