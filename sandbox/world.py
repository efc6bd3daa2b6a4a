"""The world of a sandbox: read from a YAML file, checked entry by entry."""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from sandbox.faults import Fault
from sandbox.fleets import expand
from sandbox.key_vault.entries import Vault, VaultCertificate

DEFAULT_WORLD = Path(__file__).with_name("world.yaml")
NAMESPACE = uuid.UUID("6b1f1f6e-0c7e-5a53-9d0a-5d1b5c3f2a10")
KUBERNETES_VERSION = "1.34.2"
Built = TypeVar("Built")

COMPONENT_FAULTS = (
    "missing",
    "unschedulable",
    "image_pull_failure",
    "crashing",
    "oom_killed",
    "config_error",
    "restarting",
    "not_ready",
)
# Spellings of the release before this one, which are accepted once more.
# What containers of a cluster or a node pool reach.
NETWORK_KEYS = ("blocked", "refused", "unresolvable", "intercepted", "issuer", "proxy")
OLD_KEYS = {
    "": {"weather": "faults", "page": "page_size"},
    "clusters": {"ails": "component_faults", "forbids": "forbidden_kinds"},
    "workspaces": {"lacks": "missing_roles", "keeps": "immutable", "lingers": "removal_delay"},
    "resources": {"on": "scope"},
}
OLD_VALUES = {
    "unplaced": "unschedulable",
    "unpulled": "image_pull_failure",
    "unconfigured": "config_error",
    "killed": "oom_killed",
    "slow": "not_ready",
}
OLD_FAULTS = {"refused": "error", "dropped": "connection-reset"}


class WorldError(ValueError):
    """The world file cannot be used; the message names the file, the entry and the reason."""


@dataclass(frozen=True)
class Pool:
    """Identical nodes. cpu in cores, memory as a Kubernetes quantity, ready: the kubelets respond.

    min_count and max_count: the bounds of the autoscaler, which is off without max_count.
    """

    name: str
    count: int
    cpu: int = 4
    memory: str = "16Gi"
    gpu: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    os: str = "linux"
    arch: str = "amd64"
    ready: bool = True
    schedulable: bool = True
    vm_size: str = "Standard_D4s_v5"
    min_count: int | None = None
    max_count: int | None = None
    network: Mapping[str, Any] | None = None


# interrupted: the agent stops in the middle, and Helm's record says pending-upgrade; failed: Helm rolls back.
UPGRADE_FAULTS = ("interrupted", "failed")
LEFTOVERS = ("namespace", "definitions", "webhooks", "roles")


@dataclass(frozen=True)
class Cluster:
    """A cluster: its ARM type (managedClusters or connectedClusters), its nodes, and ARM properties beyond the usual.

    load_balancer: services of type LoadBalancer get an address. registry: the nodes can pull images. outbound: charts
    can be downloaded. relay: Azure Relay can be reached. component_faults: faults of components after an installation,
    by component. forbidden_kinds: plural names of kinds that the user of the kubeconfig may not access. network: what
    containers reach; with it, Jobs run. location: that of the world if empty. lazy: the stand-in of its API starts when
    somebody connects. rollout: seconds until new pods of the inference router serve what they were given.
    upgrade_faults: what becomes of the first updates of the extension, one by one. leftovers: what its removal leaves.
    """

    name: str
    group: str
    type: str
    pools: tuple[Pool, ...] = ()
    version: str = KUBERNETES_VERSION
    real: bool = False
    distribution: str = "generic"
    infrastructure: str = "generic"
    properties: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()
    load_balancer: bool = True
    registry: bool = True
    outbound: bool = True
    relay: bool = True
    component_faults: Mapping[str, str] = field(default_factory=dict)
    forbidden_kinds: tuple[str, ...] = ()
    network: Mapping[str, Any] | None = None
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    lazy: bool = False
    rollout: float = 0
    upgrade_faults: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for network in (self.network, *(pool.network for pool in self.pools)):
            if unknown := set(network or ()) - set(NETWORK_KEYS):
                raise ValueError(f"network: unknown key '{min(unknown)}'; expected one of {', '.join(NETWORK_KEYS)}")
        if self.type not in ("managedClusters", "connectedClusters"):
            raise ValueError(f"unknown type '{self.type}'; expected managedClusters or connectedClusters")
        if unknown := set(self.upgrade_faults) - set(UPGRADE_FAULTS):
            raise ValueError(f"unknown upgrade fault '{min(unknown)}'; expected {' or '.join(UPGRADE_FAULTS)}")
        if unknown := set(self.leftovers) - set(LEFTOVERS):
            raise ValueError(f"unknown leftover '{min(unknown)}'; expected one of {', '.join(LEFTOVERS)}")
        for component, fault in self.component_faults.items():
            if fault not in COMPONENT_FAULTS:
                expected = ", ".join(COMPONENT_FAULTS)
                raise ValueError(f"unknown fault '{fault}' of component '{component}'; expected one of {expected}")

    @property
    def node_count(self) -> int:
        """The number of nodes in all pools."""
        return sum(pool.count for pool in self.pools)


