"""az amlk8s extension delete"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.cluster_removal import remove_everything
from azext_amlk8s.operations.extension_common import DEFAULT_TIMEOUT_SECONDS
from azext_amlk8s.operations.extension_delete import delete_extension
from azext_amlk8s.operations.resource_lookup import open_named_cluster

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand


def delete(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    name: str | None = None,
    delete_dependencies: bool = False,
    everything: bool = False,
    stop_workloads: bool = False,
    force: bool = False,
    kubeconfig: str | None = None,
    context: str | None = None,
    timeout: int = DEFAULT_TIMEOUT_SECONDS,
    yes: bool = False,
    no_wait: bool = False,
) -> dict[str, Any] | None:
    """Delete the extension and follow its deletion; only a true 404 counts as nothing to do.

    Azure resources that were created for it are named, and deleted with delete_dependencies, also where the extension
    no longer exists, so that an interrupted run can be continued. With everything computes, role assignments and what
    Helm leaves in the cluster are removed as well, and what remains is returned.
    """
    if everything and no_wait:
        raise az_error(
            "MutuallyExclusiveArgumentError",
            "--everything cannot be combined with --no-wait: each step follows the one before.",
            ["Leave out --no-wait."],
        )
    if stop_workloads and not everything:
        raise az_error("RequiredArgumentMissingError", "--stop-workloads requires --everything.", ["--everything"])
    if delete_dependencies and no_wait:
        raise az_error(
            "MutuallyExclusiveArgumentError",
            "--delete-dependencies cannot be combined with --no-wait: the resources are deleted after the extension.",
            ["Leave out --no-wait."],
        )
    client, cluster_ref, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    if everything:
        return remove_everything(
            cmd, client, cluster_ref, name, stop_workloads=stop_workloads, force=force, kubeconfig=kubeconfig,
            context=context, timeout=timeout, yes=yes,
        )  # fmt: skip
    delete_extension(
        cmd, client, cluster_ref, name, delete_dependencies=delete_dependencies, force=force, timeout=timeout, yes=yes,
        no_wait=no_wait,
    )  # fmt: skip
    return None
