"""ARM's token buckets: for each subscription, principal and kind of operation, and one for all principals together.

https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.errors import throttled
from sandbox.world import Bucket, Throttling

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
# The bucket of all principals of a subscription is as large and as fast as those of fifteen.
GLOBAL_FACTOR = 15


class Level:
    """The tokens in a bucket: it is full at first, and fills at a rate."""

    def __init__(self, bucket: Bucket, factor: float, speed: float, now: float) -> None:
        self.size, self.rate = bucket.size * factor, bucket.rate * factor * speed
        self.tokens, self._filled = float(self.size), now

    def fill(self, now: float) -> None:
        """Add the tokens of the time since the last call."""
        self.tokens = min(self.size, self.tokens + (now - self._filled) * self.rate)
        self._filled = now


class Throttle:
    """Takes a token for each request. Without limits everything passes."""

    def __init__(self, limits: Throttling | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._levels: dict[tuple[str, ...], Level] = {}

    def admit(self, method: str, path: str, claims: Mapping[str, Any]) -> dict[str, str]:
        """The headers that say how many requests remain. Raises ArmError 429, which has them too, if none did."""
        if self._limits is None:
            return {}
        parts = path.lower().strip("/").split("/")
        subscription = parts[1] if parts[0] == "subscriptions" and len(parts) > 1 else ""
        kind, actor = KINDS.get(method, "writes"), str(claims.get("oid") or claims.get("appid") or "")
        scope = "subscription" if subscription else "tenant"
        levels = {f"x-ms-ratelimit-remaining-{scope}-{kind}": self._level(kind, 1, subscription, actor, kind)}
        if subscription:
            every = self._level(kind, GLOBAL_FACTOR, subscription, "", kind)
            levels[f"x-ms-ratelimit-remaining-{scope}-global-{kind}"] = every
        wait = max((1 - level.tokens) / level.rate for level in levels.values())
        if wait <= 0:
            for level in levels.values():
                level.tokens -= 1
        headers = {name: str(int(level.tokens)) for name, level in levels.items()}
        if wait > 0:
            seconds = math.ceil(wait)
            raise throttled(
                kind.removesuffix("s"), subscription, actor, seconds, {**headers, "Retry-After": str(seconds)}
            )
        return headers

    def _level(self, kind: str, factor: float, *key: str) -> Level:
        assert self._limits is not None
        now = self._clock()
        if key not in self._levels:
            self._levels[key] = Level(getattr(self._limits, kind), factor, self._limits.speed, now)
        self._levels[key].fill(now)
        return self._levels[key]
