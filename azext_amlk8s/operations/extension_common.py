"""What creating, updating and deleting the extension share."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.console.errors import coded_lines, failure, failure_told
from azext_amlk8s.operations.failure_context import Scene

NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
GUIDE = "https://aka.ms/arcmltsg"
BUSY = ("creating", "updating", "deleting")
OPERATIONS = {"created": "create", "updated": "update", "deleted": "delete"}


@dataclass(frozen=True)
class Target:
    """An extension on a cluster, as the options name it."""

    group: str
    cluster_type: str
    cluster: str
    name: str

    @property
    def cluster_words(self) -> str:
        """The options that name the cluster, to be pasted."""
        from azext_amlk8s.operations.extension import options

        return options(self.group, self.cluster_type, self.cluster)

    @property
    def words(self) -> str:
        """The options that name the extension, to be pasted."""
        return f"{self.cluster_words} -n {shlex.quote(self.name)}"

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Group, cluster type, cluster and name, as the door to Azure takes them."""
        return self.group, self.cluster_type, self.cluster, self.name


def refuse_other_kinds(name: str, scope: str | None, extension_type: str | None) -> None:
    """Raise InvalidArgumentValueError for a name, a scope or a type that cannot be."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.settings import EXTENSION_TYPE

    if not NAME.match(name):
        raise InvalidArgumentValueError(
            f"{name} is not a name that Azure takes for an extension: letters, digits, - and dots, at most 63.",
            recommendation="--name azureml-extension",
        )
    if scope and scope.lower() != "cluster":
        raise InvalidArgumentValueError(
            f"The scope {scope} is not possible: the extension is installed for the cluster.",
            recommendation="--scope cluster",
        )
    if extension_type and extension_type.lower() != EXTENSION_TYPE:
        raise InvalidArgumentValueError(
            f"The extension type {extension_type} is not ours.",
            recommendation=[
                "--extension-type Microsoft.AzureML.Kubernetes",
                f"az k8s-extension create --extension-type {shlex.quote(extension_type)}",
            ],
        )


def the_one(extensions: list[dict[str, Any]], target: Target) -> dict[str, Any] | None:
    """Our extension of that name on the cluster, or None."""
    from azext_amlk8s.operations.extension import ours

    return next((one for one in ours(extensions) if one["name"].lower() == target.name.lower()), None)


def followed(cmd: Any, operation: Any, arm: Any, target: Target, doing: str, done_word: str) -> Any:
    """The result of an operation on the extension. Raises DeploymentError with all that Azure says of its failure."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.console.progress import follow

    try:
        return follow(cmd, operation, doing, f"az amlk8s extension wait {target.words} --{done_word}")
    except HttpResponseError as error:
        more: list[str] = []
        with contextlib.suppress(HttpResponseError):
            more = statuses(arm.get_extension(*target.parts))
        scene = Scene(arm, arm.cluster_id(*target.parts[:3]), OPERATIONS[done_word], {"NAME": target.name})
        raise failure(doing, error, more, [f"az amlk8s extension show {target.words}", GUIDE], scene) from error


def failed(arm: Any, target: Target, extension: Mapping[str, Any], head: str, operation: str = "") -> Exception:
    """The DeploymentError for an extension that is Failed, from what ARM keeps with it and what the cluster tells.

    head is its first sentence; operation is create, update or delete where it is known.
    """
    from azext_amlk8s.diagnosis import of_extension

    coded = of_extension(extension)
    scene = Scene(arm, arm.cluster_id(*target.parts[:3]), operation, {"NAME": target.name})
    told = coded_lines(coded) or ["Azure keeps no reason with it."]
    return failure_told(head, coded, told, [f"az amlk8s extension show {target.words}", GUIDE], scene)


def settled(cmd: Any, arm: Any, target: Target, there: dict[str, Any]) -> dict[str, Any] | None:
    """The extension once nothing is going on with it, or None once it is gone; there is how it was read last."""
    from azext_amlk8s.azure import Settling
    from azext_amlk8s.console.progress import follow
    from azext_amlk8s.operations.extension import is_of_extension, not_found

    def read() -> dict[str, Any] | None:
        try:
            return dict(arm.get_extension(*target.parts))
        except not_found() as error:
            if is_of_extension(error):
                return None
            raise

    operation = Settling(there, read)
    if not operation.done():
        resume = f"az amlk8s extension wait {target.words} --updated"
        follow(cmd, operation, f"Waiting for what is going on with {target.name}", resume)
    return operation.result()


def statuses(extension: Mapping[str, Any]) -> list[str]:
    """What the extension says of itself, a line for each status that has a message."""
    return [
        f"({one.get('code')}) {' '.join((one.get('message') or '').split())}"
        for one in (extension.get("properties") or {}).get("statuses") or []
        if one.get("message")
    ]


def said(changes: Iterable[Any]) -> str:
    """Changes as lines below a sentence."""
    return "".join(f"\n  {change}" for change in changes)
