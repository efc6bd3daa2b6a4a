"""The computes on a cluster in the workspaces of its subscription."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.running_workloads import refused_list
from azext_amlk8s.refs import ComputeRef, WorkspaceRef

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient

WORKERS = 8


def attached_computes(client: AzureClient, cluster_id: str) -> tuple[list[ComputeRef], list[str]]:
    """The computes of the subscription on a cluster, and a text for each list that Azure refused."""
    from azure.core.exceptions import HttpResponseError

    def list_computes(workspace: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        try:
            return client.list_all(f"{workspace['id']}/computes"), []
        except HttpResponseError as error:
            return [], refused_list("computes", str(workspace["name"]), error)

    try:
        workspaces = client.list_workspaces()
    except HttpResponseError:
        return [], ["computes of all workspaces, which Azure did not list"]
    with DaemonPool(WORKERS) as pool:
        computes = pool.map(list_computes, workspaces)
    attached = [
        ComputeRef(WorkspaceRef.parse(str(workspace["id"])), str(compute["name"]))
        for workspace, (found, _) in zip(workspaces, computes, strict=True)
        for compute in found
        if str((compute.get("properties") or {}).get("resourceId")).lower() == cluster_id.lower()
    ]
    return attached, [text for _, refused in computes for text in refused]
