"""The rate of requests to Azure Resource Manager: as many as its token buckets admit, for the whole process.

https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition, Lock
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy

from azext_amlk8s.azure.retry_policy import MOST_RETRY_AFTER_SECONDS, BoundedRetryPolicy
from azext_amlk8s.knowledge import load
from azext_amlk8s.time_limit import time_left

# Tokens that are left for other programs of the same user, and for requests that were counted too late.
RESERVE = 10
# Polls are the first to wait: an operation does not end earlier when it is polled more often.
POLL_RESERVE = 0.2
MOST_POLL_SECONDS = 30.0
REMAINING = "x-ms-ratelimit-remaining-"
_is_poll: ContextVar[bool] = ContextVar("is_poll", default=False)


class Bucket:
    """One token bucket as the service last described it, and the requests since. Times are those of a clock in seconds.

    It starts with the published size and rate. A response says how many tokens remain; a service that fills the bucket
    faster than published is noticed by that.
    """

    def __init__(self, size: float, rate: float, now: float) -> None:
        self.size, self.rate = size, rate
        self.tokens, self._filled, self._blocked_until = float(size), now, 0.0
        self._in_flight = 0

    def take(self, now: float, reserve: float) -> float:
        """Take a token, and return 0; or the seconds until there will be one above the reserve."""
        self._fill(now)
        wait = max(self._blocked_until - now, (1 + reserve - self.tokens) / self.rate, 0.0)
        if wait <= 0:
            self.tokens -= 1
            self._in_flight += 1
        return wait

    def end(self) -> None:
        """A request that took a token has ended."""
        self._in_flight = max(self._in_flight - 1, 0)

    def correct(self, now: float, remaining: float) -> None:
        """A response says how many tokens remain."""
        self._filled = now
        # The service may not have counted those that are still on their way.
        self.tokens = remaining - self._in_flight
        self.size = max(self.size, remaining)

    def block(self, now: float, seconds: float) -> None:
        """Admit nothing for so long: the service has rejected a request."""
        self._fill(now)
        self._blocked_until = max(self._blocked_until, now + seconds)
        self.tokens = min(self.tokens, 0.0)

    def _fill(self, now: float) -> None:
        self.tokens = min(self.size, self.tokens + max(now - self._filled, 0.0) * self.rate)
        self._filled = max(now, self._filled)


class Lane:
    """The requests of one bucket that wait, one after the other: the first one alone looks at the bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.changed = bucket, Condition(Lock())
        self.turns = {False: Lock(), True: Lock()}


class RateLimiter:
    """Token buckets by subscription, region of Resource Manager and kind of operation; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._lanes: dict[tuple[str, str, str], Lane] = {}
        self._regions: dict[str, str] = {}
        # Until when a resource provider that throttles by itself is left alone, by subscription.
        self._pauses: dict[tuple[str, str], float] = {}
        self._kinds = {method: kind for kind in KINDS for method in load("limits")["arm"][kind]["methods"]}

    def wait(self, method: str, url: str) -> Lane:
        """Wait until a request may be sent. Raises TimeLimitExceeded at the time limit of the command."""
        while (pause := self._pauses.get(_provider(url), 0.0) - self._clock()) > 0:
            time.sleep(time_left(pause))
        lane, is_poll = self._lane(method, url), _is_poll.get()
        began = self._clock()
        with lane.turns[is_poll], lane.changed:
            while True:
                now = self._clock()
                yields = is_poll and now - began < MOST_POLL_SECONDS
                reserve = max(lane.bucket.size * POLL_RESERVE, RESERVE) if yields else RESERVE
                seconds = lane.bucket.take(now, min(reserve, lane.bucket.size - 1))
                if seconds <= 0:
                    return lane
                lane.changed.wait(time_left(seconds))

    def note(self, lane: Lane, method: str, url: str, response: PipelineResponse[Any, Any] | None = None) -> None:
        """A request of the lane has ended, with this response or without one."""
        headers: Mapping[str, str] = response.http_response.headers if response else {}
        is_throttled = response is not None and response.http_response.status_code == 429
        wait = (RETRIES.get_retry_after(response) or 1.0) if is_throttled else 0.0
        if region := str(headers.get("x-ms-routing-request-id") or "").partition(":")[0]:
            self._regions[_host(url)] = region
        kind, now = self._kinds.get(method, "writes"), self._clock()
        remaining = _remaining(headers, kind)
        with lane.changed:
            lane.bucket.end()
        lane = self._lane(method, url)
        with lane.changed:
            if remaining is not None:
                lane.bucket.correct(now, remaining)
            if is_throttled and wait <= MOST_RETRY_AFTER_SECONDS:
                if remaining:  # the resource provider has limits of its own
                    self._pauses[_provider(url)] = now + wait
                else:
                    lane.bucket.block(now, wait)
            lane.changed.notify_all()

    def _lane(self, method: str, url: str) -> Lane:
        kind = self._kinds.get(method, "writes")
        key = (_subscription(url), self._regions.get(_host(url), ""), kind)
        with self._lock:
            if key not in self._lanes:
                limits = load("limits")["arm"][kind]
                # Until the first response names the region, requests count for whichever region it will be.
                unnamed = self._lanes.pop((key[0], "", kind), None) if key[1] else None
                self._lanes[key] = unnamed or Lane(Bucket(limits["size"], limits["rate"], self._clock()))
            return self._lanes[key]


KINDS = ("reads", "writes", "deletes")
LIMITER = RateLimiter()
RETRIES = BoundedRetryPolicy()


@contextmanager
def polling_requests() -> Iterator[None]:
    """Requests inside, in this thread, poll: they wait while tokens are few."""
    token = _is_poll.set(True)
    try:
        yield
    finally:
        _is_poll.reset(token)


class RateLimitPolicy(HTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Waits before each attempt of a request until the service will admit it; it stands after the retry policy."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The response of the next policy. Raises TimeLimitExceeded."""
        method, url = request.http_request.method, request.http_request.url
        lane = LIMITER.wait(method, url)
        try:
            response = self.next.send(request)
        except BaseException:
            LIMITER.note(lane, method, url)
            raise
        LIMITER.note(lane, method, url, response)
        return response


def _remaining(headers: Mapping[str, str], kind: str) -> float | None:
    """The tokens that remain in the emptiest bucket of those that the request counts for; None where it is not said."""
    counts = [
        float(value)
        for name, value in headers.items()
        if name.lower().startswith(REMAINING) and name.lower().endswith(f"-{kind}") and str(value).isdecimal()
    ]
    return min(counts, default=None)


def _provider(url: str) -> tuple[str, str]:
    """The subscription and the resource provider of a request."""
    return _subscription(url), url.lower().split("?", 1)[0].rpartition("/providers/")[2].partition("/")[0]


def _host(url: str) -> str:
    return url.lower().partition("://")[2].partition("/")[0]


def _subscription(url: str) -> str:
    """The subscription of a request in lower case; empty for one at the level of the tenant."""
    parts = url.lower().split("?", 1)[0].split("/")
    return parts[4] if len(parts) > 4 and parts[3] == "subscriptions" else ""
