"""What keeps a pod off a node, each as a value with a phrase that completes "the node …"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from azext_amlk8s.instance_types.nodes import MIB, Node, Taint
from azext_amlk8s.instance_types.placement import Placement

GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Obstacle:
    """kind is state, os, taint or selector; a Shortage has the Kubernetes name of the resource instead."""

    kind: str
    phrase: str
    taint: Taint | None = None


@dataclass(frozen=True, slots=True)
class Shortage:
    """An obstacle of size: room and need in thousandths, kept what pods of the system take of the node."""

    kind: str
    room: int
    need: int
    kept: int = 0
    taint: None = None

    @property
    def phrase(self) -> str:
        """Of a resource the node has too little; room is what is left beside the pods that stay on every node."""
        asked = f"and {shown(self.kind, self.need)} is asked for"
        if not self.room:
            return f"offers no {self.kind}, {asked}"
        beside = f" beside {shown(self.kind, self.kept)} for pods of the system" if self.kept else ""
        return f"offers {shown(self.kind, self.room)} of {self.kind}{beside}, {asked}"


def gate_obstacles(node: Node, placement: Placement) -> tuple[Obstacle, ...]:
    """What is against every workload: the node's state, its system, taints that workloads do not tolerate."""
    found = [Obstacle("state", node.state)] if node.state else []
    if node.os.lower() != "linux":
        found.append(Obstacle("os", f"runs {node.os.capitalize()}, and workloads need Linux"))
    found += [
        Obstacle("taint", f"has the taint {taint}, which workloads do not tolerate", taint)
        for taint in node.taints
        if not placement.tolerates(taint)
    ]
    return tuple(found)


def selector_obstacles(node: Node, selector: Iterable[tuple[str, str]]) -> tuple[Obstacle, ...]:
    """The labels that are asked for and that the node has not."""
    return tuple(
        Obstacle("selector", _lacks(key, value, node.labels.get(key)))
        for key, value in sorted(selector)
        if node.labels.get(key) != value
    )


def _lacks(key: str, value: str, has: str | None) -> str:
    return f"lacks the label {key}={value}" + ("" if has is None else f" (it has {key}={has})")


def shown(key: str, thousandths: int) -> str:
    """An amount for a person: 3.86, 500m, 12.6Gi."""
    if key == "cpu":
        return f"{thousandths}m" if thousandths < 1000 else _short(Decimal(thousandths) / 1000)
    if "memory" in key or "storage" in key:
        size = Decimal(thousandths) / 1000
        return f"{_short(size / GIB)}Gi" if size >= GIB else f"{_short(size / MIB)}Mi"
    return _short(Decimal(thousandths) / 1000)


def _short(number: Decimal) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
