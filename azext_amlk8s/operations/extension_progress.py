"""Operations on extensions: follow them to the end, and report how they failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import coded_lines
from azext_amlk8s.operations.extension_common import BUSY, DEFAULT_TIMEOUT_SECONDS, GUIDE, read_extension, state_of
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient, Operation, StatePoller
    from azext_amlk8s.kubernetes import Cluster

OPERATIONS = {"created": "create", "updated": "update", "deleted": "delete"}

Resource = dict[str, Any]


def poll_after_lost_response(
    client: AzureClient, extension: ExtensionRef, error: Exception, is_applied: Callable[[Resource], bool]
) -> StatePoller:
    """A poller for a write whose response was lost or unusable, if the extension shows that it was accepted.

    is_applied says whether an extension that has succeeded is what was requested. Raises the error where it shows
    nothing of the kind, or where the request was refused.
    """
    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.operations.waiting import REFUSED_STATUSES, read_after

    if getattr(error, "status_code", None) in REFUSED_STATUSES:
        raise error
    resource = read_after(error, lambda: read_extension(client, extension))
    state = state_of(resource).lower()
    if resource is None or not (state in BUSY or (state == "succeeded" and is_applied(resource))):
        raise error
    return StatePoller(resource, lambda: read_extension(client, extension), relaxed=client.relaxed_polling)


def follow_operation(
    cmd: AzCliCommand,
    operation: Operation | StatePoller,
    client: AzureClient,
    extension: ExtensionRef,
    action: str,
    condition: str,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    connection: Cluster | None = None,
) -> Any:
    """The extension at the end of an operation, None for a deletion. Raises DeploymentError with what is known.

    The state of the extension decides, not that of the operation. condition is the option of `extension wait` for
    it: created, updated or deleted. With a connection to the cluster the progress shows the pods of the extension.
    """
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.console.progress import ProgressLine, follow
    from azext_amlk8s.operations.failure_context import FailureContext, operation_failed
    from azext_amlk8s.operations.installation_view import view_installation

    def remaining(result: Any) -> StatePoller | None:
        if condition == "deleted" or not result:  # nothing, too, where the last response had no body
            result = read_extension(client, extension)
            if condition == "deleted" and result is None:
                return None
        elif state_of(result).lower() not in BUSY:
            return None
        return StatePoller(result, lambda: read_extension(client, extension), relaxed=client.relaxed_polling)

    resume = f"az amlk8s extension wait {extension.cli_args} --{condition}"
    line = ProgressLine(cmd, action)
    try:
        with view_installation(connection, extension.cluster) as view:
            result = follow(cmd, operation, action, resume, timeout=timeout, then=remaining, view=view, line=line)
    except HttpResponseError as error:
        messages: list[str] = []
        with contextlib.suppress(HttpResponseError):
            messages = status_messages(client.get_extension(extension))
        context = FailureContext(client, extension.cluster, OPERATIONS[condition], {"NAME": extension.name})
        raise operation_failed(action, error, messages, _commands(extension), context) from error
    is_finished = result is None if condition == "deleted" else state_of(result).lower() == "succeeded"
    line.end("Succeeded" if is_finished else "Failed")
    if not is_finished:
        raise extension_failed(client, extension, result or {}, f"{action} failed.", OPERATIONS[condition])
    return result


def extension_failed(
    client: AzureClient, extension: ExtensionRef, resource: Mapping[str, Any], head: str, operation: str = ""
) -> Exception:
    """The DeploymentError for an extension in state Failed; head is its first sentence.

    operation is create, update or delete where it is known.
    """
    from azext_amlk8s.diagnosis import extension_errors
    from azext_amlk8s.operations.failure_context import FailureContext, resource_failed

    coded = extension_errors(resource)
    context = FailureContext(client, extension.cluster, operation, {"NAME": extension.name})
    lines = coded_lines(coded) or ["Azure reported no error details."]
    return resource_failed(head, coded, lines, _commands(extension), context)


def wait_until_idle(
    cmd: AzCliCommand, client: AzureClient, extension: ExtensionRef, resource: Resource, timeout: float
) -> Resource | None:
    """The extension once no operation runs on it, or None where it was deleted; resource is its last known state."""
    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.console.progress import follow

    poller = StatePoller(resource, lambda: read_extension(client, extension), relaxed=client.relaxed_polling)
    if not poller.done():
        resume = f"az amlk8s extension wait {extension.cli_args} --updated"
        follow(cmd, poller, f"Waiting for the running operation on {extension.name}", resume, timeout=timeout)
    return poller.result()


def status_messages(extension: Mapping[str, Any]) -> list[str]:
    """A line for each status of the extension that has a message."""
    return [
        f"({status.get('code')}) {' '.join((status.get('message') or '').split())}"
        for status in (extension.get("properties") or {}).get("statuses") or []
        if status.get("message")
    ]


def _commands(extension: ExtensionRef) -> list[str]:
    return [
        f"az amlk8s check {extension.cluster.cli_args}",
        "When the cause is resolved, run the same command again.",
        GUIDE,
    ]
