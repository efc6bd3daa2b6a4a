"""A step of a migration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A step of a migration. risk says what it could affect; undo is how it is undone, empty where it cannot be."""

    id: str
    title: str
    risk: str
    is_done: bool
    undo: str
    run: Callable[[], object]
