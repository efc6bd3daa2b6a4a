"""Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments on Kubernetes computes.

https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute
"""

from __future__ import annotations

import asyncio
from typing import Any

from sandbox.azure import polls
from sandbox.azure.behaviours import Behaviour, Call, Response
from sandbox.azure.kubernetes_configuration.extensions import AZUREML
from sandbox.azure.operations import OperationFailed
from sandbox.azure.tree import Resource

EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"


class OnlineDeployments(Behaviour):
    """A deployment; it fails where the extension of its cluster has no identity, which an attachment does not need."""

    type = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments"

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = {
            **(call.body.get("properties") or {}),
            "provisioningState": "Updating" if existing else "Creating",
        }
        resource = {
            **call.body,
            "id": call.address.id,
            "name": call.address.names[-1],
            "type": self.type,
            "properties": properties,
        }
        call.azure.tree.put(resource)
        operation = call.azure.operations.start("InProgress", lambda: _deploy(call, resource))
        subscription = call.address.id.split("/")[2]
        # assumed: the path of these operations, as public logs of az ml show it.
        path = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/eastus"
        headers = {"Azure-AsyncOperation": polls.url(call, operation, f"{path}/mfeOperationsStatus/{operation.id}")}
        return Response(200 if existing else 201, resource, headers)


async def _deploy(call: Call, resource: Resource) -> None:
    await asyncio.sleep(call.azure.seconds)
    if error := _error(call):
        resource["properties"]["provisioningState"] = "Failed"
        raise OperationFailed(**error)
    resource["properties"]["provisioningState"] = "Succeeded"


def _error(call: Call) -> dict[str, Any] | None:
    """What stops a deployment: a compute that does not exist, or an extension without an identity."""
    endpoint = call.azure.tree.get(call.address.parent) or {}
    compute_id = str((endpoint.get("properties") or {}).get("compute") or "")
    if not compute_id:
        return None  # a managed endpoint
    compute = call.azure.tree.get(compute_id)
    if compute is None:
        return {"code": "ComputeNotFound", "message": f"The compute '{compute_id}' was not found."}
    extensions = [
        extension["properties"]
        for extension in call.azure.tree.within(compute["properties"]["resourceId"], EXTENSIONS)
        if extension["properties"]["extensionType"].lower() == AZUREML
    ]
    if any(_has_identity(extension) for extension in extensions):
        return None
    # assumed wording; the code is documented
    message = "The identity of the extension is not set. Reinstall the extension to fix this."
    return {"code": "RefreshExtensionIdentityNotSet", "message": message}


def _has_identity(extension: dict[str, Any]) -> bool:
    return bool((extension.get("aksAssignedIdentity") or {}).get("principalId") or extension.get("identity"))
