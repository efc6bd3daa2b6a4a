"""A resource that is on its way without us, read until it has arrived."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from azext_amlk8s.azure.operation import LONGEST_DELAY_SECONDS

TERMINAL = ("succeeded", "failed", "canceled", "cancelled")


class Settling:
    """What `follow` can follow: the provisioningState of a resource, whoever began to change it.

    resource is what was read last; read reads it again and returns None once it is gone. Raises what read raises.
    """

    def __init__(self, resource: dict[str, Any] | None, read: Callable[[], dict[str, Any] | None]) -> None:
        self._resource, self._read, self._next = resource, read, time.monotonic()

    def done(self) -> bool:
        """Whether it has ended, well or not, or is gone."""
        return self._resource is None or self.status().lower() in TERMINAL

    def status(self) -> str:
        """The service's own word."""
        if self._resource is None:
            return "Gone"
        return str((self._resource.get("properties") or {}).get("provisioningState") or "Succeeded")

    def wait(self, seconds: float) -> None:
        """Sleep so long, and look again when it is time."""
        time.sleep(seconds)
        if time.monotonic() >= self._next:
            self._resource = self._read()
            self._next = time.monotonic() + LONGEST_DELAY_SECONDS

    def result(self) -> dict[str, Any] | None:
        """The resource as it was read last."""
        return self._resource
