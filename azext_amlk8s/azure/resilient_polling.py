"""The polling of long-running operations of ARM, through failing polls."""

from __future__ import annotations

import time
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.polling.base_polling import BadResponse, BadStatus
from azure.mgmt.core.polling.arm_polling import ARMPolling

from azext_amlk8s.azure.auth_policy import absolute_url
from azext_amlk8s.azure.poll_schedule import (
    FAILED_POLLS_BEFORE_READING,
    LONGEST_DELAY_SECONDS,
    LOST_SECONDS,
    MOST_RETRY_AFTER_SECONDS,
    LostTrack,
    PollSchedule,
)
from azext_amlk8s.azure.rate_limiter import polling_requests


class ResilientPolling(ARMPolling):
    """ARMPolling with its own schedule, and with patience.

    A Retry-After of the service is never undercut, up to a minute. A failed poll (404, 403, 5xx, a web page, no
    network) is repeated; after two of them the resource itself is read, whose provisioningState may be terminal.
    """

    _failed_polls = 0
    _last_success = 0.0
    problem = ""

    def __init__(self, schedule: PollSchedule) -> None:
        # Without a Retry-After the library uses this number of seconds; the schedule replaces it.
        super().__init__(0)
        self._schedule = schedule

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


def _provisioning_state(pipeline_response: Any) -> str:
    """The provisioningState of a resource, empty where the response has none."""
    response = pipeline_response.http_response
    body = response.json() if response.status_code < 400 and response.content else {}
    return str((body.get("properties") or {}).get("provisioningState") or "")
