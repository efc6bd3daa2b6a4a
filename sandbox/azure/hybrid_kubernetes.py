"""Microsoft.Kubernetes: Arc-connected clusters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sandbox.azure import polls
from sandbox.azure.behaviours import Behaviour, Call, Response
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource


class ArcClusters(Behaviour):
    """Arc-connected clusters: operations at the level of the tenant; polls of a removal are answered with HTTP 202."""

    type = "Microsoft.Kubernetes/connectedClusters"
    page_size = 100  # assumed

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = call.body.get("properties") or {}
        if existing is None:
            # Only agents connect a cluster.
            raise ArmError(400, "BadRequest", "Clusters are connected by their agents.", cause=None)  # assumed
        existing["tags"] = call.body.get("tags") or {}
        existing["properties"].update({**properties, "provisioningState": "Accepted"})

        async def settle() -> None:
            await asyncio.sleep(call.azure.seconds)
            existing["properties"]["provisioningState"] = "Succeeded"

        return Response(200, existing, _arc_headers(call, "Accepted", settle))

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        if existing is None:
            return Response(204)
        existing["properties"]["provisioningState"] = "Deleting"

        async def remove() -> None:
            await asyncio.sleep(call.azure.seconds)
            call.azure.tree.remove(existing["id"])

        return Response(202, None, _arc_headers(call, "Deleting", remove))


def _arc_headers(call: Call, word: str, work: Callable[[], Awaitable[None]]) -> dict[str, str]:
    operation = call.azure.operations.start(word, work, accepted=word == "Deleting")
    return {"Azure-AsyncOperation": polls.url(call, operation, call.address.id, tenant=True)}


ALL = (ArcClusters(),)
