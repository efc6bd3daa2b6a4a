"""What an apply changed, field by field, and which other field manager owns a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s.instance_types.comparison import view_of
from azext_amlk8s.instance_types.model import InstanceType, parse_spec
from azext_amlk8s.instance_types.sources import APPLY
from azext_amlk8s.rules import Problem, Problems, Severity, rule

MANAGER = re.compile(r'"([^"]*)"')
CREATED, CHANGED, UNCHANGED, CONFLICT, PRUNED = "created", "changed", "unchanged", "conflict", "pruned"
Object = Mapping[str, Any]


def applied_view(before: Object | None, after: Object) -> dict[str, Any]:
    """What apply returns of a type: its values, the action, and each field with its value before and after."""
    fields = list(_changed(_fields(before or {}), _fields(after)))
    action = CREATED if before is None else CHANGED if fields else UNCHANGED
    changes = [{"field": key, "before": old, "after": new} for key, old, new in fields] if before else []
    return {**_view(after), "action": action, "changes": changes}


def conflict_view(instance_type: InstanceType, causes: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The same for a type with fields of another manager; causes are manager and field."""
    conflicts = [{"manager": manager, "field": field} for manager, field in causes]
    return {**view_of(instance_type), "action": CONFLICT, "changes": [], "conflicts": conflicts}


def pruned_view(obj: Object) -> dict[str, Any]:
    """The same for a type that is deleted because no file has it any more."""
    return {**_view(obj), "action": PRUNED, "changes": []}


def conflicts_of(causes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Manager and field of each cause, whose message names the manager in quotes."""
    return [((match[1] if (match := MANAGER.search(text)) else text), field.lstrip(".")) for text, field in causes]


@rule(
    "I143",
    Severity.ERROR,
    title="Fields owned by another manager",
    requires="A field that another manager owns is changed only with --force-conflicts.",
    source=APPLY,
)
def field_conflict(instance_type: InstanceType, causes: Sequence[tuple[str, str]]) -> Problems:
    """Fields that another manager owns."""
    managers = ", ".join(sorted({manager for manager, _ in causes}))
    fields = ", ".join(dict.fromkeys(field for _, field in causes))
    message = f"'{instance_type.name}' was not changed: {managers} owns {fields}."
    fix = "Use --force-conflicts to take over the fields."
    yield Problem(instance_type.name, message, found=managers, fix=fix)


@rule(
    "I145",
    Severity.WARNING,
    title="Leftover fields",
    requires="An instance type should have only the fields that were applied.",
    source=APPLY,
)
def leftover_fields(instance_type: InstanceType, after: Object) -> Problems:
    """Fields that stay because another manager owns them."""
    applied, present = _fields(instance_type.to_object()), _fields(after)
    leftover = [key for key in present if key not in applied and key.startswith("spec.")]
    if leftover:
        managers = {str(entry.get("manager")) for entry in (after.get("metadata") or {}).get("managedFields") or []}
        message = f"'{instance_type.name}' keeps {', '.join(leftover)}, which was not applied"
        message += f" (managers: {', '.join(sorted(managers))})." if managers else "."
        fix = f"kubectl edit instancetypes.amlarc.azureml.com {instance_type.name}"
        yield Problem(instance_type.name, message, fix=fix)


def is_managed_by(obj: Object, manager: str) -> bool:
    """Whether a manager applied the object."""
    entries = (obj.get("metadata") or {}).get("managedFields") or []
    return any(entry.get("manager") == manager and entry.get("operation") == "Apply" for entry in entries)


def _view(obj: Object) -> dict[str, Any]:
    return view_of(parse_spec(str((obj.get("metadata") or {}).get("name")), obj.get("spec") or {}))


def _fields(obj: Object) -> dict[str, Any]:
    metadata = obj.get("metadata") or {}
    compared = {
        "spec": obj.get("spec") or {},
        "metadata": {key: metadata.get(key) or {} for key in ("labels", "annotations")},
    }
    return dict(_leaves(compared, ""))


def _leaves(value: Object, path: str) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        inner_path = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping):
            yield from _leaves(inner, inner_path)
        else:
            yield inner_path, inner


def _changed(before: Object, after: Object) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
