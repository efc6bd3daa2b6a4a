"""Where attach configurations of 2021, computes of ARM and ARM templates hold instance types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
TYPE_KEYS = ("instance_types", "instanceTypes")
DEFAULT_KEYS = ("default_instance_type", "defaultInstanceType")
CONTAINERS = ("properties", "parameters", "template", "resources", "variables", "value", "defaultValue")
EXPRESSION = re.compile(r"^\[\s*(parameters|variables)\(\s*'([^']+)'\s*\)\s*\]$")
MAX_DEPTH = 16
BICEP = re.compile(r"^\s*(resource|module)\s+\w+\s+'[^'\n]+'\s*(existing\s*)?=", re.MULTILINE)


def has_instance_types(value: Any) -> bool:
    """Whether a document is an attach configuration, a compute of ARM or an ARM template with instance types."""
    return any(True for _ in find_holders(value))


def find_holders(
    value: Any, path: Path = (), scope: Mapping[str, Any] | None = None
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every mapping that holds instance types, with its path; expressions of a template are replaced by their values.

    Nested resources and nested deployments of a template are followed.
    """
    if len(path) > MAX_DEPTH:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from find_holders(item, (*path, number), scope)
        return
    if not isinstance(value, Mapping):
        return
    if "resources" in value and ("$schema" in value or "contentVersion" in value):
        scope = value
    types_by_key = {key: _resolve(value[key], scope) for key in TYPE_KEYS if key in value}
    if any(isinstance(types, (list, Mapping)) and not _is_parameter(types) for types in types_by_key.values()):
        yield path, {**value, **types_by_key}
    elif types_by_key:  # a parameter of this name, with a value or a default
        for key, parameter in types_by_key.items():
            inner = parameter.get("value", parameter.get("defaultValue")) if isinstance(parameter, Mapping) else None
            if isinstance(inner, (list, Mapping)) and not (scope and path[-1:] == ("parameters",)):
                yield path, {key: inner}
    for key, inner in value.items():
        nested_resource = path[-1:] == ("resources",) and isinstance(inner, Mapping)  # symbolic names
        if key in CONTAINERS or nested_resource:
            yield from find_holders(inner, (*path, key), scope)


def is_bicep(text: str, source: str) -> bool:
    """Whether a text is Bicep, which has to be compiled to an ARM template first."""
    return source.lower().endswith((".bicep", ".bicepparam")) or bool(BICEP.search(text))


def _is_parameter(value: Any) -> bool:
    return isinstance(value, Mapping) and bool({"defaultValue", "value"} & value.keys())


def _resolve(value: Any, scope: Mapping[str, Any] | None, depth: int = 0) -> Any:
    """A value with the template's parameters and variables in place of the expressions that are nothing but these."""
    if scope is None or depth > MAX_DEPTH:
        return value
    if isinstance(value, str) and (match := EXPRESSION.match(value)):
        section = scope.get(match[1])
        found = section.get(match[2]) if isinstance(section, Mapping) else None
        if match[1] == "parameters" and isinstance(found, Mapping):
            found = found.get("defaultValue", found.get("value"))
        return value if found is None else _resolve(found, scope, depth + 1)
    if isinstance(value, Mapping):
        return {key: _resolve(inner, scope, depth + 1) for key, inner in value.items()}
    return [_resolve(inner, scope, depth + 1) for inner in value] if isinstance(value, list) else value