@dataclass(frozen=True)
class Polls:
    """How polls of running operations are answered.

    status: 200 or 202; level: tenant for URLs without a subscription; retry_after in seconds.
    """

    status: int = 200
    level: str = "provider"
    retry_after: int | None = None


@dataclass(frozen=True)
class Bucket:
    """Requests that are allowed at once, and by the second."""

    size: int
    rate: float

    def __post_init__(self) -> None:
        if self.size < 1 or self.rate <= 0:
            raise ValueError("size and rate must be more than 0")


@dataclass(frozen=True)
class Throttling:
    """ARM's limits for each principal, as published; speed multiplies the rates."""

    reads: Bucket = Bucket(250, 25)
    writes: Bucket = Bucket(200, 10)
    deletes: Bucket = Bucket(200, 10)
    speed: float = 1

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError("speed must be more than 0")


@dataclass(frozen=True)
class ExtensionType:
    """Where an extension type is available: versions from oldest to newest; no regions means every region."""

    name: str
    versions: tuple[str, ...]
    regions: tuple[str, ...] = ()
    cluster_types: tuple[str, ...] = ("managedClusters", "connectedClusters")
    trains: tuple[str, ...] = ("stable",)


AZUREML = ExtensionType(
    "microsoft.azureml.kubernetes", ("1.1.5", "1.1.61", "1.1.71", "1.1.76", "1.1.83", "1.1.86", "1.1.88")
)


