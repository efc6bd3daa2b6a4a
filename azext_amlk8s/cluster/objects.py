"""Instance types in a cluster, as its API has them; nothing is judged here."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

GROUP, VERSION = "amlarc.azureml.com", "v1alpha1"
FIELD_MANAGER = "az-amlk8s"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ClusterUnreachable(Exception):
    """The API server does not answer; the message names it."""


class NoInstanceTypes(Exception):
    """The cluster does not know the kind InstanceType."""


class ClusterRefused(Exception):
    """The API server answered with an error: status, reason and message are its own."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class Cluster:
    """One cluster, reached through lightkube."""

    def __init__(self, client: Any, server: str) -> None:
        self._client, self.server = client, server
        self._resource: Any = None
        self._namespaced = False

    def list_instance_types(self) -> list[dict[str, Any]]:
        """All instance types. Raises ClusterUnreachable, ClusterRefused, NoInstanceTypes."""
        resource = self._instance_type()
        with self._asking():
            return [
                dict(one.to_dict()) for one in self._client.list(resource, namespace="*" if self._namespaced else None)
            ]

    def get_instance_type(self, name: str) -> dict[str, Any] | None:
        """One instance type, or None."""
        resource = self._instance_type()
        try:
            with self._asking():
                return dict(self._client.get(resource, name).to_dict())
        except ClusterRefused as refused:
            if refused.status == 404:
                return None
            raise

    def apply_instance_type(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Server-side apply under our field manager, without force."""
        resource = self._instance_type()
        with self._asking():
            return dict(self._client.apply(resource(**obj), field_manager=FIELD_MANAGER).to_dict())

    def delete_instance_type(self, name: str) -> None:
        """Delete. Raises ClusterRefused with status 404 when it is not there."""
        resource = self._instance_type()
        with self._asking():
            self._client.delete(resource, name)

    def read(self, path: str, *, metadata_only: bool = False) -> dict[str, Any] | None:
        """What the API answers to a GET of this path, None for 404; of a list of secrets the metadata is enough.

        Raises ClusterUnreachable, ClusterRefused.
        """
        response = self._get(path, {"Accept": METADATA} if metadata_only else None)
        if response.status_code == 404:
            return None
        told = _json(response)
        if response.status_code >= 400:
            raise ClusterRefused(
                response.status_code, told.get("reason", ""), told.get("message", response.reason_phrase)
            )
        return told

    def read_text(self, path: str) -> str | None:
        """The same for what is no JSON, such as logs; None for whatever is not given."""
        response = self._get(path, None)
        return None if response.status_code >= 400 else str(response.text)

    def _get(self, path: str, headers: dict[str, str] | None) -> Any:
        with self._asking():
            # lightkube has no discovery and no untyped reading of its own; its connection is used for it.
            return self._client._client._client.get(path, headers=headers)  # pylint: disable=protected-access

    def create_namespace(self, name: str) -> None:
        """Make a namespace; one that is there is left as it is. Raises ClusterUnreachable, ClusterRefused."""
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.core_v1 import Namespace

        try:
            with self._asking():
                self._client.create(Namespace(metadata=ObjectMeta(name=name)))
        except ClusterRefused as refused:
            if refused.status != 409:
                raise

    def _instance_type(self) -> Any:
        """The kind as the cluster itself serves it: its plural name and scope are asked for, never assumed."""
        if self._resource is None:
            from lightkube.generic_resource import create_global_resource, create_namespaced_resource

            found = next(
                (one for one in self._served() if one["kind"] == "InstanceType" and "/" not in one["name"]), None
            )
            if found is None:
                raise NoInstanceTypes(f"The cluster at {self.server} has no instance types.")
            self._namespaced = bool(found["namespaced"])
            create = create_namespaced_resource if self._namespaced else create_global_resource
            self._resource = create(GROUP, VERSION, "InstanceType", found["name"])
        return self._resource

    def _served(self) -> list[dict[str, Any]]:
        return list((self.read(f"/apis/{GROUP}/{VERSION}") or {}).get("resources", []))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        import httpx2
        from lightkube.core.exceptions import ApiError, ConfigError

        try:
            yield
        except ApiError as error:
            raise ClusterRefused(
                error.status.code or 500, error.status.reason or "", error.status.message or str(error)
            ) from error
        except (httpx2.TransportError, ssl.SSLError) as error:
            raise ClusterUnreachable(
                f"The cluster at {self.server} cannot be reached: {error or type(error).__name__}."
            ) from error
        except ConfigError as error:
            raise ClusterRefused(401, "Unauthorized", str(error)) from error


def _json(response: Any) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
