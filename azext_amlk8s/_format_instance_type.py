"""Table views of instance types and workloads."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from azext_amlk8s._format import Row, short


def instance_type_rows(types: Mapping[str, Any] | list[Mapping[str, Any]]) -> list[Row]:
    """The rows of one instance type or of several."""
    return [_instance_type_row(one) for one in (types if isinstance(types, list) else [types])]


def converted_rows(told: Mapping[str, Any]) -> list[Row]:
    """The rows of an InstanceTypeList."""
    return [
        _instance_type_row(
            {
                "name": one["metadata"]["name"],
                **one["spec"]["resources"],
                "nodeSelector": one["spec"].get("nodeSelector"),
            }
        )
        for one in told["items"]
    ]


def fit_rows(fits: list[Mapping[str, Any]]) -> list[Row]:
    """A row for each type: how many pods, where, and if nowhere, what is in the way of the nearest node."""
    return [
        OrderedDict(
            Name=one["name"],
            Pods=one["pods"],
            Now=one["podsNow"],
            ByScaleOut=one["podsByScaleOut"],
            Places=" ".join(place["place"] for place in one["places"] if place["pods"] or place["podsByScaleOut"]),
            CodeNine=one["codeNine"] or "",
            Nearest=one["nearestNode"] or "",
            Why=short(" ".join(reason["message"] for reason in one["reasons"]), 90),
        )
        for one in fits
    ]


def _instance_type_row(one: Mapping[str, Any]) -> Row:
    requests, limits = one.get("requests") or {}, one.get("limits") or {}
    gpus = [f"{value}" if key == "nvidia.com/gpu" else f"{value} {key}" for key, value in limits.items() if "/" in key]
    row: Row = OrderedDict(
        Name=one.get("name"),
        CpuRequest=requests.get("cpu"),
        CpuLimit=limits.get("cpu"),
        MemoryRequest=requests.get("memory"),
        MemoryLimit=limits.get("memory"),
        Gpu=", ".join(word for word in gpus if not word.startswith("None")),
        NodeSelector=",".join(f"{key}={value}" for key, value in (one.get("nodeSelector") or {}).items()),
    )
    if one.get("where"):
        row["Where"] = one["where"]
        row["ValuesFrom"] = one.get("valuesFrom")
    if one.get("action"):
        row["Action"] = one["action"]
        changes = [f"{each['field']}: {each['before']} -> {each['after']}" for each in one.get("changes") or []]
        row["Changes"] = short("; ".join([*changes, *_conflicts(one)]), 100)
    return row


def _flat(name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, **spec["resources"], "nodeSelector": spec.get("nodeSelector")}


def _conflicts(one: Mapping[str, Any]) -> list[str]:
    return [f"{each['field']} is {each['manager']}'s" for each in one.get("conflicts") or []]
