"""What a setup has created and its files no longer have: what of it the plan of a cluster removes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from azext_amlk8s.computes import find_extension
from azext_amlk8s.console.errors import raise_for_errors
from azext_amlk8s.operations.setup_ownership import Ownership
from azext_amlk8s.operations.setup_parts import namespaces_of
from azext_amlk8s.setup_files.plan import DELETE, DETACH, NONE, ResourcePlan

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.setup_files import ClusterSetup

KEPT, FORMER = "not in the files; kept, because on_remove is keep", "not in the files"
KEPT_NAMESPACE = "not in the files; --prune-namespaces deletes it"
KEPT_IN_CLUSTER = "not in the files; kept, because on_remove is detach"


def plan_removals(
    client: AzureClient,
    cluster_setup: ClusterSetup,
    types: Collection[str],
    connect: Callable[[], tuple[Cluster | None, str]] | None,
    *,
    prune_namespaces: bool,
) -> list[ResourcePlan]:
    """The former resources of the setup, each to be removed or kept as on_remove says.

    types are the instance types that the cluster must have. Without connect, or where it returns no connection, objects
    of the cluster are left out.
    """
    keeps, deletes = cluster_setup.on_remove == "keep", cluster_setup.on_remove == "delete"
    compute_action, compute_note = (NONE, KEPT) if keeps else (DETACH, FORMER)
    resources = [
        ResourcePlan("compute", name, compute_action, note=compute_note) for name in cluster_setup.former_computes
    ]
    connection, reason = connect() if connect else (None, "")
    if connection is None:
        unread = ResourcePlan("extension", "", NONE, note=f"kept: {reason}")
        return [*resources, *([unread] if cluster_setup.has_left and deletes else [])]
    ownership = Ownership(connection, cluster_setup.setup)
    former_types = ownership.former_types(types)
    if deletes and former_types:
        _check_users(connection, former_types)
    kept = KEPT if keeps else KEPT_IN_CLUSTER
    action, note = (DELETE, FORMER) if deletes else (NONE, kept)
    resources += [ResourcePlan("instance type", name, action, note=note) for name in former_types]
    if cluster_setup.has_left and deletes:
        resources += _former_extension(client, cluster_setup, ownership)
    if deletes and not prune_namespaces:
        action, note = NONE, KEPT_NAMESPACE
    former_namespaces = ownership.former_namespaces(namespaces_of(cluster_setup))
    return [*resources, *(ResourcePlan("namespace", name, action, note=note) for name in former_namespaces)]


def _check_users(connection: Cluster, types: Sequence[str]) -> None:
    """Raise ValidationError for types that jobs or deployments use."""
    from azext_amlk8s.instance_types.usage import in_use, users_of

    workloads = connection.workloads()
    raise_for_errors(*(in_use(name, users_of(name, workloads)) for name in types))


def _former_extension(client: AzureClient, cluster_setup: ClusterSetup, ownership: Ownership) -> list[ResourcePlan]:
    """The extension of a cluster that has left the files; only one that the setup has created is deleted."""
    from azext_amlk8s.operations.extension_common import read_cluster

    existing = find_extension(read_cluster(client, cluster_setup.cluster)[1])
    if existing is None:
        return []
    name = str(existing["name"])
    if not ownership.created_extension(name):
        return [ResourcePlan("extension", name, NONE, note="kept: it was not created by this setup")]
    return [ResourcePlan("extension", name, DELETE, note=FORMER)]
