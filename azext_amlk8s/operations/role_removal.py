"""The role assignments that an attachment has created, known by their names, which nothing else has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient

Resource = Mapping[str, Any]


def our_role_assignments(
    client: AzureClient, cluster: ClusterRef, workspaces: Collection[WorkspaceRef], removed: Collection[ComputeRef] = ()
) -> list[str]:
    """The IDs of the assignments for the identities of workspaces on a cluster that no compute needs any more.

    removed are computes that no longer count. Nothing is found where workspaces or assignments cannot be read.
    """
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure.client import role_assignment_id
    from azext_amlk8s.computes import identity_principals, needed_roles

    found = []
    for workspace in dict.fromkeys(workspaces):
        try:
            for principal in identity_principals(client.get_workspace(workspace)):
                used = [cluster_id.lower() for cluster_id in _clusters_of(client, principal, removed)]
                for role in needed_roles(principal, cluster, trusted_access=True):
                    assignment = role_assignment_id(role.scope, role.role_id, principal)
                    scope = role.scope.lower()
                    is_needed = any(item == scope or item.startswith(f"{scope}/") for item in used)
                    if not is_needed and client.find(assignment) is not None:
                        found.append(assignment)
        except HttpResponseError:
            continue
    return list(dict.fromkeys(found))


def _clusters_of(client: AzureClient, principal: str, removed: Collection[ComputeRef]) -> Iterator[str]:
    """The IDs of the clusters that a principal uses, as the identity of any workspace of the subscription."""
    from azext_amlk8s.computes import identity_principals
    from azext_amlk8s.computes.model import cluster_id_of

    ids = {compute.id.lower() for compute in removed}
    for workspace in client.list_workspaces():
        if principal in identity_principals(workspace):
            ref = WorkspaceRef.parse(str(workspace["id"]))
            for compute in client.list_computes(ref):
                if ComputeRef(ref, str(compute["name"])).id.lower() not in ids:
                    yield cluster_id_of(compute)
