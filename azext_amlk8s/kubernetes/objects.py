"""Instance types, nodes and pods of a cluster, as its API returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azext_amlk8s.change_log import record_change
from azext_amlk8s.kubernetes.errors import ClusterRefused, NoInstanceTypes
from azext_amlk8s.kubernetes.responses import is_missing, json_list, json_object, unexpected_response
from azext_amlk8s.kubernetes.sender import Sender

if TYPE_CHECKING:
    from httpx2 import Response

GROUP, KIND = "amlarc.azureml.com", "InstanceType"
FIELD_MANAGER = "az-amlk8s"
MOST_PAGES = 1000
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


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
    """A connection to a cluster, through lightkube. context is the name of the kubeconfig's context."""

    def __init__(self, client: Any, server: str, context: str = "") -> None:
        self._client, self.server, self.context = client, server, context
        self._sender = Sender(client._client._client, server, context)  # pylint: disable=protected-access
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
        name = obj["metadata"]["name"]
        namespace = self._namespace_of(name)
        if not dry_run:
            record_change("PATCH", f"{self._instance_type().path}/{name}")
        applied: Any = self._sender.send(
            lambda: self._client.apply(
                body, field_manager=FIELD_MANAGER, dry_run=dry_run, force=force, namespace=namespace
            )
        )
        return dict(applied.to_dict())

    def delete_instance_type(self, name: str, *, dry_run: bool = False) -> None:
        """Delete. Raises ClusterRefused with status 404 when it does not exist."""
        resource, namespace = self._applied(), self._namespace_of(name)
        if not dry_run:
            record_change("DELETE", f"{self._instance_type().path}/{name}")
        self._sender.send(lambda: self._client.delete(resource, name, dry_run=dry_run, namespace=namespace))

    def workloads(self) -> list[dict[str, Any]]:
        """The objects of every other kind of the extension's API group: jobs, deployments."""
        self._instance_type()
        others = [kind for name, kind in (self._kinds or {}).items() if name != KIND]
        found = []
        for kind in others:
            told = self.read(kind.path) or {}
            name = str(told.get("kind") or "").removesuffix("List")
            found += [{"kind": name, **one} for one in told.get("items") or ()]
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list, of all its pages; none where the list does not exist."""
        items: list[dict[str, Any]] = []
        query = ""
        for _ in range(MOST_PAGES):
            response = self._get(path + query, None)
            if response.status_code == 410 and query:
                items, query = [], ""  # the list has expired: start again
                continue
            if is_missing(response):
                return []
            page, token = json_list(response)
            items += page
            if not token:
                return items
            query = f"?limit=500&continue={quote(token)}"
        raise unexpected_response(None, "a list whose pages end")

    def read(self, path: str, *, metadata_only: bool = False) -> dict[str, Any] | None:
        """What the API returns to a GET of this path, None for 404; with metadata_only the metadata of a list.

        Raises ClusterUnreachable, and ClusterRefused also for a response that is not an object of Kubernetes.
        """
        response = self._get(path, {"Accept": METADATA} if metadata_only else None)
        return None if is_missing(response) else json_object(response)

    def read_text(self, path: str) -> str | None:
        """The same for text, such as logs; None where it is refused."""
        response = self._get(path, None)
        return None if response.status_code >= 300 else str(response.text)

    def dry_run_create(self, path: str, body: dict[str, Any]) -> None:
        """Have the API server admit an object without storing it. Raises ClusterUnreachable, ClusterRefused."""
        self._write("POST", path, body, {"dryRun": "All"})

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object; returns it as it is stored. Raises ClusterUnreachable, ClusterRefused."""
        record_change("POST", f"{path}/{body['metadata']['name']}")
        return self._write("POST", path, body, {})

    def delete(self, path: str, uid: str) -> None:
        """Delete the object of this UID and no other; one that does not exist is not an error.

        Raises ClusterUnreachable, and ClusterRefused 409 where the object at the path has another UID.
        """
        record_change("DELETE", path)
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        try:
            self._write("DELETE", path, options, {})
        except ClusterRefused as refused:
            if refused.status != 404:
                raise

    def _write(self, method: str, path: str, body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        http = self._client._client._client  # pylint: disable=protected-access

        def send() -> Response:
            response: Response = http.request(method, path, params=query, json=body)
            return response

        return json_object(self._sender.send(send))

    def create_namespace(self, name: str) -> None:
        """Create a namespace; an existing one is kept. Raises ClusterUnreachable, ClusterRefused."""
        from lightkube.models.meta_v1 import ObjectMeta
        from lightkube.resources.core_v1 import Namespace

        record_change("POST", f"/api/v1/namespaces/{name}")
        try:
            self._sender.send(lambda: self._client.create(Namespace(metadata=ObjectMeta(name=name))))
        except ClusterRefused as refused:
            if refused.status != 409:
                raise

    def _get(self, path: str, headers: dict[str, str] | None) -> Response:
        # lightkube has neither discovery nor untyped reading; its connection is used for them.
        http = self._client._client._client  # pylint: disable=protected-access

        def send() -> Response:
            response: Response = http.get(path, headers=headers)
            return response

        return self._sender.send(send)

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
