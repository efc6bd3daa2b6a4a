"""Wait for a resource whose operation was started by someone else, by reading it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from azext_amlk8s.azure.poll_schedule import LONGEST_DELAY_SECONDS, LOST_SECONDS, LostTrack, PollSchedule

TERMINAL = ("succeeded", "failed", "canceled", "cancelled")


class StatePoller:
    """Reads a resource until its provisioningState is terminal, with the interface of Operation.

    resource is its last known state; read reads it and returns None when it no longer exists. A failed
    read is repeated; problem says why the last one failed. relaxed: it is read as rarely as one of many operations.
    """

    def __init__(
        self,
        resource: dict[str, Any] | None,
        read: Callable[[], dict[str, Any] | None],
        *,
        relaxed: bool = False,
    ) -> None:
        self._resource, self._read = resource, read
        self._schedule = PollSchedule(relaxed=True) if relaxed else None
        self._next = time.monotonic() + (self._schedule.next_delay() if self._schedule else 0.0)
        self._last_success = time.monotonic()
        self.problem = ""

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
        if time.monotonic() < self._next:
            return
        from azext_amlk8s.azure.rate_limiter import polling_requests

        try:
            with polling_requests():
                self._resource = self._read()
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._note_failure(error)
        else:
            self.problem, self._last_success = "", time.monotonic()
        delay = self._schedule.next_delay() if self._schedule else LONGEST_DELAY_SECONDS
        self._next = time.monotonic() + delay

    def _note_failure(self, error: Exception) -> None:
        """Keep polling after a failed read, unless the failure is permanent."""
        from azure.cli.core.azclierror import ResourceNotFoundError
        from azure.core.exceptions import AzureError, HttpResponseError

        status = error.status_code if isinstance(error, HttpResponseError) else None
        if isinstance(error, ResourceNotFoundError):
            status = 404  # the cluster, the workspace or the resource group, which existed before
        elif not isinstance(error, AzureError) or status == 401:
            raise error
        self.problem = f"status {status}" if status and status >= 400 else "no usable response"
        if time.monotonic() - self._last_success > LOST_SECONDS:
            raise LostTrack(self.problem) from error

    def started(self) -> dict[str, Any] | None:
        """The resource as it was last read, as for an operation that was just accepted."""
        return self._resource

    def result(self) -> dict[str, Any] | None:
        """The resource as it was last read."""
        return self._resource
