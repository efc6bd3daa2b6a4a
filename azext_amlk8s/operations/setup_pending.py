"""What `apply` leaves to do in clusters whose Kubernetes API cannot be reached: a manifest in the result, or files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.setup_parts import read_types
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.setup_files.outcomes import Outcome
from azext_amlk8s.setup_files.plan import UNKNOWN, ClusterPlan
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient

NAMESPACE = "namespace"


def pending_parts(plan: ClusterPlan) -> tuple[str, ...]:
    """A sentence for each part that could not be planned."""
    unknown = [resource for resource in plan.resources if resource.action == UNKNOWN]
    names = [f"{resource.kind} '{resource.name}'" if resource.name else resource.kind for resource in unknown]
    return tuple(f"{name}: {resource.note}" for name, resource in zip(names, unknown, strict=True))


def pending_manifest(cluster_setup: ClusterSetup, plan: ClusterPlan, client: AzureClient) -> str:
    """The namespaces and instance types that could not be planned, as YAML for kubectl; empty where there are none.

    Instance types that are made from nodes are not in it, because the nodes cannot be read.
    """
    import yaml

    unknown = [resource for resource in plan.resources if resource.action == UNKNOWN]
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": resource.name}}
        for resource in unknown
        if resource.kind == NAMESPACE
    ]
    if any(resource.kind.startswith("instance type") for resource in unknown):
        objects += [instance_type.to_object() for instance_type in read_types(cluster_setup, client, None)]
    return yaml.safe_dump_all(objects, sort_keys=False) if objects else ""


def write_manifests(outcomes: Iterable[Outcome], folder: str | None) -> list[Outcome]:
    """Write the manifest of each outcome to a file of the folder. Returns the outcomes with what to do next.

    Without a folder nothing is written. Raises FileOperationError.
    """
    return [_with_fix(outcome, folder) if outcome.manifest else outcome for outcome in outcomes]


def _with_fix(outcome: Outcome, folder: str | None) -> Outcome:
    name = outcome.cluster.name
    if folder is None:
        fix = "Use --pending-dir to write what is pending to a file for each cluster, for kubectl apply."
        return dataclasses.replace(outcome, fix="\n".join(filter(None, [outcome.fix, fix])))
    path = Path(folder).expanduser() / f"{outcome.cluster.resource_group}.{name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outcome.manifest, encoding="utf-8")
    except OSError as error:
        raise az_error(
            "FileOperationError", f"Cannot write '{path}': {error.strerror}.", ["--pending-dir DIR"]
        ) from error
    fix = join(["kubectl", "--context", name, "apply", "-f", str(path)])
    return dataclasses.replace(outcome, fix="\n".join(filter(None, [outcome.fix, fix])))
