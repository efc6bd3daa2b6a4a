"""az amlk8s compute show, list, wait and detach"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import add_studio_url, is_broken, is_kubernetes, kind_of, redact_compute
from azext_amlk8s.operations.compute_errors import (
    cluster_of,
    compute_failed,
    compute_not_found,
    not_found,
    read_compute,
    workspace_not_found,
)
from azext_amlk8s.operations.compute_options import open_compute, open_workspace

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.operations.waiting import Deadline
    from azext_amlk8s.refs import ClusterRef, ComputeRef

DETACH_SECONDS = 20 * 60


def show(
    cmd: AzCliCommand, resource_group_name: str, workspace_name: str, name: str, show_secrets: bool = False
) -> dict[str, Any]:
    """The compute as ARM describes it, with studioUrl added; exit code 3 if it does not exist.

    Its connection strings are empty unless show_secrets.
    """
    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    try:
        compute = client.get_compute(ref)
    except not_found() as error:
        raise compute_not_found(error, ref) from error
    return add_studio_url(compute if show_secrets else redact_compute(compute), client.cloud)


def list_(
    cmd: AzCliCommand,
    resource_group_name: str,
    workspace_name: str,
    all_kinds: bool = False,
    show_secrets: bool = False,
    compute_type: str | None = None,
    max_results: int | None = None,
) -> list[dict[str, Any]]:
    """The computes of a workspace as ARM describes them: Kubernetes computes, those of a type, or of every kind.

    A compute whose properties are null may be a Kubernetes compute, and is listed as one.
    """
    client, workspace = open_workspace(cmd, resource_group_name, workspace_name)
    try:
        computes = client.list_computes(workspace)
    except not_found() as error:
        raise workspace_not_found(error, workspace) from error
    kind = (compute_type or "kubernetes").lower()
    chosen = [
        compute
        for compute in computes
        if all_kinds
        or (kind_of(compute).lower() == kind)
        or (kind == "kubernetes" and (is_kubernetes(compute) or is_broken(compute)))
    ][:max_results]
    return chosen if show_secrets else [redact_compute(compute) for compute in chosen]


def wait(
    cmd: AzCliCommand,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    created: bool = False,
    updated: bool = False,
    deleted: bool = False,
    exists: bool = False,
    custom: str | None = None,
    interval: int = 5,
    timeout: int = 3600,
) -> None:
    """Wait until the compute meets a condition; exit code 1 after the timeout or if it has failed."""
    from azext_amlk8s.operations.waiting import Awaited, Condition, wait_for

    condition = Condition(created=created, updated=updated, deleted=deleted, exists=exists, custom=custom)
    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    awaited = Awaited(
        ref.name,
        lambda: read_compute(client, ref),
        f"az amlk8s compute show {ref.cli_args}",
        f"az amlk8s compute wait {ref.cli_args} {condition.option}",
    )
    wait_for(awaited, condition, interval, timeout, lambda compute: compute_failed(client, ref, compute))


def detach(
    cmd: AzCliCommand,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    no_wait: bool = False,
    timeout: int = DETACH_SECONDS,
    yes: bool = False,
) -> None:
    """Detach and wait until the compute is deleted. One that does not exist is not an error."""
    from knack.log import get_logger

    from azext_amlk8s.operations.waiting import Deadline

    deadline = Deadline(timeout)
    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    cluster = detach_compute(cmd, client, ref, deadline, no_wait=no_wait, yes=yes)
    if cluster and (extension := _extension_name(client, cluster)):
        get_logger(__name__).warning(
            "Cluster '%s' keeps extension '%s', its namespaces and its instance types.", cluster.name, extension
        )


def detach_compute(
    cmd: AzCliCommand,
    client: AzureClient,
    ref: ComputeRef,
    deadline: Deadline,
    *,
    no_wait: bool = False,
    yes: bool = False,
) -> ClusterRef | None:
    """What `detach` does with a compute. Returns the cluster of a compute whose detaching has ended."""
    from knack.log import get_logger

    from azext_amlk8s.computes import check_detach
    from azext_amlk8s.console.errors import confirm, raise_for_errors
    from azext_amlk8s.operations.compute_progress import (
        TrackedOperation,
        begin_detach,
        follow_detach,
        log_continues,
        warn_about_endpoints,
    )

    log = get_logger(__name__)
    workspace = ref.workspace.name
    compute = read_compute(client, ref)
    if compute is None:
        log.warning("Compute '%s' does not exist in workspace '%s'. Nothing to detach.", ref.name, workspace)
        return None
    raise_for_errors(check_detach(compute, ref))
    warn_about_endpoints(client, ref)
    confirm(cmd, f"Detach compute '{ref.name}' from workspace '{workspace}'?", yes, refusal="Not detached")
    operation = begin_detach(client, ref)
    resume = f"az amlk8s compute wait {ref.cli_args} --deleted"
    if no_wait:
        log_continues(resume)
        return None
    cluster = cluster_of(compute)
    tracked = TrackedOperation(
        cmd, client, ref, f"Detaching {ref.name} from {workspace}", resume, "delete", deadline, cluster
    )
    follow_detach(tracked, operation)
    return cluster


def _extension_name(client: AzureClient, cluster: ClusterRef) -> str:
    """The name of the extension on the cluster; empty for none, and where it cannot be read."""
    from azure.core.exceptions import AzureError

    from azext_amlk8s.computes import find_extension_name

    try:
        return find_extension_name(client.list_extensions(cluster))
    except AzureError:
        return ""
