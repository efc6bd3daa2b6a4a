"""The deployments that install the extension on the clusters of a wave, within the limits of Resource Manager.

https://learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.rendering.arm_json import template_object
from azext_amlk8s.rendering.expressions import Parameter
from azext_amlk8s.rendering.fleet_template import MOST_OF_NAME, Fleet, fleet_template
from azext_amlk8s.rendering.inputs import ClusterInput, SecretReference
from azext_amlk8s.values import region_name

MAX_RESOURCES = 800
# Of a template whose loops are expanded, and of the request; a tenth is left for what Azure adds.
MAX_BYTES = 4 * 1024 * 1024 * 9 // 10
MAX_REQUEST_BYTES = 1024 * 1024 * 9 // 10
# The beginning of the name of the nested deployment of a cluster; 13 characters that Azure computes follow.
NESTED = re.compile(r"^azureml-(?P<kind>aks|arc)-(?P<cluster>.*)-[a-z0-9]{13}$", re.I)


@dataclass(frozen=True)
class EngineDeployment:
    """A deployment at a subscription. secrets are the secure parameters, whose values are not in it yet."""

    name: str
    subscription: str
    location: str
    template: Mapping[str, Any]
    values: Mapping[str, Any]
    secrets: Mapping[str, SecretReference]
    clusters: tuple[ClusterInput, ...]

    def body(self, secrets: Mapping[str, str]) -> dict[str, Any]:
        """The body of the request with the values of the secure parameters."""
        parameters = {name: {"value": value} for name, value in {**self.values, **secrets}.items()}
        properties = {"mode": "Incremental", "template": self.template, "parameters": parameters}
        return {"location": self.location, "properties": properties}

    def cluster_of(self, nested_id: str) -> list[ClusterInput]:
        """The clusters that a nested deployment may belong to: several if their names begin alike."""
        parts = nested_id.split("/")
        found = NESTED.match(parts[-1])
        if not found or len(parts) < 5:
            return []
        group, name, is_aks = parts[4].lower(), found["cluster"].lower(), found["kind"].lower() == "aks"
        return [
            cluster
            for cluster in self.clusters
            if cluster.facts.is_aks == is_aks
            and cluster.facts.group.lower() == group
            and cluster.facts.name[:MOST_OF_NAME].lower() == name
        ]


def engine_deployments(setup: str, wave: int, clusters: Sequence[ClusterInput]) -> list[EngineDeployment]:
    """The deployments for the clusters of a wave: one for each subscription, more where a limit requires it.

    A deployment has the same name whenever it is made for the same clusters, so that a second run finds the first.
    """
    groups: dict[str, list[ClusterInput]] = {}
    for cluster in clusters:
        groups.setdefault(cluster.subscription.lower(), []).append(cluster)
    return [deployment for members in groups.values() for deployment in _split(setup, wave, members)]


def _split(setup: str, wave: int, clusters: Sequence[ClusterInput]) -> list[EngineDeployment]:
    subscription = clusters[0].subscription
    fleet = fleet_template(clusters, subscription, computes=False, vaults=False)
    template = template_object(fleet.template)
    if len(clusters) > 1 and _is_too_large(fleet, template):
        half = len(clusters) // 2
        return [*_split(setup, wave, clusters[:half]), *_split(setup, wave, clusters[half:])]
    location = region_name(clusters[0].facts.location)
    name = _name(setup, wave, clusters)
    return [EngineDeployment(name, subscription, location, template, fleet.values, fleet.secrets, tuple(clusters))]


def _is_too_large(fleet: Fleet, template: Mapping[str, Any]) -> bool:
    """Whether a template exceeds a limit once its loops are expanded."""
    arrays = [module.loop.array if module.loop else None for module in fleet.template.modules]
    counts = [len(fleet.values[array.name]) if isinstance(array, Parameter) else 1 for array in arrays]
    modules = template["resources"][-len(counts) :]
    expanded = sum(count * len(json.dumps(module)) for count, module in zip(counts, modules, strict=True))
    request = len(json.dumps(template)) + len(json.dumps(dict(fleet.values)))
    return sum(counts) > MAX_RESOURCES or expanded + request > MAX_BYTES or request > MAX_REQUEST_BYTES


def _name(setup: str, wave: int, clusters: Sequence[ClusterInput]) -> str:
    """At most 64 letters, digits and hyphens."""
    ids = "|".join(sorted(cluster.facts.resource_id.lower() for cluster in clusters))
    digest = hashlib.sha256(ids.encode()).hexdigest()[:10]
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", setup).strip("-")[:32] or "setup"
    return f"amlk8s-{plain}-{wave + 1}-{digest}"
