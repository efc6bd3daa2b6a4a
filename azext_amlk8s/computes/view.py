"""A compute as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECRETS = ("relayConnectionString", "serviceBusConnectionString")
STUDIO = "https://ml.azure.com"


def blanked(compute: Mapping[str, Any]) -> dict[str, Any]:
    """The compute with its two connection strings emptied; nothing else is changed or dropped."""
    outer = compute.get("properties") or {}
    inner = outer.get("properties") or {}
    blank = {key: "" for key in SECRETS if inner.get(key)}
    if not blank:
        return dict(compute)
    return {**compute, "properties": {**outer, "properties": {**inner, **blank}}}


def is_kubernetes(compute: Mapping[str, Any]) -> bool:
    """Whether it is a Kubernetes compute; one whose properties are null is of unknown kind and is not."""
    return str((compute.get("properties") or {}).get("computeType")).lower() == "kubernetes"


def studio_url(compute_id: str, name: str) -> str:
    """Where the studio shows a compute, by its ARM id."""
    workspace = compute_id.split("/computes/")[0]
    return f"{STUDIO}/compute/{name}/details?wsid={workspace}"
