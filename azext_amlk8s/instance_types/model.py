"""An instance type as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.values import mapping

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
        """The object to apply to the cluster; null values are left out."""
        resources = {
            part: {key: value for key, value in amounts.items() if value is not None}
            for part, amounts in (("requests", self.requests), ("limits", self.limits))
        }
        spec: dict[str, Any] = {"resources": resources}
        if self.node_selector:
            spec = {"nodeSelector": dict(self.node_selector), **spec}
        metadata: dict[str, Any] = {"name": self.name}
        for key, values in (("labels", self.labels), ("annotations", self.annotations)):
            if values:
                metadata[key] = dict(values)
        return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}


def parse_spec(name: str, spec: Mapping[str, Any]) -> InstanceType:
    """An instance type from nodeSelector and resources, as a cluster's spec and ARM's instanceTypes have them.

    Nothing is validated: a section that is not a mapping is taken as empty.
    """
    resources = mapping(spec.get("resources"))
    selector = {str(key): str(value) for key, value in mapping(spec.get("nodeSelector")).items()}
    return InstanceType(name, selector, mapping(resources.get("requests")), mapping(resources.get("limits")))


def types_of_objects(objects: list[dict[str, Any]]) -> dict[str, InstanceType]:
    """The instance types of a cluster by name, from its objects."""
    return {
        instance_type.name: instance_type
        for instance_type in (
            parse_spec(str(mapping(obj.get("metadata")).get("name")), mapping(obj.get("spec"))) for obj in objects
        )
    }


def types_of_compute(compute: Mapping[str, Any]) -> dict[str, InstanceType]:
    """The instance types of a Kubernetes compute in ARM, by name; previews of 2021 had a list of them."""
    inner = mapping(mapping(compute.get("properties")).get("properties"))
    types = inner.get("instanceTypes")
    if isinstance(types, list):
        return {
            str(entry["name"]): parse_spec(str(entry["name"]), entry) for entry in types if mapping(entry).get("name")
        }
    return {name: parse_spec(name, mapping(spec)) for name, spec in mapping(inner.get("instanceTypes")).items()}
