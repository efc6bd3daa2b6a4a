"""Table views of instance types and workloads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from azext_amlk8s._format import Row


def instance_type_rows(types: Mapping[str, Any] | list[Mapping[str, Any]]) -> list[Row]:
    """The rows of one instance type or of several."""
    return [_instance_type_row(one) for one in (types if isinstance(types, list) else [types])]


def _instance_type_row(one: Mapping[str, Any]) -> Row:
    requests, limits = one.get("requests") or {}, one.get("limits") or {}
    row: Row = OrderedDict(
        Name=one.get("name"),
        CpuRequest=requests.get("cpu"),
        CpuLimit=limits.get("cpu"),
        MemoryRequest=requests.get("memory"),
        MemoryLimit=limits.get("memory"),
        Gpu=limits.get("nvidia.com/gpu"),
        NodeSelector=",".join(f"{key}={value}" for key, value in (one.get("nodeSelector") or {}).items()),
        BuiltIn=one.get("builtIn"),
    )
    if one.get("action"):
        row["Action"] = one["action"]
    return row
