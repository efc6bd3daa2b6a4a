"""Node pools of AKS, from agentPoolProfiles of ARM: the nodes they have, and those that an autoscaler may add.

https://learn.microsoft.com/rest/api/aks/agent-pools/get
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.amounts import GPU, MIB, Amounts, subtract
from azext_amlk8s.scheduling.nodes import Node, Taint, taints_from_objects
from azext_amlk8s.values import mapping, sequence, whole_number

SPOT = "kubernetes.azure.com/scalesetpriority"
VM_SIZE = re.compile(r"^(?:standard|basic)_[a-z]+?(\d+)(?:-\d+)?([a-z]*)", re.IGNORECASE)
Profile = Mapping[str, Any]


@dataclass(frozen=True)
class Size:
    """A size of virtual machine: cores, bytes of memory, GPUs."""

    cpu: int
    memory: int
    gpu: int = 0


def parse_size(size: Mapping[str, Any]) -> Size:
    """A size from Azure Machine Learning's list of a region: vCPUs, gpus, memoryGB (which are GiB)."""
    return Size(
        int(size.get("vCPUs") or 0), int(float(size.get("memoryGB") or 0) * 1024) * MIB, int(size.get("gpus") or 0)
    )


@dataclass(frozen=True)
class NodePool:
    """An agent pool: count nodes now, at most max_count with its autoscaler (count where it has none).

    template is a node of the pool with labels, taints, operating system, architecture and, of a stopped pool, state;
    its allocatable amounts are unknown and so empty. cores is the number of vCPUs that the name of the size states.
    """

    name: str
    count: int
    max_count: int
    vm_size: str
    autoscaling: bool
    spot: bool
    cores: int | None
    template: Node


def pools_from_profiles(profiles: Iterable[Profile]) -> list[NodePool]:
    """The pools of an AKS cluster."""
    return [_pool(profile) for profile in profiles]


def adds_nodes(properties: Mapping[str, Any]) -> bool:
    """Whether an AKS cluster creates nodes for pending pods whatever its pools are (node auto-provisioning).

    properties are those of the managed cluster. https://learn.microsoft.com/azure/aks/node-auto-provisioning
    """
    return str(mapping(properties.get("nodeProvisioningProfile")).get("mode") or "").lower() == "auto"


def _pool(profile: Profile) -> NodePool:
    count, scales = whole_number(profile.get("count")), bool(profile.get("enableAutoScaling"))
    vm_size = str(profile.get("vmSize") or "")
    size = VM_SIZE.match(vm_size)
    stopped = str(mapping(profile.get("powerState")).get("code") or "Running").lower() == "stopped"
    name, os = str(profile.get("name")), str(profile.get("osType") or "Linux").lower()
    spot = str(profile.get("scaleSetPriority") or "").lower() == "spot"
    arch = "arm64" if size and "p" in size[2].lower() else "amd64"
    taints = list(
        taints_from_objects([_parsed_taint(str(node_taint)) for node_taint in sequence(profile.get("nodeTaints"))])
    )
    if spot and not any(taint.key == SPOT for taint in taints):
        taints.append(Taint(SPOT, "spot", "NoSchedule"))
    labels = {
        "agentpool": name,
        "kubernetes.azure.com/agentpool": name,
        "kubernetes.azure.com/mode": str(profile.get("mode") or "User").lower(),
        "kubernetes.io/os": os,
        "kubernetes.io/arch": arch,
        load("placement")["sizeLabel"]: vm_size,
        **({SPOT: "spot"} if spot else {}),
        **{str(key): str(value) for key, value in mapping(profile.get("nodeLabels")).items()},
    }
    state = "is stopped" if stopped else ""
    template = Node(f"pool {name}", name, labels, tuple(taints), os=os, arch=arch, state=state, exists=False)
    most = max(count, whole_number(profile.get("maxCount"))) if scales else count
    return NodePool(name, count, most, vm_size, scales, spot, int(size[1]) if size else None, template)