@dataclass(frozen=True)
class World:
    """Everything that exists when the sandbox starts. role_delay: seconds until a granted role becomes effective."""

    tenant: str
    subscriptions: tuple[Mapping[str, str], ...]
    location: str = "eastus"
    groups: tuple[Mapping[str, Any], ...] = ()
    clusters: tuple[Cluster, ...] = ()
    workspaces: tuple[Mapping[str, Any], ...] = ()
    identities: tuple[Mapping[str, Any], ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[Mapping[str, Any], ...] = ()
    denied: tuple[Mapping[str, Any], ...] = ()
    policies: tuple[Mapping[str, Any], ...] = ()
    role_delay: float = 0
    faults: tuple[Fault, ...] = ()
    polls: Polls = Polls()
    page_size: int | None = None
    throttling: Throttling | None = None
    vaults: tuple[Vault, ...] = ()
    extension_types: tuple[ExtensionType, ...] = (AZUREML,)
    compute_updates: bool = False
    suffixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def subscription(self) -> str:
        """The ID of the first subscription, which contains all resources."""
        return self.subscriptions[0]["id"]

    def workspace(self, name: str) -> Mapping[str, Any]:
        """The entry of a workspace, its name in any case; empty if the world has none."""
        return next((workspace for workspace in self.workspaces if workspace["name"].lower() == name.lower()), {})

    def extension_type(self, name: str) -> ExtensionType | None:
        """The extension type of this name, in any case."""
        return next(
            (extension_type for extension_type in self.extension_types if extension_type.name.lower() == name.lower()),
            None,
        )


ENTRY_TYPES: Mapping[str, Any] = {
    "clusters": Cluster,
    "faults": Fault,
    "extension_types": ExtensionType,
    "vaults": Vault,
}
BUCKETS = ("reads", "writes", "deletes")
LISTS = ("subscriptions", "groups", "workspaces", "identities", "resources", "denied", "policies")


def load(path: Path | None = None) -> World:
    """Read a world file. Raises WorldError naming the file, the entry and the reason."""
    file = path or DEFAULT_WORLD
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise WorldError(f"The world file {file} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise WorldError(f"The world file {file} is not valid YAML: {error}") from error
    try:
        return _world(content)
    except ValueError as error:
        raise WorldError(f"The world file {file} is invalid: {error}.") from error


def guid(*parts: str) -> str:
    """The same GUID for the same parts in any case, so that a world is the same at every start."""
    return str(uuid.uuid5(NAMESPACE, "/".join(parts).lower()))


def _world(content: Any) -> World:
    if not isinstance(content, Mapping):
        raise ValueError(f"expected a mapping, got {type(content).__name__}")
    values = _renamed(content, OLD_KEYS[""])
    fleets = _fleets(values.pop("fleets", []))
    for key in (*ENTRY_TYPES, *LISTS):
        if key in values:
            values[key] = tuple(_entries(key, values[key]))
    values["clusters"] = (*values.get("clusters", ()), *fleets)
    names = Counter(cluster.name.lower() for cluster in values["clusters"])
    if repeated := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"clusters: the name '{repeated[0]}' is used {names[repeated[0]]} times")
    if "polls" in values:
        values["polls"] = build(Polls, values["polls"], "polls")
    if values.get("throttling") is not None:
        values["throttling"] = _throttling(values["throttling"])
    return build(World, values, "")


def _fleets(entries: Any) -> list[Cluster]:
    found = []
    for where, entry in _located("fleets", entries):
        try:
            expanded = expand(entry)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        found += [build(Cluster, _cluster(cluster, where), where) for cluster in expanded]
    return found


def _located(key: str, entries: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries of a list, and for each where it is."""
    if not isinstance(entries, list):
        raise ValueError(f"{key}: expected a list, got {type(entries).__name__}")
    for index, entry in enumerate(entries):
        where = f"{key}[{index}]"
        if not isinstance(entry, Mapping):
            raise ValueError(f"{where}: expected a mapping, got {type(entry).__name__}")
        yield where + (f" '{entry['name']}'" if "name" in entry else ""), entry


def _throttling(entry: Any) -> Throttling:
    buckets = {} if not isinstance(entry, Mapping) else {key: entry[key] for key in BUCKETS if key in entry}
    built = {key: build(Bucket, value, f"throttling, {key}") for key, value in buckets.items()}
    return build(Throttling, {**entry, **built} if isinstance(entry, Mapping) else entry, "throttling")


def _entries(key: str, entries: Any) -> list[Any]:
    found = []
    for where, entry in _located(key, entries):
        renamed = _renamed(entry, OLD_KEYS.get(key, {}))
        if key == "faults":
            renamed["kind"] = OLD_FAULTS.get(renamed.get("kind", ""), renamed.get("kind"))
        if key == "clusters":
            renamed = _cluster(renamed, where)
        if key == "vaults":
            listed = _located(f"{where}, certificates", renamed.get("certificates", []))
            renamed["certificates"] = tuple(
                build(VaultCertificate, certificate, place) for place, certificate in listed
            )
        found.append(build(ENTRY_TYPES[key], renamed, where) if key in ENTRY_TYPES else renamed)
    return found


def _cluster(entry: dict[str, Any], where: str) -> dict[str, Any]:
    pools = entry.get("pools", ())
    entry["pools"] = tuple(build(Pool, pool, f"{where}, pools[{index}]") for index, pool in enumerate(pools))
    faults = entry.get("component_faults") or {}
    entry["component_faults"] = {name: OLD_VALUES.get(fault, fault) for name, fault in faults.items()}
    return entry


def _renamed(entry: Mapping[str, Any], old_keys: Mapping[str, str]) -> dict[str, Any]:
    kept = {key: value for key, value in entry.items() if key not in old_keys}
    return {**{old_keys[key]: value for key, value in entry.items() if key in old_keys}, **kept}


def build(kind: type[Built], entry: Any, where: str) -> Built:
    """A dataclass from a mapping. Raises ValueError that begins with where the entry is."""
    prefix = f"{where}: " if where else ""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{prefix}expected a mapping, got {type(entry).__name__}")
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    known = [field_name.name for field_name in fields]
    if unknown := [str(key) for key in entry if key not in known]:
        raise ValueError(f"{prefix}unknown key '{unknown[0]}'; expected one of {', '.join(known)}")
    required = [
        field_name.name
        for field_name in fields
        if field_name.default is field_name.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in entry]:
        raise ValueError(f"{prefix}missing key '{missing[0]}'")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{prefix}{error}") from error
