"""What the extension does to the cluster that it is installed on, through the cluster's own API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure import component_faults
from sandbox.azure.failure_artifacts import leave_events
from sandbox.azure.install_failures import NAMESPACE, Install
from sandbox.azure.placement import Scheduler, scheduler
from sandbox.kubernetes import ClusterSide

# assumed: what a component asks for that components.yaml says nothing of, in millicores and mebibytes; together they
# stay within the published footprint of a scenario
CPU, MEMORY = 25, 90
GROUP, VERSION = "amlarc.azureml.com", "v1alpha1"
COMPONENTS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("components.yaml").read_text(encoding="utf-8")
)
QUANTITIES = {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True, "nullable": True}}
# assumed: scope and schema; neither is published
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"instancetypes.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Cluster",
        "names": {
            "plural": "instancetypes",
            "singular": "instancetype",
            "kind": "InstanceType",
            "listKind": "InstanceTypeList",
        },
        "versions": [
            {
                "name": VERSION,
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "resources": {
                                        "type": "object",
                                        "properties": {"requests": QUANTITIES, "limits": QUANTITIES},
                                    },
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


_AVAILABILITY = {True: "MinimumReplicasAvailable", False: "MinimumReplicasUnavailable"}


async def install(told: Install) -> bool:
    """The namespace, the components of the scenario with their pods, and the CRD; whether all became ready."""
    side = told.side
    await side.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    await side.client.apply(CRD)
    others = [pod for pod in await side.client.list("v1", "Pod") if pod["metadata"]["namespace"] != NAMESPACE]
    places = scheduler(await side.client.list("v1", "Node"), others, told.settings)
    quota = await _pods_allowed(side)
    ready = True
    for component in _components(told.settings):
        pods = _pods(component, told, places, quota)
        quota -= len(pods)
        good = [pod for pod in pods if pod["status"]["phase"] == "Running"]
        wanted = _wanted(component, told, places)
        for obj in (_controller(component, told.name, wanted, len(good)), *pods):
            await side.client.apply(obj)
        for kind, name, reason, message in _warnings(component, told, pods, wanted):
            await leave_events(told, kind, name, [(reason, message)])
        ready = ready and len(good) == wanted
    if ready:
        await component_faults.befall(told)
    return ready


async def clear_away(side: ClusterSide) -> None:
    """What an earlier attempt that failed left behind."""
    for pod in await side.client.list("v1", "Pod", NAMESPACE):
        if (pod.get("status") or {}).get("phase") != "Running":
            await side.client.delete("v1", "Pod", pod["metadata"]["name"], NAMESPACE)
    for event in await side.client.list("v1", "Event", NAMESPACE):
        await side.client.delete("v1", "Event", event["metadata"]["name"], NAMESPACE)


async def _pods_allowed(side: ClusterSide) -> int:
    quotas = await side.client.list("v1", "ResourceQuota", NAMESPACE)
    hard = [int(one["spec"]["hard"]["pods"]) for one in quotas if "pods" in (one.get("spec") or {}).get("hard", {})]
    return min(hard, default=10_000)


async def uninstall(side: ClusterSide) -> None:
    """Remove the namespace with all in it, and the CRD with the instance types."""
    await side.client.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD["metadata"]["name"])
    for kind, version in (
        ("Deployment", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("StatefulSet", "apps/v1"),
        ("Pod", "v1"),
        ("Event", "v1"),
        ("ConfigMap", "v1"),
    ):
        for obj in await side.client.list(version, kind, NAMESPACE):
            await side.client.delete(version, kind, obj["metadata"]["name"], NAMESPACE)
    await side.client.delete("v1", "Namespace", NAMESPACE)


async def instance_types(side: ClusterSide) -> dict[str, Any]:
    """The instance types of the cluster as the compute's ARM resource holds them, by name."""
    if not await side.client.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD["metadata"]["name"]):
        return {}
    found = await side.client.list(f"{GROUP}/{VERSION}", "InstanceType")
    return {one["metadata"]["name"]: _arm_form(one.get("spec") or {}) for one in found}


def _arm_form(spec: Mapping[str, Any]) -> dict[str, Any]:
    resources = spec.get("resources") or {}
    return {
        "nodeSelector": spec.get("nodeSelector"),
        "resources": {
            part: {key: None if value is None else str(value) for key, value in (resources.get(part) or {}).items()}
            for part in ("requests", "limits")
        },
    }


