"""az amlk8s extension versions: what Azure offers for a cluster, and what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.extension_common import azureml_extensions, read_cluster
from azext_amlk8s.operations.resource_lookup import open_named_cluster
from azext_amlk8s.refs import EXTENSION_TYPE, ClusterRef
from azext_amlk8s.settings.releases import is_older, release_of, running_version, sorted_versions

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient

STABLE = "stable"


def versions(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    release_train: str | None = None,
) -> list[dict[str, Any]]:
    """The versions of a release train that the cluster can have, the newest first, and the one that runs.

    Without a train that of the installed extension. A running version that Azure no longer offers is listed as well.
    """
    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    existing = next(iter(azureml_extensions(read_cluster(client, cluster)[1])), None)
    train = release_train or train_of(existing)
    offered = offered_versions(client, cluster, train)
    running = running_version(existing)
    listed = [*offered, *([running] if running and running not in offered else [])]
    return [
        {
            "version": version,
            "releaseTrain": train,
            "offered": version in offered,
            "newest": bool(offered) and version == offered[-1],
            "running": version == running,
            "state": _state(version, running, offered),
            "date": release_of(version).get("date"),
            "notes": list(release_of(version).get("notes") or ()),
        }
        for version in reversed(sorted_versions(listed))
    ]


def _state(version: str, running: str, offered: list[str]) -> str:
    """How a version relates to the running one: running, outdated, newer or older, empty without one."""
    if not running:
        return ""
    if version == running:
        return "outdated" if offered and is_older(version, offered[-1]) else "running"
    return "older" if is_older(version, running) else "newer"


def offered_versions(client: AzureClient, cluster: ClusterRef, train: str) -> list[str]:
    """The versions of a release train for a cluster, the newest last. Raises ResourceNotFoundError without the type."""
    from azure.core.exceptions import ResourceNotFoundError

    path = f"{cluster.id}/providers/Microsoft.KubernetesConfiguration/extensionTypes/{EXTENSION_TYPE}/versions"
    try:
        listed = client.list_all(path, releaseTrain=train.lower())
    except ResourceNotFoundError:
        raise az_error(
            "ResourceNotFoundError",
            f"Azure does not offer the AzureML extension for cluster '{cluster.name}'.",
            [f"az amlk8s check {cluster.cli_args} --only azure"],
        ) from None
    return sorted_versions(str((item.get("properties") or {}).get("version") or "") for item in listed)


def train_of(extension: Mapping[str, Any] | None) -> str:
    """The release train of an extension, stable without one."""
    return str(((extension or {}).get("properties") or {}).get("releaseTrain") or STABLE)
