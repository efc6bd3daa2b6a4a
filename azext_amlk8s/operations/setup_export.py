"""az amlk8s export"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.refs import ClusterRef, WorkspaceRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient

DEFAULT_FILE = "azureml.yaml"


def export(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    workspace_name: str | None = None,
    workspace_group: str | None = None,
    compute_name: str | None = None,
    out: str | None = None,
    context: str | None = None,
) -> dict[str, Any]:
    """The setup file for what exists on a cluster; with out it is also written to a file. A plan of it has no changes.

    Secrets cannot be read; they are references that have to be filled in before the extension is created elsewhere.
    """
    from azext_amlk8s.operations.extension_common import find_extension_of_cluster, read_cluster
    from azext_amlk8s.operations.resource_lookup import named_workspace, open_named_cluster
    from azext_amlk8s.setup_files.writing import export_setup

    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    extension = find_extension_of_cluster(read_cluster(client, cluster)[1], cluster, None)
    workspace, compute = None, None
    if workspace_name:
        workspace = named_workspace(client.subscription_id, workspace_group or resource_group_name, workspace_name)
        compute = _find_compute(client, cluster, workspace, compute_name)
    setup = export_setup(cluster, extension, workspace, compute, _read_types(client, cluster, context))
    if out:
        write_setup(out, setup, _comments(setup))
    return setup


def write_setup(path: str, setup: Mapping[str, Any], comments: list[str]) -> None:
    """Write a setup file; an existing one is kept. Raises FileOperationError."""
    from knack.log import get_logger

    from azext_amlk8s.setup_files.writing import as_yaml

    try:
        with Path(path).expanduser().open("x", encoding="utf-8") as file:
            file.write(as_yaml(setup, path, comments))
    except FileExistsError:
        raise az_error("FileOperationError", f"The file '{path}' already exists. It was not changed.") from None
    except OSError as error:
        raise az_error("FileOperationError", f"Cannot write '{path}': {error.strerror}.") from error
    get_logger(__name__).warning("Wrote %s. Next: az amlk8s plan -f %s", path, path)


def _comments(setup: Mapping[str, Any]) -> list[str]:
    extension = setup.get("extension") or {}
    if "protected_settings" in extension or "files" in (extension.get("tls") or {}):
        return [
            "Azure does not return secrets: set the environment variables and files below before a new installation."
        ]
    return []


def _find_compute(
    client: AzureClient, cluster: ClusterRef, workspace: WorkspaceRef, name: str | None
) -> Mapping[str, Any] | None:
    """The Kubernetes compute of the cluster in a workspace, None for none. Raises for several without a name."""
    from azext_amlk8s.compute_view import is_kubernetes
    from azext_amlk8s.computes import cluster_id_of
    from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found

    try:
        computes = client.list_computes(workspace)
    except not_found() as error:
        raise workspace_not_found(error, workspace) from error
    found = [
        compute
        for compute in computes
        if is_kubernetes(compute)
        and cluster_id_of(compute).lower() == cluster.id.lower()
        and (not name or str(compute.get("name")).lower() == name.lower())
    ]
    if name and not found:
        fix = f"az amlk8s compute list {workspace.cli_args} -o table"
        raise az_error("ResourceNotFoundError", f"Compute '{name}' of cluster '{cluster.name}' not found.", [fix])
    if len(found) > 1:
        names = ", ".join(str(compute.get("name")) for compute in found)
        message = f"Cluster '{cluster.name}' has several computes in workspace '{workspace.name}': {names}. Choose one."
        raise az_error("RequiredArgumentMissingError", message, [f"--compute-name {found[0].get('name')}"])
    return found[0] if found else None


def _read_types(client: AzureClient, cluster: ClusterRef, context: str | None) -> list[dict[str, Any]]:
    """The instance types of the cluster; none, with a warning, where it cannot be read."""
    from knack.log import get_logger

    from azext_amlk8s.kubernetes import ClusterError, NoInstanceTypes
    from azext_amlk8s.operations.failure_context import connect_to_cluster

    connection, note = connect_to_cluster(client, cluster, context=context)
    try:
        if connection is not None:
            return connection.list_instance_types()
    except NoInstanceTypes:
        return []
    except ClusterError as error:
        note = str(error).splitlines()[0]
    get_logger(__name__).warning("Instance types are left out. %s", note)
    return []
