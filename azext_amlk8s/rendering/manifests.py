"""Namespaces and instance types for GitOps: kustomizations, Flux, and placement by Azure Kubernetes Fleet Manager."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rendering.arm_and_bicep import Source
from azext_amlk8s.rendering.yaml_text import yaml_text

NAMESPACES, TYPES = "namespaces", "instance-types"
API_GROUP, API_VERSION = "amlarc.azureml.com", "v1alpha1"
# Flux deletes what is no longer in the repository; a namespace would take its workloads along.
KEEP = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}
FLUX_NOTES = (
    "Flux of each cluster applies the folder of that cluster. Set the name of your GitRepository, and make the paths",
    "complete if this folder is not the root of the repository.",
    "Instance types wait for the extension, which defines their kind: Flux tries again until it is installed.",
)
FLEET_NOTES = (
    "For the hub cluster of Azure Kubernetes Fleet Manager. The names of member clusters are those of the setup.",
    "Apply the manifests to the hub first: kubectl apply -k FOLDER. The hub needs the definition of InstanceType too.",
    "An object that exists in a cluster is taken over only if it does not differ.",
)
Objects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ClusterManifests:
    """What a cluster must have in Kubernetes: names of namespaces, and InstanceType objects. folder is its own.

    has_types_of_nodes says that it has instance types made from its nodes, which no manifest has.
    """

    cluster: ClusterRef
    namespaces: tuple[str, ...]
    instance_types: Objects
    folder: str
    has_types_of_nodes: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to apply."""
        return not self.namespaces and not self.instance_types


def render_manifests(clusters: Sequence[ClusterManifests], source: Source) -> dict[str, str]:
    """A kustomization for each set of clusters with the same content, and who applies it to which clusters.

    https://fluxcd.io/flux/components/kustomize/kustomizations/
    https://learn.microsoft.com/azure/kubernetes-fleet/concepts-resource-propagation
    """
    files: dict[str, str] = {}
    for folder, members in _sets(clusters):
        files |= dict(_content(folder, members, source.note))
        files |= dict(_appliers(folder, members, source.note))
    return files


def _sets(clusters: Sequence[ClusterManifests]) -> Iterator[tuple[str, list[ClusterManifests]]]:
    """The clusters by what they must have: the largest set is base, the others are overlays named by a cluster."""
    sets: dict[str, list[ClusterManifests]] = {}
    for cluster in clusters:
        if not cluster.is_empty:
            content = [cluster.namespaces, cluster.instance_types, cluster.has_types_of_nodes]
            sets.setdefault(json.dumps(content), []).append(cluster)
    ordered = sorted(sets.values(), key=len, reverse=True)
    for number, members in enumerate(ordered):
        more = f"-and-{len(members) - 1}-more" if len(members) > 1 else ""
        yield ("base" if number == 0 else f"overlays/{members[0].cluster.name}{more}"), members


def _content(folder: str, members: Sequence[ClusterManifests], note: str) -> Iterator[tuple[str, str]]:
    """Two kustomizations, since a namespace can exist before the extension and an instance type cannot."""
    first = members[0]
    parts = (
        (NAMESPACES, [_namespace(name) for name in first.namespaces]),
        (TYPES, first.instance_types),
    )
    present = [(part, objects) for part, objects in parts if objects]
    notes = [note, *_types_of_nodes(members)]
    yield f"{folder}/kustomization.yaml", _kustomization([part for part, _ in present], *notes)
    for part, objects in present:
        yield f"{folder}/{part}/kustomization.yaml", _kustomization([f"{part}.yaml"], note)
        yield f"{folder}/{part}/{part}.yaml", yaml_text(objects, [note])


def _types_of_nodes(members: Sequence[ClusterManifests]) -> Iterator[str]:
    """The commands that create the instance types that are not in the manifests."""
    clusters = [member.cluster for member in members if member.has_types_of_nodes]
    if clusters:
        yield "Instance types made from nodes differ between clusters and are not here. Create them in each cluster:"
        yield from (f"az amlk8s instance-type create --from-nodes {cluster.cli_args}" for cluster in clusters)


def _kustomization(resources: Sequence[str], *notes: str) -> str:
    content = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(resources)}
    return yaml_text([content], notes)


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": KEEP}}


def _appliers(folder: str, members: Sequence[ClusterManifests], note: str) -> Iterator[tuple[str, str]]:
    parts = [part for part, has in ((NAMESPACES, members[0].namespaces), (TYPES, members[0].instance_types)) if has]
    name = folder.rpartition("/")[2]
    for member in members:
        flux = list(_flux(folder, parts))
        yield f"flux/{member.folder}/azureml.yaml", yaml_text(flux, [note, *FLUX_NOTES])
    placement = _placement(f"azureml-{name}" if name != "base" else "azureml", members)
    yield f"fleet/{name}.yaml", yaml_text([placement], [note, *FLEET_NOTES])


def _flux(folder: str, parts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for part in parts:
        spec: dict[str, Any] = {
            "interval": "10m",
            "retryInterval": "2m",
            "timeout": "5m",
            "path": f"./{folder}/{part}",
            "prune": False,
            "wait": True,
            "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        }
        if part == TYPES and NAMESPACES in parts:
            spec["dependsOn"] = [{"name": f"azureml-{NAMESPACES}"}]
        metadata = {"name": f"azureml-{part}", "namespace": "flux-system"}
        yield {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": metadata,
            "spec": spec,
        }


def _placement(name: str, members: Sequence[ClusterManifests]) -> dict[str, Any]:
    namespaces = [{"group": "", "version": "v1", "kind": "Namespace", "name": each} for each in members[0].namespaces]
    types = [
        {"group": API_GROUP, "version": API_VERSION, "kind": "InstanceType", "name": each["metadata"]["name"]}
        for each in members[0].instance_types
    ]
    names = sorted({member.cluster.name for member in members})
    return {
        "apiVersion": "placement.kubernetes-fleet.io/v1beta1",
        "kind": "ClusterResourcePlacement",
        "metadata": {"name": name.lower()},
        "spec": {
            "resourceSelectors": [*namespaces, *types],
            "policy": {"placementType": "PickFixed", "clusterNames": names},
            "strategy": {
                "type": "RollingUpdate",
                "applyStrategy": {
                    "type": "ServerSideApply",
                    "whenToApply": "IfNotDrifted",
                    "whenToTakeOver": "IfNoDiff",
                },
            },
        },
    }
