"""Waiting for a resource to meet a condition, with an exit code that tells; az's own is 0 either way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
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
        """Raise RequiredArgumentMissingError for no condition, InvalidArgumentValueError for a custom that is none."""
        from azure.cli.core.azclierror import InvalidArgumentValueError, RequiredArgumentMissingError

        if not any((self.created, self.updated, self.deleted, self.exists, self.custom)):
            raise RequiredArgumentMissingError(
                "What shall be waited for is not given: --created, --updated, --deleted, --exists or --custom.",
                recommendation="--created",
            )
        if self.custom:
            import jmespath

            try:
                jmespath.compile(self.custom)
            except jmespath.exceptions.ParseError as error:
                raise InvalidArgumentValueError(
                    f"--custom {self.custom} is not a JMESPath expression: {str(error).splitlines()[0]}",
                    recommendation="--custom \"properties.provisioningState=='Succeeded'\"",
                ) from error

    def met(self, resource: Mapping[str, Any] | None) -> bool:
        """Whether a resource, None where it is not there, meets the condition."""
        if self.deleted:
            return resource is None
        if resource is None:
            return False
        if self.custom:
            import jmespath

            return bool(jmespath.search(self.custom, resource))
        return self.exists or _state(resource) == "succeeded"


def wait_for(
    cmd: Any,
    read: Callable[[], Mapping[str, Any] | None],
    condition: Condition,
    interval: float,
    timeout: float,
    name: str,
    look: str,
) -> None:
    """Read until the condition is met. Raises DeploymentError when it can no more be met, or when the time is up."""
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt

    condition.check()
    deadline = time.monotonic() + timeout
    try:
        while not condition.met(resource := read()):
            if (condition.created or condition.updated) and resource is not None and _state(resource) in FAILED:
                raise DeploymentError(f"{name} is {_word(resource)}; it will not be Succeeded.", recommendation=look)
            if time.monotonic() >= deadline:
                state = "not there" if resource is None else _word(resource)
                raise DeploymentError(f"After {timeout:g} seconds {name} is {state}.", recommendation=look)
            time.sleep(min(interval, max(deadline - time.monotonic(), 0)))
    except KeyboardInterrupt:
        raise ManualInterrupt(f"No longer waiting for {name}.", recommendation=look) from None


def _word(resource: Mapping[str, Any]) -> str:
    return str((resource.get("properties") or {}).get("provisioningState") or "of an unknown state")


def _state(resource: Mapping[str, Any]) -> str:
    return _word(resource).lower()
