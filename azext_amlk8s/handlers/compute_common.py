"""What the commands on computes share."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.handlers.aftermath import Scene
from azext_amlk8s.handlers.reporting import code_of, failure


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


def followed(cmd: Any, operation: Any, place: Place, doing: str, resume: str, scene: Scene, timeout: int | None) -> Any:
    """The result of an operation on a compute. Raises DeploymentError with all that is known of its failure."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.arm import follow

    try:
        return follow(cmd, operation, doing, resume, timeout=timeout)
    except HttpResponseError as error:
        raise failure(doing, error, (), [f"az amlk8s compute show {place.words}"], scene) from error


def scene_of(arm: Any, compute: Mapping[str, Any], operation: str, workspace: str) -> Scene:
    """Where the compute's cluster is, for a look at it after a failure."""
    cluster_id = str((compute.get("properties") or {}).get("resourceId") or "")
    return Scene(arm, cluster_id, operation, {"NAME": str(compute.get("name")), "WORKSPACE": workspace})


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


def confirm(question: str, yes: bool) -> None:
    """Ask, unless told not to. Raises CLIError where nobody can be asked, and when the answer is no."""
    from azure.cli.core.azclierror import ManualInterrupt, NoTTYError
    from knack.prompting import NoTTYException, prompt_y_n

    if yes:
        return
    try:
        if prompt_y_n(question, default="n"):
            return
    except NoTTYException as error:
        raise NoTTYError("Nobody can be asked here.", recommendation="--yes") from error
    raise ManualInterrupt("Nothing was changed.")