def _parsed_taint(text: str) -> dict[str, str]:
    """The taint of key=value:effect, as ARM writes it."""
    front, _, effect = text.rpartition(":")
    key, _, value = front.partition("=")
    return {"key": key, "value": value, "effect": effect}


def nodes_from_pools(
    profiles: Iterable[Profile], nodes: Iterable[Node], sizes: Mapping[str, Size] | None = None
) -> list[Node]:
    """What AKS agent pools may add to the nodes that exist: one Node for each pool, with its count.

    The amounts of a new node are those of a node of the same pool, else of one of the same size, else computed from
    the size. Pools that can add none, or whose size is unknown, have a state that says so.
    """
    known: dict[tuple[str, str], Node] = {}
    counts: dict[str, int] = {}
    for node in nodes:
        known.setdefault(("pool", node.pool), node)
        known.setdefault(("size", str(node.labels.get(load("placement")["sizeLabel"]) or "").lower()), node)
        counts[node.pool] = counts.get(node.pool, 0) + 1
    by_name = {name.lower(): size for name, size in (sizes or {}).items()}
    added = []
    for profile in profiles:
        pool = _pool(profile)
        existing, size = counts.get(pool.name, 0), pool.vm_size.lower()
        extra = max(pool.max_count - existing, 0) if pool.autoscaling else 0
        if extra or not existing:
            like = known.get(("pool", pool.name)) or known.get(("size", size))
            added.append(_added_nodes(pool, profile, extra, like, by_name.get(size)))
    return added


def _added_nodes(pool: NodePool, profile: Profile, extra: int, like: Node | None, size: Size | None) -> Node:
    allocatable = (
        like.allocatable if like else _allocatable(whole_number(profile.get("maxPods")) or 110, size) if size else {}
    )
    overhead = like.overhead if like else {}
    labels = dict(pool.template.labels)
    if allocatable.get(GPU) and _autoscaler_knows(pool.vm_size):
        labels |= {"accelerator": "nvidia", "kubernetes.azure.com/accelerator": "nvidia"}
    if like is not None and like.pool == pool.name:
        labels = {
            **{key: value for key, value in like.labels.items() if key not in load("placement")["ownLabels"]},
            **labels,
        }
    return Node(
        pool.template.name,
        pool.name,
        labels,
        pool.template.taints,
        subtract(allocatable, {}),
        overhead,
        overhead,
        overhead,
        pool.template.os,
        pool.template.arch,
        pool.template.state or _growth_state(pool, extra, allocatable),
        extra or 1,
        False,
    )


def _growth_state(pool: NodePool, extra: int, allocatable: Amounts) -> str:
    if not pool.autoscaling:
        return "has no nodes and no autoscaler"
    if not extra:
        return "is at its maximum size"
    return "" if allocatable else f"has the unknown VM size '{pool.vm_size}'"


def _autoscaler_knows(vm_size: str) -> bool:
    """Whether the cluster autoscaler gives a pool of this size at zero the label accelerator=nvidia."""
    return any(re.fullmatch(pattern, vm_size, re.IGNORECASE) for pattern in load("placement")["autoscalerGpuSizes"])


def _allocatable(pods: int, size: Size) -> dict[str, int]:
    """What AKS leaves to pods on a node of a size. https://learn.microsoft.com/azure/aks/node-resource-reservations"""
    reserved = load("placement")["aksReservation"]
    cpu = max((millicores for cores, millicores in reserved["cpuMillicores"] if cores <= size.cpu), default=0)
    memory = min(
        (reserved["memoryMiPerPod"] * pods + reserved["memoryMiBase"]) * MIB,
        int(size.memory * reserved["memoryShareAtMost"]),
    )
    allocatable = {
        "cpu": size.cpu * 1000 - cpu,
        "memory": (size.memory - memory - reserved["memoryMiEviction"] * MIB) * 1000,
        "pods": pods * 1000,
    }
    return {**allocatable, GPU: size.gpu * 1000} if size.gpu else allocatable
