"""Copies of JSON values, several times as fast as copy.deepcopy."""

from __future__ import annotations

from typing import TypeVar, cast

Value = TypeVar("Value")


def copied(value: Value) -> Value:
    """A copy of an object, array or scalar of JSON; nothing in it is shared."""
    if isinstance(value, dict):
        return cast(
            Value, {key: copied(inner) if isinstance(inner, (dict, list)) else inner for key, inner in value.items()}
        )
    if isinstance(value, list):
        return cast(Value, [copied(inner) if isinstance(inner, (dict, list)) else inner for inner in value])
    return value
