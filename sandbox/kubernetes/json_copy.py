"""Copies of JSON values, several times as fast as copy.deepcopy, and as bytes that take a fraction of the memory."""

from __future__ import annotations

import marshal
from typing import Any, TypeVar, cast

Value = TypeVar("Value")


def packed(value: Any) -> bytes:
    """An object, array or scalar of JSON as bytes."""
    return marshal.dumps(value)


def unpacked(content: bytes) -> Any:
    """A new copy of the value that was packed."""
    return marshal.loads(content)  # noqa: S302  this process has packed it


def copied(value: Value) -> Value:
    """A copy of an object, array or scalar of JSON; nothing in it is shared."""
    return cast(Value, unpacked(packed(value)))
