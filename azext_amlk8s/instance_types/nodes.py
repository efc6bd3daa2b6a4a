"""Nodes, and those that an autoscaler may still add, as values that a pod can be measured against.

Amounts are whole numbers of thousandths: millicores, thousandths of a byte, thousandths of a GPU. So nothing is lost
of what Kubernetes can say to the thousandth, and comparing stays cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR
from functools import cache
from typing import Any

from azext_amlk8s.instance_types.quantities import amount
from azext_amlk8s.knowledge import load

Amounts = Mapping[str, int]
KIB, MIB = 1024, 1024**2


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint that keeps pods away: its effect is NoSchedule or NoExecute."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Node:
    """A node; or, where count says how many, the nodes that its pool may still get (exists is False).

    allocatable is what the kubelet offers to pods, overhead what stays on the node whatever is removed (pods of daemon
    sets, static pods), used what all its pods request, these included. state is empty for a node that takes pods, or
    says why it takes none.
    """

    name: str
    pool: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    allocatable: Amounts = field(default_factory=dict)
    overhead: Amounts = field(default_factory=dict)
    used: Amounts = field(default_factory=dict)
    os: str = "linux"
    state: str = ""
    count: int = 1
    exists: bool = True


@cache
def thousandths(quantity: Any, up: bool = False) -> int:
    """A quantity in thousandths of its base unit, rounded down (or up: what is asked for); 0 for what is none."""
    number = amount(quantity)
    if number is None:
        return 0
    return int((number * 1000).to_integral_value(rounding=ROUND_CEILING if up else ROUND_FLOOR))


def amounts(told: Mapping[str, Any] | None, *, up: bool = False) -> dict[str, int]:
    """The quantities of a map of resources, those that are null left out."""
    return {key: thousandths(value, up) for key, value in (told or {}).items() if value is not None}


def nodes_from_objects(objects: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]] = ()) -> list[Node]:
    """The nodes of a cluster, from its Node objects and, for what is taken already, its Pod objects."""
    overhead: dict[str, dict[str, int]] = {}
    used: dict[str, dict[str, int]] = {}
    for pod in pods:
        spec = pod.get("spec") or {}
        where = spec.get("nodeName")
        if not where or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        asked = _pod_requests(spec)
        _add(used.setdefault(where, {}), asked)
        owners = (pod.get("metadata") or {}).get("ownerReferences") or []
        if any(owner.get("kind") in ("DaemonSet", "Node") for owner in owners):
            _add(overhead.setdefault(where, {}), asked)
    return [_node(one, overhead, used) for one in objects]


def _node(obj: Mapping[str, Any], overhead: Mapping[str, Amounts], used: Mapping[str, Amounts]) -> Node:
    metadata, spec, status = (obj.get(part) or {} for part in ("metadata", "spec", "status"))
    labels, name = metadata.get("labels") or {}, str(metadata.get("name") or "")
    return Node(
        name=name,
        pool=next((labels[key] for key in load("placement")["poolLabels"] if labels.get(key)), ""),
        labels=labels,
        taints=_taints(spec.get("taints")),
        allocatable=amounts(status.get("allocatable")),
        overhead=overhead.get(name, {}),
        used=used.get(name, {}),
        os=str(labels.get("kubernetes.io/os") or (status.get("nodeInfo") or {}).get("operatingSystem") or "linux"),
        state=_state(spec, status),
    )


def _state(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    ready = next((one for one in status.get("conditions") or [] if one.get("type") == "Ready"), None)
    if ready is not None and ready.get("status") != "True":
        return "is not Ready"
    return "is cordoned" if spec.get("unschedulable") else ""


def _taints(told: Iterable[Mapping[str, Any]] | None) -> tuple[Taint, ...]:
    """The taints that keep pods away; those by which Kubernetes repeats the node's state are left to the state."""
    return tuple(
        Taint(str(one.get("key")), str(one.get("value") or ""), str(one.get("effect")))
        for one in told or ()
        if one.get("effect") in ("NoSchedule", "NoExecute") and one.get("key") not in load("placement")["stateTaints"]
    )


def _pod_requests(spec: Mapping[str, Any]) -> dict[str, int]:
    """What the scheduler reckons for a pod: its containers together, or the largest of the init containers, if more.

    Init containers that stay (restartPolicy Always) count with the containers.
    """
    total: dict[str, int] = {"pods": 1000}
    for one in spec.get("containers") or []:
        _add(total, amounts((one.get("resources") or {}).get("requests"), up=True))
    largest: dict[str, int] = {}
    for one in spec.get("initContainers") or []:
        asked = amounts((one.get("resources") or {}).get("requests"), up=True)
        if one.get("restartPolicy") == "Always":
            _add(total, asked)
        else:
            largest = {key: max(largest.get(key, 0), asked.get(key, 0)) for key in largest.keys() | asked.keys()}
    total = {key: max(total.get(key, 0), largest.get(key, 0)) for key in total.keys() | largest.keys()}
    _add(total, amounts(spec.get("overhead"), up=True))
    return total


