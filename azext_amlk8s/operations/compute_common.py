"""What the commands on computes share."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.console.errors import code_of, coded_lines
from azext_amlk8s.operations.failure_context import FailureContext, operation_failed, resource_failed
from azext_amlk8s.refs import ClusterRef

GONE_SECONDS, GONE_ASK_SECONDS = 300, 2


@dataclass(frozen=True)
class Place:
    """A compute of a workspace, as the options name it."""

    group: str
    workspace: str
    name: str = ""

    @property
    def workspace_words(self) -> str:
        """The options that name the workspace, to be pasted."""
        return f"-g {shlex.quote(self.group)} -w {shlex.quote(self.workspace)}"

    @property
    def words(self) -> str:
        """The options that name the compute, to be pasted."""
        return f"{self.workspace_words} -n {shlex.quote(self.name)}"

    @property
    def parts(self) -> tuple[str, str, str]:
        """Group, workspace and name, as the door to Azure takes them."""
        return self.group, self.workspace, self.name


def followed(
    cmd: Any,
    operation: Any,
    arm: Any,
    place: Place,
    doing: str,
    resume: str,
    scene: FailureContext,
    timeout: int | None,
) -> Any:
    """The result of an operation on a compute. Raises DeploymentError with all that is known of its failure."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.console.progress import follow
    from azext_amlk8s.diagnosis import compute_errors

    try:
        return follow(cmd, operation, doing, resume, timeout=timeout)
    except HttpResponseError as error:
        more = coded_lines(compute_errors(found_or_nothing(arm, place)))
        look = [f"az amlk8s compute show {place.words}"]
        raise operation_failed(doing, error, more, look, scene) from error


def see_that_it_is_gone(arm: Any, place: Place, resume: str) -> None:
    """Wait until a detached compute cannot be read any more, though its operation has ended.

    Attaching under its name would meet what is left. Raises DeploymentError after GONE_SECONDS.
    """
    from azext_amlk8s.operations.waiting import Condition, wait_for

    compute_id, gone = arm.compute_ref(*place.parts).id, Condition(deleted=True)
    wait_for(lambda: arm.find(compute_id), gone, GONE_ASK_SECONDS, GONE_SECONDS, place.name, resume)


def went_on(follow: str) -> None:
    """Say how to follow what nobody waits for; az prints nothing on stdout then."""
    from knack.log import get_logger

    get_logger(__name__).warning("It goes on in Azure. To follow it: %s", follow)


def failed(arm: Any, place: Place, compute: Mapping[str, Any]) -> Exception:
    """The DeploymentError for a compute that is Failed, from what ARM keeps with it."""
    from azext_amlk8s.computes import state_of
    from azext_amlk8s.diagnosis import compute_errors

    coded = compute_errors(compute)
    said = coded_lines(coded) or ["Azure keeps no reason with it."]
    head = f"{place.name} is {state_of(compute)}; it will not be Succeeded."
    scene = scene_of(arm, compute, "create", place.workspace)
    look = f"az amlk8s compute show {place.words}"
    return resource_failed(head, coded, said, [look], scene)


def found_or_nothing(arm: Any, place: Place) -> Mapping[str, Any]:
    """The compute as ARM describes it, empty where it cannot be read."""
    from azure.core.exceptions import AzureError

    try:
        return dict(arm.get_compute(arm.compute_ref(*place.parts)))
    except AzureError:
        return {}


def tell_of_endpoints(arm: Any, place: Place) -> None:
    """Warn of online endpoints on the compute, and where they cannot be seen."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    log, compute_id = get_logger(__name__), arm.compute_ref(*place.parts).id.lower()
    try:
        found = arm.list_all(f"{arm.workspace_ref(place.group, place.workspace).id}/onlineEndpoints")
    except HttpResponseError:
        log.warning(
            "The endpoints of %s could not be seen; those on %s will stop to answer.", place.workspace, place.name
        )
        return
    for one in found:
        if str((one.get("properties") or {}).get("compute") or "").lower() in (compute_id, place.name.lower()):
            log.warning("The endpoint %s runs on %s and will stop to answer.", one.get("name"), place.name)


def scene_of(
    arm: Any, compute: Mapping[str, Any], operation: str, workspace: str, extension: str = ""
) -> FailureContext:
    """Where the compute's cluster is, for a look at it after a failure; extension is that on the cluster, if known."""
    try:
        cluster = ClusterRef.parse(str((compute.get("properties") or {}).get("resourceId") or ""))
    except ValueError:  # a compute whose attachment failed may have no resource ID
        cluster = None
    names = {"compute NAME": str(compute.get("name")), "extension NAME": extension, "WORKSPACE": workspace}
    return FailureContext(arm, cluster, operation, names)


def absent(error: Any, place: Place, *, of_compute: bool = False) -> Exception:
    """The ResourceNotFoundError for a 404: the group, the workspace, or with of_compute the compute."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    if code_of(error) == "ResourceGroupNotFound":
        return ResourceNotFoundError(
            f"There is no resource group {place.group} in this subscription.", recommendation="az group list -o table"
        )
    if of_compute:
        return ResourceNotFoundError(
            f"There is no compute {place.name} in {place.workspace} of resource group {place.group}.",
            recommendation=f"az amlk8s compute list {place.workspace_words} -o table",
        )
    kind = "Microsoft.MachineLearningServices/workspaces"
    return ResourceNotFoundError(
        f"There is no workspace {place.workspace} in resource group {place.group}.",
        recommendation=f"az resource list -g {place.group} --resource-type {kind} -o table",
    )


def not_found() -> Any:
    """azure-core's error for a 404; imported late."""
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError
