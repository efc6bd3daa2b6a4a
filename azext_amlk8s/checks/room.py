"""How much room nodes have for the extension's own pods, and how much these request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.amounts import format_amount, thousandths
from azext_amlk8s.scheduling.nodes import Node, nodes_from_objects
from azext_amlk8s.settings import Settings

ROUTERS = 3


@dataclass(frozen=True)
class Room:
    """CPU in millicores and memory in thousandths of a byte, on so many nodes."""

    cpu: int
    memory: int
    nodes: int = 0

    @property
    def words(self) -> str:
        """For a person."""
        return f"{format_amount('cpu', self.cpu)} CPU and {format_amount('memory', self.memory)} of memory"


def room_of(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]], config: Mapping[str, str]) -> Room:
    """What is left on the nodes that take the extension's pods with these settings."""
    fit = [node for node in nodes_from_objects(nodes, pods) if takes_system_pods(node, config)]
    left = [(node.allocatable.get(one, 0) - node.used.get(one, 0)) for one in ("cpu", "memory") for node in fit]
    cpu, memory = left[: len(fit)], left[len(fit) :]
    return Room(sum(max(one, 0) for one in cpu), sum(max(one, 0) for one in memory), len(fit))


def takes_system_pods(node: Node, config: Mapping[str, str]) -> bool:
    """Field guide compute 3.4: these taints are tolerated, and the extension's nodeSelector must match."""
    tolerated = load("clusters")["tolerated"]
    labels = {
        key.partition(".")[2].replace("\\.", "."): value
        for key, value in config.items()
        if key.startswith("nodeSelector.")
    }
    return (
        not node.state
        and node.os.lower() == "linux"
        and all(taint.key in tolerated for taint in node.taints)
        and all(node.labels.get(key) == value for key, value in labels.items())
    )


def footprint(settings: Settings, nodes: int) -> Room:
    """What the pods of a scenario request together; with three routers where three nodes can take them."""
    on = [word for word in ("training", "inference") if settings.on(f"enable{word.capitalize()}")]
    if not on:
        return Room(0, 0)
    high = settings.get("inferenceRouterHA", "True" if nodes >= ROUTERS else "False") == "True"
    told = load("components")["footprint"]["production" if high else "test"]["both" if len(on) == 2 else on[0]]
    return Room(thousandths(told["cpu"]), thousandths(told["memory"]))
