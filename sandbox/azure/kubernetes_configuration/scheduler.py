"""Where pods are placed, and the scheduler's message where no node fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SUFFIXES = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "Ti": 1024.0 * 1024}
# The extension's own pods tolerate these and no others; workLoadToleration is for the pods of jobs and deployments.
# https://learn.microsoft.com/azure/machine-learning/reference-kubernetes
TOLERATED = ("ml.azure.com/amlarc", "ml.azure.com/amlarc-system")
BLOCKING = ("NoSchedule", "NoExecute")


@dataclass
class NodeCapacity:
    """A node and its free resources: millicores and mebibytes."""

    name: str
    labels: Mapping[str, str]
    taints: list[Mapping[str, str]]
    ready: bool
    schedulable: bool
    cpu: float
    memory: float
    pods: int = 0


@dataclass
class Scheduler:
    """Places pods one after the other, each on the fitting node with the fewest pods."""

    nodes: list[NodeCapacity]
    selector: Mapping[str, str] = field(default_factory=dict)

    def place(self, cpu: float, memory: float) -> tuple[str, str]:
        """The node of a pod and no message, or no node and the scheduler's message."""
        reasons: Counter[str] = Counter()
        fitting = [node for node in self.nodes if not self._count_reasons(node, cpu, memory, reasons)]
        if not fitting:
            listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            return "", f"0/{len(self.nodes)} nodes are available: {listed}."
        node = min(fitting, key=lambda candidate: candidate.pods)
        node.cpu, node.memory, node.pods = node.cpu - cpu, node.memory - memory, node.pods + 1
        return node.name, ""

    def usable_nodes(self) -> list[NodeCapacity]:
        """The nodes that a pod without requests could use."""
        return [node for node in self.nodes if not self._count_reasons(node, 0, 0, Counter())]

    def architecture(self, name: str) -> str:
        """The architecture of a node, empty if its label is missing."""
        return next((node.labels.get("kubernetes.io/arch", "") for node in self.nodes if node.name == name), "")

    def _count_reasons(self, node: NodeCapacity, cpu: float, memory: float, reasons: Counter[str]) -> bool:
        """Count why a node does not fit; returns whether there is a reason."""
        before = sum(reasons.values())
        taint = next((node_taint for node_taint in node.taints if _blocks(node_taint)), None)
        linux = node.labels.get("kubernetes.io/os", "linux") == "linux"
        if not node.schedulable:
            reasons["node(s) were unschedulable"] += 1
        elif not node.ready:
            reasons["node(s) had untolerated taint {node.kubernetes.io/not-ready: }"] += 1
        elif not linux or any(node.labels.get(key) != value for key, value in self.selector.items()):
            reasons["node(s) didn't match Pod's node affinity/selector"] += 1
        elif taint:
            reasons[f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"] += 1
        else:
            free = (("cpu", node.cpu - cpu), ("memory", node.memory - memory))
            reasons.update([f"Insufficient {resource}" for resource, left in free if left < 0])
        return sum(reasons.values()) > before


def _blocks(taint: Mapping[str, str]) -> bool:
    return taint.get("effect") in BLOCKING and str(taint.get("key", "")) not in TOLERATED


def build_scheduler(
    nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]], settings: Mapping[str, str]
) -> Scheduler:
    """A scheduler for the extension's pods beside the pods that run already."""
    capacities = {node["metadata"]["name"]: _capacity(node) for node in nodes}
    for pod in pods:
        spec = pod.get("spec") or {}
        node = capacities.get(spec.get("nodeName", ""))
        for container in spec.get("containers", ()) if node else ():
            requests = (container.get("resources") or {}).get("requests") or {}
            assert node is not None
            node.cpu -= millicores(requests.get("cpu", 0))
            node.memory -= mebibytes(requests.get("memory", 0))
    selector = {
        key.split(".", 1)[1].replace("\\", ""): str(value)
        for key, value in settings.items()
        if key.lower().startswith("nodeselector.") and value
    }
    return Scheduler(list(capacities.values()), selector)


def millicores(quantity: Any) -> float:
    """A CPU quantity in thousandths of a core."""
    text = str(quantity)
    return float(text[:-1]) if text.endswith("m") else float(text) * 1000


def mebibytes(quantity: Any) -> float:
    """A memory quantity in MiB."""
    text = str(quantity)
    return float(text[:-2]) * SUFFIXES[text[-2:]] if text[-2:] in SUFFIXES else float(text) / 2**20


def _capacity(node: Mapping[str, Any]) -> NodeCapacity:
    status, spec = node.get("status") or {}, node.get("spec") or {}
    ready = any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", ())
    )
    allocatable = status.get("allocatable") or {}
    return NodeCapacity(
        node["metadata"]["name"],
        node["metadata"].get("labels") or {},
        list(spec.get("taints") or ()),
        ready,
        not spec.get("unschedulable"),
        millicores(allocatable.get("cpu", 0)),
        mebibytes(allocatable.get("memory", 0)),
    )
