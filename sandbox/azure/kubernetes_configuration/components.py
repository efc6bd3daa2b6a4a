"""The components that a version of the extension runs in a cluster."""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure.kubernetes_configuration.install_failures import NAMESPACE, Install

Object = dict[str, Any]
# assumed: requests of a component without figures of its own, in millicores and mebibytes; in sum they stay within the
# published footprint of a scenario
CPU, MEMORY = 25, 90
SIDECAR, SIDECAR_CPU, SIDECAR_MEMORY, SIDECARS_SINCE = "fluent-bit", 5, 20, "1.1.17"
_AVAILABILITY = {True: "MinimumReplicasAvailable", False: "MinimumReplicasUnavailable"}


@dataclass(frozen=True)
class Component:
    """A component of the catalogue, as components.yaml describes its fields."""

    name: str
    kind: str
    scenario: str
    since: str = "0"
    before: str = ""
    cluster_type: str = ""
    replicas: int = 1
    ha_replicas: int = 0
    sidecar: bool = False
    cpu: int = CPU
    memory: int = MEMORY
    unless: str = ""
    host_path: bool = False
    privileged: bool = False

    def is_installed(self, install: Install) -> bool:
        """Whether an installation has the component: its version, cluster type, scenarios and settings."""
        version = version_key(install.version)
        if version < version_key(self.since) or (self.before and version >= version_key(self.before)):
            return False
        if self.cluster_type not in ("", install.cluster.type):
            return False
        if self.scenario != "both" and not install.on(f"enable{self.scenario}"):
            return False
        return not self.unless or install.on(self.unless, install.default_of(self.unless))

    def requests(self) -> tuple[int, int]:
        """CPU and memory of a pod, in millicores and mebibytes."""
        extra = (SIDECAR_CPU, SIDECAR_MEMORY) if self.sidecar else (0, 0)
        return self.cpu + extra[0], self.memory + extra[1]

    def wanted_replicas(self, install: Install) -> int:
        """The number of pods of a Deployment or StatefulSet."""
        if self.ha_replicas and install.on("inferenceRouterHA", "true"):
            return self.ha_replicas
        return self.replicas


def version_key(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def installed_components(install: Install) -> list[Component]:
    """The components of an installation, their names filled in."""
    return [component for component in _catalogue(install.name) if component.is_installed(install)]


@functools.cache
def _read_catalogue() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("components.yaml").read_text(encoding="utf-8")
    )
    return entries


def _catalogue(extension: str) -> list[Component]:
    entries = copy.deepcopy(_read_catalogue())
    return [
        Component(
            name=entry.pop("name").format(name=extension),
            scenario=entry.pop("for"),
            **entry,
        )
        for entry in entries
    ]


def controller_object(component: Component, version: str, wanted: int, ready: int) -> Object:
    """The Deployment, DaemonSet or StatefulSet of a component with so many wanted and ready pods."""
    name, kind = component.name, component.kind
    template = {"metadata": {"labels": {"app": name}}, "spec": _pod_spec(component, version)}
    spec: Object = {"selector": {"matchLabels": {"app": name}}, "template": template}
    status: Object = {"replicas": wanted, "updatedReplicas": wanted}
    status |= {"readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": wanted - ready}
    if kind == "DaemonSet":
        status = {
            "currentNumberScheduled": wanted,
            "desiredNumberScheduled": wanted,
            "numberAvailable": ready,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "updatedNumberScheduled": wanted,
        }
    else:
        spec["replicas"] = wanted
    if kind == "StatefulSet":
        spec["serviceName"] = name
        status.pop("unavailableReplicas")
    if kind == "Deployment":
        available = {"type": "Available", "status": str(ready >= wanted)}
        status["conditions"] = [{**available, "reason": _AVAILABILITY[ready >= wanted], "message": ""}]
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": _metadata(name), "spec": spec, "status": status}


def replica_set_object(deployment: Object, ready: int) -> Object:
    """The ReplicaSet of a Deployment that the API server has returned."""
    name, spec = deployment["metadata"]["name"], deployment["spec"]
    metadata = {**_metadata(name), "name": f"{name}-{_digest(name)[:9]}", "ownerReferences": [owner_of(deployment)]}
    replicas = spec["replicas"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {key: spec[key] for key in ("replicas", "selector", "template")},
        "status": {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready},
    }


