"""The time limit of the running command: one deadline for all that it does, its reads and retries included."""

from __future__ import annotations

import math
import time


class TimeLimitExceeded(Exception):
    """The time limit of the command has passed; no request is sent any more."""


class _Limit:
    """The seconds that were given, None for no limit, and when they have passed."""

    seconds: float | None = None
    end: float = math.inf


_limit = _Limit()


def set_time_limit(seconds: float | None) -> None:
    """Start the time limit of a command; None for a command without one."""
    _limit.seconds = seconds
    _limit.end = math.inf if seconds is None else time.monotonic() + seconds


def extend_time_limit(seconds: float) -> None:
    """Leave at least so many seconds, such as for finding out why an operation failed."""
    _limit.end = max(_limit.end, time.monotonic() + seconds)


def limit_in_words(default: float | None = None) -> str:
    """The time limit as it was given, such as "20 minutes"; the default, in seconds, where the command has none."""
    seconds = _limit.seconds or default or 0
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} second{'' if seconds == 1 else 's'}"


def time_left(most: float) -> float:
    """The seconds that are left, at most a given number of them. Raises TimeLimitExceeded where none are left."""
    left = _limit.end - time.monotonic()
    if left <= 0:
        raise TimeLimitExceeded
    return min(left, most)


def is_time_up() -> bool:
    """Whether the time limit has passed."""
    return time.monotonic() >= _limit.end
