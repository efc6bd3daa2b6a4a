"""What the extension does to the cluster that it is installed on, through the cluster's own API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox.kubernetes import ClusterSide

NAMESPACE = "azureml"
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


async def install(side: ClusterSide, name: str, settings: Mapping[str, str]) -> None:
    """The namespace, the components of the scenario with their pods, and the CRD."""
    nodes = [node["metadata"]["name"] for node in await side.client.list("v1", "Node")]
    await side.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    await side.client.apply(CRD)
    for component in _components(settings):
        for obj in _objects(component, name, settings, nodes):
            await side.client.apply(obj)


async def uninstall(side: ClusterSide) -> None:
    """Remove the namespace with all in it, and the CRD with the instance types."""
    await side.client.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", CRD["metadata"]["name"])
    for kind, version in (
        ("Deployment", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("StatefulSet", "apps/v1"),
        ("Pod", "v1"),
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


def _objects(
    component: Mapping[str, Any], extension: str, settings: Mapping[str, str], nodes: list[str]
) -> Iterator[dict[str, Any]]:
    name, kind = component["name"].format(name=extension), component["kind"]
    high = str(settings.get("inferenceRouterHA", "true")).lower() != "false"
    count = len(nodes) if kind == "DaemonSet" else component.get("ha_replicas", 1) if high else 1
    meta = {"namespace": NAMESPACE, "labels": {"app": name, "app.kubernetes.io/managed-by": "Helm"}}
    containers = [
        {"name": name.rsplit("-", 1)[-1] or "main", "image": f"mcr.microsoft.com/azureml/amlarc/{name}:1.1.71"}
    ]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "template": template}
    status: dict[str, Any] = {
        "replicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "updatedReplicas": count,
    }
    if kind == "Deployment":
        status["conditions"] = [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
    if kind == "DaemonSet":
        status = {
            "currentNumberScheduled": count,
            "desiredNumberScheduled": count,
            "numberAvailable": count,
            "numberMisscheduled": 0,
            "numberReady": count,
            "updatedNumberScheduled": count,
        }
    else:
        spec["replicas"] = count
    if kind == "StatefulSet":
        spec["serviceName"] = name
    yield {"apiVersion": "apps/v1", "kind": kind, "metadata": {**meta, "name": name}, "spec": spec, "status": status}
    for index in range(count):
        pod = f"{name}-{index}" if kind == "StatefulSet" else f"{name}-{_suffix(name, index)}"
        yield _pod({**meta, "name": pod}, containers, nodes[index % len(nodes)] if nodes else "")


def _pod(meta: dict[str, Any], containers: list[dict[str, Any]], node: str) -> dict[str, Any]:
    ready = [{"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")]
    states = [
        {
            "name": one["name"],
            "image": one["image"],
            "imageID": one["image"],
            "ready": True,
            "started": True,
            "restartCount": 0,
            "state": {"running": {}},
        }
        for one in containers
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": containers, "nodeName": node},
        "status": {"phase": "Running", "conditions": ready, "containerStatuses": states},
    }


def _suffix(name: str, index: int) -> str:
    digest = hashlib.sha256(f"{name}{index}".encode()).hexdigest()
    return f"{digest[:9]}-{digest[9:14]}"
