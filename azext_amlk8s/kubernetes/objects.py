"""Instance types, nodes and pods of a cluster, as its API has them; nothing is judged here."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

GROUP, KIND = "amlarc.azureml.com", "InstanceType"
FIELD_MANAGER = "az-amlk8s"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ClusterUnreachable(Exception):
    """The API server does not answer; the message names it."""


class NoInstanceTypes(Exception):
    """The cluster does not know the kind InstanceType."""


class ClusterRefused(Exception):
    """The API server answered with an error: status, reason, message and causes (message and field) are its own."""

    def __init__(self, status: int, reason: str, message: str, causes: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.causes = status, reason, message, causes


@dataclass(frozen=True)
class Served:
    """A kind as the API server serves it."""

    version: str
    plural: str
    namespaced: bool

    @property
    def path(self) -> str:
        """Where all its objects are listed, of whatever namespace."""
        return f"/apis/{GROUP}/{self.version}/{self.plural}"


class Cluster:
    """One cluster, reached through lightkube."""

    def __init__(self, client: Any, server: str) -> None:
        self._client, self.server = client, server
        self._kinds: dict[str, Served] | None = None
        self._resource: Any = None

    def has_instance_types(self) -> bool:
        """Whether the kind is served by now; asked anew as long as it is not."""
        self._kinds = self._served()
        return KIND in self._kinds

    def list_instance_types(self) -> list[dict[str, Any]]:
        """All instance types. Raises ClusterUnreachable, ClusterRefused, NoInstanceTypes."""
        return self.items(self._instance_type().path)

    def get_instance_type(self, name: str) -> dict[str, Any] | None:
        """One instance type, or None."""
        kind = self._instance_type()
        if kind.namespaced:
            return next((one for one in self.list_instance_types() if one["metadata"]["name"] == name), None)
        return self.read(f"{kind.path}/{name}")

    def apply_instance_type(self, obj: dict[str, Any], *, dry_run: bool = False, force: bool = False) -> dict[str, Any]:
        """Server-side apply under our field manager. Raises ClusterRefused 409 where another manages a field."""
        resource, version = self._applied(), self._instance_type().version
        body = resource(**{**obj, "apiVersion": f"{GROUP}/{version}"})
        with self._asking():
            where = self._namespace_of(obj["metadata"]["name"])
            done = self._client.apply(body, field_manager=FIELD_MANAGER, dry_run=dry_run, force=force, namespace=where)
            return dict(done.to_dict())

    def delete_instance_type(self, name: str, *, dry_run: bool = False) -> None:
        """Delete. Raises ClusterRefused with status 404 when it is not there."""
        with self._asking():
            self._client.delete(self._applied(), name, dry_run=dry_run, namespace=self._namespace_of(name))

    def workloads(self) -> list[dict[str, Any]]:
        """The objects of every other kind of the extension's API group: jobs, deployments."""
        self._instance_type()
        others = [kind for name, kind in (self._kinds or {}).items() if name != KIND]
        found = []
        for kind in others:
            told = self.read(kind.path) or {}
            name = str(told.get("kind") or "").removesuffix("List")
            found += [{"kind": name, **one} for one in told.get("items") or []]
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list, however many pages it has; none where there is no such list."""
        found: list[dict[str, Any]] = []
        follow = ""
        while True:
            told = self.read(path + follow) or {}
            found += told.get("items") or []
            token = (told.get("metadata") or {}).get("continue")
            if not token:
                return found
            follow = f"?limit=500&continue={token}"

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

    def _instance_type(self) -> Served:
        """The kind as the cluster itself serves it: versions, plural and scope are asked for, never assumed."""
        if self._kinds is None:
            self._kinds = self._served()
        if KIND not in self._kinds:
            raise NoInstanceTypes(f"The cluster at {self.server} has no instance types.")
        return self._kinds[KIND]

    def _served(self) -> dict[str, Served]:
        """The kinds of the extension's API group that can be listed, each in the first version that serves it."""
        group = self.read(f"/apis/{GROUP}") or {}
        preferred = (group.get("preferredVersion") or {}).get("version")
        versions = [one["version"] for one in group.get("versions") or []]
        found: dict[str, Served] = {}
        for version in sorted(versions, key=lambda one: one != preferred):
            told = (self.read(f"/apis/{GROUP}/{version}") or {}).get("resources", [])
            for one in told:
                if "/" not in one["name"] and "list" in one.get("verbs", ["list"]):
                    found.setdefault(one["kind"], Served(version, one["name"], bool(one["namespaced"])))
            if KIND in found:
                break
        return found

    def _namespace_of(self, name: str) -> str | None:
        """Where an instance type stands or is to stand; None where the kind belongs to the whole cluster."""
        if not self._instance_type().namespaced:
            return None
        there = self.get_instance_type(name)
        return str(there["metadata"]["namespace"] if there else self._client.namespace)

    def _applied(self) -> Any:
        """The kind as lightkube takes it."""
        if self._resource is None:
            from lightkube.generic_resource import create_global_resource, create_namespaced_resource

            kind = self._instance_type()
            create = create_namespaced_resource if kind.namespaced else create_global_resource
            self._resource = create(GROUP, kind.version, KIND, kind.plural)
        return self._resource

    @contextmanager
    def _asking(self) -> Iterator[None]:
        import httpx2
        from lightkube.core.exceptions import ApiError, ConfigError

        try:
            yield
        except ApiError as error:
            told = error.status
            causes = (told.details and told.details.causes) or []
            raise ClusterRefused(
                told.code or 500,
                told.reason or "",
                told.message or str(error),
                tuple((cause.message or "", cause.field or "") for cause in causes),
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
