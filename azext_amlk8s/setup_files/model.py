"""What setup files declare: setups, their clusters, and what each cluster must have."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.refs import ClusterRef, WorkspaceRef
from azext_amlk8s.values import region_name

# The tag of a compute that apply has created; its value is the name of the setup.
OWNER_TAG = "amlk8s-setup"
DEFAULT_EXTENSION = "azureml"
DEFAULT_NAMESPACE = "default"

Resource = Mapping[str, Any]  # a resource as ARM returns it
Part = Mapping[str, Any]  # a part of a setup file


@dataclass(frozen=True)
class Selector:
    """Clusters that have all of these properties; an empty one says nothing. In name, * stands for any characters."""

    name: str = ""
    subscription: str = ""
    resource_group: str = ""
    type: str = ""
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, part: Part) -> Selector:
        """The selector that a part of a file describes."""
        texts = {key: str(value) for key, value in part.items() if key != "tags"}
        return cls(**texts, tags={str(key): str(value) for key, value in (part.get("tags") or {}).items()})

    def matches(self, cluster: ClusterRef, resource: Resource) -> bool:
        """Whether a cluster has these properties; only location and tags come from its resource."""
        pairs = (
            (self.subscription, cluster.subscription),
            (self.resource_group, cluster.resource_group),
            (self.type, cluster.type),
            (region_name(self.location), region_name(str(resource.get("location") or ""))),
        )
        if any(wanted and wanted.lower() != found.lower() for wanted, found in pairs):
            return False
        if self.name and not fnmatch.fnmatchcase(cluster.name.lower(), self.name.lower()):
            return False
        tags = resource.get("tags") or {}
        return all(tags.get(key) == value for key, value in self.tags.items())

    @property
    def needs_resource(self) -> bool:
        """Whether the resource of a cluster has to be read to know if it matches."""
        return bool(self.location or self.tags)

    def __str__(self) -> str:
        values = {key: value for key, value in vars(self).items() if value and key != "tags"}
        tags = {f"tags.{key}": value for key, value in self.tags.items()}
        return ", ".join(f"{key}={value}" for key, value in {**values, **tags}.items())


@dataclass(frozen=True)
class ClusterEntry:
    """An entry below clusters: one cluster or a selector, where it is in the files, and the kubeconfig context.

    is_named: the selector stands for exactly one cluster, whose type the file does not say.
    """

    place: str
    cluster: ClusterRef | None = None
    selector: Selector | None = None
    context: str = ""
    is_named: bool = False


@dataclass(frozen=True)
class Setup:
    """One setup, merged from all files with its name.

    content has the parts that apply to every cluster (workspace, extension, compute, roles, namespaces, instance_types,
    rollout, overrides, on_remove) in the form of the schema; paths of files are complete, and an InstanceType object is
    a Document. places maps every key, such as extension.settings.enableTraining, to file:line:column.
    """

    name: str
    content: Part
    clusters: Sequence[ClusterEntry]
    places: Mapping[str, str]

    def place(self, part: str) -> str:
        """Where a part is, or the name of the setup."""
        return self.places.get(part) or f"setup '{self.name}'"


@dataclass(frozen=True)
class Wave:
    """How the clusters of one wave are changed; max_failures is a number or a percentage, None for no limit."""

    max_parallel: int | None = None
    max_failures: int | str | None = None
    pause_seconds: int = 0
    name: str = ""

    def title(self, number: int, waves: int) -> str:
        """The wave for people, by its number from 1 and its name."""
        name = f" '{self.name}'" if self.name else ""
        return f"Wave {number} of {waves}{name}"

    def failure_limit(self, clusters: int) -> int | None:
        """The number of failures after which no other cluster of so many is started, or None."""
        if isinstance(self.max_failures, str):
            return clusters * int(self.max_failures.rstrip("%")) // 100
        return self.max_failures


@dataclass(frozen=True)
class ClusterSetup:
    """What one cluster must have, with the overrides that match it. A part is None where the files do not have it.

    compute_name is complete, and empty without a compute. wave is the number of its wave, from 0. The settings of the
    extension are spelled as in the file. places maps the keys of the parts to file:line:column.

    former_computes are computes of the setup on this cluster that the files no longer have; has_left: the files no
    longer have the cluster either.
    """

    setup: str
    cluster: ClusterRef
    context: str = ""
    workspace: WorkspaceRef | None = None
    extension: Part | None = None
    compute: Part | None = None
    compute_name: str = ""
    roles: str = "check"
    namespaces: Sequence[str] = ()
    instance_types: Sequence[Any] = ()
    on_remove: str = "keep"
    place: str = ""
    wave: int = 0
    places: Mapping[str, str] = field(default_factory=dict, repr=False)
    former_computes: Sequence[str] = ()
    has_left: bool = False

    def place_of(self, key: str) -> str:
        """Where a key such as extension.settings.enableTraining is in the files, or else its parent or the cluster."""
        while key and key not in self.places:
            key = key.rpartition(".")[0]
        return self.places.get(key) or self.place

    @property
    def compute_namespace(self) -> str:
        """The namespace of the compute."""
        return str((self.compute or {}).get("namespace") or DEFAULT_NAMESPACE)