def _components(settings: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    on = {key.lower(): str(value).lower() == "true" for key, value in settings.items()}
    wanted = {"both"} | {word for word in ("training", "inference") if on.get(f"enable{word}")}
    return (component for component in COMPONENTS if component["for"] in wanted)


def _wanted(component: Mapping[str, Any], told: Install, places: Scheduler) -> int:
    if component["kind"] == "DaemonSet":
        return len(places.matching())
    return int(component.get("ha_replicas", 1)) if told.on("inferenceRouterHA", "true") else 1


def _controller(component: Mapping[str, Any], extension: str, wanted: int, ready: int) -> dict[str, Any]:
    name, kind = component["name"].format(name=extension), component["kind"]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": _containers(component, name)}}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "template": template}
    status: dict[str, Any] = {"replicas": wanted, "updatedReplicas": wanted}
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
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": _meta(name), "spec": spec, "status": status}


def _pods(component: Mapping[str, Any], told: Install, places: Scheduler, quota: int) -> list[dict[str, Any]]:
    name, kind = component["name"].format(name=told.name), component["kind"]
    cpu, memory = component.get("cpu", CPU), component.get("memory", MEMORY)
    nodes = [room.name for room in places.matching()]
    found = []
    for index in range(min(_wanted(component, told, places), max(quota, 0))):
        pod = f"{name}-{index}" if kind == "StatefulSet" else f"{name}-{_suffix(name, index)}"
        node, why = (nodes[index], "") if kind == "DaemonSet" else places.place(cpu, memory)
        meta = {**_meta(name), "name": pod}
        found.append(pod_object(meta, _containers(component, name), node, why, told.cluster.registry))
    return found


def _warnings(
    component: Mapping[str, Any], told: Install, pods: list[dict[str, Any]], wanted: int
) -> Iterator[tuple[str, str, str, str]]:
    """Kind and name of an object, reason and message: what the kubelet, the scheduler and the controllers say."""
    for pod in pods:
        name = pod["metadata"]["name"]
        image = pod["spec"]["containers"][0]["image"]
        if not pod["spec"].get("nodeName"):
            yield "Pod", name, "FailedScheduling", pod["status"]["conditions"][0]["message"]
        elif pod["status"]["phase"] == "Pending":
            host = image.split("/", 1)[0]
            yield "Pod", name, "Failed", f'Failed to pull image "{image}": dial tcp: lookup {host}: i/o timeout'
    if len(pods) < wanted:
        name = component["name"].format(name=told.name)
        text = f'pods "{name}-{_suffix(name, len(pods))}" is forbidden: exceeded quota: pods, requested: pods=1'
        yield "ReplicaSet", f"{name}-{_suffix(name, 0)[:9]}", "FailedCreate", f"Error creating: {text}"


def _meta(name: str) -> dict[str, Any]:
    return {"namespace": NAMESPACE, "name": name, "labels": {"app": name, "app.kubernetes.io/managed-by": "Helm"}}


def _containers(component: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    requests = {"cpu": f"{component.get('cpu', CPU)}m", "memory": f"{component.get('memory', MEMORY)}Mi"}
    image = f"mcr.microsoft.com/azureml/amlarc/{name}:1.1.71"
    return [{"name": name.rsplit("-", 1)[-1] or "main", "image": image, "resources": {"requests": requests}}]


def pod_object(
    meta: Mapping[str, Any], containers: list[dict[str, Any]], node: str, unplaced: str = "", pulled: bool = True
) -> dict[str, Any]:
    """A pod that runs; one that no node takes, with the scheduler's message; or one whose image does not come."""
    runs = not unplaced and pulled
    conditions = [{"type": "PodScheduled", "status": "True"}]
    if unplaced:
        conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unplaced}]
    conditions += [{"type": kind, "status": str(runs)} for kind in ("Initialized", "Ready", "ContainersReady")]
    status: dict[str, Any] = {"phase": "Running" if runs else "Pending", "conditions": conditions}
    if not unplaced:
        status["containerStatuses"] = [_container_status(one, runs) for one in containers]
    spec = {"containers": containers, **({"nodeName": node} if node else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": dict(meta), "spec": spec, "status": status}


def _container_status(container: Mapping[str, Any], runs: bool) -> dict[str, Any]:
    image = container["image"]
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
    return {
        "name": container["name"],
        "image": image,
        "imageID": image if runs else "",
        "ready": runs,
        "started": runs,
        "restartCount": 0,
        "state": {"running": {}} if runs else {"waiting": waiting},
    }


def _suffix(name: str, index: int) -> str:
    digest = hashlib.sha256(f"{name}{index}".encode()).hexdigest()
    return f"{digest[:9]}-{digest[9:14]}"
