"""Instance types proposed from the nodes of a cluster, sized to what workloads can use of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.amounts import MIB, Amounts
from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.reasons import Obstacle, placement_obstacles

CPU_STEP, MEMORY_STEP = 100, 128 * MIB * 1000
WHOLE, HALF, QUARTER, PER_GPU = "whole", "half", "quarter", "gpu"
PARTS = {WHOLE: 1, HALF: 2, QUARTER: 4}


def propose(nodes: Iterable[Node], placement: Placement, shares: Sequence[str] = (WHOLE,)) -> list[InstanceType]:
    """One type for each share of each pool that workloads may use.

    The size is that of the smallest node of the pool: what is left next to the pods of system namespaces (azureml and
    kube-system included), divided by the share, rounded down to 100m of CPU and 128Mi. Requests equal limits. The
    share gpu divides by the number of GPUs and is left out for pools without. Nodes are selected by the label of the
    pool, which new nodes get too, else by the size of the machine. Nodes with neither are left out, unless no node has
    either: then nothing is selected.
    """
    pools: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        if node.allocatable and not placement_obstacles(node, placement):
            pools.setdefault(_pool_label(node), []).append(node)
    if len(pools) > 1:
        pools.pop(("", ""), None)
    proposed: dict[str, InstanceType] = {}
    for (key, value), members in sorted(pools.items()):
        for share in shares:
            size = _size(members, share)
            if size:
                name = _unused(_name(value or "node") + ("" if share == WHOLE else f"-{share}"), proposed)
                requests = {part: size[part] for part in ("cpu", "memory")}
                proposed[name] = InstanceType(name, {key: value} if key else {}, requests, size)
    return list(proposed.values())


def left_out(nodes: Iterable[Node], placement: Placement) -> list[tuple[str, tuple[Obstacle, ...]]]:
    """The pools (or single nodes) for which no type is proposed, each with what keeps workloads off."""
    closed: dict[str, tuple[Obstacle, ...]] = {}
    usable = set()
    for node in nodes:
        obstacles = placement_obstacles(node, placement)
        if obstacles:
            closed.setdefault(node.place, obstacles)
        else:
            usable.add(node.place)
    return [(place, obstacles) for place, obstacles in closed.items() if place not in usable]


def _pool_label(node: Node) -> tuple[str, str]:
    knowledge = load("placement")
    for key in ("agentpool", *knowledge["poolLabels"], knowledge["sizeLabel"]):
        if node.labels.get(key):
            return key, node.labels[key]
    return "", ""


def _size(members: Sequence[Node], share: str) -> dict[str, str | int]:
    """The limits of a share of the smallest of the nodes; empty where nothing is left, or of a pool without GPUs."""
    capacities: list[Amounts] = [node.capacity for node in members]
    smallest = {key: min(capacity.get(key, 0) for capacity in capacities) for key in ("cpu", "memory", GPU)}
    gpus = smallest[GPU] // 1000
    parts = gpus if share == PER_GPU else PARTS[share]
    if not parts or (share in (HALF, QUARTER) and gpus % parts):
        return {}
    cpu = smallest["cpu"] // parts // CPU_STEP * CPU_STEP
    memory = smallest["memory"] // parts // MEMORY_STEP * MEMORY_STEP
    if not cpu or not memory:
        return {}
    size: dict[str, str | int] = {
        "cpu": f"{cpu // 1000}" if cpu % 1000 == 0 else f"{cpu}m",
        "memory": f"{memory // (MIB * 1000)}Mi",
    }
    return {**size, GPU: gpus // parts} if gpus else size


def _unused(name: str, names: Iterable[str]) -> str:
    names = set(names)
    while name in names:
        name += "-2"
    return name


def _name(word: str) -> str:
    """A valid Kubernetes name from the value of a label."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") or "node"
