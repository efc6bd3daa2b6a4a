"""The world: a YAML file that a person can read and change, read into ARM resources and cluster nodes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

DEFAULT_WORLD = Path(__file__).with_name("world.yaml")
WEATHERS = ("expired-token", "throttled", "bad-gateway", "gateway-timeout", "refused", "dropped")
NAMESPACE = uuid.UUID("6b1f1f6e-0c7e-5a53-9d0a-5d1b5c3f2a10")


class WorldError(ValueError):
    """The world file cannot be used; the message says why in one sentence."""


@dataclass(frozen=True)
class Pool:
    """Nodes that are alike. cpu in cores, memory as a Kubernetes quantity. ready: their kubelets answer."""

    name: str
    count: int
    cpu: int = 4
    memory: str = "16Gi"
    gpu: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    os: str = "linux"
    ready: bool = True


@dataclass(frozen=True)
class Cluster:
    """A cluster: its ARM type (managedClusters, connectedClusters), its nodes, and what ARM says beyond the usual.

    load_balancer: services of type LoadBalancer get an address. registry: the nodes can pull images. outbound: charts
    can be downloaded. relay: Azure Relay can be reached. ails: what befalls components after the installation, see
    azure/ails.py. forbids: plural names of kinds that the user of the kubeconfig may not read.
    """

    name: str
    group: str
    type: str
    pools: tuple[Pool, ...]
    version: str = "1.30.9"
    real: bool = False
    distribution: str = "generic"
    infrastructure: str = "generic"
    properties: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()
    load_balancer: bool = True
    registry: bool = True
    outbound: bool = True
    relay: bool = True
    ails: Mapping[str, str] = field(default_factory=dict)
    forbids: tuple[str, ...] = ()

    @property
    def node_count(self) -> int:
        """All nodes of all pools."""
        return sum(pool.count for pool in self.pools)


@dataclass(frozen=True)
class Weather:
    """What some requests meet on their way: those of a method (any when empty) whose path fits a pattern.

    The first `after` of them pass, the next `times` meet it, the rest pass again. retry_after in seconds;
    status, code and message are those of a provider that refuses.
    """

    kind: str
    method: str = ""
    path: str = "."
    after: int = 0
    times: int = 1
    retry_after: int | None = None
    provider: str = "Microsoft.MachineLearningServices"
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The request could not be completed."

    def __post_init__(self) -> None:
        if self.kind not in WEATHERS:
            raise TypeError(f"weather is one of {', '.join(WEATHERS)}, not {self.kind!r}")


@dataclass(frozen=True)
class Polls:
    """How polls of operations are answered while they run, where it differs from the provider's own way.

    status: 200 or 202; level: tenant for URLs that name no subscription; retry_after in seconds.
    """

    status: int = 200
    level: str = "provider"
    retry_after: int | None = None


@dataclass(frozen=True)
class World:
    """All that exists when the sandbox starts. role_delay: seconds until a role that was granted can be seen."""

    tenant: str
    subscriptions: tuple[Mapping[str, str], ...]
    location: str
    groups: tuple[Mapping[str, Any], ...]
    clusters: tuple[Cluster, ...]
    workspaces: tuple[Mapping[str, Any], ...]
    identities: tuple[Mapping[str, Any], ...]
    providers: Mapping[str, str]
    features: Mapping[str, str]
    resources: tuple[Mapping[str, Any], ...]
    denied: tuple[Mapping[str, Any], ...] = ()
    policies: tuple[Mapping[str, Any], ...] = ()
    role_delay: float = 0
    weather: tuple[Weather, ...] = ()
    polls: Polls = Polls()
    page: int = 100

    @property
    def subscription(self) -> str:
        """The id of the first subscription, in which everything lies."""
        return self.subscriptions[0]["id"]


def load(path: Path | None = None) -> World:
    """Read a world file. Raises WorldError with a sentence that names the file and what is wrong."""
    file = path or DEFAULT_WORLD
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return World(
            tenant=told["tenant"],
            subscriptions=tuple(told["subscriptions"]),
            location=told.get("location", "eastus"),
            groups=tuple(told.get("groups", ())),
            clusters=tuple(_cluster(one) for one in told.get("clusters", ())),
            workspaces=tuple(told.get("workspaces", ())),
            identities=tuple(told.get("identities", ())),
            providers=told.get("providers", {}),
            features=told.get("features", {}),
            resources=tuple(told.get("resources", ())),
            denied=tuple(told.get("denied", ())),
            policies=tuple(told.get("policies", ())),
            role_delay=float(told.get("role_delay", 0)),
            weather=tuple(Weather(**one) for one in told.get("weather", ())),
            polls=Polls(**told.get("polls", {})),
            page=told.get("page", 100),
        )
    except OSError as error:
        raise WorldError(f"The world file {file} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise WorldError(f"The world file {file} is not YAML: {error}") from error
    except KeyError as error:
        raise WorldError(f"The world file {file} lacks {error}.") from error
    except TypeError as error:
        raise WorldError(
            f"The world file {file} has a key that is not known, or a value of another shape: {error}."
        ) from error


def guid(*words: str) -> str:
    """The same GUID for the same words, so that a world is the same at every start."""
    return str(uuid.uuid5(NAMESPACE, "/".join(words).lower()))


def nodes_of(cluster: Cluster) -> list[dict[str, Any]]:
    """The Node objects of a cluster."""
    return [_node(cluster, pool, index) for pool in cluster.pools for index in range(pool.count)]


def agents_of(cluster: Cluster, world: World) -> list[dict[str, Any]]:
    """What the agents of an Arc-connected cluster keep in it: which Azure resource it is."""
    if cluster.type == "managedClusters":
        return []
    data = {
        "AZURE_RESOURCE_NAME": cluster.name,
        "AZURE_RESOURCE_GROUP": cluster.group,
        "AZURE_SUBSCRIPTION_ID": world.subscription,
        "AZURE_REGION": world.location,
        "AZURE_TENANT_ID": world.tenant,
    }
    meta = {"name": "azure-clusterconfig", "namespace": "azure-arc"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "azure-arc"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data},
    ]


def _cluster(told: Mapping[str, Any]) -> Cluster:
    pools = tuple(Pool(**{**pool, "taints": tuple(pool.get("taints", ()))}) for pool in told.get("pools", ()))
    lists = {name: tuple(told.get(name, ())) for name in ("objects", "forbids")}
    return Cluster(**{**told, "pools": pools, **lists})


def _node(cluster: Cluster, pool: Pool, index: int) -> dict[str, Any]:
    name = f"{cluster.name}-{pool.name}-{index}"
    size = {"cpu": str(pool.cpu), "memory": pool.memory, "pods": "110", "ephemeral-storage": "128Gi"}
    if pool.gpu:
        size["nvidia.com/gpu"] = str(pool.gpu)
    aks = (
        {"agentpool": pool.name, "kubernetes.azure.com/agentpool": pool.name}
        if cluster.type == "managedClusters"
        else {}
    )
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": pool.os,
                "kubernetes.io/arch": "amd64",
                **aks,
                **pool.labels,
            },
        },
        "spec": {"taints": [dict(taint) for taint in pool.taints]} if pool.taints else {},
        "status": {
            "capacity": size,
            "allocatable": size,
            "addresses": [
                {"type": "InternalIP", "address": f"10.224.0.{index + 4}"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is ready"}
                if pool.ready
                else {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "kubelet is down"}
            ],
            "nodeInfo": {
                "kubeletVersion": f"v{cluster.version}",
                "operatingSystem": pool.os,
                "architecture": "amd64",
                "osImage": "Ubuntu 22.04.5 LTS",
                "kernelVersion": "5.15.0-1075-azure",
                "containerRuntimeVersion": "containerd://1.7.25",
                "bootID": guid("boot", name),
                "machineID": guid("machine", name).replace("-", ""),
                "systemUUID": guid("system", name),
                "kubeProxyVersion": f"v{cluster.version}",
            },
        },
    }
