"""Functions of templates on arrays and objects; many of them take texts too.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.azure.deployments.expressions import TemplateError


def find_key(value: Mapping[str, Any], key: str) -> str | None:
    """The spelling of a key in an object; keys are compared without case."""
    if key in value:
        return key
    return next((known for known in value if known.lower() == key.lower()), None)


def text_of(value: Any) -> str:
    """A value as text, as string() writes it."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else str(value)


def concat(*values: Any) -> Any:
    """Arrays one after the other, or everything else as text."""
    if values and isinstance(values[0], list):
        return [item for value in values for item in (value if isinstance(value, list) else [value])]
    return "".join(_text(value) for value in values)


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise TemplateError("Unable to evaluate template language function 'concat': the parameters must be literals.")
    return text_of(value)


def union(*values: Any) -> Any:
    """Arrays without repetitions, or objects merged with what is inside them."""
    if isinstance(values[0], list):
        merged: list[Any] = []
        for value in values:
            merged += [item for item in value if item not in merged]
        return merged
    result: dict[str, Any] = {}
    for value in values:
        for key, item in value.items():
            known = find_key(result, key) or key
            both = isinstance(result.get(known), dict) and isinstance(item, dict)
            result[known] = union(result[known], item) if both else item
    return result


def intersection(*values: Any) -> Any:
    """What all arrays, or all objects, have."""
    first, *others = values
    if isinstance(first, list):
        return [item for item in first if all(item in other for other in others)]
    return {key: item for key, item in first.items() if all(key in other and other[key] == item for other in others)}


def _create_object(*pairs: Any) -> dict[str, Any]:
    if len(pairs) % 2:
        raise TemplateError("The template language function 'createObject' expects an even number of parameters.")
    return {str(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _first(value: Any) -> Any:
    if not value:
        return "" if isinstance(value, str) else None
    return value[0]


def _last(value: Any) -> Any:
    if not value:
        return "" if isinstance(value, str) else None
    return value[-1]


def _range(start: int, count: int) -> list[int]:
    if count < 0 or count > 10_000:
        raise TemplateError(f"The count '{count}' of the template language function 'range' is not valid.")
    return list(range(start, start + count))


def _flatten(values: Sequence[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _index_of(container: Any, item: Any) -> int:
    if isinstance(container, str):
        return container.lower().find(str(item).lower())
    return container.index(item) if item in container else -1


def _last_index_of(container: Any, item: Any) -> int:
    if isinstance(container, str):
        return container.lower().rfind(str(item).lower())
    return max((index for index, element in enumerate(container) if element == item), default=-1)


def _try_get(value: Any, *path: Any) -> Any:
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            key = find_key(value, step)
            value = None if key is None else value[key]
        elif isinstance(value, list) and isinstance(step, int) and -1 < step < len(value):
            value = value[step]
        else:
            return None
    return value


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _numbers(values: Sequence[Any]) -> Sequence[Any]:
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "concat": concat,
    "union": union,
    "intersection": intersection,
    "array": lambda value: value if isinstance(value, list) else [value],
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "empty": lambda value: not value and value not in (0, False),
    "first": _first,
    "last": _last,
    "length": len,
    "range": _range,
    "flatten": _flatten,
    "indexof": _index_of,
    "lastindexof": _last_index_of,
    "join": lambda values, mark: mark.join(_text(value) for value in values),
    "skip": lambda value, count: value[max(count, 0) :],
    "take": lambda value, count: value[: max(count, 0)],
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "items": lambda value: [{"key": key, "value": value[key]} for key in sorted(value)],
    "objectkeys": lambda value: sorted(value),
    "shallowmerge": lambda values: {key: item for value in values for key, item in value.items()},
    "tryget": _try_get,
    "indexfromend": lambda values, index: values[-index],
    "tryindexfromend": lambda values, index: values[-index] if 0 < index <= len(values) else None,
    "coalesce": _coalesce,
}
