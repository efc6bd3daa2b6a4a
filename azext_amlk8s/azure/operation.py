"""Long-running operations of ARM: polled often at first, then more rarely, and through failing polls."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

FIRST_DELAY_SECONDS = 0.5
# With the request itself, an end is noticed within two seconds.
LONGEST_DELAY_SECONDS = 1.5
# A longer Retry-After is undercut, so that a time limit of the command is kept.
MOST_RETRY_AFTER_SECONDS = 60
# How long polls may fail one after another before the operation is given up.
LOST_SECONDS = 600
FAILED_POLLS_BEFORE_READING = 2


# Of many operations at the same time each is polled after a part of the time that it has taken, within these bounds.
RELAXED_SHARE, RELAXED_SECONDS = 0.3, (1.0, 30.0)


class PollSchedule:
    """The seconds between polls: short and growing; or relaxed, in proportion to the time that has passed.

    Relaxed ones differ at random, so that operations that began together are not polled together.
    """

    def __init__(self, *, relaxed: bool = False) -> None:
        self._relaxed, self._begin, self._next = relaxed, time.monotonic(), FIRST_DELAY_SECONDS

    def next_delay(self) -> float:
        """The seconds until the next poll."""
        if self._relaxed:
            least, most = RELAXED_SECONDS
            elapsed = time.monotonic() - self._begin
            return min(max(elapsed * RELAXED_SHARE, least), most) * random.uniform(0.8, 1.2)  # noqa: S311  # not for cryptography
        delay = self._next
        self._next = min(self._next * 1.25, LONGEST_DELAY_SECONDS)
        return delay


class LostTrack(Exception):
    """The state of an operation could not be read for a long time; it may still be running."""


def polling(*, relaxed: bool = False) -> Any:  # pylint: disable=too-many-statements
    """An azure-core polling method that polls after 0.5 s, then ever more slowly up to 1.5 s; rarely when relaxed.

    A Retry-After of the service is never undercut, up to a minute. A failed poll (404, 403, 5xx, a web page, no
    network) is repeated; after two of them the resource itself is read, whose provisioningState may be terminal.
    """
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.core.polling.base_polling import BadResponse, BadStatus
    from azure.mgmt.core.polling.arm_polling import ARMPolling

    from azext_amlk8s.azure.auth_policy import absolute_url
    from azext_amlk8s.azure.rate_limiter import polling_requests

    class ResilientPolling(ARMPolling):
        """ARMPolling with its own schedule, and with patience."""

        _failed_polls = 0
        _last_success = 0.0
        problem = ""

        def __init__(self) -> None:
            # Without a Retry-After the library uses this number of seconds; the schedule replaces it.
            super().__init__(0)
            self._schedule = PollSchedule(relaxed=relaxed)

        def first_response(self) -> Any:
            """The HTTP response that accepted the operation."""
            return self._initial_response.http_response

        def status(self) -> str:
            status = str(super().status())
            return "Canceled" if status.lower() == "cancelled" else status

        def update_status(self) -> None:
            if not self._last_success:
                self._last_success = time.monotonic()
            try:
                super().update_status()
            except (AzureError, BadStatus, BadResponse, AttributeError, TypeError, ValueError) as error:
                code = self._status_code(error)
                if code == 401:  # the token was renewed, and the new one is rejected too
                    raise
                self._note_failure(error, code)
                if self._failed_polls > FAILED_POLLS_BEFORE_READING:
                    self._read_resource()
            else:
                self._failed_polls, self.problem, self._last_success = 0, "", time.monotonic()

        def _status_code(self, error: Exception) -> int | None:
            if isinstance(error, HttpResponseError):
                return error.status_code
            return None if isinstance(error, AzureError) else int(self._pipeline_response.http_response.status_code)

        def _note_failure(self, error: Exception, code: int | None) -> None:
            self._failed_polls += 1
            self.problem = f"status {code}" if code and code >= 400 else "no usable response"
            if time.monotonic() - self._last_success > LOST_SECONDS:
                raise LostTrack(self.problem) from error

        def _read_resource(self) -> None:
            """Take the state of the resource for that of the operation, whose own state cannot be read."""
            try:
                request = self._initial_response.http_request
                response = self.request_status(request.url)
                is_deletion = request.method == "DELETE"
                if response.http_response.status_code == 404 and is_deletion:
                    self._status = "Succeeded"
                    return
                state = _provisioning_state(response)
            except AzureError:
                return
            if state and not is_deletion:
                self._status, self._pipeline_response = state, response

        def _extract_delay(self) -> float:
            return max(self._schedule.next_delay(), min(self._requested_delay(), MOST_RETRY_AFTER_SECONDS))

        def _requested_delay(self) -> float:
            """The Retry-After of the last response, 0 where it has none that can be read."""
            try:
                return float(super()._extract_delay())
            except (ValueError, TypeError, OverflowError):
                return 0.0

        def _poll(self) -> None:
            if self._requested_delay():  # the response that accepted the operation has a Retry-After
                self._delay()
            super()._poll()

        def request_status(self, status_link: str) -> Any:
            status_link = absolute_url(self._initial_response.http_request.url, status_link)
            if self.finished() and not self._is_polling_url(status_link):
                return self._final_resource(status_link)
            with polling_requests():
                return super().request_status(status_link)

        def _is_polling_url(self, link: str) -> bool:
            url: str = absolute_url(self._initial_response.http_request.url, self._operation.get_polling_url())
            return link == url

        def _final_resource(self, link: str) -> Any:
            """The resource at the end of the operation, read again while it cannot be read."""
            while True:
                try:
                    response = super().request_status(link)
                except AzureError as error:
                    self._note_failure(error, self._status_code(error))
                else:
                    status = response.http_response.status_code
                    if status < 400:
                        return response
                    self._note_failure(BadStatus(f"status {status}"), status)
                self._sleep(LONGEST_DELAY_SECONDS)

    return ResilientPolling()


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


def _provisioning_state(pipeline_response: Any) -> str:
    """The provisioningState of a resource, empty where the response has none."""
    response = pipeline_response.http_response
    body = response.json() if response.status_code < 400 and response.content else {}
    return str((body.get("properties") or {}).get("provisioningState") or "")
