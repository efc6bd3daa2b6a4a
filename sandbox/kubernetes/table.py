"""Tables, as kubectl asks for them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.selectors import dig


def table(kind: Kind, objects: list[dict[str, Any]], version: str, include: str = "Metadata") -> dict[str, Any]:
    """A meta.k8s.io/v1 Table of the objects; the rows hold metadata, the whole object or nothing."""
    columns = {"Name": "metadata.name", **kind.columns}
    columns.setdefault("Age", "=age")
    definitions = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": 0}
        for name in columns
    ]
    rows = [{"cells": [_cell(obj, source) for source in columns.values()], **_held(obj, include)} for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _held(obj: dict[str, Any], include: str) -> dict[str, Any]:
    if include == "None":
        return {"object": None}
    if include == "Object":
        return {"object": obj}
    return {"object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}}


def _cell(obj: dict[str, Any], source: str) -> Any:
    value = COMPUTED[source[1:]](obj) if source.startswith("=") else dig(obj, source)
    return "<none>" if value in (None, "") else value


def _age(obj: Mapping[str, Any]) -> str:
    born = datetime.datetime.strptime(obj["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    seconds = int((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - born).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (120, "m")):
        if seconds >= size:
            return f"{seconds // (60 if unit == 'm' else size)}{unit}"
    return f"{max(seconds, 0)}s"


def _node_status(obj: Mapping[str, Any]) -> str:
    ready = next((one for one in dig(obj, "status.conditions") or [] if one["type"] == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if dig(obj, "spec.unschedulable") else word


def _node_roles(obj: Mapping[str, Any]) -> str:
    prefix = "node-role.kubernetes.io/"
    return ",".join(
        sorted(key.removeprefix(prefix) for key in obj["metadata"].get("labels") or {} if key.startswith(prefix))
    )


def _containers(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return dig(obj, "status.containerStatuses") or []


def _pod_ready(obj: Mapping[str, Any]) -> str:
    return f"{sum(bool(one.get('ready')) for one in _containers(obj))}/{len(dig(obj, 'spec.containers') or [])}"


def _pod_status(obj: Mapping[str, Any]) -> str:
    for one in _containers(obj):
        for state in ("waiting", "terminated"):
            if reason := dig(one, f"state.{state}.reason"):
                return str(reason)
    return str(dig(obj, "status.phase") or "Pending")


def _pod_restarts(obj: Mapping[str, Any]) -> int:
    return sum(one.get("restartCount", 0) for one in _containers(obj))


def _replicas_ready(obj: Mapping[str, Any]) -> str:
    return f"{dig(obj, 'status.readyReplicas') or 0}/{dig(obj, 'spec.replicas') or 0}"


def _data_count(obj: Mapping[str, Any]) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


COMPUTED: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "age": _age,
    "node_status": _node_status,
    "node_roles": _node_roles,
    "pod_ready": _pod_ready,
    "pod_status": _pod_status,
    "pod_restarts": _pod_restarts,
    "replicas_ready": _replicas_ready,
    "data_count": _data_count,
}