def _add(total: dict[str, int], more: Amounts) -> None:
    for key, value in more.items():
        total[key] = total.get(key, 0) + value


@dataclass(frozen=True)
class Size:
    """A size of virtual machine: cores, bytes, GPUs."""

    cpu: int
    memory: int
    gpu: int = 0


def size_of(told: Mapping[str, Any]) -> Size:
    """A size as Azure Machine Learning lists those of a region: vCPUs, gpus, memoryGB (which are GiB)."""
    return Size(
        int(told.get("vCPUs") or 0), int(float(told.get("memoryGB") or 0) * 1024) * MIB, int(told.get("gpus") or 0)
    )


def nodes_from_pools(
    profiles: Iterable[Mapping[str, Any]], nodes: Iterable[Node], sizes: Mapping[str, Size] | None = None
) -> list[Node]:
    """What AKS agent pools may still add to the nodes that are there: one Node for each pool, with its count.

    profiles are agentPoolProfiles of ARM. What a node of a pool offers is taken from a node of the same pool, else
    from one of the same size, else reckoned from the size (AKS, node resource reservations). A pool that is scaled to
    zero and whose size nobody knows offers nothing that is known: its state says so.
    """
    nodes = list(nodes)
    there: dict[tuple[str, str], Node] = {}
    label = load("placement")["sizeLabel"]
    for node in nodes:
        there.setdefault(("pool", node.pool), node)
        there.setdefault(("size", str(node.labels.get(label) or "").lower()), node)
    counts: dict[str, int] = {}
    for node in nodes:
        counts[node.pool] = counts.get(node.pool, 0) + 1
    known = {name.lower(): size for name, size in (sizes or {}).items()}
    made = []
    for profile in profiles:
        name, size = str(profile.get("name")), str(profile.get("vmSize") or "").lower()
        now = counts.get(name, 0)
        like = there.get(("pool", name)) or there.get(("size", size))
        grows = bool(profile.get("enableAutoScaling"))
        more = max(int(profile.get("maxCount") or 0) - now, 0) if grows else 0
        if more or not now:
            offered = _offered(profile, like, known.get(size))
            made.append(_potential(profile, offered, like, more or 1, _pool_state(profile, grows, more, offered)))
    return made


def _pool_state(profile: Mapping[str, Any], grows: bool, more: int, offered: Amounts) -> str:
    if str((profile.get("powerState") or {}).get("code") or "Running").lower() == "stopped":
        return "is stopped"
    if not grows:
        return "is scaled to zero and has no autoscaler"
    if not more:
        return "may not grow"
    return "" if offered else f"has the size {profile.get('vmSize')}, of which nothing is known"


def _offered(profile: Mapping[str, Any], like: Node | None, size: Size | None) -> Amounts:
    if like is not None:
        return {key: max(value - like.overhead.get(key, 0), 0) for key, value in like.allocatable.items()}
    if size is None:
        return {}
    told, pods = load("placement")["aksReservation"], int(profile.get("maxPods") or 110)
    taken = max((milli for cores, milli in told["cpuMillicores"] if cores <= size.cpu), default=0)
    kept = min(
        (told["memoryMiPerPod"] * pods + told["memoryMiBase"]) * MIB, int(size.memory * told["memoryShareAtMost"])
    )
    offered = {
        "cpu": size.cpu * 1000 - taken,
        "memory": (size.memory - kept - told["memoryMiEviction"] * MIB) * 1000,
        "pods": pods * 1000,
    }
    return {**offered, "nvidia.com/gpu": size.gpu * 1000} if size.gpu else offered


def _potential(profile: Mapping[str, Any], offered: Amounts, like: Node | None, count: int, state: str) -> Node:
    name, system = str(profile.get("name")), str(profile.get("osType") or "Linux").lower()
    labels = {
        "agentpool": name,
        "kubernetes.azure.com/agentpool": name,
        "kubernetes.azure.com/mode": str(profile.get("mode") or "User").lower(),
        "kubernetes.io/os": system,
        load("placement")["sizeLabel"]: str(profile.get("vmSize") or ""),
    }
    if str(profile.get("scaleSetPriority") or "").lower() == "spot":
        labels["kubernetes.azure.com/scalesetpriority"] = "spot"
    if offered.get("nvidia.com/gpu"):
        labels |= {"accelerator": "nvidia", "kubernetes.azure.com/accelerator": "nvidia"}
    if like is not None and like.pool == name:
        labels |= {key: value for key, value in like.labels.items() if key not in load("placement")["ownLabels"]}
    return replace(
        Node(f"pool {name}", name, exists=False, count=count, os=system, state=state, allocatable=offered),
        labels={**labels, **(profile.get("nodeLabels") or {})},
        taints=_taints(_parsed_taint(str(one)) for one in profile.get("nodeTaints") or ()),
    )


def _parsed_taint(text: str) -> dict[str, str]:
    """The taint of key=value:effect, as ARM writes it."""
    front, _, effect = text.rpartition(":")
    key, _, value = front.partition("=")
    return {"key": key, "value": value, "effect": effect}
