"""Microsoft.MachineLearningServices/workspaces/computes of the type Kubernetes.

https://learn.microsoft.com/rest/api/azureml/
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from sandbox.azure import polls
from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.kubernetes_configuration import installation
from sandbox.azure.kubernetes_configuration.components import version_key
from sandbox.azure.kubernetes_configuration.extensions import AZUREML
from sandbox.azure.machine_learning_services.attachment import attach_error, cluster_error
from sandbox.azure.operations import OperationFailed, Running
from sandbox.azure.tree import Resource

EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"
DEFAULT_TYPE = "defaultinstancetype"
# Requests and limits of the default instance type since a version of the extension, newest first.
# https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types
DEFAULT_SIZES: tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...] = (
    ("1.1.19", {"cpu": "100m", "memory": "2Gi"}, {"cpu": "2", "memory": "2Gi"}),
    ("1.1.16", {"cpu": "100m", "memory": "500Mi"}, {"cpu": "2", "memory": "8Gi"}),
    ("0", {"cpu": "0.6", "memory": "1536Mi"}, {"cpu": "0.6", "memory": "1536Mi"}),
)
PAGE_SIZE = 100
NAME = re.compile(r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")


class Computes(Behaviour):
    """Attached clusters; attaching takes a while and succeeds where the cluster has the extension."""

    type = "Microsoft.MachineLearningServices/workspaces/computes"
    api_versions = frozenset(
        {
            "2023-02-01-preview",
            "2023-08-01-preview",
            "2024-04-01",
            "2024-10-01",
            "2025-04-01",
            "2025-06-01",
            "2025-09-01",
            "2025-12-01",
            "2026-03-01",
            "2026-05-01",
        }
    )

    async def put(self, call: Call, existing: Resource | None) -> Response:
        old = (existing or {}).get("properties") or {}
        _validate(call, old)
        resource = _resource(call, existing)
        call.azure.tree.put(resource)
        operation = call.azure.operations.start("InProgress", lambda: _attach(call, resource))
        # As recorded: the first response does not name the location of the compute yet.
        first = {key: value for key, value in resource["properties"].items() if key != "computeLocation"}
        return Response(201, {**resource, "properties": first}, _headers(call, operation))

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        if call.query.get("underlyingResourceAction") not in ("Delete", "Detach"):
            raise _user_error(call, "underlyingResourceAction must be Delete or Detach.")
        if existing is None:
            return Response(204)
        resource_id = existing["id"]
        existing["properties"] = {**(existing.get("properties") or {}), "provisioningState": "Deleting"}

        # assumed: a compute can be read for a while after its operation has ended, as recorded lists of others show.
        delay = float(_workspace(call).get("removal_delay", 0))

        async def remove_later() -> None:
            await asyncio.sleep(delay)
            call.azure.tree.remove(resource_id)

        async def detach() -> None:
            await asyncio.sleep(call.azure.seconds)
            if delay:
                call.azure.operations.start("InProgress", remove_later)
            else:
                call.azure.tree.remove(resource_id)

        return Response(202, None, _headers(call, call.azure.operations.start("InProgress", detach)))

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        """A page: the next one is requested with $skip; the last page has no nextLink."""
        begin, size = int(call.query.get("$skip") or 0), call.azure.world.page_size or PAGE_SIZE
        page = await super().list(call, resources[begin : begin + size])
        following = {"nextLink": f"{call.url}&$skip={begin + size}"} if begin + size < len(resources) else {}
        return {**page, **following}

    async def read(self, call: Call, resource: Resource) -> Resource:
        outer = resource.get("properties") or {}
        inner = outer.get("properties")
        side = call.azure.cluster_of(outer.get("resourceId") or "")
        attached = outer.get("computeType") == "Kubernetes" and outer.get("provisioningState") == "Succeeded"
        if not inner or not side or not attached:
            return resource
        if isinstance(inner.get("instanceTypes"), list):
            return resource  # assumed: the list of an attach configuration of 2021 stays as it was attached
        types = {**(inner.get("instanceTypes") or {}), **await installation.instance_types(side)}
        return {**resource, "properties": {**outer, "properties": {**inner, "instanceTypes": types}}}


def _validate(call: Call, old: Mapping[str, Any]) -> None:
    """Raise ArmError for a request that the service rejects at once."""
    properties, name = call.body.get("properties") or {}, call.address.names[-1]
    namespace = (properties.get("properties") or {}).get("namespace") or "default"
    if properties.get("computeType") != "Kubernetes":
        raise _user_error(call, f"Compute type '{properties.get('computeType')}' cannot be attached here.")
    if not NAME.match(name):
        raise _user_error(call, f"The compute name '{name}' is not valid.")
    if not properties.get("resourceId") or not NAMESPACE.match(namespace):
        raise _user_error(call, "resourceId must be given, and namespace must be a valid Kubernetes name.")
    if old.get("provisioningState") == "Deleting":
        # assumed: no response to a PUT over a compute in deletion is on record.
        raise ArmError(409, "Conflict", f"The compute '{name}' is being deleted.", cause=None)
    if old and not call.azure.world.compute_updates:
        # assumed wording; azure-ai-ml says of updates that they are only valid for AmlCompute
        raise _user_error(
            call, f"Compute '{name}' of type Kubernetes cannot be updated. Detach it and attach it again."
        )


def _resource(call: Call, existing: Resource | None) -> Resource:
    properties = call.body.get("properties") or {}
    inner = properties.get("properties") or {}
    old = (existing or {}).get("properties") or {}
    workspace = call.azure.tree.get(call.address.parent) or {}
    stamp = now()
    resource: Resource = {
        "id": call.address.id,
        "name": call.address.names[-1],
        "type": Computes.type,
        "location": call.body.get("location") or workspace.get("location"),
        "tags": call.body.get("tags") or {},
        "properties": {
            "computeType": "Kubernetes",
            "computeLocation": workspace.get("location"),
            "description": properties.get("description"),
            "resourceId": properties["resourceId"],
            "createdOn": stamp,
            "modifiedOn": stamp,
            "isAttachedCompute": True,
            "disableLocalAuth": bool(properties.get("disableLocalAuth")),
            "provisioningState": "Creating",
            "provisioningErrors": None,
            "properties": {
                # The namespace of a compute cannot be changed: what is sent later has no effect.
                "namespace": (old.get("properties") or {}).get("namespace") or inner.get("namespace") or "default",
                "relayConnectionString": None,
                "serviceBusConnectionString": None,
                "extensionPrincipalId": None,
                "vcName": None,
                "extensionInstanceReleaseTrain": "stable",
                "defaultInstanceType": inner.get("defaultInstanceType") or DEFAULT_TYPE,
                "instanceTypes": {
                    DEFAULT_TYPE: _default_instance_type(call, properties["resourceId"]),
                    **(inner.get("instanceTypes") or {}),
                },
            },
        },
    }
    if identity := call.body.get("identity"):
        resource["identity"] = _identity(call, identity)
    # assumed: whether a PUT over a compute changes its identity is not documented.
    for key in _workspace(call).get("immutable", ()) if existing else ():
        resource[key] = (existing or {}).get(key)
    return resource


def _default_instance_type(call: Call, cluster_id: str) -> dict[str, Any]:
    """The built-in instance type, whose size depends on the version of the extension."""
    on_cluster = [extension["properties"] for extension in call.azure.tree.within(cluster_id, EXTENSIONS)]
    versions = [
        extension.get("currentVersion") for extension in on_cluster if extension["extensionType"].lower() == AZUREML
    ]
    version = next(filter(None, versions), "1.1.88")
    requests, limits = next(
        (requests, limits) for since, requests, limits in DEFAULT_SIZES if version_key(version) >= version_key(since)
    )
    return {
        "nodeSelector": None,
        "resources": {"requests": dict(requests), "limits": {**limits, "nvidia.com/gpu": None}},
    }


def status_body(operation: Running) -> dict[str, Any]:
    """The minimal body of a compute operation."""
    if operation.error:
        return {"status": "Failed", "error": operation.error}
    return {"status": "Succeeded", "percentComplete": 100.0} if operation.done else {"status": "InProgress"}


async def _attach(call: Call, resource: Resource) -> None:
    properties = resource["properties"]
    await asyncio.sleep(call.azure.seconds)
    if error := attach_error(call, resource) or await cluster_error(call, resource):
        properties.update(provisioningState="Failed", provisioningErrors=[{"error": error}])
        raise OperationFailed(**error)
    properties["provisioningState"] = "Succeeded"


def _workspace(call: Call) -> Mapping[str, Any]:
    """The entry of the workspace in the world file."""
    return call.azure.world.workspace(call.address.names[0])


def _identity(call: Call, identity: dict[str, Any]) -> dict[str, Any]:
    if identity.get("type") != "UserAssigned":
        return {
            "type": "SystemAssigned",
            "principalId": call.azure.operations.new_id(),
            "tenantId": call.azure.world.tenant,
        }
    filled = {}
    for identity_id in identity.get("userAssignedIdentities") or {}:
        found = call.azure.tree.get(identity_id)
        if found is None:
            raise _user_error(call, f"The identity '{identity_id}' was not found.")
        filled[identity_id] = {key: found["properties"][key] for key in ("principalId", "clientId")}
    return {"type": "UserAssigned", "userAssignedIdentities": filled}


def _headers(call: Call, operation: Running) -> dict[str, str]:
    subscription = call.address.id.split("/")[2]
    provider = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices"
    path = f"{provider}/locations/eastus/computeOperationsStatus/{operation.id}"
    query = f"api-version={call.api_version}&service=new"
    return {"Azure-AsyncOperation": polls.url(call, operation, path, query)}


def _user_error(call: Call, message: str) -> ArmError:
    inside = dict.fromkeys(
        ("severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri", "innerError", "debugInfo")
    )
    error = ArmError(400, "UserError", message, cause=None, target=None, details=[], **inside)
    stamp = call.azure.operations.new_id()
    error.body |= {
        "correlation": {"operation": stamp, "request": stamp[:16]},
        "environment": "eastus",
        "location": "eastus",
        "time": now(),
        "componentName": "machinelearningcompute",
    }
    return error
