"""az amlk8s compute: looking, waiting, detaching."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.console.errors import azure_errors, confirm, raise_for_errors
from azext_amlk8s.operations.compute_common import (
    Place,
    absent,
    failed,
    followed,
    not_found,
    scene_of,
    see_that_it_is_gone,
    tell_of_endpoints,
    went_on,
)


def show(
    cmd: Any, resource_group_name: str, workspace_name: str, name: str, show_secrets: bool = False
) -> dict[str, Any]:
    """The compute as ARM describes it and its address in the studio; exit code 3 when it is not there.

    Its two connection strings are blanked unless show_secrets. studioUrl is ours, beside what ARM said.
    """
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import blanked, with_studio

    place = Place(resource_group_name, workspace_name, name)
    with azure_errors():
        try:
            arm = AzureClient(cmd.cli_ctx)
            found = arm.get_compute(arm.compute_ref(*place.parts))
        except not_found() as error:
            raise absent(error, place, of_compute=True) from error
    return with_studio(found if show_secrets else blanked(found), cmd.cli_ctx.cloud.name)


def list_(
    cmd: Any, resource_group_name: str, workspace_name: str, all_kinds: bool = False, show_secrets: bool = False
) -> list[dict[str, Any]]:
    """The computes of a workspace as ARM describes them: those of kind Kubernetes, or of every kind."""
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import blanked, is_kubernetes

    with azure_errors():
        try:
            arm = AzureClient(cmd.cli_ctx)
            found = arm.list_computes(arm.workspace_ref(resource_group_name, workspace_name))
        except not_found() as error:
            raise absent(error, Place(resource_group_name, workspace_name)) from error
    chosen = [one for one in found if all_kinds or is_kubernetes(one)]
    return chosen if show_secrets else [blanked(one) for one in chosen]


def wait(
    cmd: Any,
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
    """Wait until the compute meets a condition; exit code 1 when the time is up or it has failed."""
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.operations.waiting import Condition, wait_for

    place = Place(resource_group_name, workspace_name, name)
    condition = Condition(created=created, updated=updated, deleted=deleted, exists=exists, custom=custom)
    with azure_errors():
        arm = AzureClient(cmd.cli_ctx)

        def read() -> dict[str, Any] | None:
            try:
                return dict(arm.get_compute(arm.compute_ref(*place.parts)))
            except not_found() as error:
                _require_workspace(arm, place, error)
                return None

        look = f"az amlk8s compute show {place.words}"
        wait_for(read, condition, interval, timeout, name, look, lambda there: failed(arm, place, there))


def detach(
    cmd: Any,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    no_wait: bool = False,
    timeout: int | None = None,
    yes: bool = False,
) -> None:
    """Detach and follow it until it is gone; a compute that is not there leaves nothing to do."""
    from knack.log import get_logger

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import judge_detach

    log, place = get_logger(__name__), Place(resource_group_name, workspace_name, name)
    with azure_errors():
        arm = AzureClient(cmd.cli_ctx)
        try:
            there = arm.get_compute(arm.compute_ref(*place.parts))
        except not_found() as error:
            _require_workspace(arm, place, error)
            log.warning("There is no compute %s in %s: nothing to detach.", name, workspace_name)
            return
        raise_for_errors(judge_detach(there, resource_group_name, workspace_name))
        tell_of_endpoints(arm, place)
        question = f"Detach {name} from {workspace_name}? Jobs and endpoints on it end. The cluster stays as it is."
        confirm(cmd, question, yes)
        operation = arm.begin_detach_compute(arm.compute_ref(*place.parts))
        resume = f"az amlk8s compute wait {place.words} --deleted"
        if no_wait:
            went_on(resume)
            return
        scene = scene_of(arm, there, "delete", workspace_name)
        followed(cmd, operation, arm, place, f"Detaching {name} from {workspace_name}", resume, scene, timeout)
        see_that_it_is_gone(arm, place, resume)
        log.warning("The cluster keeps the extension, its namespaces and its instance types.")


def _require_workspace(arm: Any, place: Place, error: Any) -> None:
    """ARM answers alike for an absent compute and an absent workspace; only the first is no error."""
    try:
        arm.get_workspace(arm.workspace_ref(place.group, place.workspace))
    except not_found() as other:
        raise absent(other, place) from error
