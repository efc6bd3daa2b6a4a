"""Validation and defaults of objects before they are stored."""

from __future__ import annotations

import base64
import datetime
import re
from typing import Any

from sandbox.kubernetes import status
from sandbox.kubernetes.kinds import CRD, Kind

Object = dict[str, Any]
LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
NOT_A_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{LABEL}')"
)
NOT_A_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN}')"
)
VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
NOT_A_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'{VALUE}')"
)
WITHOUT_GENERATION = {"Namespace", "Node", "Pod", "Service", "ConfigMap", "Secret", "ServiceAccount", "Event"} | {
    "PersistentVolumeClaim",
    "Lease",
    "StorageClass",
    "ClusterRole",
    "ClusterRoleBinding",
}


def timestamp() -> str:
    """The time as Kubernetes writes it, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def convert(kind: Kind, obj: Object) -> Object:
    """The object in its stored form: strings of a secret are encoded."""
    if kind.kind == "Secret":
        obj.setdefault("type", "Opaque")
        for key, text in (obj.pop("stringData", None) or {}).items():
            obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()
    return obj


def validate(kind: Kind, obj: Object) -> None:
    """Raise ApiError 422 for an invalid name or label, or a missing required field."""
    meta = obj["metadata"]
    causes = _name(kind, meta.get("name", ""))
    for value in (meta.get("labels") or {}).values():
        if not re.fullmatch(VALUE, str(value)) or len(str(value)) > 63:
            causes.append(("metadata.labels", f'Invalid value: "{value}": {NOT_A_VALUE}'))
    if kind.kind == "Pod" and not (obj.get("spec") or {}).get("containers"):
        causes.append(("spec.containers", "Required value"))
    if kind.kind == CRD:
        causes += _definition(obj.get("spec") or {})
    if causes:
        raise status.invalid(kind, meta.get("name", ""), causes)


def complete(kind: Kind, obj: Object, new: bool) -> None:
    """Add the defaults that clients read; metadata that is empty is left out, as the API server's encoding does."""
    meta = obj["metadata"]
    for key in ("labels", "annotations", "finalizers", "ownerReferences"):
        if key in meta and not meta[key]:
            del meta[key]
    if new and (kind.custom or kind.kind not in WITHOUT_GENERATION):
        meta["generation"] = 1
    if kind.kind == CRD:
        _establish(obj)
    elif kind.kind == "Node" and "capacity" in (obj.get("status") or {}):
        obj["status"].setdefault("allocatable", dict(obj["status"]["capacity"]))
    elif kind.kind == "Pod" and new:
        obj.setdefault("status", {"phase": "Pending"})
    elif kind.kind == "Namespace" and new:
        obj.setdefault("spec", {"finalizers": ["kubernetes"]})
        obj["status"] = {"phase": "Active"}
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]


def _name(kind: Kind, name: str) -> list[tuple[str, str]]:
    if not name:
        return [("metadata.name", "Required value: name or generateName is required")]
    pattern, text = (LABEL, NOT_A_LABEL) if kind.kind in ("Namespace", "Service") else (SUBDOMAIN, NOT_A_SUBDOMAIN)
    if re.fullmatch(pattern, name) and len(name) <= (63 if pattern is LABEL else 253):
        return []
    return [("metadata.name", f'Invalid value: "{name}": {text}')]


def _definition(spec: Object) -> list[tuple[str, str]]:
    names = spec.get("names") or {}
    absent = [f"spec.{key}" for key in ("group", "scope", "versions") if not spec.get(key)]
    absent += [f"spec.names.{key}" for key in ("plural", "kind") if not names.get(key)]
    return [(field, "Required value") for field in absent]


def _establish(obj: Object) -> None:
    names = obj["spec"]["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    obj["spec"].setdefault("conversion", {"strategy": "None"})
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": timestamp()}
        for kind, reason, message in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        )
    ]
    if not (obj.get("status") or {}).get("conditions"):
        obj["status"] = {
            "conditions": conditions,
            "acceptedNames": dict(names),
            "storedVersions": [version["name"] for version in obj["spec"]["versions"] if version.get("storage")],
        }
