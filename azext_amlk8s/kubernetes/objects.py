"""Instance types, nodes and pods of a cluster, as its API returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from azext_amlk8s.change_log import record_change
from azext_amlk8s.kubernetes.errors import ClusterRefused, NoInstanceTypes
from azext_amlk8s.kubernetes.responses import is_missing, json_list, json_object, unexpected_response
from azext_amlk8s.kubernetes.sender import Sender

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
    """A connection to a cluster. namespace is the one of the kubeconfig's context."""

    def __init__(self, sender: Sender, namespace: str) -> None:
        self._sender, self._namespace = sender, namespace
        self.server, self.context = sender.server, sender.context
        self._kinds: dict[str, Served] | None = None

    def close(self) -> None:
        """Close the connection; nothing may be sent after that."""
        self._sender.close()

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
            return next(
                (
                    instance_type
                    for instance_type in self.list_instance_types()
                    if instance_type["metadata"]["name"] == name
                ),
                None,
            )
        return self.read(f"{kind.path}/{name}")

    def apply_instance_type(self, obj: dict[str, Any], *, dry_run: bool = False, force: bool = False) -> dict[str, Any]:
        """Server-side apply under our field manager. Raises ClusterRefused 409 where another manages a field."""
        kind, name = self._instance_type(), obj["metadata"]["name"]
        body = {**obj, "apiVersion": f"{GROUP}/{kind.version}", "kind": KIND}
        return self.apply(self._path_of(name), body, dry_run=dry_run, force=force)

    def delete_instance_type(self, name: str, *, dry_run: bool = False) -> None:
        """Delete. Raises ClusterRefused with status 404 when it does not exist."""
        path = self._path_of(name)
        if not dry_run:
            record_change("DELETE", path)
        json_object(self._sender.send("DELETE", path, params={"dryRun": "All"} if dry_run else {}))

    def workloads(self) -> list[dict[str, Any]]:
        """The objects of every other kind of the extension's API group: jobs, deployments."""
        self._instance_type()
        others = [kind for name, kind in (self._kinds or {}).items() if name != KIND]
        found = []
        for kind in others:
            told = self.read(kind.path) or {}
            name = str(told.get("kind") or "").removesuffix("List")
            found += [{"kind": name, **item} for item in told.get("items") or ()]
        return found

    def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list, of all its pages; none where the list does not exist."""
        items: list[dict[str, Any]] = []
        query = ""
        for _ in range(MOST_PAGES):
            response = self._sender.send("GET", path + query)
            if response.status == 410 and query:
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
        response = self._sender.send("GET", path, headers={"Accept": METADATA} if metadata_only else None)
        return None if is_missing(response) else json_object(response)

    def read_text(self, path: str) -> str | None:
        """The same for text, such as logs; None where it is refused."""
        response = self._sender.send("GET", path)
        return None if response.status >= 300 else response.text

    def dry_run_create(self, path: str, body: dict[str, Any]) -> None:
        """Have the API server admit an object without storing it. Raises ClusterUnreachable, ClusterRefused."""
        json_object(self._sender.send("POST", path, params={"dryRun": "All"}, body=body))

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an object; returns it as it is stored. Raises ClusterUnreachable, ClusterRefused."""
        record_change("POST", f"{path}/{body['metadata']['name']}")
        return json_object(self._sender.send("POST", path, body=body))

    def apply(
        self,
        path: str,
        body: dict[str, Any],
        *,
        manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Create or update an object by server-side apply under a field manager; returns it as it is stored.

        Raises ClusterUnreachable, and ClusterRefused 409 where another manages one of the fields and force is not set.
        """
        headers = {"Content-Type": "application/apply-patch+yaml"}
        query = {"fieldManager": manager, "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        else:
            record_change("PATCH", path)
        return json_object(self._sender.send("PATCH", path, params=query, body=body, headers=headers))

    def merge_patch(self, path: str, change: dict[str, Any]) -> None:
        """Merge a change into an object; None deletes a field. Raises ClusterUnreachable, ClusterRefused."""
        record_change("PATCH", path)
        headers = {"Content-Type": "application/merge-patch+json"}
        query = {"fieldManager": FIELD_MANAGER}
        json_object(self._sender.send("PATCH", path, params=query, body=change, headers=headers))

    def delete(self, path: str, uid: str) -> None:
        """Delete the object of this UID and no other; one that does not exist is not an error.

        Raises ClusterUnreachable, and ClusterRefused 409 where the object at the path has another UID.
        """
        record_change("DELETE", path)
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        try:
            json_object(self._sender.send("DELETE", path, body=options))
        except ClusterRefused as refused:
            if refused.status != 404:
                raise

    def create_namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Create a namespace; an existing one is kept. Raises ClusterUnreachable, ClusterRefused."""
        metadata = {"name": name, **({"labels": labels} if labels else {})}
        try:
            self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
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
        versions = [str(version.get("version")) for version in group.get("versions") or ()]
        found: dict[str, Served] = {}
        for version in sorted(versions, key=lambda version: version != preferred):
            for kind in (self.read(f"/apis/{GROUP}/{version}") or {}).get("resources") or ():
                name, verbs = str(kind.get("name")), kind.get("verbs", ["list"])
                if "/" not in name and "list" in verbs:
                    found.setdefault(str(kind.get("kind")), Served(version, name, bool(kind.get("namespaced"))))
            if KIND in found:
                break
        return found

    def _path_of(self, name: str) -> str:
        """The path of an instance type, in the namespace in which it stands or is to stand if its kind has one."""
        kind = self._instance_type()
        if not kind.namespaced:
            return f"{kind.path}/{quote(name, safe='')}"
        existing = self.get_instance_type(name)
        namespace = existing["metadata"]["namespace"] if existing else self._namespace
        return f"/apis/{GROUP}/{kind.version}/namespaces/{namespace}/{kind.plural}/{quote(name, safe='')}"
