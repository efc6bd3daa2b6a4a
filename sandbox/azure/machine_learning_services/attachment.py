"""Why a cluster cannot be attached: its state, the roles of the workspace's identity, and what runs in it.

assumed: no failing attachment of a Kubernetes compute is on record; the codes are those of the public pages, most of
them in the details of an outer error.
https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.authorization.roles import ROLES, is_fresh
from sandbox.azure.behaviours import Call
from sandbox.azure.tree import Resource

ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"
AZUREML = "microsoft.azureml.kubernetes"
READER, ADMIN = "Kubernetes Extension Contributor", "Azure Kubernetes Service Cluster Admin Role"


def attach_error(call: Call, compute: Resource) -> dict[str, Any] | None:
    """The error of an attachment from what ARM knows, None if there is none."""
    cluster_id = compute["properties"]["resourceId"]
    cluster = ((call.azure.tree.get(cluster_id) or {}).get("properties")) or {}
    stopped = (cluster.get("powerState") or {}).get("code") == "Stopped"
    if stopped or cluster.get("connectivityStatus") in ("Offline", "Expired"):
        return _wrapped("ClusterNotReachable", "The API server of the cluster could not be reached.")
    missing = _missing_roles(call, cluster_id)
    if ADMIN in missing:
        return _role_error(call)
    on_cluster = call.azure.tree.within(cluster_id, EXTENSIONS)
    azureml = [
        extension["properties"]
        for extension in on_cluster
        if extension["properties"]["extensionType"].lower() == AZUREML
    ]
    if READER in missing or not any(extension["provisioningState"] == "Succeeded" for extension in azureml):
        return _wrapped("ExtensionNotInstalled", "The AzureML extension is not installed on the cluster.")
    return None


async def cluster_error(call: Call, compute: Resource) -> dict[str, Any] | None:
    """The error of an attachment from the cluster: a gateway that is not ready, a missing relay."""
    side = call.azure.cluster_of(compute["properties"]["resourceId"])
    if side is None:
        return _wrapped("ClusterNotFound", "The cluster was not found.")
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


def _role_error(call: Call) -> dict[str, Any]:
    """The error of a workspace identity without access to an AKS cluster; that of a user-assigned one is public."""
    workspace = call.azure.tree.get(call.address.parent) or {}
    if (workspace.get("identity") or {}).get("type") == "UserAssigned":
        message = "AKS role check failed for user assigned identity. Please check the role assignment."
        return {"code": "BadRequest", "message": message}
    message = "An internal server error occurred. If the problem persists, contact support"
    return {"code": "InternalServerError", "message": message}


def _relay_of(call: Call, cluster_id: str) -> str:
    settings = [
        extension["properties"].get("configurationSettings") or {}
        for extension in call.azure.tree.within(cluster_id, EXTENSIONS)
        if extension["properties"]["extensionType"].lower() == AZUREML
    ]
    return str(next(iter(settings), {}).get("relayserver.hybridConnectionResourceID") or "")


def _missing_roles(call: Call, cluster_id: str) -> set[str]:
    """The roles that the workspace's identity lacks in the world file and has not been granted since."""
    workspace = call.azure.tree.get(call.address.parent) or {}
    identity = workspace.get("identity") or {}
    principals = {identity.get("principalId")}
    principals |= {
        user_assigned_identity.get("principalId")
        for user_assigned_identity in (identity.get("userAssignedIdentities") or {}).values()
    }
    granted: list[Mapping[str, Any]] = [
        assignment["properties"]
        for assignment in call.azure.tree.within("", ASSIGNMENTS)
        if _covers(assignment["properties"], cluster_id) and not is_fresh(assignment, call.azure.world.role_delay)
    ]
    held = {
        assignment["roleDefinitionId"].rsplit("/", 1)[-1]
        for assignment in granted
        if assignment["principalId"] in principals
    }
    missing = call.azure.world.workspace(str(workspace.get("name", ""))).get("missing_roles", ())
    return {role for role in missing if ROLES.get(role) not in held}


def _covers(assignment: Mapping[str, Any], cluster_id: str) -> bool:
    return f"{cluster_id.lower()}/".startswith(f"{assignment['scope'].lower().rstrip('/')}/")


def _wrapped(code: str, message: str) -> dict[str, Any]:
    details = [{"code": code, "message": message}]
    return {"code": "BadRequest", "message": "The request is invalid.", "details": details}
