"""Why a cluster cannot be attached: the states and the roles that the service wants.

assumed: no failing attachment of a Kubernetes compute is on record; the codes are those of the public pages, in the
documented pattern of a useful code inside the details of an outer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.behaviours import Call
from sandbox.azure.neighbours import ROLES, is_fresh
from sandbox.azure.tree import Resource

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"
AZUREML = "microsoft.azureml.kubernetes"
READER, ADMIN = "Kubernetes Extension Contributor", "Azure Kubernetes Service Cluster Admin Role"


def refused(call: Call, compute: Resource) -> dict[str, Any] | None:
    """The error with which the attachment ends, None where it succeeds."""
    cluster_id = compute["properties"]["resourceId"]
    cluster = ((call.azure.tree.get(cluster_id) or {}).get("properties")) or {}
    stopped = (cluster.get("powerState") or {}).get("code") == "Stopped"
    if stopped or cluster.get("connectivityStatus") in ("Offline", "Expired"):
        return _wrapped("ClusterNotReachable", "The API server of the cluster could not be reached.")
    lacking = _lacking(call, cluster_id)
    if ADMIN in lacking:
        return {
            "code": "InternalServerError",
            "message": "An internal server error occurred. If the problem persists, contact support",
        }
    on_cluster = call.azure.tree.within(cluster_id, EXTENSIONS)
    ours = [one["properties"] for one in on_cluster if one["properties"]["extensionType"].lower() == AZUREML]
    if READER in lacking or not any(one["provisioningState"] == "Succeeded" for one in ours):
        return _wrapped("ExtensionNotInstalled", "The AzureML extension is not installed on the cluster.")
    return None


async def refused_by_cluster(call: Call, compute: Resource) -> dict[str, Any] | None:
    """The same for what stands in the cluster: what takes the extension's tokens away, a gateway that does not run."""
    side = call.azure.cluster_of(compute["properties"]["resourceId"])
    if side is None:
        return _wrapped("ClusterNotFound", "The cluster was not found.")
    if any(one["metadata"]["name"] == "nmi" for one in await side.client.list("apps/v1", "DaemonSet")):
        return _wrapped("RefreshExtensionIdentityNotSet", "The identity of the extension is not set.")
    gateway = await side.client.get("apps/v1", "Deployment", "gateway", "azureml")
    if gateway is not None and not (gateway.get("status") or {}).get("readyReplicas"):
        return _wrapped(
            "InferencingClientCallFailed", "The k8s-extension of the Kubernetes cluster is not connectable."
        )
    relay = _relay_of(call, compute["properties"]["resourceId"])
    if relay and call.azure.tree.get(relay) is None:
        message = "RelayResource id or connection string is not provided."
        return {"code": "BadRequest", "message": message, "details": []}
    return None


def _relay_of(call: Call, cluster_id: str) -> str:
    settings = [
        one["properties"].get("configurationSettings") or {}
        for one in call.azure.tree.within(cluster_id, EXTENSIONS)
        if one["properties"]["extensionType"].lower() == AZUREML
    ]
    return str(next(iter(settings), {}).get("relayserver.hybridConnectionResourceID") or "")


def _lacking(call: Call, cluster_id: str) -> set[str]:
    """The roles that the world says the workspace's identity has not, and nobody has granted since."""
    workspace = call.azure.tree.get(call.address.parent) or {}
    told = next((one for one in call.azure.world.workspaces if one["name"] == workspace.get("name")), {})
    identity = workspace.get("identity") or {}
    principals = {identity.get("principalId")}
    principals |= {one.get("principalId") for one in (identity.get("userAssignedIdentities") or {}).values()}
    granted: list[Mapping[str, Any]] = [
        one["properties"]
        for one in call.azure.tree.within("", ASSIGNMENTS)
        if _covers(one["properties"], cluster_id) and not is_fresh(one, call.azure.world.role_delay)
    ]
    held = {one["roleDefinitionId"].rsplit("/", 1)[-1] for one in granted if one["principalId"] in principals}
    return {role for role in told.get("missing_roles", ()) if ROLES.get(role) not in held}


def _covers(assignment: Mapping[str, Any], cluster_id: str) -> bool:
    return f"{cluster_id.lower()}/".startswith(f"{assignment['scope'].lower().rstrip('/')}/")


def _wrapped(code: str, message: str) -> dict[str, Any]:
    details = [{"code": code, "message": message}]
    return {"code": "BadRequest", "message": "The request is invalid.", "details": details}
