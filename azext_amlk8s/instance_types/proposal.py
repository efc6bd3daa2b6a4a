"""Instance types proposed from the nodes that are there, sized to what is allocatable."""

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


def propose(nodes: Iterable[Node], placement: Placement) -> list[InstanceType]:
    """One type for each pool that workloads may use.

    The size is that of the smallest node of the pool, so that each node of it holds a pod: what the kubelet offers,
    less what pods of daemon sets and static pods take, rounded down to 100m of CPU and 128Mi. Requests equal limits,
    because the whole node is given. The nodes are picked by the pool's label, which new nodes get too, else by the
    size of the machine; nodes that bear neither are left out, unless all are alike in that: then nothing is picked.
    """
    pools: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        if node.allocatable and not node.state and not placement_obstacles(node, placement):
            pools.setdefault(_label(node), []).append(node)
    if len(pools) > 1:
        pools.pop(("", ""), None)
    proposed: dict[str, InstanceType] = {}
    for (key, value), members in sorted(pools.items()):
        if made := _whole(members, {key: value} if key else {}, _name(value or "node")):
            name = made.name
            while name in proposed:
                name += "-2"
            proposed[name] = InstanceType(name, made.node_selector, made.requests, made.limits)
    return list(proposed.values())


def left_out(nodes: Iterable[Node], placement: Placement) -> list[tuple[str, tuple[Obstacle, ...]]]:
    """The pools (or lone nodes) of which no type is proposed, each with what keeps workloads from it."""
    kept: dict[str, tuple[Obstacle, ...]] = {}
    taken = set()
    for node in nodes:
        place = node.pool or node.name
        obstacles = placement_obstacles(node, placement)
        if obstacles:
            kept.setdefault(place, obstacles)
        else:
            taken.add(place)
    return [(place, obstacles) for place, obstacles in kept.items() if place not in taken]


def _label(node: Node) -> tuple[str, str]:
    told = load("placement")
    for key in ("agentpool", *told["poolLabels"], told["sizeLabel"]):
        if node.labels.get(key):
            return key, node.labels[key]
    return "", ""


def _whole(members: Sequence[Node], selector: dict[str, str], name: str) -> InstanceType | None:
    room = {key: min(_room(node, key) for node in members) for key in ("cpu", "memory", GPU)}
    cpu, memory = room["cpu"] // CPU_STEP * CPU_STEP, room["memory"] // MEMORY_STEP * MEMORY_STEP
    if not cpu or not memory:
        return None
    size = {"cpu": f"{cpu // 1000}" if cpu % 1000 == 0 else f"{cpu}m", "memory": f"{memory // (MIB * 1000)}Mi"}
    gpus = room[GPU] // 1000
    return InstanceType(name, selector, size, {**size, GPU: gpus} if gpus else size)


def _room(node: Node, key: str) -> int:
    taken: Amounts = node.overhead
    return max(node.allocatable.get(key, 0) - taken.get(key, 0), 0)


def _name(word: str) -> str:
    """A name that Kubernetes takes, out of a label's value."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") or "node"
