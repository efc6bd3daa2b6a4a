"""Values out of documents that others have written, in which anything may have any type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TYPE_NAMES: Mapping[type, str] = {str: "a string", bool: "true or false", dict: "an object", list: "a list of objects"}


def parse_json(content: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also for one that is nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


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


def region_name(location: str) -> str:
    """The name of a region, westeurope, also where a resource has its display name, West Europe."""
    return location.replace(" ", "").lower()


def wrong_type(values: Mapping[str, Any], types: Mapping[str, type], prefix: str = "") -> str:
    """What the first value of a wrong type should be, such as "a string as 'name'"; empty where all are right.

    A value may be null. The items of a list must be objects.
    """
    for key, expected in types.items():
        value = values.get(key)
        if value is not None and not (isinstance(value, expected) and _has_objects(value)):
            return f"{TYPE_NAMES[expected]} as '{prefix}{key}'"
    return ""


def _has_objects(value: Any) -> bool:
    return not isinstance(value, list) or all(isinstance(item, dict) for item in value)
