"""Values out of documents that others have written, in which anything may have any type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; none if the value is not a list."""
    return [item for item in sequence(value) if isinstance(item, Mapping)]


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, otherwise an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The value if it is a text, otherwise an empty one."""
    return value if isinstance(value, str) else ""


def whole_number(value: Any) -> int:
    """The value if it is a whole number, also one in a text; otherwise 0."""
    if isinstance(value, str) and len(value) < 20 and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
