"""The table view of the plan of a dry run: a row for each resource and each setting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.cli.declaration import Row
from azext_amlk8s.cli.tables import shorten

# Where a row of a plan comes from: resources first, of which some cost money, then what the user chose.
ORIGINS = ("billed", "", "chosen", "derived")


def plan_rows(plan: Mapping[str, Any]) -> list[Row]:
    """The rows of a plan of `extension create` or `extension update`; one row where nothing changes."""
    if plan["action"] == "none":
        return [_plan_row("nothing", "", "")]
    return _update_rows(plan) if plan["method"] == "PATCH" else _create_rows(plan)


def _create_rows(plan: Mapping[str, Any]) -> list[Row]:
    chosen = {key.lower() for key in plan.get("chosen") or ()}
    rows = [_resource_row(resource) for resource in plan["resources"]]
    for name, value in plan["body"]["properties"].items():
        values = value if isinstance(value, Mapping) and name.startswith("configuration") else {name: value}
        rows += [
            _plan_row("set", key, each, "chosen" if key.lower() in chosen else "derived")
            for key, each in values.items()
        ]
    return sorted(rows, key=lambda row: ORIGINS.index(row["Origin"]))


def _update_rows(plan: Mapping[str, Any]) -> list[Row]:
    changes = [
        _plan_row(
            "change", change["key"], f"{_text(change['before'] or 'not set')} -> {_text(change['after'])}", "chosen"
        )
        for change in plan["changes"]
    ]
    return [*(_resource_row(resource) for resource in plan["resources"]), *changes]


def _resource_row(resource: Mapping[str, Any]) -> Row:
    return _plan_row(resource["action"], resource["kind"], resource["name"], "billed" if resource.get("costs") else "")


def _plan_row(action: str, subject: str, value: Any, origin: str = "") -> Row:
    return {
        "Action": action,
        "Subject": shorten(subject, 34),
        "Value": shorten(_text(value), 44),
        "Origin": origin,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
