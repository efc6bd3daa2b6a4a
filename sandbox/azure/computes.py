"""Microsoft.MachineLearningServices workspaces and computes, as field guide arm-protocol section 3 describes them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from sandbox.azure import cluster_effects, polls
from sandbox.azure.attachment import refused, refused_by_cluster
from sandbox.azure.behaviours import Answer, Behaviour, Call, now
from sandbox.azure.errors import ArmError
from sandbox.azure.operations import OperationFailed, Running
from sandbox.azure.tree import Resource

DEFAULT_TYPE = "defaultinstancetype"
DEFAULT_SIZE = {"cpu": "0.6", "memory": "1536Mi"}
DEFAULT = {
    DEFAULT_TYPE: {
        "nodeSelector": None,
        "resources": {"requests": dict(DEFAULT_SIZE), "limits": {**DEFAULT_SIZE, "nvidia.com/gpu": None}},
    }
}
NAME = re.compile(r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")


class Computes(Behaviour):
    """Attach takes a while; it succeeds where the cluster has the extension."""

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

    async def put(self, call: Call, there: Resource | None) -> Answer:
        told = call.body.get("properties") or {}
        inner = told.get("properties") or {}
        namespace = inner.get("namespace") or "default"
        if told.get("computeType") != "Kubernetes":
            raise _user_error(call, f"Compute type '{told.get('computeType')}' cannot be attached here.")
        if not NAME.match(call.address.names[-1]):
            raise _user_error(call, f"The compute name '{call.address.names[-1]}' is not valid.")
        if not told.get("resourceId") or not NAMESPACE.match(namespace):
            raise _user_error(call, "resourceId must be given, and namespace must be a name that Kubernetes takes.")
        workspace = call.azure.tree.get(call.address.parent) or {}
        old = there or {}
        state = (old.get("properties") or {}).get("provisioningState")
        if state == "Deleting":
            # assumed: no answer to a PUT over a compute that is going is on record.
            raise ArmError(409, "Conflict", f"The compute '{call.address.names[-1]}' is being deleted.", cause=None)
        if held := ((old.get("properties") or {}).get("properties") or {}).get("namespace"):
            namespace = held  # the namespace of a compute cannot be changed; what is sent has no effect
        stamp = now()
        resource: Resource = {
            "id": call.address.id,
            "name": call.address.names[-1],
            "type": self.type,
            "location": call.body.get("location") or workspace.get("location"),
            "tags": call.body.get("tags") or {},
            "properties": {
                "computeType": "Kubernetes",
                "computeLocation": workspace.get("location"),
                "description": told.get("description"),
                "resourceId": told["resourceId"],
                "createdOn": stamp,
                "modifiedOn": stamp,
                "isAttachedCompute": True,
                "disableLocalAuth": bool(told.get("disableLocalAuth")),
                "provisioningState": "Creating",
                "provisioningErrors": None,
                "properties": {
                    "namespace": namespace,
                    "relayConnectionString": None,
                    "serviceBusConnectionString": None,
                    "extensionPrincipalId": None,
                    "vcName": None,
                    "extensionInstanceReleaseTrain": "stable",
                    "defaultInstanceType": inner.get("defaultInstanceType") or DEFAULT_TYPE,
                    "instanceTypes": {**DEFAULT, **(inner.get("instanceTypes") or {})},
                },
            },
        }
        if identity := call.body.get("identity"):
            resource["identity"] = _identity(call, identity)
        # assumed: whether an identity can be changed by a PUT over a compute is not documented.
        for key in _told(call).get("immutable", ()) if there else ():
            resource[key] = old.get(key)
        call.azure.tree.put(resource)
        operation = call.azure.operations.start("InProgress", lambda: _attach(call, resource))
        return Answer(201, resource, _headers(call, operation))

    async def delete(self, call: Call, there: Resource | None) -> Answer:
        wanted = call.query.get("underlyingResourceAction")
        if wanted not in ("Delete", "Detach"):
            raise _user_error(call, "underlyingResourceAction must be Delete or Detach.")
        if there is None:
            return Answer(204)
        there["properties"] = {**(there.get("properties") or {}), "provisioningState": "Deleting"}

        # assumed: a compute may be read a while after its operation has ended, as lists on record show of others.
        linger = float(_told(call).get("removal_delay", 0))

        async def vanish() -> None:
            await asyncio.sleep(linger)
            call.azure.tree.remove(there["id"])

        async def detach() -> None:
            await asyncio.sleep(call.azure.seconds)
            if linger:
                call.azure.operations.start("InProgress", vanish)
            else:
                call.azure.tree.remove(there["id"])

        return Answer(202, None, _headers(call, call.azure.operations.start("InProgress", detach)))

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        """In pages: the next one is asked for with $skip; a last or only page has no nextLink."""
        begin, size = int(call.query.get("$skip") or 0), call.azure.world.page_size
        page = await super().list(call, found[begin : begin + size])
        more = {"nextLink": f"{call.url}&$skip={begin + size}"} if begin + size < len(found) else {}
        return {**page, **more}

    async def read(self, call: Call, resource: Resource) -> Resource:
        outer = resource.get("properties") or {}
        inner = outer.get("properties")
        side = call.azure.cluster_of(outer.get("resourceId") or "")
        kubernetes = outer.get("computeType") == "Kubernetes" and outer.get("provisioningState") == "Succeeded"
        if not inner or not side or not kubernetes:
            return resource
        types = {**(inner.get("instanceTypes") or {}), **await cluster_effects.instance_types(side)}
        return {**resource, "properties": {**outer, "properties": {**inner, "instanceTypes": types}}}


def status_body(operation: Running) -> dict[str, Any]:
    """The minimal body of a compute operation."""
    if operation.error:
        return {"status": "Failed", "error": operation.error}
    return {"status": "Succeeded", "percentComplete": 100.0} if operation.done else {"status": "InProgress"}


async def _attach(call: Call, resource: Resource) -> None:
    properties = resource["properties"]
    await asyncio.sleep(call.azure.seconds)
    if error := refused(call, resource) or await refused_by_cluster(call, resource):
        properties.update(provisioningState="Failed", provisioningErrors=[{"error": error}])
        raise OperationFailed(**error)
    properties["provisioningState"] = "Succeeded"


def _told(call: Call) -> Mapping[str, Any]:
    """What the world says of the workspace."""
    name = call.address.names[0].lower()
    return next((one for one in call.azure.world.workspaces if one["name"].lower() == name), {})


def _identity(call: Call, told: dict[str, Any]) -> dict[str, Any]:
    if told.get("type") != "UserAssigned":
        return {
            "type": "SystemAssigned",
            "principalId": call.azure.operations.new_id(),
            "tenantId": call.azure.world.tenant,
        }
    filled = {}
    for identity_id in told.get("userAssignedIdentities") or {}:
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