def owner_of(controller: Object) -> dict[str, Any]:
    """An owner reference to an object that the API server has returned."""
    metadata = controller["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": controller["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_name(component: Component, index: int) -> str:
    """The name of a pod, as its controller builds it."""
    name = component.name
    if component.kind == "StatefulSet":
        return f"{name}-{index}"
    suffix = _digest(f"{name}{index}")[:5]
    return f"{name}-{suffix}" if component.kind == "DaemonSet" else f"{name}-{_digest(name)[:9]}-{suffix}"


def component_pod(component: Component, version: str, index: int, owner: Mapping[str, Any], state: PodState) -> Object:
    """A pod of a component, owned by its ReplicaSet, StatefulSet or DaemonSet."""
    metadata = {**_metadata(component.name), "name": pod_name(component, index), "ownerReferences": [dict(owner)]}
    return pod_object(metadata, _pod_spec(component, version), state)


@dataclass(frozen=True)
class PodState:
    """Where a pod runs and how: unschedulable holds the scheduler's message; waiting the reason of its containers."""

    node: str = ""
    unschedulable: str = ""
    waiting: str = ""


def pod_object(metadata: Mapping[str, Any], pod_spec: Mapping[str, Any], state: PodState) -> Object:
    """A pod that runs, that no node takes, or whose containers wait."""
    running = not state.unschedulable and not state.waiting
    conditions = [{"type": "PodScheduled", "status": "True"}]
    if state.unschedulable:
        reason = {"reason": "Unschedulable", "message": state.unschedulable}
        conditions = [{"type": "PodScheduled", "status": "False", **reason}]
    conditions += [{"type": kind, "status": str(running)} for kind in ("Initialized", "Ready", "ContainersReady")]
    phase = "Pending" if state.unschedulable or state.waiting == "ImagePullBackOff" else "Running"
    status: Object = {"phase": phase, "conditions": conditions}
    if not state.unschedulable:
        status["containerStatuses"] = [
            _container_status(container, state.waiting) for container in pod_spec["containers"]
        ]
    spec = {**pod_spec, **({"nodeName": state.node} if state.node else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": dict(metadata), "spec": spec, "status": status}


def _pod_spec(component: Component, version: str) -> Object:
    name = component.name
    containers = [_container(name.rsplit("-", 1)[-1], name, version, component.cpu, component.memory)]
    if component.sidecar and version_key(version) >= version_key(SIDECARS_SINCE):
        containers.append(_container(SIDECAR, SIDECAR, version, SIDECAR_CPU, SIDECAR_MEMORY))
    if component.privileged:
        containers[0]["securityContext"] = {"privileged": True}
    spec: Object = {"containers": containers}
    if component.host_path:
        spec["volumes"] = [{"name": "host", "hostPath": {"path": "/var/log"}}]
    return spec


def _container(name: str, image: str, version: str, cpu: int, memory: int) -> Object:
    requests = {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}
    return {
        "name": name,
        "image": f"mcr.microsoft.com/azureml/amlarc/{image}:{version}",
        "resources": {"requests": requests, "limits": {"cpu": "2", "memory": "2Gi"}},
    }


def _container_status(container: Mapping[str, Any], waiting: str) -> Object:
    image = container["image"]
    messages = {"ImagePullBackOff": f'Back-off pulling image "{image}"'}
    message = messages.get(waiting, "back-off 5m0s restarting failed container")
    return {
        "name": container["name"],
        "image": image,
        "imageID": "" if waiting == "ImagePullBackOff" else image,
        "ready": not waiting,
        "started": not waiting,
        "restartCount": 9 if waiting == "CrashLoopBackOff" else 0,
        "state": {"waiting": {"reason": waiting, "message": message}} if waiting else {"running": {}},
    }


def _metadata(name: str) -> Object:
    return {"namespace": NAMESPACE, "name": name, "labels": {"app": name, "app.kubernetes.io/managed-by": "Helm"}}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
