"""What stops when a compute is detached or the extension is deleted: endpoints with their deployments, and jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.refs import ComputeRef, WorkspaceRef

# Kinds of the extension's API group that are workloads of users.
WORKLOAD_KINDS = ("AmlJob", "OnlineDeployment")
ENDED = ("completed", "failed", "canceled", "notresponding", "paused")


def workloads_on(
    client: AzureClient, computes: Sequence[ComputeRef], cluster: Cluster | None, namespaces: Collection[str] = ()
) -> dict[str, str]:
    """Endpoints and jobs on computes, and what else runs in the cluster, or in some of its namespaces, each once.

    Each is a text for people, with the command that deletes it, empty for what is not an endpoint.
    """
    jobs = jobs_on(client, computes)
    in_cluster = workloads_in(cluster, namespaces) if cluster else []
    others = [workload for workload in in_cluster if workload.rsplit("/", 1)[-1] not in jobs]
    return endpoints_on(client, computes) | dict.fromkeys([*jobs.values(), *others], "")


def endpoints_on(client: AzureClient, computes: Sequence[ComputeRef]) -> dict[str, str]:
    """The online endpoints on computes with their deployments, as texts for people, with the commands to delete them.

    A list that cannot be read counts as one: what it would have shown must not be stopped unnoticed.
    """
    from azure.core.exceptions import HttpResponseError

    found: dict[str, str] = {}
    for workspace in dict.fromkeys(compute.workspace for compute in computes):
        try:
            endpoints = client.list_all(f"{workspace.id}/onlineEndpoints")
        except HttpResponseError as error:
            found |= dict.fromkeys(refused_list("endpoints", workspace.name, error), "")
            continue
        for endpoint in endpoints:
            if compute := compute_of(endpoint, (compute for compute in computes if compute.workspace == workspace)):
                name = str(endpoint.get("name"))
                text = f"endpoint {name}{_deployments(client, workspace, name)}"
                command = f"az ml online-endpoint delete {workspace.cli_args} {join(['-n', name])}"
                found[f"{text} on compute {workspace.name}/{compute.name}"] = command
    return found


def compute_of(endpoint: Mapping[str, Any], computes: Iterable[ComputeRef]) -> ComputeRef | None:
    """That of the computes which the endpoint is on; an endpoint has the ID of its compute, or the name."""
    used = str(properties_of(endpoint).get("compute") or "").lower()
    return next((compute for compute in computes if used in (compute.id.lower(), compute.name.lower())), None)


def refused_list(what: str, workspace: str, error: HttpResponseError) -> list[str]:
    """A text for a list that cannot be read; none for that of a workspace that does not exist."""
    return [] if error.status_code == 404 else [f"{what} of workspace {workspace}, which Azure did not list"]


def _deployments(client: AzureClient, workspace: WorkspaceRef, endpoint: str) -> str:
    from azure.core.exceptions import HttpResponseError

    try:
        deployments = client.list_all(f"{workspace.id}/onlineEndpoints/{endpoint}/deployments")
    except HttpResponseError:
        return ""
    names = ", ".join(sorted(str(deployment.get("name")) for deployment in deployments))
    return f" (deployments: {names})" if names else ""


def jobs_on(client: AzureClient, computes: Sequence[ComputeRef]) -> dict[str, str]:
    """The jobs on computes that have not ended, by name, as texts; a list that cannot be read counts as one."""
    from azure.core.exceptions import HttpResponseError

    by_id = {compute.id.lower(): compute for compute in computes}
    found: dict[str, str] = {}
    for workspace in dict.fromkeys(compute.workspace for compute in computes):
        try:
            jobs = client.list_jobs(workspace)
        except HttpResponseError as error:
            found |= {text: text for text in refused_list("jobs", workspace.name, error)}
            continue
        for job in jobs:
            properties = properties_of(job)
            compute = by_id.get(str(properties.get("computeId") or "").lower())
            if compute and str(properties.get("status")).lower() not in ENDED:
                name = str(job.get("name"))
                found[name] = f"job {name} on compute {workspace.name}/{compute.name}"
    return found


def workloads_in(cluster: Cluster, namespaces: Collection[str] = ()) -> list[str]:
    """The jobs and deployments in a cluster, or in some of its namespaces, that have not ended.

    None where the cluster has no such kinds, or cannot be read.
    """
    from azext_amlk8s.kubernetes import ClusterError

    try:
        workloads = cluster.workloads()
    except ClusterError:
        return []
    return list(_running(workloads, namespaces))


def _running(workloads: Sequence[Mapping[str, Any]], namespaces: Collection[str]) -> Iterator[str]:
    from azext_amlk8s.instance_types.usage import has_ended

    for workload in workloads:
        namespace = workload["metadata"].get("namespace")
        if workload["kind"] in WORKLOAD_KINDS and not has_ended(workload) and namespace in (namespaces or [namespace]):
            yield f"{workload['kind']} {namespace}/{workload['metadata']['name']}"
