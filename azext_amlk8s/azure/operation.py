"""Long operations of ARM, asked after often at first and then more rarely."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

FIRST_DELAY_SECONDS = 0.5
# An end is noticed within two seconds, the way to Azure and back included.
LONGEST_DELAY_SECONDS = 1.5


def polling() -> Any:
    """An azure-core polling method that asks after 0.5 s, then ever more slowly up to 1.5 s.

    A Retry-After of the service is never undercut (field guide arm-protocol, section 6). Both spellings of cancelled
    end it.
    """
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    class FastFirstPolling(ARMPolling):
        """ARMPolling with a schedule of its own."""

        _next = FIRST_DELAY_SECONDS

        def first_response(self) -> Any:
            """The HTTP response that took the operation on."""
            return self._initial_response.http_response

        def status(self) -> str:
            word = str(super().status())
            return "Canceled" if word.lower() == "cancelled" else word

        def _extract_delay(self) -> float:
            delay = self._next
            self._next = min(self._next * 1.25, LONGEST_DELAY_SECONDS)
            return max(delay, super()._extract_delay())

        def _poll(self) -> None:
            if super()._extract_delay():  # the answer that took the operation on asks for patience
                self._delay()
            super()._poll()

    # Without a Retry-After the library takes this number; none is asked for then.
    return FastFirstPolling(0)


class Operation:
    """A long operation that Azure has taken on."""

    def __init__(self, poller: Any, to_dict: Callable[[Any], Any] | None = None) -> None:
        self._poller = poller
        self._to_dict = to_dict or (lambda value: value)

    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return bool(self._poller.done())

    def status(self) -> str:
        """The service's own word, such as Creating or Succeeded."""
        return str(self._poller.status())

    def wait(self, seconds: float) -> None:
        """Sleep until it ends, or until so many seconds are over."""
        deadline = time.monotonic() + seconds
        while not self.done() and (left := deadline - time.monotonic()) > 0:
            self._poller.wait(min(left, 0.1))

    def started(self) -> Mapping[str, Any] | None:
        """The resource as the service described it when it took the operation on; None for a removal."""
        response = self._poller.polling_method().first_response()
        return response.json() if response.text() else None

    def result(self) -> Any:
        """The resource at the end, None for a removal. Raises HttpResponseError when the operation failed."""
        return self._to_dict(self._poller.result())
