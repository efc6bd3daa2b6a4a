"""Where pods go: the part of a scheduler that decides, and its own words where nothing fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SUFFIXES = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0, "Ti": 1024.0 * 1024}
TOLERATED = "ml.azure.com/"
BLOCKING = ("NoSchedule", "NoExecute")


@dataclass
class Room:
    """A node, and what is left of it: millicores and mebibytes."""

    name: str
    labels: Mapping[str, str]
    taints: list[Mapping[str, str]]
    ready: bool
    cpu: float
    memory: float
    pods: int = 0


@dataclass
class Scheduler:
    """Places pods one after the other, each on the emptiest node that takes it."""

    rooms: list[Room]
    selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: frozenset[str] = frozenset()

    def place(self, cpu: float, memory: float) -> tuple[str, str]:
        """The node of a pod, or nothing and the scheduler's message."""
        why: Counter[str] = Counter()
        fitting = [room for room in self.rooms if not self._against(room, cpu, memory, why)]
        if not fitting:
            reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
            return "", f"0/{len(self.rooms)} nodes are available: {reasons}."
        room = min(fitting, key=lambda one: one.pods)
        room.cpu, room.memory, room.pods = room.cpu - cpu, room.memory - memory, room.pods + 1
        return room.name, ""

    def matching(self) -> list[Room]:
        """The nodes that are ready and that the selector and the taints leave."""
        return [room for room in self.rooms if not self._against(room, 0, 0, Counter())]

    def _against(self, room: Room, cpu: float, memory: float, why: Counter[str]) -> bool:
        before = sum(why.values())
        tainted = next((one for one in room.taints if self._keeps_off(one)), None)
        if not room.ready:
            why["node(s) were not ready"] += 1
        elif any(room.labels.get(key) != value for key, value in self.selector.items()):
            why["node(s) didn't match Pod's node affinity/selector"] += 1
        elif tainted:
            why[f"node(s) had untolerated taint {{{tainted['key']}: {tainted.get('value', '')}}}"] += 1
        else:
            why.update(
                [
                    f"Insufficient {word}"
                    for word, left in (("cpu", room.cpu - cpu), ("memory", room.memory - memory))
                    if left < 0
                ]
            )
        return sum(why.values()) > before

    def _keeps_off(self, taint: Mapping[str, str]) -> bool:
        key = str(taint.get("key", ""))
        return taint.get("effect") in BLOCKING and not key.startswith(TOLERATED) and key not in self.tolerations


def scheduler(nodes: list[dict[str, Any]], pods: list[dict[str, Any]], settings: Mapping[str, str]) -> Scheduler:
    """A scheduler for the extension's pods, beside the pods that run already."""
    rooms = {node["metadata"]["name"]: _room(node) for node in nodes}
    for pod in pods:
        room = rooms.get((pod.get("spec") or {}).get("nodeName", ""))
        for container in (pod.get("spec") or {}).get("containers", ()) if room else ():
            requests = (container.get("resources") or {}).get("requests") or {}
            assert room is not None
            room.cpu, room.memory = (
                room.cpu - millicores(requests.get("cpu", 0)),
                room.memory - mebibytes(requests.get("memory", 0)),
            )
    selector = {
        key.split(".", 1)[1].replace("\\", ""): str(value)
        for key, value in settings.items()
        if key.lower().startswith("nodeselector.")
    }
    tolerated = frozenset(
        str(value)
        for key, value in settings.items()
        if key.lower().startswith("workloadtoleration[") and key.lower().endswith(".key")
    )
    return Scheduler(list(rooms.values()), selector, tolerated)


def millicores(quantity: Any) -> float:
    """CPU as Kubernetes writes it, in thousandths of a core."""
    text = str(quantity)
    return float(text[:-1]) if text.endswith("m") else float(text) * 1000


def mebibytes(quantity: Any) -> float:
    """Memory as Kubernetes writes it, in MiB."""
    text = str(quantity)
    return float(text[:-2]) * SUFFIXES[text[-2:]] if text[-2:] in SUFFIXES else float(text) / 2**20


def _room(node: Mapping[str, Any]) -> Room:
    status, spec = node.get("status") or {}, node.get("spec") or {}
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
    size = status.get("allocatable") or {}
    labels = node["metadata"].get("labels") or {}
    return Room(
        node["metadata"]["name"],
        labels,
        list(spec.get("taints") or ()),
        ready and labels.get("kubernetes.io/os", "linux") == "linux",
        millicores(size.get("cpu", 0)),
        mebibytes(size.get("memory", 0)),
    )
