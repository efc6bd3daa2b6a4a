"""One description of resources, written as an ARM template, as Bicep and as Terraform."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CLUSTER = (
    "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g/providers/"
    "Microsoft.ContainerService/managedClusters/aks"
)
ARC = CLUSTER.replace("ContainerService/managedClusters/aks", "Kubernetes/connectedClusters/arc")
INJECTED = {
    "cluster_name": CLUSTER,
    "cluster_name_friendly": "aks",
    "clusterId": CLUSTER,
    "prometheus.prometheusSpec.externalLabels.cluster_name": CLUSTER,
    "domain": "westeurope.cloudapp.azure.com",
    "location": "westeurope",
    "jobSchedulerLocation": "westeurope",
    "servicebus.enabled": "False",
    "relayserver.enabled": "False",
    "nginxIngress.enabled": "True",
}
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
SUFFIXES = {"arm": ".json", "bicep": ".bicep", "terraform": ".tf"}


def extension(
    settings: Mapping[str, Any], protected: Mapping[str, Any] | None = None, *, cluster: str = CLUSTER, **changes: Any
) -> dict[str, Any]:
    """An extension with these settings, as ARM has it; changes replace properties, `None` leaves them out."""
    resource: dict[str, Any] = {
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "apiVersion": "2024-11-01",
        "name": "azureml",
        "scope": cluster,
        "properties": {
            "extensionType": "microsoft.azureml.kubernetes",
            "scope": {"cluster": {"releaseNamespace": "azureml"}},
            "configurationSettings": dict(settings),
            "configurationProtectedSettings": dict(protected or {}),
        },
    }
    if "connectedClusters" in cluster:
        resource["identity"] = {"type": "SystemAssigned"}
    for path, value in changes.items():
        target = resource
        *parents, last = path.split("__")
        for name in parents:
            target = target[name]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return resource


def compute(name: str = "k8s", **changes: Any) -> dict[str, Any]:
    """A compute on the cluster, as ARM has it."""
    return {
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "apiVersion": "2024-10-01",
        "name": name,
        "location": "westeurope",
        "properties": {
            "computeType": "Kubernetes",
            "resourceId": CLUSTER,
            "properties": {"namespace": "ml"},
        },
        **changes,
    }


def write(language: str, *resources: Mapping[str, Any]) -> str:
    """The resources as a file of this language: arm, bicep or terraform."""
    if language == "arm":
        return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}, indent=2)
    writer = {"bicep": _bicep, "terraform": _terraform}[language]
    return "\n".join(writer(f"r{number}", resource) for number, resource in enumerate(resources))


def _bicep(symbol: str, resource: Mapping[str, Any]) -> str:
    content = {key: value for key, value in resource.items() if key not in ("type", "apiVersion", "condition")}
    condition = f"if ({_bicep_value(resource['condition'])}) " if "condition" in resource else ""
    return f"resource {symbol} '{resource['type']}@{resource['apiVersion']}' = {condition}{_bicep_value(content)}\n"


def _bicep_value(value: Any, indent: str = "") -> str:
    inner = f"{indent}  "
    if isinstance(value, Mapping):
        pairs = [f"{inner}'{key}': {_bicep_value(item, inner)}" for key, item in value.items()]
        return "\n".join(["{", *pairs, f"{indent}}}"])
    if isinstance(value, list):
        return "\n".join(["[", *(f"{inner}{_bicep_value(item, inner)}" for item in value), f"{indent}]"])
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
    return json.dumps(value)


def _terraform(label: str, resource: Mapping[str, Any]) -> str:
    body = {key: value for key, value in resource.items() if key in ("properties", "location")}
    lines = [
        f'resource "azapi_resource" "{label}" {{',
        f'  type = "{resource["type"]}@{resource["apiVersion"]}"',
        f'  name = "{resource["name"]}"',
    ]
    if "scope" in resource:
        lines.append(f'  parent_id = "{resource["scope"]}"')
    if "identity" in resource:
        lines.append(f'  identity {{\n    type = "{resource["identity"]["type"]}"\n  }}')
    if "condition" in resource:
        lines.append("  lifecycle {\n    ignore_changes = [body.properties.properties]\n  }")
    return "\n".join([*lines, f"  body = {_terraform_value(body)}", "}"])


def _terraform_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{\n" + "\n".join(f"{json.dumps(key)} = {_terraform_value(item)}" for key, item in value.items()) + "\n}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_terraform_value, value)) + "]"
    return json.dumps(value)
