"""az amlk8s extension delete"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.console.errors import azure_errors, confirm
from azext_amlk8s.operations import backing_resources as dependencies
from azext_amlk8s.operations.extension import facts, ours
from azext_amlk8s.operations.extension_common import Target, followed

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

    from azext_amlk8s.azure import Arm
    from azext_amlk8s.settings import cluster_facts

    if delete_dependencies and no_wait:
        raise MutuallyExclusiveArgumentError(
            "What the extension lives on can be removed only when it is gone: --delete-dependencies waits for that.",
            recommendation="Leave out --no-wait.",
        )
    log = get_logger(__name__)
    target = Target(resource_group_name, cluster_type, cluster_name, name)
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        cluster, extensions = facts(arm, resource_group_name, cluster_type, cluster_name)
        there = _find(extensions, target)
        leftovers = _leftovers(arm, cluster_facts(cluster, cluster_type))
        if there is None:
            log.warning("There is no extension %s on %s: nothing to delete.", name, cluster_name)
        else:
            _agree(cmd, arm, target, cluster["id"], leftovers if delete_dependencies else (), yes)
            operation = arm.begin_delete_extension(*target.parts, force=force)
            if no_wait:
                return
            followed(cmd, operation, arm, target, f"Removing {name} from {cluster_name}", "deleted")
        if not leftovers:
            return
        if not delete_dependencies:
            _name(target, leftovers)
        else:
            if there is None:
                confirm(cmd, _to_be_removed(leftovers), yes)
            dependencies.remove(cmd, arm, leftovers)


def _find(extensions: list[dict[str, Any]], target: Target) -> Mapping[str, Any] | None:
    from azure.cli.core.azclierror import ValidationError

    there = next((one for one in extensions if one["name"].lower() == target.name.lower()), None)
    if there and not ours([there]):
        kind = there["properties"].get("extensionType")
        raise ValidationError(
            f"{target.name} is an extension of the type {kind}, which is not ours.",
            recommendation=f"az k8s-extension delete {target.words}",
        )
    return there


def _leftovers(arm: Any, about: Any) -> list[Any]:
    """What was made for this cluster and stays in Azure: known by its name, which nothing else has."""
    from azext_amlk8s.settings import every

    made = every(about)
    found = dependencies.look(arm, made)
    return [one for one in made if found[one.kind] is not None]


def _agree(cmd: Any, arm: Any, target: Target, cluster_id: str, removed: Sequence[Any], yes: bool) -> None:
    from knack.log import get_logger

    attached, complete = _attached(arm, cluster_id)
    text = f"The extension {target.name} is removed from {target.cluster}."
    if attached:
        warning = (
            f"{target.cluster} is attached as compute, and its jobs and endpoints will stop: {', '.join(attached)}."
        )
        get_logger(__name__).warning("%s", warning)
    if not complete:
        get_logger(__name__).warning(
            "Not every workspace could be looked into; there may be computes on %s that stop.", target.cluster
        )
    confirm(cmd, " ".join([text, *([_to_be_removed(removed)] if removed else [])]), yes)


def _attached(arm: Any, cluster_id: str) -> tuple[list[str], bool]:
    """The computes of the subscription that are on a cluster, as workspace/compute, and whether all could be seen."""
    from concurrent.futures import ThreadPoolExecutor

    from azure.core.exceptions import HttpResponseError

    def computes(workspace: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        try:
            return list(arm.list_all(f"{workspace['id']}/computes"))
        except HttpResponseError:
            return None

    try:
        workspaces = arm.list_workspaces()
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
    return "Removed too: " + ", ".join(f"the {one.label} {one.name}" for one in leftovers) + "."


def _name(target: Target, leftovers: Sequence[Any]) -> None:
    from knack.log import get_logger

    for one in leftovers:
        get_logger(__name__).warning(
            "The %s %s stays in Azure. %s To remove it: az amlk8s extension delete %s --delete-dependencies --yes",
            one.label,
            one.name,
            one.costs,
            target.words,
        )
