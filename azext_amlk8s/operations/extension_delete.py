"""Deletion of the extension, and of the Azure resources that were created for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azext_amlk8s.console.errors import az_error, confirm
from azext_amlk8s.operations import backing_resources
from azext_amlk8s.operations.attached_computes import attached_computes
from azext_amlk8s.operations.extension_common import (
    DEFAULT_NAME,
    DEFAULT_TIMEOUT_SECONDS,
    Resource,
    azureml_extensions,
    choose_extension,
    read_cluster,
    read_extension,
)
from azext_amlk8s.operations.extension_progress import follow_operation
from azext_amlk8s.operations.waiting import begin_deletion
from azext_amlk8s.refs import ClusterRef, ExtensionRef, is_former_type

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.settings import ClusterFacts, Dependency


def delete_extension(
    cmd: AzCliCommand,
    client: AzureClient,
    cluster_ref: ClusterRef,
    name: str | None,
    *,
    delete_dependencies: bool = False,
    force: bool = False,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    yes: bool = False,
    no_wait: bool = False,
    reports_leftovers: bool = True,
) -> None:
    """What `delete` does, on a cluster. reports_leftovers: whether resources that stay in Azure are named."""
    from knack.log import get_logger

    from azext_amlk8s.settings import cluster_facts_from_resources

    log = get_logger(__name__)
    cluster, extensions = read_cluster(client, cluster_ref)
    extension = (
        ExtensionRef(cluster_ref, name) if name else choose_extension(cluster_ref, extensions, default=DEFAULT_NAME)
    )
    existing = _find(extensions, extension) or read_extension(client, extension)  # a list may be outdated
    leftovers = find_leftovers(client, cluster_facts_from_resources(cluster, cluster_ref.type))
    if existing is None:
        log.warning("Extension '%s' not found on cluster '%s': nothing to delete.", extension.name, cluster_ref.name)
    else:
        _confirm(cmd, client, extension, leftovers if delete_dependencies else (), yes)
        operation = begin_deletion(
            lambda: client.begin_delete_extension(extension, force=force), lambda: read_extension(client, extension)
        )
        if no_wait:
            resume = f"az amlk8s extension wait {extension.cli_args} --deleted"
            log.warning("The deletion continues in Azure. To follow it: %s", resume)
            return
        action = f"Deleting {extension.name} from {cluster_ref.name}"
        follow_operation(cmd, operation, client, extension, action, "deleted", timeout)
    if leftovers and not delete_dependencies and reports_leftovers:
        _report_leftovers(extension, leftovers)
    elif leftovers and delete_dependencies:
        if existing is None:
            log.warning("To be deleted: %s.", _names(leftovers))
            resources = "the Azure resource" if len(leftovers) == 1 else f"{len(leftovers)} Azure resources"
            confirm(cmd, f"Delete {resources} of the extension?", yes, refusal="Not deleted")
        backing_resources.delete_resources(cmd, client, leftovers)


def _find(extensions: list[Resource], extension: ExtensionRef) -> Resource | None:
    existing = next((item for item in extensions if item["name"].lower() == extension.name.lower()), None)
    kind = str(((existing or {}).get("properties") or {}).get("extensionType"))
    if existing and not azureml_extensions([existing]) and not is_former_type(kind):
        raise az_error(
            "ValidationError",
            f"Extension '{extension.name}' has the type '{kind}'; expected Microsoft.AzureML.Kubernetes.",
            ["This command only deletes AzureML extensions. To delete another one, use az k8s-extension delete."],
        )
    return existing


def find_leftovers(client: AzureClient, facts: ClusterFacts) -> list[Dependency]:
    """What was created for this cluster and stays in Azure, known by its name, which nothing else has."""
    from azext_amlk8s.settings import all_resources

    created = all_resources(facts)
    found = backing_resources.find_resources(client, created)
    return [dependency for dependency in created if found[dependency.kind] is not None]


def _confirm(
    cmd: AzCliCommand, client: AzureClient, extension: ExtensionRef, deleted: Sequence[Dependency], yes: bool
) -> None:
    from knack.log import get_logger

    log, cluster = get_logger(__name__), extension.cluster
    attached, unread = attached_computes(client, cluster.id)
    computes = [f"{compute.workspace.name}/{compute.name}" for compute in attached]
    if computes:
        log.warning(
            "Cluster '%s' is attached as compute; jobs and endpoints on it will stop responding: %s.",
            cluster.name,
            ", ".join(computes),
        )
    for computes_of_workspace in unread:
        log.warning("There may be %s, on cluster '%s' that stop responding.", computes_of_workspace, cluster.name)
    if deleted:
        log.warning("Deleted with it: %s.", _names(deleted))
    question = f"Delete extension '{extension.name}' from cluster '{cluster.name}'?"
    confirm(cmd, question, yes, refusal="Not deleted")


def _names(dependencies: Sequence[Dependency]) -> str:
    return ", ".join(f"{dependency.label} '{dependency.name}'" for dependency in dependencies)


def _report_leftovers(extension: ExtensionRef, leftovers: Sequence[Dependency]) -> None:
    from knack.log import get_logger

    for dependency in leftovers:
        get_logger(__name__).warning(
            "The %s '%s' stays in Azure. %s To delete it: az amlk8s extension delete %s --delete-dependencies --yes",
            dependency.label,
            dependency.name,
            dependency.costs,
            extension.cli_args,
        )
