"""What `destroy` removes from each cluster, and what stops with it: read before it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes.model import find_compute, namespace_of
from azext_amlk8s.console.errors import az_error
from azext_amlk8s.console.reports import count
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.refs import ComputeRef
from azext_amlk8s.setup_files import OWNER_TAG, ClusterSetup

if TYPE_CHECKING:
    from azext_amlk8s.operations.setup_inputs import Clients

# With more clusters, only the number of what is removed is shown, and only so many workloads.
MOST_CLUSTERS = MOST_WORKLOADS = 20


@dataclass(frozen=True)
class Survey:
    """The computes of the setup on a cluster, its extension where that is deleted, and the workloads that stop."""

    cluster_setup: ClusterSetup
    computes: Sequence[str] = ()
    extension: str = ""
    workloads: Sequence[str] = ()

    @property
    def steps(self) -> list[str]:
        """What is removed, as texts for people."""
        return [
            *(f"detach compute '{name}'" for name in self.computes),
            *([f"delete extension '{self.extension}' with its instance types"] if self.extension else []),
        ]


def survey_clusters(
    clients: Clients, clusters: Sequence[ClusterSetup], *, deletes: Sequence[bool], parallel: int
) -> list[Survey]:
    """The survey of each cluster, in order. What cannot be read is left out: its removal reports it."""

    def survey(number: int) -> Survey:
        cluster_setup = clusters[number]
        try:
            return _survey(clients, cluster_setup, deletes[number])
        finally:
            clients.release(cluster_setup)

    with DaemonPool(min(parallel, len(clusters))) as pool:
        return pool.map(survey, range(len(clusters)))


def raise_for_workloads(surveys: Sequence[Survey], command: str) -> None:
    """Raise ValidationError for endpoints and jobs that would stop; command is the one that stops them."""
    workloads = [
        f"{survey.cluster_setup.cluster.name}: {workload}" for survey in surveys for workload in survey.workloads
    ]
    if not workloads:
        return
    busy = sum(bool(survey.workloads) for survey in surveys)
    shown, more = workloads[:MOST_WORKLOADS], len(workloads) - MOST_WORKLOADS
    lines = [*shown, *([f"and {more} more"] if more > 0 else [])]
    raise az_error(
        "ValidationError",
        f"{count(len(workloads), 'workload')} would stop on {count(busy, 'cluster')}; nothing was changed:"
        + "".join(f"\n  {line}" for line in lines),
        ["Delete the endpoints (az ml online-endpoint delete) and wait for the jobs.", command],
    )


def describe_removals(surveys: Sequence[Survey]) -> str:
    """What is removed from each cluster, one on a line, or in numbers where there are many."""
    busy = [survey for survey in surveys if survey.steps]
    if not busy:
        return "Nothing of the setup exists any more; what it has left behind is looked for."
    if len(busy) <= MOST_CLUSTERS:
        lines = [f"  - {survey.cluster_setup.cluster.name}: {', '.join(survey.steps)}" for survey in busy]
        return "\n".join(["To be removed:", *lines])
    computes = sum(len(survey.computes) for survey in busy)
    extensions = sum(bool(survey.extension) for survey in busy)
    what = f"{count(computes, 'compute')} and {count(extensions, 'extension')}"
    return f"To be removed from {count(len(busy), 'cluster')}: {what}."


def _survey(clients: Clients, cluster_setup: ClusterSetup, deletes: bool) -> Survey:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.operations.extension_common import azureml_extensions
    from azext_amlk8s.operations.running_workloads import workloads_in, workloads_on

    computes: list[dict[str, Any]] = []
    extension = ""
    try:
        computes = _owned_computes(clients, cluster_setup)
        if deletes and (cluster_setup.extension is not None or cluster_setup.has_left):
            client = clients.of(cluster_setup.cluster.subscription)
            name = str((cluster_setup.extension or {}).get("name") or "").lower()
            extensions = azureml_extensions(client.list_extensions(cluster_setup.cluster))
            extension = next(
                (str(extension["name"]) for extension in extensions if name in ("", str(extension["name"]).lower())), ""
            )
    except AzureError:
        return Survey(cluster_setup)
    names = [str(compute["name"]) for compute in computes]
    if not names and not extension:
        return Survey(cluster_setup)
    refs = [ComputeRef(cluster_setup.workspace, name) for name in names if cluster_setup.workspace]
    workspace_client = clients.of(cluster_setup.workspace.subscription) if cluster_setup.workspace else None
    connection, _ = clients.connect(cluster_setup)
    namespaces = () if extension else {namespace_of(compute) for compute in computes}
    if workspace_client:
        workloads = list(workloads_on(workspace_client, refs, connection, namespaces))
    else:
        workloads = workloads_in(connection, namespaces) if connection else []
    return Survey(cluster_setup, names, extension, workloads)


def _owned_computes(clients: Clients, cluster_setup: ClusterSetup) -> list[dict[str, Any]]:
    """The computes of the cluster that have the tag of the setup."""
    workspace = cluster_setup.workspace
    wanted = [*cluster_setup.former_computes, *filter(None, [cluster_setup.compute_name])]
    if workspace is None or not wanted:
        return []
    computes = clients.of(workspace.subscription).list_computes(workspace)
    found = [find_compute(computes, name) for name in wanted]
    return [
        dict(compute)
        for compute in found
        if compute and (compute.get("tags") or {}).get(OWNER_TAG) == cluster_setup.setup
    ]
