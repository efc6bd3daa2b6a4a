"""When a long-running operation is polled, and for how long failing polls are repeated."""

from __future__ import annotations

import random
import time

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
