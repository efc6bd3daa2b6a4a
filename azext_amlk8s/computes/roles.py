"""The roles that a workspace's user-assigned identity needs on a cluster.

https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace#prerequisites
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from azext_amlk8s import knowledge
from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.model import Resource
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.shell import join


@dataclass(frozen=True)
class RoleNeeded:
    """A role that a principal needs at a scope, and what happens without it."""

    role: str
    role_id: str
    scope: str
    principal_id: str
    symptom: str

    @property
    def scope_name(self) -> str:
        """The name of the cluster or resource group of the scope."""
        return self.scope.rsplit("/", 1)[-1]

    @property
    def command(self) -> str:
        """The complete command that grants it."""
        args = ["--role", self.role, "--scope", self.scope, "--assignee-object-id", self.principal_id]
        return f"az role assignment create {join(args)} --assignee-principal-type ServicePrincipal"


def identity_principals(workspace: Resource) -> tuple[str, ...]:
    """The principal IDs of a workspace's user-assigned identities; none if it also has a system-assigned identity.

    If the workspace names a primary identity, only that one is used.
    """
    identity = workspace.get("identity") or {}
    if "systemassigned" in str(identity.get("type")).lower():
        return ()
    identities = {key.lower(): value for key, value in (identity.get("userAssignedIdentities") or {}).items()}
    primary = str(properties_of(workspace).get("primaryUserAssignedIdentity") or "").lower()
    used = [identities[primary]] if primary in identities else list(identities.values())
    return tuple(
        user_assigned["principalId"] for user_assigned in used if user_assigned and user_assigned.get("principalId")
    )


def needed_roles(principal_id: str, cluster: ClusterRef, *, trusted_access: bool = False) -> tuple[RoleNeeded, ...]:
    """The roles that the identity of a workspace needs on a cluster.

    An Arc-connected cluster needs one for its relay, an AKS cluster with Trusted Access needs Contributor.
    """
    group_id = cluster.id.partition("/providers/")[0]
    scopes = {"cluster": cluster.id, "clusterResourceGroup": group_id}
    return tuple(
        RoleNeeded(role["role"], role["id"], scopes[role["scope"]], principal_id, role["symptom"])
        for role in knowledge.load("roles")["workspaceIdentity"]
        if cluster.type in role["clusters"] and (trusted_access or not role.get("onlyWithTrustedAccess"))
    )


def roles_on_cluster(workspace: Resource, cluster: ClusterRef, resource: Resource) -> tuple[RoleNeeded, ...]:
    """The roles that a workspace's user-assigned identities need on a cluster; resource is the cluster as Azure has it.

    An AKS cluster without local accounts is reached with Trusted Access.
    """
    trusted_access = bool(properties_of(resource).get("disableLocalAccounts"))
    return tuple(
        role
        for principal in identity_principals(workspace)
        for role in needed_roles(principal, cluster, trusted_access=trusted_access)
    )


def find_missing_roles(
    needed: Iterable[RoleNeeded], assignments: Mapping[str, Sequence[Resource]]
) -> tuple[RoleNeeded, ...]:
    """The roles that no assignment grants at their scope or above it. Owner and Contributor include other roles.

    assignments are those of a principal and of its groups, by principal ID.
    """
    includes = knowledge.load("roles")["includes"]

    def is_granted(role_needed: RoleNeeded) -> bool:
        return any(
            role_needed.role_id.lower() in (role, *includes.get(role, ())) and _covers(scope, role_needed.scope.lower())
            for role, scope in map(_role_and_scope, assignments.get(role_needed.principal_id, ()))
        )

    return tuple(needed_role for needed_role in needed if not is_granted(needed_role))


def find_look_alikes(needed: Iterable[RoleNeeded], assignments: Iterable[Resource]) -> tuple[str, ...]:
    """The names of assigned roles that are easily confused with a needed one."""
    needed_ids = {needed_role.role_id for needed_role in needed}
    similar = {
        role["similarRole"]["id"]: role["similarRole"]["role"]
        for role in knowledge.load("roles")["workspaceIdentity"]
        if "similarRole" in role and role["id"] in needed_ids
    }
    assigned = {_role_and_scope(assignment)[0] for assignment in assignments}
    return tuple(name for role, name in similar.items() if role in assigned)


def _role_and_scope(assignment: Resource) -> tuple[str, str]:
    properties = properties_of(assignment)
    role = str(properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower()
    return role, str(properties.get("scope", "")).lower().rstrip("/")


def _covers(scope: str, needed_scope: str) -> bool:
    return needed_scope == scope or needed_scope.startswith(scope + "/")
