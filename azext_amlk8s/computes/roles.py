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


def identity_principals(workspace: Mapping[str, Any]) -> tuple[str, ...]:
    """The principal ids of a workspace's user-assigned identities, none where it has a system-assigned one.

    Where the workspace names a primary one, it is the one that the service uses.
    """
    identity = workspace.get("identity") or {}
    if "systemassigned" in str(identity.get("type")).lower():
        return ()
    held = {key.lower(): one for key, one in (identity.get("userAssignedIdentities") or {}).items()}
    primary = str((workspace.get("properties") or {}).get("primaryUserAssignedIdentity") or "").lower()
    used = [held[primary]] if primary in held else list(held.values())
    return tuple(one["principalId"] for one in used if one and one.get("principalId"))


def needed_roles(principal_id: str, cluster: ClusterRef, *, trusted_access: bool = False) -> tuple[RoleNeeded, ...]:
    """What the identity of a workspace needs on a cluster.

    More on an Arc-connected one, for its relay, and on an AKS cluster that is entered by Trusted Access.
    """
    scopes = {"cluster": cluster.id, "clusterResourceGroup": cluster.group_id}
    return tuple(
        RoleNeeded(one["role"], one["id"], scopes[one["scope"]], principal_id, one["symptom"])
        for one in knowledge.load("roles")["workspaceIdentity"]
        if cluster.kind in one["clusters"] and (trusted_access or not one.get("onlyWithTrustedAccess"))
    )


def missing_roles(
    needed: Iterable[RoleNeeded], assignments: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[RoleNeeded, ...]:
    """Those that no assignment gives, at the scope or above it; Owner and Contributor include what they cover.

    assignments are those of a principal and of the groups that it is in, by principal id.
    """
    includes = knowledge.load("roles")["includes"]

    def given(one: RoleNeeded) -> bool:
        return any(
            one.role_id.lower() in (role, *includes.get(role, ())) and _covers(scope, one.scope.lower())
            for role, scope in map(_role_and_scope, assignments.get(one.principal_id, ()))
        )

    return tuple(one for one in needed if not given(one))


def look_alikes(needed: Iterable[RoleNeeded], assignments: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of assigned roles that are taken for a needed one because they are called almost the same."""
    wanted = {one.role_id for one in needed}
    alike = {
        one["notToBeTakenFor"]["id"]: one["notToBeTakenFor"]["role"]
        for one in knowledge.load("roles")["workspaceIdentity"]
        if "notToBeTakenFor" in one and one["id"] in wanted
    }
    held = {_role_and_scope(one)[0] for one in assignments}
    return tuple(name for role, name in alike.items() if role in held)


def _role_and_scope(assignment: Mapping[str, Any]) -> tuple[str, str]:
    properties = assignment.get("properties") or {}
    role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower()
    return role, str(properties.get("scope", "")).lower().rstrip("/")


def _covers(scope: str, wanted: str) -> bool:
    return wanted == scope or wanted.startswith(scope + "/")
