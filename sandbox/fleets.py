"""The clusters of a fleet: many that differ in their number alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def expand(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a fleet's clusters, with {number} filled in. Raises ValueError with the reason.

    count is the number of clusters, first the number of the first one; all other keys are those of a cluster. All but
    the first cluster are lazy: an error in what they have in common is found when the sandbox starts.
    """
    common = {key: value for key, value in entry.items() if key not in ("count", "first")}
    count, first = entry.get("count"), entry.get("first", 1)
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"count: expected a number of clusters, got {count!r}")
    if not isinstance(first, int):
        raise ValueError(f"first: expected a number, got {first!r}")
    if count > 1 and "{number" not in str(common.get("name")):
        name = common.get("name")
        raise ValueError(f"name: '{name}' is the same for all clusters; expected for example 'store-{{number:04}}'")
    return [
        {"lazy": number > first, **{key: _filled(key, value, number) for key, value in common.items()}}
        for number in range(first, first + count)
    ]


def _filled(key: str, value: Any, number: int) -> Any:
    """A name, or the values of tags, with the number of a cluster; anything else as it is."""
    if key == "tags" and isinstance(value, Mapping):
        return {name: _filled("name", text, number) for name, text in value.items()}
    if key != "name" or not isinstance(value, str):
        return value
    try:
        return value.format(number=number)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"'{value}' is not a text with {{number}}: {error}") from error
