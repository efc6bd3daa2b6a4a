"""az amlk8s status: one screen with the state of a cluster, or one line for each cluster of a setup file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.checks import CheckTarget
    from azext_amlk8s.rules import Fact

# What must be met before an installation is not part of the status.
SKIPPED = ("subscription",)


def status(
    cmd: AzCliCommand,
    resource_group_name: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    workspace_name: str | None = None,
    workspace_group: str | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    file: Sequence[str] | None = None,
    failed: bool = False,
    detailed_exitcode: bool = False,
    max_parallel: int | None = None,
) -> dict[str, Any]:
    """The status of a cluster, see checks.cluster_status; a part that cannot be read is null, with its reason.

    The exit code is 0 whatever the state is, and 3 where the cluster does not exist. With file it is the state of each
    cluster of setup files, see setup_status.file_status. Writes nothing.
    """
    from azext_amlk8s.console.errors import az_error

    if file:
        if resource_group_name or cluster_name or workspace_name:
            message = "--file cannot be combined with the options that name a cluster or a workspace."
            raise az_error("MutuallyExclusiveArgumentError", message, ["az amlk8s status -f azureml.yaml"])
        from azext_amlk8s.operations.setup_status import file_status

        return file_status(cmd, file, failed=failed, detailed_exitcode=detailed_exitcode, max_parallel=max_parallel)
    if not (resource_group_name and cluster_name):
        message = "Specify a cluster with --resource-group and --cluster-name, or setup files with --file."
        raise az_error("RequiredArgumentMissingError", message, ["az amlk8s status -g my-group -c my-cluster"])
    if failed or detailed_exitcode:
        message = "--failed and --detailed-exitcode require --file."
        raise az_error("RequiredArgumentMissingError", message, ["az amlk8s status -f azureml.yaml --failed"])
    return _status_of_cluster(
        cmd, resource_group_name, cluster_name, cluster_type, workspace_name, workspace_group, kubeconfig, context
    )


def _status_of_cluster(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None,
    workspace_name: str | None,
    workspace_group: str | None,
    kubeconfig: str | None,
    context: str | None,
) -> dict[str, Any]:
    from azext_amlk8s.checks import CheckTarget, select_checks
    from azext_amlk8s.checks.cluster_status import STATUS_FACTS, cluster_status
    from azext_amlk8s.checks.facts import CLUSTER
    from azext_amlk8s.console.check_console import make_activity
    from azext_amlk8s.operations.check import run_checks, signed_in_account
    from azext_amlk8s.operations.resource_lookup import named_workspace, open_named_cluster

    client, cluster, resource = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    known: dict[Fact[Any], Any] = {CLUSTER: resource} if resource else {}
    workspace = None
    if workspace_name:
        workspace = named_workspace(client.subscription_id, workspace_group or resource_group_name, workspace_name)
    target = CheckTarget(
        cluster,
        workspace,
        kubeconfig=kubeconfig or "",
        context=context or "",
        caller=signed_in_account(cmd.cli_ctx),
    )
    with make_activity(cmd, f"Reading {cluster.name}") as observer:
        checks = select_checks(target, skip=SKIPPED)
        result, collector = run_checks(client, target, checks, observer, STATUS_FACTS, known)
    facts = collector.facts(STATUS_FACTS)
    _raise_if_missing(client, target, facts.state(CLUSTER))
    return cluster_status(facts, result)


def _raise_if_missing(client: AzureClient, target: CheckTarget, cluster: Any) -> None:
    """Raise ResourceNotFoundError where Azure does not know the cluster."""
    from azext_amlk8s.console.errors import az_error
    from azext_amlk8s.rules import Unavailable

    if isinstance(cluster, Unavailable) and cluster.absent:
        raise az_error("ResourceNotFoundError", cluster.reason, cluster.fix.splitlines())
