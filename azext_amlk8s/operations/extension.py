"""az amlk8s extension show, list and wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors
from azext_amlk8s.operations.extension_common import (
    Resource,
    azureml_extensions,
    extension_failed,
    not_found,
    not_found_error,
    read_extension,
)
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand


def show(cmd: AzCliCommand, resource_group_name: str, cluster_name: str, cluster_type: str, name: str) -> Resource:
    """The extension as ARM describes it; exit code 3 when it does not exist."""
    from azext_amlk8s.azure import AzureClient

    with azure_errors():
        client = AzureClient(cmd.cli_ctx)
        cluster = client.cluster_ref(resource_group_name, cluster_type, cluster_name)
        try:
            return client.get_extension(ExtensionRef(cluster, name))
        except not_found() as error:
            raise not_found_error(error, client, cluster, name) from error


def list_(cmd: AzCliCommand, resource_group_name: str, cluster_name: str, cluster_type: str) -> list[Resource]:
    """The AzureML extensions of a cluster."""
    from azext_amlk8s.azure import AzureClient

    with azure_errors():
        client = AzureClient(cmd.cli_ctx)
        cluster = client.cluster_ref(resource_group_name, cluster_type, cluster_name)
        try:
            return azureml_extensions(client.list_extensions(cluster))
        except not_found() as error:
            raise not_found_error(error, client, cluster) from error


def wait(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    name: str,
    created: bool = False,
    updated: bool = False,
    deleted: bool = False,
    exists: bool = False,
    custom: str | None = None,
    interval: int = 5,
    timeout: int = 3600,
) -> None:
    """Wait until the extension meets a condition; exit code 1 when the time is up or it has failed."""
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.operations.waiting import Condition, wait_for

    condition = Condition(created=created, updated=updated, deleted=deleted, exists=exists, custom=custom)
    with azure_errors():
        client = AzureClient(cmd.cli_ctx)
        extension = ExtensionRef(client.cluster_ref(resource_group_name, cluster_type, cluster_name), name)

        def failed(resource: Any) -> Exception:
            return extension_failed(client, extension, resource, f"{name} is Failed; it will not be Succeeded.")

        look = f"az amlk8s extension show {extension.cli_args}"
        wait_for(lambda: read_extension(client, extension), condition, interval, timeout, name, look, failed)
