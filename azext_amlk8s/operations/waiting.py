"""Waiting for a resource to meet a condition. The exit code is 1 if it does not; az's own wait commands exit with 0."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

Resource = Mapping[str, Any]
FAILED_STATES = ("failed", "canceled", "cancelled")


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


def wait_for(
    read: Callable[[], Resource | None],
    condition: Condition,
    interval: float,
    timeout: float,
    name: str,
    show_command: str,
    failure: Callable[[Resource], Exception] | None = None,
) -> None:
    """Read until the condition is met; interval and timeout are in seconds.

    Raises DeploymentError after the timeout, and what `failure` returns for a resource that failed and so can no
    longer be created or updated. Ctrl-C raises ManualInterrupt.
    """
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt

    condition.validate()
    deadline = Deadline(timeout)
    try:
        while not condition.is_met(resource := _read_patiently(read, interval, deadline)):
            if (
                failure
                and resource
                and (condition.created or condition.updated)
                and _state(resource).lower() in FAILED_STATES
            ):
                raise failure(resource)
            if deadline.expired:
                state = "does not exist" if resource is None else f"is in state {_state(resource)}"
                seconds = "second" if timeout == 1 else "seconds"
                raise DeploymentError(
                    f"Stopped waiting after {timeout:g} {seconds}. '{name}' {state}.", recommendation=show_command
                )
            time.sleep(min(interval, deadline.remaining))
    except KeyboardInterrupt:
        raise ManualInterrupt(f"Stopped waiting for '{name}'.", recommendation=show_command) from None


def _read_patiently(read: Callable[[], Resource | None], interval: float, deadline: Deadline) -> Resource | None:
    """The resource; a read that fails for a reason that may pass is repeated until the deadline."""
    from azure.core.exceptions import AzureError, HttpResponseError

    while True:
        try:
            return read()
        except AzureError as error:
            status = error.status_code if isinstance(error, HttpResponseError) else None
            permanent = status is not None and 400 <= status < 500 and status not in (408, 409, 429)
            if permanent or deadline.expired:
                raise
            time.sleep(min(interval, deadline.remaining))


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
    except JMESPathError as error:
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
