"""az amlk8s status --file: the live state of clusters against their setup file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import set_exit_code
from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.operations.setup_plan import DEFAULT_PARALLEL

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.operations.setup_inputs import Clients
    from azext_amlk8s.setup_files import ClusterSetup
    from azext_amlk8s.setup_files.status import ClusterStatus, LiveResources


def file_status(
    cmd: AzCliCommand,
    file: Sequence[str],
    *,
    failed: bool = False,
    detailed_exitcode: bool = False,
    max_parallel: int | None = None,
) -> dict[str, Any]:
    """The state of each cluster of setup files, with failed only of those that are not in sync. Nothing is written.

    The exit code is 1 where a cluster is failing, offline or cannot be read; with detailed_exitcode it is 4 where
    something differs from the file.
    """
    from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
    from azext_amlk8s.operations.setup_planning import plan_clusters
    from azext_amlk8s.setup_files.status import IN_SYNC, cluster_status, status_exit_code, status_object

    clients = Clients(cmd, planning=True)
    _, clusters = load_clusters(cmd, texts(file), clients, with_former=True)
    # What has left the files and is kept is of no interest here.
    clusters = [cluster for cluster in clusters if not (cluster.has_left and cluster.on_remove == "keep")]
    plans = plan_clusters(cmd, clusters, clients, max_parallel or DEFAULT_PARALLEL)
    statuses = [
        cluster_status(plan, _live_resources(clients, cluster_setup))
        for plan, cluster_setup in zip(plans, clusters, strict=True)
    ]
    if code := status_exit_code(statuses, detailed=detailed_exitcode):
        set_exit_code(cmd, code)
    shown: list[ClusterStatus] = [status for status in statuses if not failed or status.state != IN_SYNC]
    return {**status_object(statuses), "clusters": status_object(shown)["clusters"]}


def _live_resources(clients: Clients, cluster_setup: ClusterSetup) -> LiveResources:
    """The resources of a cluster; the snapshot has remembered them, failures too."""
    from azure.core.exceptions import AzureError

    from azext_amlk8s.operations.extension_common import find_extension_of_cluster
    from azext_amlk8s.setup_files.status import LiveResources

    client = clients.of(cluster_setup.cluster.subscription)
    try:
        cluster = client.get_cluster(cluster_setup.cluster)
    except AzureError:
        return LiveResources()
    name = (cluster_setup.extension or {}).get("name")
    try:
        extensions = client.list_extensions(cluster_setup.cluster)
        extension = find_extension_of_cluster(extensions, cluster_setup.cluster, name)
    except Exception:  # pylint: disable=broad-exception-caught # planning has reported why
        extension = None
    return LiveResources(cluster, extension, _find_compute(clients, cluster_setup))


def _find_compute(clients: Clients, cluster_setup: ClusterSetup) -> Mapping[str, Any] | None:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.computes.model import find_compute

    if cluster_setup.workspace is None or not cluster_setup.compute_name:
        return None
    try:
        computes = clients.of(cluster_setup.workspace.subscription).list_computes(cluster_setup.workspace)
    except AzureError:
        return None
    return find_compute(computes, cluster_setup.compute_name)
