"""An instance type as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "amlarc.azureml.com/v1alpha1"
KIND = "InstanceType"
LIST_KIND = "InstanceTypeList"
DEFAULT_NAME = "defaultinstancetype"
GPU = "nvidia.com/gpu"


@dataclass(frozen=True)
class InstanceType:
    """cpu and memory are Kubernetes quantities as strings; the GPU, in limits, a whole number or None."""

    name: str
    node_selector: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)

    def to_object(self) -> dict[str, Any]:
        """The object that the cluster takes."""
        spec: dict[str, Any] = {"resources": {"requests": dict(self.requests), "limits": dict(self.limits)}}
        if self.node_selector:
            spec = {"nodeSelector": dict(self.node_selector), **spec}
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": self.name}, "spec": spec}


def built_in_default() -> InstanceType:
    """What a workload gets that names no type and finds no override (seed page, default instance type)."""
    size = {"cpu": "0.6", "memory": "1536Mi"}
    return InstanceType(DEFAULT_NAME, {}, size, {**size, GPU: None})


def view(obj: Mapping[str, Any], *, built_in: bool = False) -> dict[str, Any]:
    """What list and show return for an object of the cluster; whatever the object lacks is empty."""
    spec = obj.get("spec") or {}
    resources = spec.get("resources") or {}
    return {
        "name": (obj.get("metadata") or {}).get("name"),
        "nodeSelector": spec.get("nodeSelector") or {},
        "requests": resources.get("requests") or {},
        "limits": resources.get("limits") or {},
        "builtIn": built_in,
    }
