"""Microsoft.OperationalInsights/workspaces, as its specification and `az monitor log-analytics workspace` have it."""

from __future__ import annotations

import asyncio
import base64
import re

from sandbox.azure.behaviours import Answer, Behaviour, Call, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource
from sandbox.world import guid

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$")


class LogWorkspaces(Behaviour):
    """A workspace: it has its customer id at once and is ready after a while."""

    type = "Microsoft.OperationalInsights/workspaces"
    api_versions = frozenset({"2020-08-01", "2021-12-01-preview", "2022-10-01", "2023-09-01", "2025-02-01"})

    async def put(self, call: Call, existing: Resource | None) -> Answer:
        address = call.address
        if not NAME.match(address.names[-1]):
            raise ArmError(400, "InvalidWorkspaceName", "The workspace name is not valid.", cause=None)  # assumed
        told = call.body.get("properties") or {}
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
                "sku": told.get("sku") or {"name": "PerGB2018"},
                "retentionInDays": told.get("retentionInDays") or 30,
                "publicNetworkAccessForIngestion": "Enabled",
                "publicNetworkAccessForQuery": "Enabled",
                "createdDate": existing["properties"]["createdDate"] if existing else stamp,
                "modifiedDate": stamp,
            },
        }
        call.azure.tree.put(resource)
        if existing:
            return Answer(200, resource)

        async def ready() -> None:
            await asyncio.sleep(call.azure.seconds)
            resource["properties"]["provisioningState"] = "Succeeded"

        call.azure.operations.start("Creating", ready)
        return Answer(201, resource)

    async def action(self, call: Call, existing: Resource, name: str) -> Answer:
        if name.lower() != "sharedkeys":
            return await super().action(call, existing, name)
        keys = {
            f"{which}SharedKey": base64.b64encode(guid(which, existing["id"]).encode() * 2).decode()
            for which in ("primary", "secondary")
        }
        return Answer(200, keys)


ALL = (LogWorkspaces(),)
