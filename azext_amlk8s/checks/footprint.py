"""How much CPU and memory the extension's own pods request, and how much the nodes have left for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from azext_amlk8s.checks.facts import Object
from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.amounts import format_amount, thousandths
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.scheduling.placement import system_placement
from azext_amlk8s.scheduling.reasons import takes_pods
from azext_amlk8s.settings import Settings

ROUTERS = 3


@dataclass(frozen=True)
class Capacity:
    """CPU in millicores and memory in thousandths of a byte, on so many nodes."""

    cpu: int
    memory: int
    nodes: int = 0

    def __str__(self) -> str:
        return f"{format_amount('cpu', self.cpu)} CPU and {format_amount('memory', self.memory)} memory"


def free_capacity(nodes: Iterable[Object], pods: Iterable[Object], config: Mapping[str, str]) -> Capacity:
    """What is left on the nodes that take the extension's pods with these settings."""
    placement = system_placement(config)
    usable = [node for node in nodes_from_objects(nodes, pods) if takes_pods(node, placement)]
    cpu, memory = (
        sum(max(node.allocatable.get(resource, 0) - node.used.get(resource, 0), 0) for node in usable)
        for resource in ("cpu", "memory")
    )
    return Capacity(cpu, memory, len(usable))


def footprint(settings: Settings, nodes: int) -> Capacity:
    """What the pods of the enabled workloads request together, with three routers where three nodes can take them."""
    enabled = [word for word in ("training", "inference") if settings.is_enabled(f"enable{word.capitalize()}")]
    if not enabled:
        return Capacity(0, 0)
    production = settings.get("inferenceRouterHA", "True" if nodes >= ROUTERS else "False") == "True"
    sizes = load("components")["footprint"]["production" if production else "test"]
    size = sizes["both" if len(enabled) == 2 else enabled[0]]
    return Capacity(thousandths(size["cpu"]), thousandths(size["memory"]))
