"""Which workloads of a cluster use an instance type.

The schema of the extension's own objects (jobs, deployments) is not published. So every value under a key that names
an instance type counts, in any kind of the extension's API group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azext_amlk8s.instance_types.model import DEFAULT_NAME
from azext_amlk8s.instance_types.sources import GUIDE
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Problem, Problems, Severity, rule

SHOWN = 8


def users_of(name: str, objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The objects, as kind namespace/name, that use the type and have not ended."""
    return [_reference(obj) for obj in objects if not has_ended(obj) and name in _types(obj.get("spec") or {})]


@rule(
    "I144",
    Severity.WARNING,
    title="Instance types in use",
    requires="An instance type that is in use should not be deleted.",
    source=GUIDE,
)
def in_use(name: str, users: Iterable[str], default_of: Iterable[str] = ()) -> Problems:
    """What depends on a type that is to be deleted; default_of are computes whose default it is."""
    users = list(users)
    if users:
        shown = ", ".join(users[:SHOWN]) + (f" and {len(users) - SHOWN} more" if len(users) > SHOWN else "")
        yield Problem(name, f"'{name}' is used by {shown}; their new pods will not start.", found=shown)
    for compute in default_of:
        yield Problem(name, f"'{name}' is the default instance type of compute '{compute}'.", found=compute)
    if name == DEFAULT_NAME:
        message = f"Without '{name}' the built-in default applies again to workloads that name no instance type."
        yield Problem(name, message)


def has_ended(obj: Mapping[str, Any]) -> bool:
    """Whether a workload, an object of the extension's API group, has ended."""
    status = obj.get("status") or {}
    states = [str(status.get(key) or "").lower() for key in ("phase", "state", "status", "jobStatus")]
    return any(state in load("instance_types")["ended"] for state in states)


def _types(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in _types(item)}
    if not isinstance(value, Mapping):
        return set()
    names: set[str] = set()
    for key, inner in value.items():
        if isinstance(inner, str) and _plain(key) in load("instance_types")["keys"]:
            names.add(inner)
        names |= _types(inner)
    return names


def _plain(key: Any) -> str:
    return str(key).replace("_", "").replace("-", "").lower()


def _reference(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata") or {}
    namespace = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj.get('kind') or 'object'} {namespace}{metadata.get('name')}"
