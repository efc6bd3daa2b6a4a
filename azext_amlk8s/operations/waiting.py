"""Waiting for a resource to meet a condition, with an exit code that tells; az's own is 0 either way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

FAILED = ("failed", "canceled", "cancelled")


@dataclass(frozen=True)
class Condition:
    """What is waited for, as az's wait commands name it; custom is a JMESPath expression."""

    created: bool = False
    updated: bool = False
    deleted: bool = False
    exists: bool = False
    custom: str | None = None

    def check(self) -> None:
        """Raise RequiredArgumentMissingError for no condition, MutuallyExclusiveArgumentError for two that exclude
        each other, InvalidArgumentValueError for a custom that is none.
        """
        from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

        there = any((self.created, self.updated, self.exists, self.custom))
        if not there and not self.deleted:
            raise RequiredArgumentMissingError(
                "What shall be waited for is not given: --created, --updated, --deleted, --exists or --custom.",
                recommendation="--created",
            )
        if there and self.deleted:
            raise MutuallyExclusiveArgumentError("--deleted waits for the opposite of the other conditions.")
        if self.custom:
            with _of_custom(self.custom):
                _library().compile(self.custom)

    def met(self, resource: Mapping[str, Any] | None) -> bool:
        """Whether a resource, None where it is not there, meets the condition."""
        if self.deleted:
            return resource is None
        if resource is None:
            return False
        if self.custom:
            with _of_custom(self.custom):
                return bool(_library().search(self.custom, resource))
        return self.exists or _state(resource) == "succeeded"


def wait_for(
    read: Callable[[], Mapping[str, Any] | None],
    condition: Condition,
    interval: float,
    timeout: float,
    name: str,
    look: str,
    failed: Callable[[Mapping[str, Any]], Exception] | None = None,
) -> None:
    """Read until the condition is met; the times are in seconds.

    Raises DeploymentError when the time is up, with `look` to be pasted; what `failed` makes of a resource that failed
    and so can no more be created or updated.
    """
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt

    condition.check()
    deadline = time.monotonic() + timeout
    try:
        while not condition.met(resource := read()):
            if failed and resource and (condition.created or condition.updated) and _state(resource) in FAILED:
                raise failed(resource)
            if time.monotonic() >= deadline:
                state = "not there" if resource is None else _word(resource)
                raise DeploymentError(f"After {timeout:g} seconds {name} is {state}.", recommendation=look)
            time.sleep(min(interval, max(deadline - time.monotonic(), 0)))
    except KeyboardInterrupt:
        raise ManualInterrupt(f"No longer waiting for {name}.", recommendation=look) from None


@contextmanager
def _of_custom(expression: str) -> Iterator[None]:
    """Words for an expression that is no JMESPath, or that does not fit the resource."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    try:
        yield
    except _library().exceptions.JMESPathError as error:
        raise InvalidArgumentValueError(
            f"--custom {expression} is not a JMESPath expression that fits: {str(error).splitlines()[0]}",
            recommendation="--custom \"properties.provisioningState=='Succeeded'\"",
        ) from error


def _library() -> Any:
    """jmespath, imported when it is needed."""
    import jmespath

    return jmespath


def _word(resource: Mapping[str, Any]) -> str:
    return str((resource.get("properties") or {}).get("provisioningState") or "of an unknown state")


def _state(resource: Mapping[str, Any]) -> str:
    return _word(resource).lower()
