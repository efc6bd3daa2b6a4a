"""Whether a node takes a pod, and what is against it, as values with a phrase that completes "the node …"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azext_amlk8s.scheduling.amounts import Amounts, describe_amount, format_amount, resource_name
from azext_amlk8s.scheduling.nodes import Node, Taint
from azext_amlk8s.scheduling.placement import Placement


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps pods off a node whatever its size; kind is state, os, arch, taint or selector."""

    kind: str
    phrase: str
    taint: Taint | None = None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource of which a node has too little; kind is its Kubernetes name, the amounts are thousandths.

    available is what is left next to kept, the requests of the pods that are named by keepers.
    """

    kind: str
    available: int
    requested: int
    kept: int = 0
    keepers: str = "system pods"
    taint: None = None

    @property
    def phrase(self) -> str:
        """For example: has 4 CPU, 64 requested."""
        requested = f"{format_amount(self.kind, self.requested)} requested"
        if not self.available and not self.kept:
            return f"has no {resource_name(self.kind)}, {requested}"
        beside = f" next to {format_amount(self.kind, self.kept)} for {self.keepers}" if self.kept else ""
        return f"has {describe_amount(self.kind, self.available)}{beside}, {requested}"


@dataclass(frozen=True)
class PodRequest:
    """A pod to place: its requests in thousandths ("pods" included), its placement, and its own node selector."""

    requests: Amounts
    placement: Placement
    node_selector: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """All labels that a node must have."""
        return {**self.placement.node_selector, **self.node_selector}


def obstacles(node: Node, pod: PodRequest, *, now: bool = False) -> tuple[Obstacle | Shortage, ...]:
    """Everything that keeps a pod off a node: next to system pods alone, or, with now, next to all running pods."""
    remaining, kept, keepers = (
        (node.free, node.used, "running pods") if now else (node.capacity, node.resident, "system pods")
    )
    return (
        *placement_obstacles(node, pod.placement),
        *selector_obstacles(node, pod.labels),
        *shortages(remaining, pod.requests, kept, keepers),
    )


def placement_obstacles(node: Node, placement: Placement) -> tuple[Obstacle, ...]:
    """What is against all pods of a placement: state, operating system, architecture and taints of the node."""
    reasons = [Obstacle("state", node.state)] if node.state else []
    if node.os != "linux":
        reasons.append(Obstacle("os", f"runs {node.os.capitalize()}, Linux required"))
    elif node.arch != "amd64":
        reasons.append(Obstacle("arch", f"has architecture {node.arch}, amd64 required"))
    reasons += [
        Obstacle("taint", f"has the taint {taint}, which {placement.pods} do not tolerate", taint)
        for taint in node.taints
        if not placement.tolerates(taint)
    ]
    return tuple(reasons)


def selector_obstacles(node: Node, selector: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[Obstacle, ...]:
    """The labels of a node selector that the node does not have."""
    return tuple(
        Obstacle("selector", _lacks(key, value, node.labels.get(key)))
        for key, value in sorted(dict(selector).items())
        if node.labels.get(key) != value
    )


def shortages(
    available: Amounts, requests: Amounts, kept: Amounts | None = None, keepers: str = "system pods"
) -> tuple[Shortage, ...]:
    """The resources of which less is available than requested; kept is what the pods named by keepers hold of each."""
    return tuple(
        Shortage(key, available.get(key, 0), value, (kept or {}).get(key, 0), keepers)
        for key, value in requests.items()
        if available.get(key, 0) < value
    )


def takes_pods(node: Node, placement: Placement) -> bool:
    """Whether pods of a placement may run on a node, whatever their size: Ready, Linux, amd64, tolerated, labelled."""
    return not placement_obstacles(node, placement) and not selector_obstacles(node, placement.node_selector)


def _lacks(key: str, value: str, has: str | None) -> str:
    return f"lacks the label {key}={value}" + ("" if has is None else f" (it has {key}={has})")
