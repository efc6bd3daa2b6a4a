"""Server-side apply: field ownership.

Lists are managed as a whole (assumed: true for custom resources without list keys).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.kubernetes.admission import timestamp
from sandbox.kubernetes.json_copy import copied
from sandbox.kubernetes.status import ApiError

Path = tuple[str, ...]
UNMANAGED = {
    ("apiVersion",),
    ("kind",),
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("metadata", "uid"),
    ("metadata", "resourceVersion"),
    ("metadata", "generation"),
    ("metadata", "creationTimestamp"),
    ("metadata", "managedFields"),
    ("metadata", "generateName"),
}


def apply(
    existing: dict[str, Any] | None, wanted: dict[str, Any], manager: str, force: bool, resource: str
) -> dict[str, Any]:
    """The object after an apply. Raises ApiError 409 when fields of another manager would change without force."""
    base = copied(existing) if existing else {}
    entries = (base.get("metadata") or {}).get("managedFields") or []
    mine = next(
        (owner for owner in entries if owner["manager"] == manager and owner["operation"] == "Apply"),
        None,
    )
    paths = set(leaves(wanted))
    contested = _contested(base, wanted, paths, [owner for owner in entries if owner is not mine])
    if contested and not force:
        raise _conflict(contested, resource)
    others = [_without(owner, paths if force else set(), base, wanted) for owner in entries if owner is not mine]
    for path in _paths(mine["fieldsV1"]) - paths if mine else ():
        if not any(path in _paths(other["fieldsV1"]) for other in others):
            _remove(base, path)
    for path in sorted(paths):
        _set(base, path, _at(wanted, path))
    base["apiVersion"], base["kind"] = wanted["apiVersion"], wanted["kind"]
    meta = base.setdefault("metadata", {})
    meta["name"] = wanted["metadata"]["name"]
    entry = _entry(manager, "Apply", wanted["apiVersion"], paths)
    if mine and mine["fieldsV1"] == entry["fieldsV1"]:
        entry["time"] = mine["time"]
    meta["managedFields"] = [other for other in (*others, entry) if other["fieldsV1"]]
    return base


def note_update(before: dict[str, Any] | None, after: dict[str, Any], manager: str, subresource: str = "") -> None:
    """Make the manager of a plain write the manager of the fields that it changed."""
    meta = after.setdefault("metadata", {})
    entries = copied((before or {}).get("metadata", {}).get("managedFields") or [])
    changed = {path for path in leaves(after) if before is None or _at(before, path) != _at(after, path)}
    remaining = set(leaves(after))
    kept = []
    for owner in entries:
        paths = {path for path in _paths(owner["fieldsV1"]) if path in remaining}
        if (
            owner["manager"] == manager
            and owner["operation"] == "Update"
            and owner.get("subresource", "") == subresource
        ):
            changed |= paths
            continue
        paths -= changed
        if paths:
            kept.append({**owner, "fieldsV1": _tree(paths)})
    if changed:
        entry = _entry(manager, "Update", after.get("apiVersion", "v1"), changed)
        kept.append({**entry, "subresource": subresource} if subresource else entry)
    meta["managedFields"] = kept


def leaves(obj: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that can be managed."""
    if isinstance(obj, dict) and (obj or not path) and path not in {("metadata", "managedFields")}:
        for key, value in obj.items():
            yield from leaves(value, (*path, key))
    elif path not in UNMANAGED:
        yield path


def _contested(
    base: dict[str, Any], wanted: dict[str, Any], paths: set[Path], others: list[dict[str, Any]]
) -> list[tuple[str, str, Path]]:
    return [
        (other["manager"], other["operation"], path)
        for other in others
        for path in sorted(_paths(other["fieldsV1"]) & paths)
        if _at(base, path) != _at(wanted, path)
    ]


def _without(entry: dict[str, Any], taken: set[Path], base: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    lost = {path for path in taken if _at(base, path) != _at(wanted, path)}
    return {**entry, "fieldsV1": _tree(_paths(entry["fieldsV1"]) - lost)}


def _conflict(contested: list[tuple[str, str, Path]], resource: str) -> ApiError:
    managers = sorted({manager for manager, _, _ in contested})
    named = [(manager, "." + ".".join(path)) for manager, _, path in contested]
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": field}
        for manager, field in named
    ]
    count = f"{len(causes)} conflict" + ("s" if len(causes) > 1 else "")
    if len(managers) == 1 and len(causes) == 1:
        text = f"{causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = [
            f'conflicts with "{manager}":\n' + "\n".join(f"- {field}" for who, field in named if who == manager)
            for manager in managers
        ]
        text = "\n".join(lines)
    return ApiError(409, "Conflict", f"Apply failed with {count}: {text}", causes=causes)


def _entry(manager: str, operation: str, api_version: str, paths: set[Path]) -> dict[str, Any]:
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": timestamp(),
        "fieldsType": "FieldsV1",
        "fieldsV1": _tree(paths),
    }


def _tree(paths: set[Path]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        at = tree
        for word in path:
            at = at.setdefault(f"f:{word}", {})
    return tree


def _paths(tree: dict[str, Any], path: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for key, beneath in tree.items():
        here = (*path, key.removeprefix("f:"))
        found |= _paths(beneath, here) if beneath else {here}
    return found


def _at(obj: Any, path: Path) -> Any:
    for word in path:
        obj = obj.get(word) if isinstance(obj, dict) else None
    return obj


def _set(obj: dict[str, Any], path: Path, value: Any) -> None:
    for word in path[:-1]:
        if not isinstance(obj.get(word), dict):
            obj[word] = {}
        obj = obj[word]
    obj[path[-1]] = copied(value)


def _remove(obj: dict[str, Any], path: Path) -> None:
    holder = _at(obj, path[:-1])
    if isinstance(holder, dict):
        holder.pop(path[-1], None)
        if not holder and len(path) > 1:
            _remove(obj, path[:-1])
