"""A client that reads each resource once and never writes, for planning many clusters at the same time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from azext_amlk8s.azure.remembering_client import GET, NOT_FOUND, RememberingClient
from azext_amlk8s.refs import ClusterRef, ComputeRef, ExtensionRef


class SnapshotClient(RememberingClient):
    """An AzureClient whose reads are remembered to the end. One that would change something raises AssertionError."""

    keeps_credentials = True

    def seconds_to_keep(self, resource_id: str, value: Any) -> float:
        return math.inf

    def list_clusters(self, scope: str, cluster_type: str) -> list[dict[str, Any]]:
        """As of any client; the clusters of the list need not be read again."""
        clusters = super().list_clusters(scope, cluster_type)
        for cluster in clusters:
            self.remember(ClusterRef.parse(str(cluster["id"])).id, partial(dict, cluster), *GET)
        return clusters

    def find_in_group(self, resource_id: str) -> dict[str, Any] | None:
        try:
            listed = self._by_id(resource_id.rpartition("/")[0])
        except HttpResponseError:  # whoever may read a resource need not be allowed to list all
            return self.find(resource_id)

        def read() -> dict[str, Any]:
            if resource_id.lower() not in listed:
                error = ResourceNotFoundError(f"{resource_id} is not in the list of its resource group.")
                error.status_code = NOT_FOUND
                raise error
            return listed[resource_id.lower()]

        with suppress(ResourceNotFoundError):
            return self.remember(resource_id, read, *GET)
        return None

    def _by_id(self, collection_id: str) -> dict[str, dict[str, Any]]:
        """The resources of a collection by their IDs in lower case."""

        def read() -> dict[str, dict[str, Any]]:
            return {str(resource.get("id")).lower(): resource for resource in self.list_all(collection_id)}

        return self.remember(collection_id, read, "by id")

    def begin_put(self, resource_id: str, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PUT {resource_id}")

    def begin_delete(self, resource_id: str) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {resource_id}")

    def assign_role(self, scope: str, role_id: str, principal_id: str) -> NoReturn:
        raise AssertionError(f"planning must not write: a role at {scope}")

    def begin_detach_compute(self, compute: ComputeRef) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {compute.id}")

    def begin_create_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PUT {extension.id}")

    def begin_update_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PATCH {extension.id}")

    def begin_delete_extension(self, extension: ExtensionRef, *, force: bool = False) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {extension.id}")
