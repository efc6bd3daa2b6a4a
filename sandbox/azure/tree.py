"""The tree of ARM resources; IDs are compared without case and keep their first spelling."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Address:
    """The target of a request. scope: the part before the last /providers/; a collection has no last name.

    For /subscriptions/s/resourceGroups/g/providers/NS/a/x/b the scope is /subscriptions/s/resourceGroups/g, the
    namespace NS, the types (a, b), the names (x,).
    """

    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def type(self) -> str:
        """The full type, such as Microsoft.Kubernetes/connectedClusters."""
        return "/".join((self.namespace, *self.types))

    @property
    def is_collection(self) -> bool:
        """Whether the last type has no name."""
        return len(self.names) < len(self.types)

    @property
    def id(self) -> str:
        """The id of the resource, or of the collection."""
        parts = [word for pair in zip(self.types, (*self.names, ""), strict=False) for word in pair if word]
        return "/".join((self.scope, "providers", self.namespace, *parts))

    @property
    def parent(self) -> str:
        """The id of the resource above; the scope for a type of the first level."""
        if len(self.types) == 1:
            return self.scope
        return Address(self.scope, self.namespace, self.types[:-1], self.names[: len(self.types) - 1]).id

    @property
    def group(self) -> str:
        """The resource group's name, or nothing."""
        parts = self.scope.split("/")
        return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def parse(path: str) -> Address | None:
    """The address in a path, or None for one without /providers/NAMESPACE/TYPE."""
    parts = [part for part in path.split("/") if part]
    at = max((index for index, word in enumerate(parts) if word.lower() == "providers"), default=-1)
    if at < 0 or len(parts) < at + 3:
        return None
    rest = parts[at + 2 :]
    return Address("/" + "/".join(parts[:at]) if at else "", parts[at + 1], tuple(rest[::2]), tuple(rest[1::2]))


class Tree:
    """All resources by ID."""

    def __init__(self) -> None:
        self._resources: dict[str, Resource] = {}
        # The same by the ID of their collection, and by type: a request must not look at the whole of a large world.
        self._collections: dict[str, dict[str, Resource]] = {}
        self._types: dict[str, dict[str, Resource]] = {}

    def get(self, resource_id: str) -> Resource | None:
        """The resource itself, not a copy."""
        return self._resources.get(resource_id.lower())

    def put(self, resource: Resource) -> Resource:
        """Add or replace by id."""
        key = resource["id"].lower()
        self._resources[key] = resource
        self._collections.setdefault(key.rsplit("/", 1)[0], {})[key] = resource
        self._types.setdefault(resource["type"].lower(), {})[key] = resource
        return resource

    def resources(self) -> dict[str, Resource]:
        """Copies of all resources by ID in lower case."""
        return copy.deepcopy(self._resources)

    def restore(self, resources: dict[str, Resource]) -> None:
        """Hold copies of these resources alone."""
        self._resources, self._collections, self._types = {}, {}, {}
        for resource in copy.deepcopy(resources).values():
            self.put(resource)

    def remove(self, resource_id: str) -> None:
        """Remove a resource with everything below it."""
        gone = resource_id.lower()
        for key in [key for key in self._resources if key == gone or key.startswith(gone + "/")]:
            resource = self._resources.pop(key)
            del self._collections[key.rsplit("/", 1)[0]][key]
            del self._types[resource["type"].lower()][key]

    def within(self, scope: str, resource_type: str | None = None) -> Iterator[Resource]:
        """The resources below a scope, of one type or of any."""
        prefix = scope.lower() + "/"
        searched = self._resources if resource_type is None else self._types.get(resource_type.lower(), {})
        for key, resource in list(searched.items()):
            if key.startswith(prefix):
                yield resource

    def children(self, collection_id: str, resource_type: str) -> list[Resource]:
        """The resources of a collection; for a collection of a subscription those of all its groups."""
        address = parse(collection_id)
        if address and address.scope.count("/") == 2 and len(address.types) == 1:
            found = self.within(address.scope, resource_type)
            return [resource for resource in found if (parse(resource["id"]) or address).scope.count("/") in (2, 4)]
        return list(self._collections.get(collection_id.lower(), {}).values())
