"""A custom object against the schema of its definition."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes import status
from sandbox.kubernetes.kinds import Kind

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def validate(kind: Kind, obj: dict[str, Any], strict: bool) -> None:
    """Drop fields that are not in the schema, or reject them if strict. Raises ApiError 400 or 422."""
    if not kind.custom or not kind.schema:
        return
    causes: list[tuple[str, str]] = []
    unknown: list[str] = []
    for key, schema in (kind.schema.get("properties") or {}).items():
        if key in obj and key not in ("metadata", "apiVersion", "kind"):
            _walk(obj[key], schema, key, causes, unknown)
    for key in [
        item
        for item in obj
        if item not in (kind.schema.get("properties") or {}) and item not in ("metadata", "apiVersion", "kind")
    ]:
        unknown.append(key)
        if not kind.schema.get("x-kubernetes-preserve-unknown-fields"):
            del obj[key]
    if unknown and strict:
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        text = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise status.bad_request(f"{text}: strict decoding error: {listed}")
    if causes:
        raise status.invalid(kind, obj.get("metadata", {}).get("name", ""), causes)


def _walk(value: Any, schema: dict[str, Any], path: str, causes: list[tuple[str, str]], unknown: list[str]) -> None:
    if value is None and schema.get("nullable"):
        return
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        wanted_types: tuple[type, ...] = (int, str)
    else:
        wanted_types = TYPES.get(str(wanted), (object,))
    if not isinstance(value, wanted_types) or (
        isinstance(value, bool) and bool not in wanted_types and object not in wanted_types
    ):
        found = f'"{_type_name(value)}"'
        text = f"{path} in body must be of type {wanted or 'integer or string'}"
        causes.append((path, f"Invalid value: {found}: {text}: {found}"))
        return
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            _walk(item, schema["items"], f"{path}[{index}]", causes, unknown)
    if isinstance(value, dict):
        _walk_object(value, schema, path, causes, unknown)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    return next(name for name, types in TYPES.items() if type(value) in types)


def _walk_object(
    value: dict[str, Any], schema: dict[str, Any], path: str, causes: list[tuple[str, str]], unknown: list[str]
) -> None:
    causes += [(f"{path}.{key}", "Required value") for key in schema.get("required", ()) if key not in value]
    known, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in list(value):
        if key in known:
            _walk(value[key], known[key], f"{path}.{key}", causes, unknown)
        elif isinstance(rest, dict):
            _walk(value[key], rest, f"{path}.{key}", causes, unknown)
        elif not rest and not schema.get("x-kubernetes-preserve-unknown-fields"):
            unknown.append(f"{path}.{key}")
            del value[key]
