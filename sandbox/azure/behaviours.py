"""The behaviour of resource types; the default stores and returns resources."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.operations import Operations
from sandbox.azure.paging import page
from sandbox.azure.tree import Address, Resource, Tree
from sandbox.kubernetes import ClusterSide
from sandbox.world import Cluster, World


@dataclass(frozen=True)
class Azure:
    """What a behaviour has access to."""

    world: World
    tree: Tree
    operations: Operations
    clusters: Mapping[str, ClusterSide]
    seconds: float
    kubeconfig: Callable[[ClusterSide], str]

    def cluster_of(self, resource_id: str) -> ClusterSide | None:
        """The Kubernetes side of the cluster that an id names, or is beneath."""
        words = [word for word in resource_id.split("/") if word]
        for kind, name in zip(words, words[1:], strict=False):
            if kind.lower() in ("managedclusters", "connectedclusters"):
                return self.clusters.get(name.lower())
        return None

    def world_entry(self, resource_id: str) -> Cluster | None:
        """The world's entry of that cluster."""
        side = self.cluster_of(resource_id)
        return next(
            (cluster for cluster in self.world.clusters if side and cluster.name.lower() == side.name.lower()), None
        )


@dataclass(frozen=True)
class Call:
    """One request for a resource."""

    azure: Azure
    address: Address
    query: Mapping[str, str]
    body: dict[str, Any]
    base: str
    caller: Mapping[str, Any]

    @property
    def api_version(self) -> str:
        """The requested api-version."""
        return self.query.get("api-version", "")

    @property
    def url(self) -> str:
        """The URL of the request without further parameters."""
        return f"{self.base}{self.address.id}?api-version={self.api_version}"


@dataclass(frozen=True)
class Response:
    """Status, body (None for an empty one) and headers that belong to the operation."""

    status: int
    body: Any = None
    headers: Mapping[str, str] | None = None


class Behaviour:
    """A resource type: PUT stores, GET reads."""

    type = ""
    api_versions: frozenset[str] | None = None
    needs_parent = True
    read_only = False
    # Whether a deletion returns the resource that was deleted.
    returns_deleted = False
    page_size: int | None = None

    def find(self, call: Call) -> Resource | None:
        """The resource that a request points to, None if it does not exist."""
        return call.azure.tree.get(call.address.id)

    async def put(self, call: Call, existing: Resource | None) -> Response:
        """Store the body."""
        address = call.address
        body = {
            **call.body,
            "id": existing["id"] if existing else address.id,
            "name": address.names[-1],
            "type": existing["type"] if existing else address.type,
        }
        body["properties"] = {**(call.body.get("properties") or {}), "provisioningState": "Succeeded"}
        call.azure.tree.put(body)
        return Response(200 if existing else 201, body)

    async def patch(self, call: Call, existing: Resource) -> Response:
        """Replace the tags of a resource with a location. Reject anything else: types with a PATCH override this."""
        if set(call.body) == {"tags"} and len(call.address.types) == 1 and "location" in existing:
            existing["tags"] = call.body["tags"] or {}
            return Response(200, await self.read(call, existing))
        raise ArmError(405, "MethodNotAllowed", f"The request method 'PATCH' is not supported for {call.address.type}.")

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        """Remove at once."""
        if existing is None:
            return Response(204)
        call.azure.tree.remove(existing["id"])
        return Response(200, existing if self.returns_deleted else None)

    async def read(self, call: Call, resource: Resource) -> Resource:
        """The resource in the form of a response."""
        return resource

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        """The response to a list; page by page for a type with a page size."""
        if self.page_size is None:
            return {"value": [await self.read(call, resource) for resource in resources]}
        size = call.azure.world.page_size or self.page_size
        found = page(f"{call.base}{call.address.id}", call.query, resources, size)
        return {**found, "value": [await self.read(call, resource) for resource in found["value"]]}

    async def action(self, call: Call, existing: Resource, name: str) -> Response:
        """A POST to a resource."""
        raise ArmError(404, "NotFound", f"{call.address.type} has no action '{name}'.")

    def absent(self, call: Call) -> ArmError | None:
        """The provider's own error for a missing resource; None for that of ARM."""
        return None


class StoredType(Behaviour):
    """A resource type that is only stored, and known before the first resource exists."""

    def __init__(self, resource_type: str) -> None:
        self.type = resource_type


def now() -> str:
    """The time as ARM writes it, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
