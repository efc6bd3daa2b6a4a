"""What the checks read of a cluster, read once for many clusters where Azure has an answer for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azext_amlk8s.refs import EXTENSION_TYPE, ClusterRef
from azext_amlk8s.values import region_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from azext_amlk8s.azure import AzureClient

Resource = dict[str, Any]
EXTENSION_TYPES = "providers/Microsoft.KubernetesConfiguration"
AUTHORIZATION = "providers/Microsoft.Authorization"


def read_extension_type(client: AzureClient, cluster: ClusterRef, location: str) -> Resource:
    """The extension type as the cluster can have it; of many clusters, as their location has it."""
    if client.shares_reads and location:
        extension_type = client.get(f"{_location(cluster, location)}/extensionTypes/{EXTENSION_TYPE}")
        supported = (extension_type.get("properties") or {}).get("supportedClusterTypes") or ()
        if cluster.type.lower() in (str(name).lower() for name in supported):
            return extension_type
    return client.get(f"{cluster.id}/{EXTENSION_TYPES}/extensionTypes/{EXTENSION_TYPE}")


def list_extension_versions(client: AzureClient, cluster: ClusterRef, location: str) -> list[Resource]:
    """The versions of the extension type; of many clusters, those for their type and location."""
    if client.shares_reads and location:
        path = f"{_location(cluster, location)}/extensionTypes/{EXTENSION_TYPE}/versions"
        return client.list_all(path, clusterType=cluster.type)
    return client.list_all(f"{cluster.id}/{EXTENSION_TYPES}/extensionTypes/{EXTENSION_TYPE}/versions")


def list_cluster_permissions(client: AzureClient, cluster: ClusterRef) -> list[Resource]:
    """The permissions of the caller on a cluster; of many clusters, those on their group where these are enough."""
    from azext_amlk8s.checks.subscription import cluster_actions, grants

    if client.shares_reads:
        of_group = list_group_permissions(client, cluster)
        if all(grants(of_group, action) for action in cluster_actions(cluster.type)):
            return of_group
    return client.list_all(f"{cluster.id}/{AUTHORIZATION}/permissions")


def list_group_permissions(client: AzureClient, cluster: ClusterRef) -> list[Resource]:
    """The permissions of the caller on the resource group of a cluster."""
    group = f"/subscriptions/{cluster.subscription}/resourceGroups/{cluster.resource_group}"
    return client.list_all(f"{group}/{AUTHORIZATION}/permissions")


def list_locks(client: AzureClient, cluster: ClusterRef) -> Sequence[Resource]:
    """The locks on a cluster and above it; of many clusters, from the list of their subscription if it may be read."""
    from azure.core.exceptions import HttpResponseError

    if client.shares_reads:
        try:
            locks = client.list_all(f"/subscriptions/{cluster.subscription}/{AUTHORIZATION}/locks")
        except HttpResponseError as error:
            if error.status_code not in (403, 404):
                raise
        else:
            return [lock for lock in locks if _applies(lock, cluster)]
    return client.list_all(f"{cluster.id}/{AUTHORIZATION}/locks", **{"$filter": "atScope()"})


def _applies(lock: Resource, cluster: ClusterRef) -> bool:
    scope = str(lock.get("id")).lower().partition("/providers/microsoft.authorization/")[0]
    return f"{cluster.id.lower()}/".startswith(f"{scope}/")


def _location(cluster: ClusterRef, location: str) -> str:
    return f"/subscriptions/{cluster.subscription}/{EXTENSION_TYPES}/locations/{region_name(location)}"
