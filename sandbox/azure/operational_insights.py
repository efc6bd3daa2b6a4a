"""Microsoft.OperationalInsights/workspaces, by its specification and `az monitor log-analytics workspace`."""

from __future__ import annotations

import asyncio
import base64
import re

from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource
from sandbox.world import guid

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$")


class LogWorkspaces(Behaviour):
    """Workspaces: the customer ID exists at once, the workspace is ready after a while."""

    type = "Microsoft.OperationalInsights/workspaces"
    api_versions = frozenset({"2020-08-01", "2021-12-01-preview", "2022-10-01", "2023-09-01", "2025-02-01"})

    async def put(self, call: Call, existing: Resource | None) -> Response:
        address = call.address
        if not NAME.match(address.names[-1]):
            raise ArmError(400, "InvalidWorkspaceName", "The workspace name is not valid.", cause=None)  # assumed
        properties = call.body.get("properties") or {}
        stamp = now()
        resource: Resource = {
            "id": existing["id"] if existing else address.id,
            "name": address.names[-1],
            "type": self.type,
            "location": call.body.get("location"),
            "tags": call.body.get("tags") or {},
            "properties": {
                "customerId": guid("log-analytics", address.id),
                "provisioningState": "Succeeded" if existing else "Creating",
                "sku": properties.get("sku") or {"name": "PerGB2018"},
                "retentionInDays": properties.get("retentionInDays") or 30,
                "publicNetworkAccessForIngestion": "Enabled",
                "publicNetworkAccessForQuery": "Enabled",
                "createdDate": existing["properties"]["createdDate"] if existing else stamp,
                "modifiedDate": stamp,
            },
        }
        call.azure.tree.put(resource)
        if existing:
            return Response(200, resource)

        async def ready() -> None:
            await asyncio.sleep(call.azure.seconds)
            resource["properties"]["provisioningState"] = "Succeeded"

        call.azure.operations.start("Creating", ready)
        return Response(201, resource)

    async def action(self, call: Call, existing: Resource, name: str) -> Response:
        if name.lower() != "sharedkeys":
            return await super().action(call, existing, name)
        keys = {
            f"{which}SharedKey": base64.b64encode(guid(which, existing["id"]).encode() * 2).decode()
            for which in ("primary", "secondary")
        }
        return Response(200, keys)


ALL = (LogWorkspaces(),)
