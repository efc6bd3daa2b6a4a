"""Nodes as values, made from the Node and Pod objects of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.amounts import Amounts, add, amounts, subtract
from azext_amlk8s.values import mapping, mappings, text

Object = Mapping[str, Any]
REPELLING = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of nodes; only the effects NoSchedule and NoExecute keep pods away."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True)
class Node:
    """A node (exists is True), or count nodes of one kind that an autoscaler may add to a pool (exists is False).

    state is empty for a node that takes pods, else a clause such as "is not Ready". taints are those that keep pods
    away. Of amounts, in thousandths: allocatable is what the kubelet offers to pods; overhead what DaemonSet pods and
    static pods request, on this and every new node; resident what pods of system namespaces (azureml, kube-system)
    request, overhead included, so what is left is for workloads; used what all running pods request.
    """

    name: str
    pool: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    allocatable: Amounts = field(default_factory=dict)
    overhead: Amounts = field(default_factory=dict)
    resident: Amounts = field(default_factory=dict)
    used: Amounts = field(default_factory=dict)
    os: str = "linux"
    arch: str = "amd64"
    state: str = ""
    count: int = 1
    exists: bool = True

    @property
    def free(self) -> dict[str, int]:
        """What is free now, beside all pods that run."""
        return subtract(self.allocatable, self.used)

    @property
    def capacity(self) -> dict[str, int]:
        """What workloads can use in all: what is left beside the pods of system namespaces."""
        return subtract(self.allocatable, self.resident)

    @property
    def place(self) -> str:
        """The name to report: the pool, or the node where it belongs to none."""
        return self.pool or self.name


def nodes_from_objects(objects: Iterable[Object], pods: Iterable[Object] = ()) -> list[Node]:
    """The nodes of a cluster, from its Node objects and, for what is used, its Pod objects."""
    overhead: dict[str, dict[str, int]] = {}
    resident: dict[str, dict[str, int]] = {}
    used: dict[str, dict[str, int]] = {}
    for pod in pods:
        spec, metadata = mapping(pod.get("spec")), mapping(pod.get("metadata"))
        name = text(spec.get("nodeName"))
        if not name or mapping(pod.get("status")).get("phase") in ("Succeeded", "Failed"):
            continue
        requests = pod_requests(spec)
        add(used.setdefault(name, {}), requests)
        on_every_node = any(
            owner.get("kind") in ("DaemonSet", "Node") for owner in mappings(metadata.get("ownerReferences"))
        )
        if on_every_node:
            add(overhead.setdefault(name, {}), requests)
        if on_every_node or metadata.get("namespace") in load("placement")["systemNamespaces"]:
            add(resident.setdefault(name, {}), requests)
    return [_node(obj, overhead, resident, used) for obj in objects]


def _node(
    obj: Object, overhead: Mapping[str, Amounts], resident: Mapping[str, Amounts], used: Mapping[str, Amounts]
) -> Node:
    metadata, spec, status = (mapping(obj.get(part)) for part in ("metadata", "spec", "status"))
    labels, name, info = _labels(metadata), text(metadata.get("name")), mapping(status.get("nodeInfo"))
    return Node(
        name=name,
        pool=next((str(labels[key]) for key in load("placement")["poolLabels"] if labels.get(key)), ""),
        labels=labels,
        taints=taints_from_objects(spec.get("taints")),
        allocatable=amounts(status.get("allocatable")),
        overhead=overhead.get(name, {}),
        resident=resident.get(name, {}),
        used=used.get(name, {}),
        os=str(labels.get("kubernetes.io/os") or info.get("operatingSystem") or "linux").lower(),
        arch=str(labels.get("kubernetes.io/arch") or info.get("architecture") or "amd64").lower(),
        state=_state(spec, status),
    )


def _labels(metadata: Object) -> dict[str, str]:
    return {key: value for key, value in mapping(metadata.get("labels")).items() if isinstance(value, str)}


def _state(spec: Object, status: Object) -> str:
    ready = next(
        (condition for condition in mappings(status.get("conditions")) if condition.get("type") == "Ready"), None
    )
    if ready is not None and ready.get("status") != "True":
        return "is not Ready"
    return "is cordoned" if spec.get("unschedulable") else ""


def taints_from_objects(taints: Any) -> tuple[Taint, ...]:
    """The taints that keep pods away; those by which Kubernetes repeats the node's state are left out."""
    return tuple(
        Taint(str(taint.get("key")), str(taint.get("value") or ""), str(taint.get("effect")))
        for taint in mappings(taints)
        if taint.get("effect") in REPELLING and text(taint.get("key")) not in load("placement")["stateTaints"]
    )


def pod_requests(spec: Object) -> dict[str, int]:
    """What the scheduler counts for a pod: the sum of its containers, or its largest init container if that is more.

    Init containers that keep running (restartPolicy Always) count with the containers.
    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    total: dict[str, int] = {"pods": 1000}
    for container in mappings(spec.get("containers")):
        add(total, amounts(mapping(container.get("resources")).get("requests"), up=True))
    largest: dict[str, int] = {}
    for container in mappings(spec.get("initContainers")):
        requests = amounts(mapping(container.get("resources")).get("requests"), up=True)
        if container.get("restartPolicy") == "Always":
            add(total, requests)
        else:
            largest = {key: max(largest.get(key, 0), requests.get(key, 0)) for key in {**largest, **requests}}
    total = {key: max(total.get(key, 0), largest.get(key, 0)) for key in {**total, **largest}}
    add(total, amounts(spec.get("overhead"), up=True))
    return total
