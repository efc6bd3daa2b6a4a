"""The rate of requests to Resource Manager: the published buckets, their headers, rejections, polls."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from azext_amlk8s.azure.rate_limiter import RESERVE, Bucket, RateLimiter, polling_requests
from azext_amlk8s.time_limit import TimeLimitExceeded, set_time_limit

URL = "https://management.azure.com/subscriptions/S1/resourceGroups/g/providers/Microsoft.Relay/namespaces/n?api-version=1"
OTHER = URL.replace("S1", "S2")


def taken(bucket: Bucket, now: float) -> int:
    """How many requests the bucket admits at once."""
    count = 0
    while bucket.take(now, 0) == 0:
        count += 1
    return count


def send(limiter: RateLimiter, url: str = URL, method: str = "PUT", status: int = 200, **headers: str) -> None:
    lane = limiter.wait(method, url)
    response = SimpleNamespace(
        status_code=status, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    limiter.note(lane, method, url, SimpleNamespace(http_response=response))


def test_a_bucket_admits_its_size_at_once_and_then_its_rate() -> None:
    bucket = Bucket(200, 10, 100)
    assert taken(bucket, 100) == 200
    assert bucket.take(100, 0) == pytest.approx(0.1)
    assert taken(bucket, 101) == 10
    assert taken(bucket, 1000) == 200


def test_a_bucket_follows_what_the_service_says() -> None:
    bucket = Bucket(200, 10, 0)
    for _ in range(3):
        bucket.take(0, 0)
    bucket.end()
    bucket.correct(0, 7)
    assert taken(bucket, 0) == 5  # two of the three are not counted by the service yet
    for _ in range(7):
        bucket.end()
    bucket.correct(1, 50)  # it fills five times as fast as published
    assert taken(bucket, 1) == 50


def test_a_rejection_may_say_milliseconds() -> None:
    clock = [0.0]
    limiter = RateLimiter(lambda: clock[0])
    send(limiter, status=429, x_ms_retry_after_ms="7000")
    clock[0] = 5
    set_time_limit(0.2)
    try:
        with pytest.raises(TimeLimitExceeded):
            send(limiter)
        clock[0] = 7 + (RESERVE + 1) / 10
        send(limiter)
    finally:
        set_time_limit(None)


def test_a_reserve_is_kept() -> None:
    bucket = Bucket(10, 1, 0)
    while bucket.take(0, 4) == 0:
        pass
    assert bucket.tokens == 4


def test_a_rejected_request_stops_those_of_its_bucket_for_retry_after() -> None:
    clock = [0.0]
    limiter = RateLimiter(lambda: clock[0])
    send(limiter, status=429, Retry_After="7", x_ms_ratelimit_remaining_subscription_writes="0")
    set_time_limit(0.2)
    try:
        with pytest.raises(TimeLimitExceeded):
            send(limiter)
        set_time_limit(0.2)
        send(limiter, method="GET")
        send(limiter, method="DELETE")
        send(limiter, OTHER)
        clock[0] = 7 + (RESERVE + 1) / 10
        send(limiter)
    finally:
        set_time_limit(None)


def test_a_provider_that_throttles_by_itself_is_left_alone() -> None:
    clock = [0.0]
    limiter = RateLimiter(lambda: clock[0])
    send(limiter, status=429, Retry_After="7", x_ms_ratelimit_remaining_subscription_writes="150")
    set_time_limit(0.2)
    try:
        send(limiter, URL.replace("Relay", "ContainerService"))
        with pytest.raises(TimeLimitExceeded):
            send(limiter)
    finally:
        set_time_limit(None)


def test_a_very_long_retry_after_does_not_stop_other_requests() -> None:
    limiter = RateLimiter()
    send(limiter, status=429, Retry_After="3600")
    begin = time.monotonic()
    send(limiter)
    assert time.monotonic() - begin < 1


def test_each_region_has_its_own_buckets() -> None:
    limiter = RateLimiter(lambda: 0.0)
    full = {"x_ms_ratelimit_remaining_subscription_writes": "100"}
    send(limiter, x_ms_routing_request_id="EASTUS:1", x_ms_ratelimit_remaining_subscription_writes="3")
    send(limiter, method="GET", x_ms_routing_request_id="WESTUS:1")
    set_time_limit(0.2)
    try:
        send(limiter, x_ms_routing_request_id="WESTUS:1", **full)
        send(limiter, method="GET", x_ms_routing_request_id="EASTUS:1")
        with pytest.raises(TimeLimitExceeded):
            send(limiter)
    finally:
        set_time_limit(None)


def test_polls_wait_for_other_requests_while_tokens_are_few() -> None:
    limiter = RateLimiter(lambda: 0.0)
    send(limiter, method="GET", x_ms_ratelimit_remaining_subscription_reads="20")
    set_time_limit(0.2)
    try:
        with polling_requests(), pytest.raises(TimeLimitExceeded):
            send(limiter, method="GET")
        set_time_limit(0.2)
        send(limiter, method="GET")
    finally:
        set_time_limit(None)


def test_many_threads_share_a_bucket() -> None:
    limiter = RateLimiter()
    send(limiter, x_ms_ratelimit_remaining_subscription_writes=str(RESERVE + 5))
    begin = time.monotonic()
    threads = [threading.Thread(target=send, args=(limiter,)) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.8 < time.monotonic() - begin < 5
