"""What uses a cluster in the workspaces of its subscription: computes, endpoints on them, and role assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient

WORKERS = 8


def attached_computes(client: AzureClient, cluster_id: str) -> tuple[list[ComputeRef], bool]:
    """The computes of the subscription on a cluster, and whether all workspaces could be read."""
    from azure.core.exceptions import HttpResponseError

    def list_computes(workspace: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        try:
            return client.list_all(f"{workspace['id']}/computes")
        except HttpResponseError:
            return None

    try:
        workspaces = client.list_workspaces()
    except HttpResponseError:
        return [], False
    with DaemonPool(WORKERS) as pool:
        computes = pool.map(list_computes, workspaces)
    attached = [
        ComputeRef(WorkspaceRef.parse(str(workspace["id"])), str(compute["name"]))
        for workspace, found in zip(workspaces, computes, strict=True)
        for compute in found or ()
        if str((compute.get("properties") or {}).get("resourceId")).lower() == cluster_id.lower()
    ]
    return attached, None not in computes


def endpoints_on(client: AzureClient, computes: Sequence[ComputeRef]) -> list[str]:
    """The online endpoints on computes, as a text for people; none where they cannot be read."""
    from azure.core.exceptions import HttpResponseError

    by_id = {compute.id.lower(): compute for compute in computes}
    found = []
    for workspace in dict.fromkeys(compute.workspace for compute in computes):
        try:
            endpoints = client.list_all(f"{workspace.id}/onlineEndpoints")
        except HttpResponseError:
            continue
        for endpoint in endpoints:
            compute = by_id.get(str((endpoint.get("properties") or {}).get("compute") or "").lower())
            if compute:
                found.append(f"endpoint {endpoint.get('name')} on compute {workspace.name}/{compute.name}")
    return found


def our_role_assignments(client: AzureClient, cluster: ClusterRef, computes: Sequence[ComputeRef]) -> list[str]:
    """The IDs of the role assignments that an attachment has created for the identities of the workspaces."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure.client import role_assignment_id
    from azext_amlk8s.computes import identity_principals, needed_roles

    found = []
    for workspace in dict.fromkeys(compute.workspace for compute in computes):
        try:
            resource = client.get_workspace(workspace)
            for principal in identity_principals(resource):
                for role in needed_roles(principal, cluster):
                    assignment = role_assignment_id(role.scope, role.role_id, principal)
                    if client.find(assignment) is not None:
                        found.append(assignment)
        except HttpResponseError:
            continue
    return list(dict.fromkeys(found))
