"""Who in the cluster uses an instance type.

The schema of the extension's own objects (jobs, deployments) is not published. So whatever stands under a key that
means instance type is taken for one (assumed), in whatever kind of the extension's API group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.model import DEFAULT_NAME
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding


def users_of(name: str, objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The objects, as kind namespace/name, that use the type and have not ended."""
    return [_named(one) for one in objects if not _ended(one) and name in _types(one.get("spec") or {})]


def judge_delete(name: str, users: Iterable[str], defaults: Iterable[str]) -> Iterator[Finding]:
    """What depends on a type that is to be deleted; defaults are computes whose default it is."""
    told = list(users)
    if told:
        shown = ", ".join(told[:8]) + (f" and {len(told) - 8} more" if len(told) > 8 else "")
        message = f"{name} is used by {shown}; new pods of theirs will not start."
        yield rule.I144.finding(name, message, found=shown)
    for compute in defaults:
        message = f"{name} is the default of the compute {compute}."
        yield rule.I144.finding(name, message, found=compute)
    if name == DEFAULT_NAME:
        message = f"Without {name} in the cluster the built-in default applies again to workloads that name no type."
        yield rule.I144.finding(name, message)


def _ended(obj: Mapping[str, Any]) -> bool:
    status = obj.get("status") or {}
    words = [str(status.get(key) or "").lower() for key in ("phase", "state", "status")]
    return any(word in load("instance_types")["ended"] for word in words)


def _types(told: Any) -> set[str]:
    if isinstance(told, list):
        return {name for one in told for name in _types(one)}
    if not isinstance(told, Mapping):
        return set()
    found: set[str] = set()
    for key, value in told.items():
        if isinstance(value, str) and _plain(key) in load("instance_types")["keys"]:
            found.add(value)
        found |= _types(value)
    return found


def _plain(key: Any) -> str:
    return str(key).replace("_", "").replace("-", "").lower()


def _named(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj.get('kind') or 'object'} {namespace}{metadata.get('name')}"
