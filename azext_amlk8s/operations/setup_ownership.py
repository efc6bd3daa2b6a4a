"""Which objects of a cluster belong to a setup, and the record of it in the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.setup_files.ownership import (
    applied_settings,
    applyset_id,
    build_parent,
    has_created_extension,
    owner_of,
    parent_path,
    tool_of,
)

if TYPE_CHECKING:
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.setup_files import ClusterSetup

Resource = Mapping[str, Any]


class Ownership:
    """The ApplySet of a setup in one cluster; it is read when it is first needed. Raises ClusterError."""

    def __init__(self, connection: Cluster, setup: str) -> None:
        self._connection, self._setup = connection, setup
        self._parent: tuple[Resource | None] | None = None

    @property
    def parent(self) -> Resource | None:
        """The ConfigMap of the setup, None where it does not exist or belongs to another tool."""
        if self._parent is None:
            parent = self._connection.read(parent_path(self._setup))
            self._parent = (None if tool_of(parent) else parent,)
        return self._parent[0]

    def former_types(self, wanted: Collection[str]) -> list[str]:
        """The names of the instance types of the setup, without those that are wanted."""
        from azext_amlk8s.kubernetes import NoInstanceTypes

        try:
            return self._members(self._connection.list_instance_types(), wanted)
        except NoInstanceTypes:
            return []

    def former_namespaces(self, wanted: Collection[str]) -> list[str]:
        """The same for namespaces."""
        return self._members(self._connection.items("/api/v1/namespaces"), wanted)

    def created_extension(self, name: str) -> bool:
        """Whether the setup has created the extension of this name."""
        return has_created_extension(self.parent, name)

    def record(self, extension: str, created: bool, settings: Iterable[str], *, keeps_settings: bool = False) -> None:
        """Write the parent before the members; what an earlier run has created stays created.

        keeps_settings: the settings of earlier runs stay recorded, because they may still be deployed.
        """
        created = created or has_created_extension(self.parent, extension)
        recorded = {*settings, *(applied_settings(self.parent) if keeps_settings else ())}
        body = build_parent(self._setup, extension, created, recorded)
        if self.parent is None or self.parent.get("data") != body["data"]:
            self._connection.apply(parent_path(self._setup), body)
            self._parent = (body,)

    def forget(self) -> None:
        """Delete the parent; one that does not exist is no error."""
        if self.parent is not None:
            self._connection.delete(parent_path(self._setup), str(self.parent["metadata"].get("uid")))

    def _members(self, objects: Iterable[Resource], wanted: Collection[str]) -> list[str]:
        own = applyset_id(self._setup)
        names = [str(obj["metadata"]["name"]) for obj in objects if owner_of(obj) == own]
        return sorted(name for name in names if name not in wanted)


def removed_settings(
    cluster_setup: ClusterSetup, extension: Resource, connect: Callable[[], Cluster | None]
) -> list[str]:
    """The settings that this setup has given to an extension and that its files no longer have.

    Only what the extension still has counts. connect returns a connection or None; it is called only where the
    extension has a setting that a user gives and the files do not have.
    """
    from azext_amlk8s.kubernetes import ClusterError

    given = setting_names(cluster_setup)
    candidates = [key for key in deployed_by_users(extension) if key not in given]
    if not candidates:
        return []
    connection = connect()
    if connection is None:
        return []
    try:
        applied = applied_settings(Ownership(connection, cluster_setup.setup).parent)
    except ClusterError:
        return []
    return [key for key in candidates if key in applied]


def setting_names(cluster_setup: ClusterSetup) -> set[str]:
    """The canonical names of the plain settings that the files give to the extension."""
    from azext_amlk8s.operations.setup_inputs import plain_settings
    from azext_amlk8s.settings.documents import NotSettings, read_document
    from azext_amlk8s.settings.schema import canonical_name

    plain = plain_settings(cluster_setup)
    try:
        keys = [key for key, _ in read_document(json.dumps(plain))] if plain else []
    except NotSettings:
        keys = []
    return {canonical_name(key) for key in keys}


def deployed_by_users(extension: Resource) -> list[str]:
    """The plain settings of an extension that only a user gives, and that can be reset."""
    from azext_amlk8s.settings import read_deployed
    from azext_amlk8s.settings.schema import find_key
    from azext_amlk8s.setup_files.writing import is_given_by_users

    return [
        key
        for key in read_deployed(extension).config
        if is_given_by_users(key) and (known := find_key(key)) is not None and known.resettable
    ]
