"""The errors of the commands on computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import code_of, coded_lines
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.operations.failure_context import FailureContext

Resource = Mapping[str, Any]
RUN_AGAIN = "Fix the problem and run the same command again."


def not_found() -> type[ResourceNotFoundError]:
    """azure-core's error for 404, imported when it is needed."""
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError


def workspace_not_found(error: HttpResponseError, workspace: WorkspaceRef) -> Exception:
    """az's ResourceNotFoundError for a 404 that is about the workspace or its resource group."""
    if code_of(error) == "ResourceGroupNotFound":
        message = f"Resource group '{workspace.resource_group}' not found in the subscription."
        return _missing(message, "az group list -o table")
    args = ["-g", workspace.resource_group, "--resource-type", "Microsoft.MachineLearningServices/workspaces"]
    message = f"Workspace '{workspace.name}' not found in resource group '{workspace.resource_group}'."
    return _missing(message, f"az resource list {join(args)} -o table")


def compute_not_found(error: HttpResponseError, ref: ComputeRef) -> Exception:
    """az's ResourceNotFoundError for a 404 that is about the compute or its resource group."""
    workspace = ref.workspace
    if code_of(error) == "ResourceGroupNotFound":
        return workspace_not_found(error, workspace)
    group = workspace.resource_group
    message = f"Compute '{ref.name}' not found in workspace '{workspace.name}' of resource group '{group}'."
    return _missing(message, f"az amlk8s compute list {workspace.cli_args} -o table")


def _missing(message: str, command: str) -> Exception:
    from azure.cli.core import azclierror

    error: Exception = azclierror.ResourceNotFoundError(message, recommendation=command)
    return error


def read_compute(client: AzureClient, ref: ComputeRef) -> dict[str, Any] | None:
    """The compute, or None if it does not exist. Raises az's ResourceNotFoundError for a missing workspace.

    ARM responds to both with 404, so that the workspace is read as well.
    """
    try:
        return client.get_compute(ref)
    except not_found() as error:
        try:
            client.get_workspace(ref.workspace)
        except not_found() as missing:
            raise workspace_not_found(missing, ref.workspace) from error
        return None


def failure_context(
    client: AzureClient, ref: ComputeRef, cluster: ClusterRef | None, operation: str, extension: str = ""
) -> FailureContext:
    """Where an operation on the compute failed; extension is the one on the cluster, if known."""
    from azext_amlk8s.operations.failure_context import FailureContext

    names = {"compute NAME": ref.name, "extension NAME": extension, "WORKSPACE": ref.workspace.name}
    return FailureContext(client, cluster, operation, names)


def cluster_of(compute: Resource) -> ClusterRef | None:
    """The cluster of a compute; None where a failed attachment left no valid resource ID."""
    from azext_amlk8s.computes import parse_cluster_id

    return parse_cluster_id(str((compute.get("properties") or {}).get("resourceId") or ""))[0]


def next_commands(ref: ComputeRef, cluster: ClusterRef | None) -> list[str]:
    """What to do after a failure: look at the compute, check the cluster, and repeat the command."""
    show = f"az amlk8s compute show {ref.cli_args}"
    if cluster is None:
        return [show, RUN_AGAIN]
    workspace = ref.workspace
    args = ["-w", workspace.name]
    if workspace.resource_group.lower() != cluster.resource_group.lower():
        args += ["--workspace-group", workspace.resource_group]
    return [show, f"az amlk8s check {cluster.cli_args} {join(args)}", RUN_AGAIN]


def compute_failed(client: AzureClient, ref: ComputeRef, compute: Resource, operation: str = "create") -> Exception:
    """The DeploymentError for a compute in state Failed or Canceled, from the errors that ARM keeps with it."""
    from azext_amlk8s.computes import state_of
    from azext_amlk8s.diagnosis import compute_errors
    from azext_amlk8s.operations.failure_context import resource_failed

    state = state_of(compute).lower()
    verb = "was canceled" if state.startswith("cancel") else "failed"
    coded = compute_errors(compute)
    lines = coded_lines(coded)
    head = f"Compute '{ref.name}' {verb}." + ("" if lines else " Azure reported no error details.")
    cluster = cluster_of(compute)
    context = failure_context(client, ref, cluster, operation)
    return resource_failed(head, coded, lines, next_commands(ref, cluster), context)
