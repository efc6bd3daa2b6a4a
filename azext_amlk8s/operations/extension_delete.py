"""az amlk8s extension delete"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors, confirm
from azext_amlk8s.operations import backing_resources as dependencies
from azext_amlk8s.operations.extension_common import azureml_extensions, follow_operation, read_cluster
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    pass

LOOKERS = 8


def delete(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    name: str,
    delete_dependencies: bool = False,
    force: bool = False,
    yes: bool = False,
    no_wait: bool = False,
) -> None:
    """Remove the extension and follow it to its end; only a true 404 counts as nothing to do.

    What was made for it in Azure is named, and removed with delete_dependencies, also where the extension is gone
    already, so that an interrupted run can be gone on with.
    """
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError
    from knack.log import get_logger

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.settings import cluster_facts_from_resources

    if delete_dependencies and no_wait:
        raise MutuallyExclusiveArgumentError(
            "What the extension lives on can be removed only when it is gone: --delete-dependencies waits for that.",
            recommendation="Leave out --no-wait.",
        )
    log = get_logger(__name__)
    with azure_errors():
        client = AzureClient(cmd.cli_ctx)
        extension = ExtensionRef(client.cluster_ref(resource_group_name, cluster_type, cluster_name), name)
        cluster, extensions = read_cluster(client, extension.cluster)
        there = _find(extensions, extension)
        leftovers = _leftovers(client, cluster_facts_from_resources(cluster, cluster_type))
        if there is None:
            log.warning("There is no extension %s on %s: nothing to delete.", name, cluster_name)
        else:
            _agree(cmd, client, extension, cluster["id"], leftovers if delete_dependencies else (), yes)
            operation = client.begin_delete_extension(extension, force=force)
            if no_wait:
                return
            follow_operation(cmd, operation, client, extension, f"Removing {name} from {cluster_name}", "deleted")
        if not leftovers:
            return
        if not delete_dependencies:
            _name(extension, leftovers)
        else:
            if there is None:
                log.warning("%s", _to_be_removed(leftovers))
                confirm(cmd, f"Delete {len(leftovers)} Azure resources?", yes, refusal="Not deleted")
            dependencies.remove(cmd, client, leftovers)


def _find(extensions: list[dict[str, Any]], extension: ExtensionRef) -> Mapping[str, Any] | None:
    from azure.cli.core.azclierror import ValidationError

    there = next((one for one in extensions if one["name"].lower() == extension.name.lower()), None)
    if there and not azureml_extensions([there]):
        kind = there["properties"].get("extensionType")
        raise ValidationError(
            f"{extension.name} is an extension of the type {kind}, which is not ours.",
            recommendation=f"az k8s-extension delete {extension.cli_args}",
        )
    return there


def _leftovers(client: Any, about: Any) -> list[Any]:
    """What was made for this cluster and stays in Azure: known by its name, which nothing else has."""
    from azext_amlk8s.settings import all_resources

    made = all_resources(about)
    found = dependencies.look(client, made)
    return [one for one in made if found[one.kind] is not None]


def _agree(cmd: Any, client: Any, extension: ExtensionRef, cluster_id: str, removed: Sequence[Any], yes: bool) -> None:
    from knack.log import get_logger

    attached, complete = _attached(client, cluster_id)
    if attached:
        warning = (
            f"{extension.cluster.name} is attached as compute, and its jobs and endpoints will stop: "
            + ", ".join(attached)
            + "."
        )
        get_logger(__name__).warning("%s", warning)
    if not complete:
        get_logger(__name__).warning(
            "Not every workspace could be looked into; there may be computes on %s that stop.", extension.cluster
        )
    if removed:
        get_logger(__name__).warning("%s", _to_be_removed(removed))
    question = f"Delete extension '{extension.name}' from cluster '{extension.cluster.name}'?"
    confirm(cmd, question, yes, refusal="Not deleted")


def _attached(client: Any, cluster_id: str) -> tuple[list[str], bool]:
    """The computes of the subscription that are on a cluster, as workspace/compute, and whether all could be seen."""
    from concurrent.futures import ThreadPoolExecutor

    from azure.core.exceptions import HttpResponseError

    def computes(workspace: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        try:
            return list(client.list_all(f"{workspace['id']}/computes"))
        except HttpResponseError:
            return None

    try:
        workspaces = client.list_workspaces()
    except HttpResponseError:
        return [], False
    with ThreadPoolExecutor(LOOKERS) as pool:
        found = list(pool.map(computes, workspaces))
    attached = [
        f"{workspace['name']}/{one['name']}"
        for workspace, seen in zip(workspaces, found, strict=True)
        for one in seen or ()
        if str((one.get("properties") or {}).get("resourceId")).lower() == cluster_id.lower()
    ]
    return attached, None not in found


def _to_be_removed(leftovers: Sequence[Any]) -> str:
    return "Deleted with it: " + ", ".join(f"the {one.label} {one.name}" for one in leftovers) + "."


def _name(extension: ExtensionRef, leftovers: Sequence[Any]) -> None:
    from knack.log import get_logger

    for one in leftovers:
        get_logger(__name__).warning(
            "The %s %s stays in Azure. %s To remove it: az amlk8s extension delete %s --delete-dependencies --yes",
            one.label,
            one.name,
            one.costs,
            extension.cli_args,
        )
