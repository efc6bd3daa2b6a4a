"""Timeouts and retries of requests to Azure, for both clients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.policies import HTTPPolicy, RetryPolicy

from azext_amlk8s.daemon_threads import call_within
from azext_amlk8s.time_limit import is_time_up, time_left

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 10, 60
# One attempt with all of its response, which may arrive byte by byte, and with a new token.
ATTEMPT_SECONDS = 100
MOST_RETRY_AFTER_SECONDS = 120
TIMEOUTS = {"connection_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}


def attempt(function: Callable[..., T], *args: Any) -> T:
    """The result of a function that sends a request.

    Raises TimeLimitExceeded, and ServiceResponseTimeoutError where it takes longer than an attempt may.
    """
    try:
        result: T = call_within(time_left(ATTEMPT_SECONDS), function, *args)
    except TimeoutError as error:
        time_left(ATTEMPT_SECONDS)
        raise ServiceResponseTimeoutError(str(error), error=error) from error
    return result


class BoundedRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's policy with fewer retries, which end with the time limit of the command.

    A service that asks to wait for long, or for longer than the command has time, is not waited for.
    """

    def __init__(self, **kwargs: Any) -> None:
        limits = {"retry_total": 5, "retry_connect": 3, "retry_read": 2, "retry_status": 5, "retry_backoff_max": 30}
        super().__init__(**{**kwargs, **{key: kwargs.get(key, value) for key, value in limits.items()}})
        # Every POST of these clients reads: listKeys, listClusterUserCredential.
        self._method_whitelist |= {"POST"}

    def get_retry_after(self, response: Any) -> float | None:
        """The seconds that a response asks to wait; None where it does not, or not in a form that can be read."""
        try:
            seconds = super().get_retry_after(response)
        except (ValueError, TypeError, OverflowError):
            return None
        return seconds if seconds is not None and 0 <= seconds < math.inf else None

    def is_retry(self, settings: Any, response: Any) -> bool:
        """Whether the response is to be followed by another attempt."""
        wait = self.get_retry_after(response) or 0
        if wait > MOST_RETRY_AFTER_SECONDS or is_time_up() or wait > time_left(MOST_RETRY_AFTER_SECONDS):
            return False
        # A request that is throttled had no effect, whatever its method.
        is_throttled = response.http_response.status_code == 429 and settings["total"] > 0
        return is_throttled or bool(super().is_retry(settings, response))

    def sleep(self, settings: Any, transport: Any, response: Any = None) -> None:
        """Sleep before another attempt, as long as the response or the schedule says. Raises TimeLimitExceeded."""
        wait = (self.get_retry_after(response) if response else None) or self.get_backoff_time(settings)
        transport.sleep(time_left(wait))


class TimeLimitPolicy(HTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Ends every attempt of a request with the time limit of the command; it stands after the retry policy.

    The policies after it get a token, which may take requests of its own, send the request and read the response.
    """

    def send(self, request: Any) -> Any:
        """The response. Raises TimeLimitExceeded, and ServiceResponseTimeoutError where an attempt takes too long."""
        options = request.context.options
        options.update({name: time_left(seconds) for name, seconds in TIMEOUTS.items()})
        return attempt(self.next.send, request)
