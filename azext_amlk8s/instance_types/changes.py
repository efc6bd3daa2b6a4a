"""What an apply changed, field by field, and who else manages a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.comparison import view_of
from azext_amlk8s.instance_types.model import InstanceType, type_of
from azext_amlk8s.rules import Finding

MANAGER = re.compile(r'"([^"]*)"')
CREATED, CHANGED, UNCHANGED, CONFLICT, PRUNED = "created", "changed", "unchanged", "conflict", "pruned"


def outcome(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, Any]:
    """What apply returns of a type: its values, the action, and each field with its value before and after."""
    fields = list(_changed(_fields(before or {}), _fields(after)))
    action = CREATED if before is None else CHANGED if fields else UNCHANGED
    name = str((after.get("metadata") or {}).get("name"))
    changes = [{"field": key, "before": low, "after": high} for key, low, high in fields] if before else []
    return {**view_of(type_of(name, after.get("spec") or {})), "action": action, "changes": changes}


def refused(one: InstanceType, causes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The same for a type whose fields another manager holds; causes are manager and field."""
    conflicts = [{"manager": manager, "field": field} for manager, field in causes]
    return {**view_of(one), "action": CONFLICT, "changes": [], "conflicts": conflicts}


def pruned(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a type that is deleted because nothing asks for it any more."""
    name = str((obj.get("metadata") or {}).get("name"))
    return {**view_of(type_of(name, obj.get("spec") or {})), "action": PRUNED, "changes": []}


def conflicts_of(causes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Manager and field of each cause, whose message names the manager in quotes."""
    return [((found[1] if (found := MANAGER.search(text)) else text), field.lstrip(".")) for text, field in causes]


def judge_conflict(one: InstanceType, causes: Sequence[tuple[str, str]]) -> Finding:
    """What is to be said of a conflict."""
    managers = ", ".join(sorted({manager for manager, _ in causes}))
    fields = ", ".join(dict.fromkeys(field for _, field in causes))
    message = f"{one.name} is not changed, for {managers} manages {fields}."
    fix = "--force-conflicts takes the fields over."
    return rule.I143.finding(one.name, message, found=managers, fix=fix)


def judge_leftovers(one: InstanceType, after: Mapping[str, Any]) -> Iterator[Finding]:
    """Fields that were not applied and stay, because another manager holds them."""
    wanted, there = _fields(one.to_object()), _fields(after)
    kept = [key for key in there if key not in wanted and key.startswith("spec.")]
    if kept:
        others = [str(entry.get("manager")) for entry in (after.get("metadata") or {}).get("managedFields") or []]
        message = f"{one.name} keeps {', '.join(kept)}, which was not asked for; of {', '.join(sorted(set(others)))}."
        yield rule.I145.finding(one.name, message, fix=f"kubectl edit instancetypes.amlarc.azureml.com {one.name}")


def managed_by(obj: Mapping[str, Any], manager: str) -> bool:
    """Whether a manager applied the object."""
    entries = (obj.get("metadata") or {}).get("managedFields") or []
    return any(one.get("manager") == manager and one.get("operation") == "Apply" for one in entries)


def _fields(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    told = {
        "spec": obj.get("spec") or {},
        "metadata": {key: metadata.get(key) or {} for key in ("labels", "annotations")},
    }
    return dict(_leaves(told, ""))


def _leaves(told: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
