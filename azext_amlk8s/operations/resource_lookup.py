"""The cluster, workspace or compute that options name, by name or by full resource ID."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.refs import CONNECTED_CLUSTERS, MANAGED_CLUSTERS, ClusterRef, ComputeRef, WorkspaceRef
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient

Ref = TypeVar("Ref", ClusterRef, WorkspaceRef, ComputeRef)
_GROUP_ID = r"^/subscriptions/([^/]+)/resourceGroups/([^/]+)/?$"


class NamedCluster(NamedTuple):
    """A client for the subscription of a cluster, the cluster, and its resource where it was read to find its type."""

    client: AzureClient
    ref: ClusterRef
    resource: dict[str, Any] | None = None


def open_named_cluster(
    cmd: AzCliCommand, resource_group_name: str, cluster_name: str, cluster_type: str | None
) -> NamedCluster:
    """The cluster that the options name; --resource-group and --cluster-name may hold a full resource ID.

    Raises ResourceNotFoundError for no cluster of that name, RequiredArgumentMissingError for an AKS and an
    Arc-connected cluster of one name, and InvalidArgumentValueError for the ID of something else.
    """
    from azext_amlk8s.azure import AzureClient

    if cluster_name.startswith("/"):
        ref = parse_option(ClusterRef, cluster_name, "--cluster-name")
        log_split("--cluster-name", f"{ref.type} '{ref.name}' in resource group '{ref.resource_group}'")
        return NamedCluster(AzureClient(cmd.cli_ctx, ref.subscription), ref)
    subscription, group = split_group(resource_group_name)
    client = AzureClient(cmd.cli_ctx, subscription)
    if cluster_type:
        return NamedCluster(client, client.cluster_ref(group, cluster_type, cluster_name))
    return find_cluster(client, group, cluster_name)


def find_cluster(client: AzureClient, resource_group: str, name: str) -> NamedCluster:
    """The cluster of whatever type. Raises ResourceNotFoundError for none, and for two of one name."""
    candidates = [client.cluster_ref(resource_group, kind, name) for kind in (MANAGED_CLUSTERS, CONNECTED_CLUSTERS)]
    with DaemonPool(2) as pool:
        resources = list(pool.map(lambda candidate: client.find(candidate.id), candidates))
    found = [(ref, resource) for ref, resource in zip(candidates, resources, strict=True) if resource is not None]
    if len(found) == 1:
        return NamedCluster(client, *found[0])
    if found:
        raise az_error(
            "RequiredArgumentMissingError",
            f"'{name}' is both an AKS cluster and an Arc-connected cluster of resource group '{resource_group}'.",
            [f"--cluster-type {MANAGED_CLUSTERS}", f"--cluster-type {CONNECTED_CLUSTERS}"],
        )
    raise cluster_not_found(resource_group, name)


def named_workspace(subscription: str, resource_group_name: str, workspace_name: str) -> WorkspaceRef:
    """The workspace that the options name; both may hold a full resource ID."""
    if workspace_name.startswith("/"):
        workspace = parse_option(WorkspaceRef, workspace_name, "--workspace-name")
        log_split("--workspace-name", f"resource group '{workspace.resource_group}', workspace '{workspace.name}'")
        return workspace
    other_subscription, group = split_group(resource_group_name)
    return WorkspaceRef(other_subscription or subscription, group, workspace_name)


def cluster_not_found(group: str, name: str, cluster: ClusterRef | None = None) -> Exception:
    """az's ResourceNotFoundError for a cluster; with `cluster` only for one of its type."""
    listings = {
        MANAGED_CLUSTERS: f"az aks list -g {quote(group)} -o table",
        CONNECTED_CLUSTERS: "az resource list --resource-type Microsoft.Kubernetes/connectedClusters "
        f"-g {quote(group)} -o table",
    }
    kind = f" of type {cluster.type}" if cluster else ""
    return az_error(
        "ResourceNotFoundError",
        f"Cluster '{name}'{kind} not found in resource group '{group}'.",
        [listings[cluster.type]] if cluster else list(listings.values()),
    )


def split_group(resource_group_name: str) -> tuple[str | None, str]:
    """The subscription, if --resource-group holds a full resource ID, and the name of the resource group."""
    if match := re.match(_GROUP_ID, resource_group_name, re.IGNORECASE):
        log_split("--resource-group", f"resource group '{match[2]}'")
        return match[1], match[2]
    return None, resource_group_name


def parse_option(kind: type[Ref], resource_id: str, option: str) -> Ref:
    """The resource whose ID an option holds. Raises InvalidArgumentValueError for the ID of something else."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    try:
        return kind.parse(resource_id)
    except ValueError as error:
        raise InvalidArgumentValueError(f"Invalid value for {option}: {error}.") from None


@cache
def log_split(option: str, parts: str) -> None:
    """Say once what is used of a resource ID."""
    from knack.log import get_logger

    get_logger(__name__).warning("%s holds a resource ID. Using %s.", option, parts)
