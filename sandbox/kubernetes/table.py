"""Tables for kubectl."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.selectors import dig


def table(kind: Kind, objects: list[dict[str, Any]], version: str, include: str = "Metadata") -> dict[str, Any]:
    """A meta.k8s.io/v1 Table of the objects; the rows hold metadata, the whole object or nothing."""
    columns = {"Name": "metadata.name", **kind.columns}
    if "Created At" not in columns:
        columns.setdefault("Age", "=age")
    definitions = [_definition(kind, name) for name in [*columns, *kind.wide]]
    columns |= kind.wide
    empty = {name: 0 if name in kind.integers else "<none>" for name in columns}
    rows = [
        {"cells": [_cell(obj, source, empty[name]) for name, source in columns.items()], **_held(obj, include)}
        for obj in objects
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _definition(kind: Kind, name: str) -> dict[str, Any]:
    types = {"Created At": "date", "Age": "date" if kind.custom else "string"} | dict.fromkeys(kind.integers, "integer")
    return {
        "name": name,
        "type": types.get(name, "string"),
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": int(name in kind.wide),
    }


def _held(obj: dict[str, Any], include: str) -> dict[str, Any]:
    if include == "None":
        return {"object": None}
    if include == "Object":
        return {"object": obj}
    return {"object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}}


def _cell(obj: dict[str, Any], source: str, empty: Any) -> Any:
    if source.startswith("="):
        return COMPUTED[source[1:]](obj)
    value = dig(obj, source)
    return empty if value in (None, "") else value


def _age(obj: Mapping[str, Any]) -> str:
    born = datetime.datetime.strptime(obj["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    seconds = int((datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - born).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (120, "m")):
        if seconds >= size:
            return f"{seconds // (60 if unit == 'm' else size)}{unit}"
    return f"{max(seconds, 0)}s"


def _node_status(obj: Mapping[str, Any]) -> str:
    ready = next((condition for condition in dig(obj, "status.conditions") or [] if condition["type"] == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if dig(obj, "spec.unschedulable") else word


def _node_roles(obj: Mapping[str, Any]) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or "<none>"


def _containers(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return dig(obj, "status.containerStatuses") or []


def _pod_ready(obj: Mapping[str, Any]) -> str:
    ready = sum(bool(container.get("ready")) for container in _containers(obj))
    return f"{ready}/{len(dig(obj, 'spec.containers') or [])}"


def _pod_status(obj: Mapping[str, Any]) -> str:
    for container in _containers(obj):
        for state in ("waiting", "terminated"):
            if reason := dig(container, f"state.{state}.reason"):
                return str(reason)
    return str(dig(obj, "status.phase") or "Pending")


def _pod_restarts(obj: Mapping[str, Any]) -> int:
    return sum(container.get("restartCount", 0) for container in _containers(obj))


def _replicas_ready(obj: Mapping[str, Any]) -> str:
    return f"{dig(obj, 'status.readyReplicas') or 0}/{dig(obj, 'spec.replicas') or 0}"


def _address(kind: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda obj: next(
        (address["address"] for address in dig(obj, "status.addresses") or [] if address["type"] == kind), "<none>"
    )


def _known(path: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda obj: dig(obj, f"status.nodeInfo.{path}") or "<unknown>"


def _of_template(key: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda obj: ",".join(container.get(key, "") for container in dig(obj, "spec.template.spec.containers") or [])


def _pairs(path: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda obj: ",".join(f"{key}={value}" for key, value in sorted((dig(obj, path) or {}).items())) or "<none>"


def _number(path: str) -> Callable[[Mapping[str, Any]], int]:
    return lambda obj: dig(obj, path) or 0


def _load_balancer(obj: Mapping[str, Any]) -> str:
    given = [ingress.get("ip") or ingress.get("hostname") for ingress in dig(obj, "status.loadBalancer.ingress") or []]
    return ",".join(given) or ("<pending>" if dig(obj, "spec.type") == "LoadBalancer" else "<none>")


def _service_ports(obj: Mapping[str, Any]) -> str:
    ports = dig(obj, "spec.ports") or []
    at_node = (f":{port['nodePort']}" if port.get("nodePort") else "" for port in ports)
    return ",".join(
        f"{service_port['port']}{node}/{service_port.get('protocol', 'TCP')}"
        for service_port, node in zip(ports, at_node, strict=True)
    )


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
    "internal_ip": _address("InternalIP"),
    "external_ip": _address("ExternalIP"),
    "os_image": _known("osImage"),
    "kernel": _known("kernelVersion"),
    "runtime": _known("containerRuntimeVersion"),
    "readiness_gates": lambda obj: "<none>",
    "kubelet": lambda obj: dig(obj, "status.nodeInfo.kubeletVersion") or "",
    "container_names": _of_template("name"),
    "images": _of_template("image"),
    "selector": _pairs("spec.selector.matchLabels"),
    "service_selector": _pairs("spec.selector"),
    "node_selector": _pairs("spec.template.spec.nodeSelector"),
    "updated": _number("status.updatedReplicas"),
    "available": _number("status.availableReplicas"),
    "secrets_count": lambda obj: len(obj.get("secrets") or ()),
    "load_balancer": _load_balancer,
    "service_ports": _service_ports,
}
