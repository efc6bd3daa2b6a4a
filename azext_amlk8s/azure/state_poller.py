"""Wait for a resource whose operation was started by someone else, by reading it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from azext_amlk8s.azure.operation import LONGEST_DELAY_SECONDS

TERMINAL = ("succeeded", "failed", "canceled", "cancelled")


class StatePoller:
    """Reads a resource until its provisioningState is terminal, with the interface of Operation.

    resource is its last known state; read reads it and returns None when it no longer exists. Raises what read raises.
    """

    def __init__(self, resource: dict[str, Any] | None, read: Callable[[], dict[str, Any] | None]) -> None:
        self._resource, self._read, self._next = resource, read, time.monotonic()

    def done(self) -> bool:
        """Whether the state is terminal or the resource no longer exists."""
        return self._resource is None or self.status().lower() in TERMINAL

    def status(self) -> str:
        """The provisioningState, or Deleted."""
        if self._resource is None:
            return "Deleted"
        return str((self._resource.get("properties") or {}).get("provisioningState") or "Succeeded")

    def wait(self, seconds: float) -> None:
        """Sleep, then read the resource if the last read is long enough ago."""
        time.sleep(seconds)
        if time.monotonic() >= self._next:
            self._resource = self._read()
            self._next = time.monotonic() + LONGEST_DELAY_SECONDS

    def result(self) -> dict[str, Any] | None:
        """The resource as it was last read."""
        return self._resource
