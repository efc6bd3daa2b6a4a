"""The objects of a cluster: every write increments one version and is reported to watchers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sandbox.kubernetes import admission, namespaces, status
from sandbox.kubernetes.json_copy import packed, unpacked
from sandbox.kubernetes.kinds import CRD, Kind, built_in, custom

Object = dict[str, Any]
# Group, kind, namespace and name.
Key = tuple[str, str, str, str]
# Metadata that a client cannot change.
KEPT = ("uid", "creationTimestamp", "generation", "resourceVersion", "namespace", "deletionTimestamp")


@dataclass(frozen=True)
class Event:
    """An event for watchers; content is the packed object."""

    version: int
    type: str
    group_kind: tuple[str, str]
    content: bytes


class Store:
    """The objects of one cluster."""

    def __init__(self) -> None:
        self._objects: dict[Key, bytes] = {}
        self._built_in = built_in()
        self._custom: list[Kind] = []
        self.events: list[Event] = []
        self.changed = asyncio.Condition()
        self.version = 1

    def newer_than(self, version: int) -> bool:
        """Whether anything has changed since a version."""
        return self.version > version

    def objects(self) -> dict[Key, Object]:
        """Copies of all objects."""
        return {key: unpacked(content) for key, content in self._objects.items()}

    async def restore(self, objects: dict[Key, Object]) -> None:
        """Hold copies of these objects alone, as after a restart of the cluster: watchers have to list anew."""
        self._objects = {key: packed(obj) for key, obj in objects.items()}
        definitions = next(kind for kind in self._built_in if kind.kind == CRD)
        self._custom = custom(self.list(definitions))
        self.version += 1 + max((int(stored["metadata"]["resourceVersion"]) for stored in objects.values()), default=0)
        self.events = []

    def kinds(self) -> list[Kind]:
        """All kinds served now."""
        return self._built_in + self._custom

    def find_kind(self, group: str, version: str, plural: str) -> Kind:
        """The kind behind a path. Raises ApiError 404."""
        for kind in self.kinds():
            if (kind.group, kind.version, kind.plural) == (group, version, plural):
                return kind
        if not any((kind.group, kind.version) == (group, version) for kind in self.kinds()):
            raise status.NoSuchPath
        raise status.no_such_kind()

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """A copy of an object. Raises ApiError 404."""
        try:
            return cast(Object, unpacked(self._objects[self._key(kind, namespace, name)]))
        except KeyError:
            raise status.not_found(kind, name) from None

    def list(self, kind: Kind, namespace: str = "") -> Iterator[Object]:
        """Copies of the objects of a kind, by namespace and name."""
        group_kind = (kind.group, kind.kind)
        for key in sorted(key for key in self._objects if key[:2] == group_kind and namespace in ("", key[2])):
            yield unpacked(self._objects[key])

    def require_namespace(self, kind: Kind, namespace: str) -> None:
        """Raise ApiError 404 where the namespace of a namespaced object does not exist."""
        name = namespace or "default"
        if kind.namespaced and ("", "Namespace", "", name) not in self._objects:
            raise status.ApiError(404, "NotFound", f'namespaces "{name}" not found', name=name, kind="namespaces")

    async def create(self, kind: Kind, namespace: str, obj: Object, dry_run: bool = False) -> Object:
        """Add an object. Raises ApiError 404 (no such namespace), 409 (name exists) or 422 (invalid)."""
        meta = obj.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
        admission.validate(kind, obj)
        name = meta["name"]
        if kind.namespaced:
            namespace = namespace or "default"
            meta["namespace"] = namespace
            self.require_namespace(kind, namespace)
        else:
            meta.pop("namespace", None)
        if self._key(kind, namespace, name) in self._objects:
            raise status.already_exists(kind, name)
        meta.update(uid=str(uuid.uuid4()), creationTimestamp=admission.timestamp())
        admission.complete(kind, obj, new=True)
        return await self._write(kind, namespace, obj, "ADDED", dry_run)

    async def update(self, kind: Kind, namespace: str, obj: Object, dry_run: bool = False) -> Object:
        """Replace an object. Raises ApiError 404, or 409 when resourceVersion is given and stale."""
        meta = obj.setdefault("metadata", {})
        existing = self.get(kind, namespace, meta.get("name", ""))
        old = existing["metadata"]
        if meta.get("resourceVersion") not in (None, "", old["resourceVersion"]):
            raise status.conflict(kind, old["name"])
        meta.update({key: old[key] for key in KEPT if key in old})
        if _content(obj) == _content(existing):
            return existing
        admission.validate(kind, obj)
        admission.complete(kind, obj, new=False)
        if "generation" in old and _spec(obj) != _spec(existing):
            meta["generation"] = old["generation"] + 1
        return await self._write(kind, namespace, obj, "MODIFIED", dry_run)

    async def delete(self, kind: Kind, namespace: str, name: str, dry_run: bool = False) -> Object:
        """Delete an object with its contents: the objects of a namespace, the custom objects of a definition.

        An object with finalizers stays, with a time of deletion, until they are removed; and so does its namespace or
        its definition. https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
        """
        obj = self.get(kind, namespace, name)
        if dry_run:
            return obj
        if obj["metadata"].get("finalizers"):
            return await self._mark_deleted(kind, namespace, obj)
        if kind.kind == "Namespace":
            for other in [known_kind for known_kind in self.kinds() if known_kind.namespaced]:
                for held in list(self.list(other, name)):
                    await self.delete(other, name, held["metadata"]["name"])
        if kind.kind == CRD:
            for other in [
                definition
                for definition in self._custom
                if definition.group == obj["spec"]["group"] and definition.plural == obj["spec"]["names"]["plural"]
            ]:
                for held in list(self.list(other)):
                    await self.delete(other, held["metadata"].get("namespace", ""), held["metadata"]["name"])
        if conditions := self._waits_for(kind, obj):
            obj.setdefault("status", {}).update(conditions)
            return await self._mark_deleted(kind, namespace, obj)
        return await self._remove(kind, namespace, obj)

    async def _mark_deleted(self, kind: Kind, namespace: str, obj: Object) -> Object:
        obj["metadata"].setdefault("deletionTimestamp", admission.timestamp())
        return await self._write(kind, namespace, obj, "MODIFIED", False)

    def _waits_for(self, kind: Kind, obj: Object) -> Object:
        """The status of a namespace or definition whose contents are not deleted yet, empty for anything else."""
        if kind.kind == "Namespace":
            held = self._held_in(obj["metadata"]["name"])
            return namespaces.terminating(held) if held else {}
        if kind.kind == CRD:
            names = obj["spec"]["names"]
            instances = [key for key in self._objects if key[:2] == (obj["spec"]["group"], names["kind"])]
            message = f"{len(instances)} instances remain"
            condition = {"type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress"}
            return {"conditions": [{**condition, "message": message}]} if instances else {}
        return {}

    def _held_in(self, namespace: str) -> Sequence[tuple[str, Object]]:
        """The objects in a namespace, each with the name of its resource."""
        return [
            (f"{known_kind.plural}.{known_kind.group}".rstrip("."), held)
            for known_kind in self.kinds()
            if known_kind.namespaced
            for held in self.list(known_kind, namespace)
        ]

    async def _remove(self, kind: Kind, namespace: str, obj: Object) -> Object:
        name = obj["metadata"]["name"]
        self._objects.pop(self._key(kind, namespace, name), None)
        obj["metadata"]["resourceVersion"] = str(self.version + 1)
        await self._tell(kind, packed(obj), "DELETED")
        await self._finish_owners(kind, namespace)
        return obj

    async def _finish_owners(self, kind: Kind, namespace: str) -> None:
        """Delete the namespace, or the definition, that has waited for the object which was removed."""
        for owner in [known_kind for known_kind in self._built_in if known_kind.kind in ("Namespace", CRD)]:
            for waiting in list(self.list(owner)):
                name, is_waiting = waiting["metadata"]["name"], "deletionTimestamp" in waiting["metadata"]
                holds = name == namespace if owner.kind == "Namespace" else name == f"{kind.plural}.{kind.group}"
                if is_waiting and holds and not waiting["metadata"].get("finalizers"):
                    await self.delete(owner, "", name)

    async def _write(self, kind: Kind, namespace: str, obj: Object, event: str, dry_run: bool) -> Object:
        obj["apiVersion"], obj["kind"] = kind.api_version, kind.kind
        if dry_run:
            obj["metadata"].setdefault("resourceVersion", "")
            return obj
        obj["metadata"]["resourceVersion"] = str(self.version + 1)
        content = packed(obj)
        self._objects[self._key(kind, namespace, obj["metadata"]["name"])] = content
        await self._tell(kind, content, event)
        is_released = "deletionTimestamp" in obj["metadata"] and not obj["metadata"].get("finalizers")
        if is_released and not self._waits_for(kind, obj):
            return await self._remove(kind, namespace, obj)
        return obj

    async def _tell(self, kind: Kind, content: bytes, event: str) -> None:
        self.version += 1
        self.events.append(Event(self.version, event, (kind.group, kind.kind), content))
        if kind.kind == CRD:
            definitions = next(known_kind for known_kind in self._built_in if known_kind.kind == CRD)
            self._custom = custom(self.list(definitions))
        async with self.changed:
            self.changed.notify_all()

    @staticmethod
    def _key(kind: Kind, namespace: str, name: str) -> Key:
        return kind.group, kind.kind, namespace if kind.namespaced else "", name


def _content(obj: Object) -> Object:
    """The object without server fields; times of managers are not a change."""
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in ("resourceVersion", "managedFields", "generation")
    }
    managers = [
        {key: value for key, value in managed_field.items() if key != "time"}
        for managed_field in obj["metadata"].get("managedFields", ())
    ]
    return {**obj, "metadata": {**meta, "managedFields": managers}}


def _spec(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}
