"""The workspace, the compute and the cluster that the options of `az amlk8s compute` name, by name or resource ID."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azext_amlk8s.operations.resource_lookup import find_cluster, log_split, named_workspace, parse_option
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.rules import Finding


def open_workspace(
    cmd: AzCliCommand, resource_group_name: str, workspace_name: str
) -> tuple[AzureClient, WorkspaceRef]:
    """A client for the workspace's subscription, and the workspace. Both options may hold a full resource ID."""
    from azext_amlk8s.azure import AzureClient

    workspace = named_workspace("", resource_group_name, workspace_name)
    client = AzureClient(cmd.cli_ctx, workspace.subscription or None)
    return client, workspace._replace(subscription=client.subscription_id)


def open_compute(
    cmd: AzCliCommand, resource_group_name: str, workspace_name: str, name: str
) -> tuple[AzureClient, ComputeRef]:
    """A client for the workspace's subscription, and the compute. Each option may hold a full resource ID."""
    from azext_amlk8s.azure import AzureClient

    if name.startswith("/"):
        compute = parse_option(ComputeRef, name, "--name")
        workspace = compute.workspace
        log_split(
            "--name",
            f"resource group '{workspace.resource_group}', workspace '{workspace.name}', compute '{compute.name}'",
        )
        return AzureClient(cmd.cli_ctx, workspace.subscription), compute
    client, workspace = open_workspace(cmd, resource_group_name, workspace_name)
    return client, ComputeRef(workspace, name)


def find_cluster_option(
    client: AzureClient,
    workspace: WorkspaceRef,
    resource_id: str | None,
    cluster_name: str | None,
    cluster_type: str | None,
) -> tuple[ClusterRef, tuple[Finding, ...]]:
    """The cluster that is to be attached, and the findings about its resource ID.

    cluster_name may hold a full resource ID; otherwise the cluster is in the resource group of the workspace, and
    without cluster_type it is looked up there. Raises an az error for no cluster, two clusters and an invalid
    resource ID.
    """
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    from azext_amlk8s.computes import parse_cluster_id
    from azext_amlk8s.console.errors import raise_for_errors
    from azext_amlk8s.refs import canonical_type

    if resource_id and cluster_name:
        raise MutuallyExclusiveArgumentError("--resource-id and --cluster-name both name a cluster. Use one of them.")
    if cluster_name and cluster_name.startswith("/"):
        log_split("--cluster-name", f"cluster {cluster_name}")
        resource_id = cluster_name
    if resource_id:
        cluster, findings = parse_cluster_id(resource_id)
        if cluster is None:
            raise_for_errors(findings)
            raise AssertionError("an invalid cluster ID has a finding")
        return cluster, findings
    if not cluster_name:
        raise RequiredArgumentMissingError(
            "Specify the cluster with --cluster-name, or with --resource-id if it is in another resource group."
        )
    if not cluster_type:
        return find_cluster(client, workspace.resource_group, cluster_name).ref, ()
    return ClusterRef(workspace.subscription, workspace.resource_group, canonical_type(cluster_type), cluster_name), ()


def require_kubernetes(compute_type: str | None) -> None:
    """Raise InvalidArgumentValueError for another type than Kubernetes."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    if compute_type and compute_type.lower() != "kubernetes":
        raise InvalidArgumentValueError(
            f"Unsupported compute type '{compute_type}'; expected Kubernetes.", recommendation="--type Kubernetes"
        )


def require_name(name: str | None) -> str:
    """The name of the compute. Raises RequiredArgumentMissingError if neither an option nor a file gives it."""
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if not name:
        raise RequiredArgumentMissingError("Specify the name of the compute with --name, or with 'name' in --file.")
    return name


def reject_lists(values: Sequence[str] | None) -> None:
    """Raise InvalidArgumentValueError for --add of `az ml compute update`."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    if values is not None:
        raise InvalidArgumentValueError(
            "--add is for lists; a Kubernetes compute has none that can be changed.",
            recommendation="--set tags.team=vision",
        )


def reject_unsupported(kind: str, **values: object) -> None:
    """Raise InvalidArgumentValueError for an option of `az ml compute` that only another kind of compute has."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    for parameter, value in values.items():
        if value is not None:
            option = "--" + parameter.replace("_", "-")
            raise InvalidArgumentValueError(f"{option} is for {kind}; a Kubernetes compute does not have it.")


def parse_removed_tags(paths: Sequence[str]) -> set[str]:
    """The tags that --remove deletes, as in tags.team. Raises InvalidArgumentValueError for anything else."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    for path in paths:
        if not path.startswith("tags."):
            raise InvalidArgumentValueError(
                f"Invalid value '{path}' for --remove; only tags can be removed, as in tags.team."
            )
    return {path.removeprefix("tags.") for path in paths}


def parse_set_values(values: Sequence[str]) -> dict[str, str]:
    """The tags that --set changes, as in tags.team=vision. Raises InvalidArgumentValueError for anything else."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    tags = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path.startswith("tags."):
            raise InvalidArgumentValueError(
                f"Invalid value '{value}' for --set; only tags can be set, as in tags.team=vision."
            )
        tags[path.removeprefix("tags.")] = text
    return tags
