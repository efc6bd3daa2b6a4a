"""Patches: merge (RFC 7386), JSON (RFC 6902), strategic merge for the lists that are keyed."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.json_copy import copied
from sandbox.kubernetes.status import ApiError, bad_request

LIST_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "ports": "containerPort",
    "conditions": "type",
    "addresses": "type",
    "volumeMounts": "mountPath",
    "ownerReferences": "uid",
    "imagePullSecrets": "name",
}


def merge(existing: Any, patch: Any) -> Any:
    """A JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(existing) if isinstance(existing, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic(existing: Any, patch: Any, name: str = "") -> Any:
    """A strategic merge patch: lists that have a key are merged by it, others are replaced."""
    if isinstance(patch, dict):
        if patch.get("$patch") == "replace":
            return {key: value for key, value in patch.items() if key != "$patch"}
        merged = dict(existing) if isinstance(existing, dict) else {}
        for key, value in patch.items():
            if key.startswith(("$setElementOrder/", "$retainKeys")):
                continue
            if key.startswith("$deleteFromPrimitiveList/"):
                field = key.split("/", 1)[1]
                merged[field] = [item for item in merged.get(field) or [] if item not in value]
            elif value is None:
                merged.pop(key, None)
            else:
                merged[key] = strategic(merged.get(key), value, key)
        return merged
    if isinstance(patch, list) and name in LIST_KEYS and all(isinstance(item, dict) for item in patch):
        return _keyed(list(existing or []), patch, LIST_KEYS[name])
    return patch


def json_patch(existing: Any, operations: Any) -> Any:
    """A JSON patch. Raises ApiError 422 where it does not apply."""
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    patched = copied(existing)
    for operation in operations:
        try:
            patched = _operate(patched, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ApiError(422, "Invalid", "the server rejected our request due to an error in our request") from error
    return patched


def _keyed(existing: list[Any], patch: list[Any], key: str) -> list[Any]:
    merged = list(existing)
    for element in patch:
        at = next((index for index, item in enumerate(merged) if item.get(key) == element.get(key)), None)
        if element.get("$patch") == "delete":
            merged = [item for item in merged if item.get(key) != element.get(key)]
        elif at is None:
            merged.append(element)
        else:
            merged[at] = strategic(merged[at], element)
    return merged


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    parts = [word.replace("~1", "/").replace("~0", "~") for word in operation["path"].split("/")[1:]]
    if not parts:
        return copied(operation["value"]) if operation["op"] in ("add", "replace") else document
    holder = document
    for word in parts[:-1]:
        holder = holder[int(word)] if isinstance(holder, list) else holder[word]
    last: Any = parts[-1]
    if isinstance(holder, list):
        last = len(holder) if last == "-" else int(last)
    verb = operation["op"]
    if verb == "test":
        if holder[last] != operation["value"]:
            raise ValueError(f"testing path {operation['path']}: value differs")
    elif verb == "remove":
        del holder[last]
    elif verb == "add" and isinstance(holder, list):
        holder.insert(last, operation["value"])
    elif verb in ("add", "replace"):
        if verb == "replace":
            holder[last]
        holder[last] = operation["value"]
    else:
        raise ValueError(f"operation {verb} is not known here")
    return document
