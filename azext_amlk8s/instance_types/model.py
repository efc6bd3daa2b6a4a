"""An instance type as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "amlarc.azureml.com/v1alpha1"
API_GROUP = "amlarc.azureml.com"
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
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_object(self) -> dict[str, Any]:
        """The object that the cluster takes; what is null is none and is left out."""
        resources = {
            part: {key: value for key, value in told.items() if value is not None}
            for part, told in (("requests", self.requests), ("limits", self.limits))
        }
        spec: dict[str, Any] = {"resources": resources}
        if self.node_selector:
            spec = {"nodeSelector": dict(self.node_selector), **spec}
        metadata: dict[str, Any] = {"name": self.name}
        for key, told in (("labels", self.labels), ("annotations", self.annotations)):
            if told:
                metadata[key] = dict(told)
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def type_of(name: str, told: Mapping[str, Any]) -> InstanceType:
    """An instance type out of nodeSelector and resources, as a cluster's spec and ARM's instanceTypes have them.

    Nothing is judged: what is no mapping is empty.
    """
    resources = _mapping(told.get("resources"))
    selector = {str(key): str(value) for key, value in _mapping(told.get("nodeSelector")).items()}
    return InstanceType(name, selector, _mapping(resources.get("requests")), _mapping(resources.get("limits")))


def types_of_objects(objects: list[dict[str, Any]]) -> dict[str, InstanceType]:
    """The instance types of a cluster by name, out of its objects."""
    return {
        one.name: one
        for one in (
            type_of(str(_mapping(obj.get("metadata")).get("name")), _mapping(obj.get("spec"))) for obj in objects
        )
    }


def types_of_compute(compute: Mapping[str, Any]) -> dict[str, InstanceType]:
    """The instance types that ARM holds of a Kubernetes compute, by name."""
    inner = _mapping(_mapping(compute.get("properties")).get("properties"))
    return {name: type_of(name, _mapping(told)) for name, told in _mapping(inner.get("instanceTypes")).items()}


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}
