"""The sandbox's token buckets: sizes, rates, headers and the response to a request without a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.azure.errors import ArmError
from sandbox.azure.throttling import Throttle
from sandbox.world import Bucket, Throttling
from tests.contract.in_process import AKS, sandbox

READS, WRITES = "x-ms-ratelimit-remaining-subscription-reads", "x-ms-ratelimit-remaining-subscription-writes"
ALICE, BOB = {"oid": "alice"}, {"oid": "bob"}


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def exhaust(throttle: Throttle, method: str, path: str, claims: dict[str, str]) -> tuple[int, ArmError]:
    """How many requests pass at once, and the error of the next one."""
    for count in range(10_000):
        try:
            throttle.admit(method, path, claims)
        except ArmError as error:
            return count, error
    raise AssertionError("nothing is throttled")


@pytest.mark.parametrize(
    ("method", "size", "rate"), [("GET", 250, 25), ("PUT", 200, 10), ("POST", 200, 10), ("DELETE", 200, 10)]
)
@pytest.mark.parametrize("path", ["/subscriptions/s/resourceGroups/g", "/providers/Microsoft.Kubernetes/x"])
def test_the_published_sizes_and_rates(method: str, size: int, rate: int, path: str) -> None:
    clock = Clock()
    throttle = Throttle(Throttling(), clock)
    count, error = exhaust(throttle, method, path, ALICE)
    assert (count, error.status, error.headers["Retry-After"]) == (size, 429, "1")
    clock.now += 1
    assert exhaust(throttle, method, path, ALICE)[0] == rate
    clock.now += 1000
    assert exhaust(throttle, method, path, ALICE)[0] == size


def test_headers_count_down_and_kinds_and_principals_have_buckets_of_their_own() -> None:
    throttle = Throttle(Throttling(), Clock())
    first = throttle.admit("GET", AKS, ALICE)
    assert first == {READS: "249", "x-ms-ratelimit-remaining-subscription-global-reads": "3749"}
    assert throttle.admit("GET", AKS.upper(), ALICE)[READS] == "248"
    bob = throttle.admit("GET", AKS, BOB)
    assert bob == {READS: "249", "x-ms-ratelimit-remaining-subscription-global-reads": "3747"}
    assert throttle.admit("PUT", AKS, ALICE)[WRITES] == "199"
    assert throttle.admit("GET", "/tenants", ALICE) == {"x-ms-ratelimit-remaining-tenant-reads": "249"}
    assert throttle.admit("GET", "/subscriptions/other/resources", ALICE)[READS] == "249"


def test_all_principals_share_a_bucket() -> None:
    throttle = Throttle(Throttling(), Clock())
    passed = [exhaust(throttle, "PUT", AKS, {"oid": str(number)})[0] for number in range(16)]
    assert passed == [200] * 15 + [0]


def test_speed_multiplies_the_rate_alone() -> None:
    clock = Clock()
    throttle = Throttle(Throttling(writes=Bucket(20, 2), speed=5), clock)
    assert exhaust(throttle, "PUT", AKS, ALICE)[0] == 20
    clock.now += 1
    assert exhaust(throttle, "PUT", AKS, ALICE)[0] == 10


def test_retry_after_is_the_time_until_a_token_is_there() -> None:
    throttle = Throttle(Throttling(deletes=Bucket(1, 0.1)), Clock())
    error = exhaust(throttle, "DELETE", AKS, ALICE)[1]
    assert error.headers["Retry-After"] == "10"
    assert error.body["error"]["code"] == "SubscriptionRequestsThrottled"
    assert "Number of 'delete' requests" in error.body["error"]["message"]
    assert "actor 'alice' exceeded. Please try again after '10' seconds" in error.body["error"]["message"]


def test_arm_throttles_where_the_world_says_so(tmp_path: Path) -> None:
    with sandbox(tmp_path / "limited", throttling={"reads": {"size": 2, "rate": 0.01}}) as running:
        replies = [running.arm("GET", AKS) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert [reply.headers[READS] for reply in replies] == ["1", "0", "0"]
        assert int(replies[2].headers["Retry-After"]) > 60
        assert replies[2].headers["x-ms-failure-cause"] == "gateway"
        assert running.arm("PUT", f"{AKS}/providers/Microsoft.Resources/tags/default", {}).headers[WRITES] == "199"
    with sandbox(tmp_path / "free") as running:
        assert READS not in running.arm("GET", AKS).headers
