"""Waiting for a resource to meet a condition. The exit code is 1 if it does not; az's own wait commands exit with 0."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from azext_amlk8s.shell import quote
from azext_amlk8s.time_limit import TimeLimitExceeded, limit_in_words

if TYPE_CHECKING:
    from azext_amlk8s.azure import Operation, StatePoller
    from azext_amlk8s.console.progress import ProgressLine

Resource = Mapping[str, Any]
Read = Callable[[], dict[str, Any] | None]
FAILED_STATES = ("failed", "canceled", "cancelled")
# A write that is answered with one of these was not carried out.
REFUSED_STATUSES = (400, 401, 403, 404, 422, 429)
# A request that is answered with one of these may succeed later.
TRANSIENT = (408, 409, 429)
CONFIRMATION_SECONDS = 1
DELETED_INTERVAL_SECONDS = 2
# How long a resource may still be read as it was after its deletion has ended.
KEPT_SECONDS = 30


class Deadline:
    """The time limit of a whole command, in seconds; it starts when it is created."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """The seconds that are left, never negative."""
        return max(self._end - time.monotonic(), 0.0)

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining == 0.0


@dataclass(frozen=True)
class Condition:
    """The condition that the options of a wait command name; custom is a JMESPath expression."""

    created: bool = False
    updated: bool = False
    deleted: bool = False
    exists: bool = False
    custom: str | None = None

    def validate(self) -> None:
        """Raise an az error for no condition, for contradicting ones and for an invalid JMESPath expression."""
        from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

        present = any((self.created, self.updated, self.exists, self.custom))
        if not present and not self.deleted:
            raise RequiredArgumentMissingError(
                "Specify what to wait for: --created, --updated, --deleted, --exists or --custom.",
            )
        if present and self.deleted:
            raise MutuallyExclusiveArgumentError("--deleted cannot be combined with another condition.")
        if self.custom:
            with _query_errors(self.custom):
                _jmespath().compile(self.custom)

    @property
    def option(self) -> str:
        """The option that names the condition."""
        if self.custom:
            return f"--custom {quote(self.custom)}"
        names = ("created", "updated", "deleted", "exists")
        return next((f"--{name}" for name in names if getattr(self, name)), "")

    def is_failed(self, resource: Resource) -> bool:
        """Whether the resource failed, and so will not be created or updated any more."""
        return (self.created or self.updated) and _state(resource).lower() in FAILED_STATES

    def is_met(self, resource: Resource | None) -> bool:
        """Whether a resource, None if it does not exist, meets the condition."""
        if self.deleted:
            return resource is None
        if resource is None:
            return False
        if self.custom:
            with _query_errors(self.custom):
                return bool(_jmespath().search(self.custom, resource))
        return self.exists or _state(resource).lower() == "succeeded"


@dataclass(frozen=True)
class Awaited:
    """The resource that a command waits for: how it is read and called, and the commands that show it and go on."""

    name: str
    read: Callable[[], Resource | None]
    show_command: str
    wait_command: str


def wait_for(
    awaited: Awaited,
    condition: Condition,
    interval: float,
    timeout: float,
    failure: Callable[[Resource], Exception] | None = None,
    has_failed: Callable[[Resource], bool] | None = None,
    show: Callable[[Resource | None, str], None] | None = None,
) -> None:
    """Read until the condition is met; interval and timeout are in seconds.

    show is called before each pause, with the last known resource and why the last read failed.

    A read that fails is repeated, once one has succeeded also one that is refused. Raises DeploymentError after the
    timeout, and what `failure` returns for a resource that will never meet the condition: by default one that failed
    and so can no longer be created or updated. Ctrl-C raises ManualInterrupt.
    """
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt

    condition.validate()
    has_failed = has_failed or condition.is_failed
    reader = _Reader(awaited, Deadline(timeout))
    try:
        while not (reader.read() and condition.is_met(reader.resource) and reader.confirm()):
            if failure and reader.resource and has_failed(reader.resource):
                raise failure(reader.resource)
            if reader.deadline.expired:
                raise TimeLimitExceeded
            if show:
                show(reader.resource, reader.problem)
            time.sleep(min(interval, reader.deadline.remaining))
    except TimeLimitExceeded:
        raise DeploymentError(*reader.gave_up(limit_in_words(timeout))) from None
    except KeyboardInterrupt:
        raise ManualInterrupt(f"Stopped waiting for '{awaited.name}'.", recommendation=awaited.wait_command) from None


def begin_deletion(
    begin: Callable[[], Operation], read: Callable[[], dict[str, Any] | None]
) -> Operation | StatePoller:
    """The operation of a DELETE, which `begin` sends.

    If its response is lost or unusable, the resource is read: one that does not exist any more, or is being deleted, is
    followed by its state. Raises what the request raised otherwise.
    """
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure import StatePoller

    try:
        return begin()
    except AzureError as error:
        if (status := getattr(error, "status_code", None)) in REFUSED_STATUSES and status != 404:
            raise
        resource = read_after(error, read)
        if resource is not None and _state(resource).lower() != "deleting":
            raise
        return StatePoller(resource, read)


def read_after(error: Exception, read: Read) -> dict[str, Any] | None:
    """The resource after a write failed with this error, which is raised where the resource cannot be read either."""
    from azure.core.exceptions import AzureError

    try:
        return read()
    except AzureError:
        raise error from None


def wait_until_deleted(
    awaited: Awaited,
    timeout: float,
    recommendations: Sequence[str] = (),
    line: ProgressLine | None = None,
) -> None:
    """Read until the resource of a deletion that has ended does not exist any more; timeout is in seconds.

    line is the progress line of the deletion, which ends with it. Raises DeploymentError where the resource stays in a
    state other than Deleting: a gateway may have answered the request, and the service never got it.
    """
    from azure.cli.core.azclierror import DeploymentError

    end = time.monotonic() + KEPT_SECONDS

    def is_kept(resource: Resource) -> bool:
        return _state(resource).lower() != "deleting" and time.monotonic() > end

    def kept(resource: Resource) -> Exception:
        error: Exception = DeploymentError(
            f"The deletion of '{awaited.name}' was reported as complete, but it still exists in state "
            f"{_state(resource)}.",
            recommendation=[*recommendations, "Run the same command again."],
        )
        return error

    def show(_: Resource | None, problem: str) -> None:
        if line:
            line.show("Deleting", problem)

    limit = max(timeout, DELETED_INTERVAL_SECONDS)
    try:
        wait_for(awaited, Condition(deleted=True), DELETED_INTERVAL_SECONDS, limit, kept, is_kept, show)
        if line:
            line.end("Succeeded")
    finally:
        if line:
            line.clear()


class _Reader:
    """Reads a resource again and again; resource is its last known state, problem why the last read failed."""

    def __init__(self, awaited: Awaited, deadline: Deadline) -> None:
        self._awaited, self.deadline = awaited, deadline
        self.resource: Resource | None = None
        self.problem = "no response in time"
        self._succeeded = False

    def read(self) -> bool:
        """Whether the resource could be read. Raises for a permanent failure."""
        from azure.cli.core.azclierror import ResourceNotFoundError
        from azure.core.exceptions import AzureError, HttpResponseError

        try:
            self.resource = self._awaited.read()
        except (AzureError, ResourceNotFoundError) as error:
            status = error.status_code if isinstance(error, HttpResponseError) else None
            is_transient = isinstance(error, AzureError) and (status is None or status < 400 or status in TRANSIENT)
            if status == 401 or not (is_transient or self._succeeded or (status or 0) >= 500):
                raise
            self.problem = f"status {status}" if status and status >= 400 else "no usable response"
            return False
        self._succeeded, self.problem = True, ""
        return True

    def confirm(self) -> bool:
        """Whether a resource that does not exist any more is still missing in a second read."""
        if self.resource is not None:
            return True
        time.sleep(min(CONFIRMATION_SECONDS, self.deadline.remaining))
        return self.read() and self.resource is None

    def gave_up(self, waited: str) -> tuple[str, str]:
        """The message and the next command when the time is up."""
        name, state = self._awaited.name, _state(self.resource or {})
        if self.problem and self._succeeded and self.resource is not None:
            return (
                f"Lost track of it: '{name}' was {state} when last read; it may still be running. Reading its state "
                f"failed: {self.problem}. To follow it:"
            ), self._awaited.wait_command
        if self.problem:
            text = f"Stopped waiting after {waited}: the state of '{name}' cannot be read ({self.problem})."
            return text, self._awaited.wait_command
        state = "does not exist" if self.resource is None else f"is in state {state}"
        return f"Stopped waiting after {waited}. '{name}' {state}.", self._awaited.show_command


class _Queries(Protocol):
    """The functions of jmespath that are used."""

    def compile(self, expression: str) -> object: ...
    def search(self, expression: str, data: object) -> object: ...


@contextmanager
def _query_errors(expression: str) -> Iterator[None]:
    """Raise InvalidArgumentValueError for an invalid query, or one that does not fit the resource."""
    from azure.cli.core.azclierror import InvalidArgumentValueError
    from jmespath.exceptions import JMESPathError

    try:
        yield
    except (JMESPathError, RecursionError) as error:
        raise InvalidArgumentValueError(
            f"Invalid value '{expression}' for --custom; expected a JMESPath query that fits the resource: "
            f"{str(error).splitlines()[0]}",
            recommendation="--custom \"properties.provisioningState=='Succeeded'\"",
        ) from error


def _jmespath() -> _Queries:
    """The library, imported when a query is used."""
    import jmespath

    library: _Queries = jmespath
    return library


def _state(resource: Resource) -> str:
    return str((resource.get("properties") or {}).get("provisioningState") or "Unknown")
