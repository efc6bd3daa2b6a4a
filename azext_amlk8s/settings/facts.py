"""What Azure says of a cluster, as values that the rules are about; made of ARM's JSON by pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

VM_SIZE = re.compile(r"^(?:Standard|Basic)_[A-Z]+?(\d+)", re.IGNORECASE)
SPOT_TAINT = "kubernetes.azure.com/scalesetpriority"
MSI = "msi"


@dataclass(frozen=True)
class Taint:
    """A taint of nodes; effect is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class Pool:
    """An agent pool of AKS. most is what the autoscaler may bring it to, the count where it does not scale.

    cores is the number of vCPUs of one node as the name of its size says it, None where the name does not.
    """

    name: str
    count: int
    most: int
    os: str = "Linux"
    spot: bool = False
    running: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    cores: int | None = None


@dataclass(frozen=True)
class Installed:
    """An extension on the cluster."""

    name: str
    type: str
    state: str


@dataclass(frozen=True)
class ClusterFacts:
    """What Azure says of the cluster; None or empty where it says nothing.

    node_count counts all nodes. providers holds the registration state of resource providers by name in lower case,
    and only of those that were asked for.
    """

    cluster_type: str
    resource_id: str
    name: str
    location: str
    node_count: int | None = None
    distribution: str | None = None
    infrastructure: str | None = None
    provisioning_state: str | None = None
    power_state: str | None = None
    connectivity: str | None = None
    agent_version: str | None = None
    service_principal: bool = False
    cores: int | None = None
    pools: tuple[Pool, ...] | None = None
    extensions: tuple[Installed, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_aks(self) -> bool:
        """Whether this is an AKS cluster; the other kind is Arc-connected."""
        return self.cluster_type.lower() == "managedclusters"


def cluster_facts(
    cluster: Mapping[str, Any],
    cluster_type: str,
    extensions: Iterable[Mapping[str, Any]] = (),
    providers: Iterable[Mapping[str, Any]] = (),
) -> ClusterFacts:
    """The facts in what ARM answered: the cluster, the extensions on it, the resource providers.

    Anything but id, name and location may be missing or null (field guide arm-protocol, section 4).
    """
    properties = cluster.get("properties") or {}
    profiles = properties.get("agentPoolProfiles")
    pools = None if profiles is None else tuple(_pool(one) for one in profiles)
    principal = (properties.get("servicePrincipalProfile") or {}).get("clientId")
    return ClusterFacts(
        cluster_type,
        cluster["id"],
        cluster["name"],
        cluster["location"],
        node_count=properties.get("totalNodeCount") if pools is None else sum(pool.count for pool in pools),
        distribution=properties.get("distribution"),
        infrastructure=properties.get("infrastructure"),
        provisioning_state=properties.get("provisioningState"),
        power_state=(properties.get("powerState") or {}).get("code"),
        connectivity=properties.get("connectivityStatus"),
        agent_version=properties.get("agentVersion"),
        service_principal=bool(principal) and str(principal).lower() != MSI,
        cores=properties.get("totalCoreCount") if pools is None else _cores(pools),
        pools=pools,
        extensions=tuple(_installed(one) for one in extensions),
        providers={str(one.get("namespace")).lower(): str(one.get("registrationState")) for one in providers},
    )


def _pool(told: Mapping[str, Any]) -> Pool:
    count = told.get("count") or 0
    scaling = told.get("enableAutoScaling")
    size = VM_SIZE.match(str(told.get("vmSize") or ""))
    name, os = str(told.get("name")), str(told.get("osType") or "Linux")
    spot = str(told.get("scaleSetPriority") or "").lower() == "spot"
    taints = [_taint(one) for one in told.get("nodeTaints") or []]
    if spot and not any(taint.key == SPOT_TAINT for taint in taints):
        taints.append(Taint(SPOT_TAINT, "spot", "NoSchedule"))
    return Pool(
        name,
        count,
        max(count, told.get("maxCount") or 0) if scaling else count,
        os=os,
        spot=spot,
        running=str((told.get("powerState") or {}).get("code") or "Running").lower() == "running",
        labels={
            **{key: str(value) for key, value in (told.get("nodeLabels") or {}).items()},
            "agentpool": name,
            "kubernetes.azure.com/agentpool": name,
            "kubernetes.azure.com/mode": str(told.get("mode") or "").lower(),
            "kubernetes.io/os": os.lower(),
            "node.kubernetes.io/instance-type": str(told.get("vmSize") or ""),
            **({SPOT_TAINT: "spot"} if spot else {}),
        },
        taints=tuple(taints),
        cores=int(size.group(1)) if size else None,
    )


def _taint(text: str) -> Taint:
    """A taint as AKS writes it: key=value:effect."""
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return Taint(key, value, effect)


def _cores(pools: tuple[Pool, ...]) -> int | None:
    if any(pool.cores is None for pool in pools):
        return None
    return sum(pool.count * (pool.cores or 0) for pool in pools)


def _installed(told: Mapping[str, Any]) -> Installed:
    properties = told.get("properties") or {}
    return Installed(
        str(told.get("name")),
        str(properties.get("extensionType") or "").lower(),
        str(properties.get("provisioningState") or ""),
    )
