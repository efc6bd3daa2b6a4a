"""The write requests that the running command has sent, so that an error can say what was done before it."""

from __future__ import annotations

_changes: list[str] = []
_VERBS = {"PUT": "create or update", "PATCH": "update", "DELETE": "delete", "POST": "create"}


def record_change(method: str, path: str) -> None:
    """Record a write before it is sent; path is the resource ID or the path in the Kubernetes API."""
    kind, _, name = path.partition("?")[0].strip("/").rpartition("/")
    change = f"{_VERBS.get(method, method)} {kind.rpartition('/')[2]} '{name}'"
    if change not in _changes:
        _changes.append(change)


def recorded_changes() -> tuple[str, ...]:
    """What was recorded since the command started, in order, such as "delete computes 'gpu'"."""
    return tuple(_changes)


def forget_changes() -> None:
    """Forget everything, before another command runs in the same process."""
    _changes.clear()
