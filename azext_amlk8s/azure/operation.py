"""Long-running operations of ARM."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.polling import LROPoller


def polling(*, relaxed: bool = False) -> Any:
    """An azure-core polling method that polls after 0.5 s, then ever more slowly up to 1.5 s; rarely when relaxed."""
    from azext_amlk8s.azure.poll_schedule import PollSchedule
    from azext_amlk8s.azure.resilient_polling import ResilientPolling

    return ResilientPolling(PollSchedule(relaxed=relaxed))


class Operation:
    """A long-running operation that Azure has accepted."""

    def __init__(self, poller: LROPoller[Any], to_dict: Callable[[Any], Any] | None = None) -> None:
        self._poller = poller
        self._to_dict = to_dict or (lambda value: value)

    def done(self) -> bool:
        """Whether it has ended, successfully or not."""
        return bool(self._poller.done())

    def status(self) -> str:
        """The state that the service reported last, such as Creating or Succeeded."""
        return str(self._poller.status())

    @property
    def problem(self) -> str:
        """Why the last poll failed, empty where it did not."""
        return str(getattr(self._poller.polling_method(), "problem", ""))

    def wait(self, seconds: float) -> None:
        """Sleep until it ends, or for that many seconds."""
        deadline = time.monotonic() + seconds
        # In the main thread Ctrl-C has to be noticed soon, also on Windows, where it does not interrupt a wait.
        longest = 0.1 if threading.current_thread() is threading.main_thread() else seconds
        while not self.done() and (left := deadline - time.monotonic()) > 0:
            self._poller.wait(min(left, longest))

    def started(self) -> Mapping[str, Any] | None:
        """The resource in the response that accepted the operation; None for a deletion."""
        method: Any = self._poller.polling_method()
        response = method.first_response()
        return response.json() if response.text() else None

    def result(self) -> Any:
        """The resource at the end, None for a deletion. Raises HttpResponseError for a failure, LostTrack."""
        return self._to_dict(self._poller.result())
