"""Operations on computes: begin them, follow them to the end, and report how they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import AttachRequest, compare_compute, state_of
from azext_amlk8s.console.errors import coded_lines
from azext_amlk8s.operations.compute_errors import (
    compute_failed,
    failure_context,
    next_commands,
    read_compute,
)
from azext_amlk8s.operations.failure_context import operation_failed
from azext_amlk8s.operations.waiting import (
    FAILED_STATES,
    REFUSED_STATUSES,
    Awaited,
    Deadline,
    begin_deletion,
    read_after,
    wait_until_deleted,
)
from azext_amlk8s.refs import ClusterRef, ComputeRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient, Operation, StatePoller
    from azext_amlk8s.console.progress import ProgressLine

Resource = dict[str, Any]
# A compute whose state is not known yet.
UNREAD: Resource = {"properties": {"provisioningState": "InProgress"}}
UNRECEIVED_STATES = ("creating", "updating", "succeeded")


def begin_attach(client: AzureClient, request: AttachRequest, body: Mapping[str, Any]) -> Operation | StatePoller:
    """Send the PUT that attaches.

    If its response is lost or unusable, or the service refuses a repeated PUT because the first one is in progress,
    the compute is read: the operation is then followed by the state of the compute. Raises what the request raised
    otherwise.
    """
    return _begin_put(client, request.compute, body, lambda compute: not compare_compute(compute, request))


def begin_update(
    client: AzureClient, ref: ComputeRef, body: Mapping[str, Any], is_applied: Callable[[Resource], bool]
) -> Operation | StatePoller:
    """Send the PUT that updates; a lost response is treated as by `begin_attach`."""
    return _begin_put(
        client, ref, body, lambda compute: state_of(compute).lower() != "succeeded" or is_applied(compute)
    )


def begin_detach(client: AzureClient, ref: ComputeRef) -> Operation | StatePoller:
    """Send the DELETE that detaches; a lost response is treated as by `begin_deletion`."""
    return begin_deletion(lambda: client.begin_detach_compute(ref), lambda: read_compute(client, ref))


def _begin_put(
    client: AzureClient, ref: ComputeRef, body: Mapping[str, Any], is_requested: Callable[[Resource], bool]
) -> Operation | StatePoller:
    from azure.core.exceptions import AzureError

    try:
        return client.begin_put_compute(ref, body)
    except AzureError as error:
        if getattr(error, "status_code", None) in REFUSED_STATUSES:
            raise
        compute = read_after(error, lambda: read_compute(client, ref))
        if compute is None or state_of(compute).lower() not in UNRECEIVED_STATES or not is_requested(compute):
            raise
        return poll_compute(client, ref, compute)


def poll_compute(client: AzureClient, ref: ComputeRef, compute: Resource) -> StatePoller:
    """Follow an operation that this command did not begin, by the state of the compute."""
    from azext_amlk8s.azure import StatePoller

    read = partial(client.poll_compute, ref) if client.relaxed_polling else partial(read_compute, client, ref)
    return StatePoller(compute, read, relaxed=client.relaxed_polling)


@dataclass(frozen=True)
class TrackedOperation:
    """How an operation on a compute is followed.

    title is what progress and errors call it, such as "Attaching gpu to ws"; resume is the command that continues to
    wait; action is create, update or delete; extension is the one on the cluster, if known.
    """

    cmd: AzCliCommand
    client: AzureClient
    compute: ComputeRef
    title: str
    resume: str
    action: str
    deadline: Deadline
    cluster: ClusterRef | None = None
    extension: str = ""

    def follow(
        self,
        operation: Operation | StatePoller,
        then: Callable[[Any], StatePoller | None] | None = None,
        line: ProgressLine | None = None,
    ) -> Any:
        """The result of the operation, and of what then follows. Raises DeploymentError with what is known."""
        from azure.core.exceptions import HttpResponseError

        from azext_amlk8s.console.progress import follow
        from azext_amlk8s.diagnosis import compute_errors

        try:
            return follow(
                self.cmd, operation, self.title, self.resume, timeout=self.deadline.remaining, then=then, line=line
            )
        except HttpResponseError as error:
            messages = coded_lines(compute_errors(_compute_or_empty(self.client, self.compute)))
            context = failure_context(self.client, self.compute, self.cluster, self.action, self.extension)
            commands = next_commands(self.compute, self.cluster)
            raise operation_failed(self.title, error, messages, commands, context) from error


def follow_compute(tracked: TrackedOperation, operation: Operation | StatePoller) -> Resource:
    """The compute at the end of an operation that creates or updates it.

    The state of the compute decides, whatever the operation reports. Raises DeploymentError with what is known of a
    failure, and after the deadline with the command that continues to wait.
    """
    from azure.cli.core.azclierror import DeploymentError

    client, ref = tracked.client, tracked.compute

    def remaining(result: Any) -> StatePoller | None:
        return None if _is_final(result) else poll_compute(client, ref, UNREAD)

    compute = tracked.follow(operation, remaining)
    if compute is None:
        raise DeploymentError(
            f"{tracked.title} failed: compute '{ref.name}' does not exist afterwards.",
            recommendation=next_commands(ref, tracked.cluster),
        )
    if state_of(compute).lower() in FAILED_STATES:
        raise compute_failed(client, ref, compute, tracked.action)
    return dict(compute)


def follow_detach(tracked: TrackedOperation, operation: Operation | StatePoller) -> None:
    """Follow a detachment until the compute cannot be read any more; its operation ends earlier."""
    from azext_amlk8s.console.progress import ProgressLine

    client, ref = tracked.client, tracked.compute
    line = ProgressLine(tracked.cmd, tracked.title)
    tracked.follow(operation, line=line)
    awaited = Awaited(ref.name, lambda: client.find(ref.id), tracked.resume, tracked.resume)
    wait_until_deleted(awaited, tracked.deadline.remaining, line=line)


def _is_final(compute: object) -> bool:
    return isinstance(compute, dict) and state_of(compute).lower() in ("succeeded", *FAILED_STATES)


def _compute_or_empty(client: AzureClient, ref: ComputeRef) -> Resource:
    from azure.core.exceptions import AzureError

    try:
        return client.get_compute(ref)
    except AzureError:
        return {}


def log_continues(resume: str) -> None:
    """Log how to follow an operation after --no-wait; az prints nothing to stdout then."""
    from knack.log import get_logger

    get_logger(__name__).warning("The operation continues in Azure. To follow it: %s", resume)


def warn_about_endpoints(client: AzureClient, ref: ComputeRef) -> None:
    """Warn of the online endpoints on a compute that is to be detached."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    from azext_amlk8s.operations.running_workloads import compute_of

    log = get_logger(__name__)
    try:
        endpoints = client.list_all(f"{ref.workspace.id}/onlineEndpoints")
    except HttpResponseError:
        log.warning(
            "Could not list the endpoints of workspace '%s'. Those on compute '%s' will stop responding.",
            ref.workspace.name,
            ref.name,
        )
        return
    for endpoint in endpoints:
        if compute_of(endpoint, [ref]):
            log.warning("Endpoint '%s' on compute '%s' will stop responding.", endpoint.get("name"), ref.name)
