"""az amlk8s extension show, list and wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.extension_common import (
    DEFAULT_NAME,
    Resource,
    azureml_extensions,
    choose_extension,
    not_found,
    not_found_error,
    open_named_extension,
    read_extension,
)
from azext_amlk8s.operations.resource_lookup import open_named_cluster
from azext_amlk8s.refs import ClusterRef, ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient


def show(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    name: str | None = None,
) -> Resource:
    """The extension as ARM describes it; exit code 3 when it does not exist."""
    return open_named_extension(cmd, resource_group_name, cluster_name, cluster_type, name).resource


def list_(
    cmd: AzCliCommand, resource_group_name: str, cluster_name: str, cluster_type: str | None = None
) -> list[Resource]:
    """The AzureML extensions of a cluster."""
    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    try:
        return azureml_extensions(client.list_extensions(cluster))
    except not_found() as error:
        raise not_found_error(error, client, cluster) from error


def wait(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    name: str | None = None,
    created: bool = False,
    updated: bool = False,
    deleted: bool = False,
    exists: bool = False,
    custom: str | None = None,
    interval: int = 5,
    timeout: int = 3600,
) -> None:
    """Wait until the extension meets a condition; exit code 1 when the time is up or it has failed."""
    from azext_amlk8s.operations.installation_view import view_wait
    from azext_amlk8s.operations.waiting import Awaited, Condition, wait_for

    condition = Condition(created=created, updated=updated, deleted=deleted, exists=exists, custom=custom)
    condition.validate()
    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    extension = ExtensionRef(cluster, name) if name else _awaited(client, cluster)

    def failed(resource: Mapping[str, Any]) -> Exception:
        from azext_amlk8s.operations.extension_progress import extension_failed

        return extension_failed(client, extension, resource, f"Extension '{extension.name}' failed.")

    args = extension.cli_args
    awaited = Awaited(
        extension.name,
        lambda: read_extension(client, extension),
        f"az amlk8s extension show {args}",
        f"az amlk8s extension wait {args} {condition.option}",
    )
    with view_wait(cmd, client, extension) as show_pods:
        wait_for(awaited, condition, interval, timeout, failed, show=show_pods)


def _awaited(client: AzureClient, cluster: ClusterRef) -> ExtensionRef:
    """The extension to wait for without a name: the only one, or one that is yet to be created."""
    try:
        return choose_extension(cluster, client.list_extensions(cluster), DEFAULT_NAME)
    except not_found() as error:
        raise not_found_error(error, client, cluster) from error
