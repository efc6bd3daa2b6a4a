"""Table views: one row a thing, the columns that a person looks for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

Row = OrderedDict[str, Any]


def extension_row(extension: Mapping[str, Any]) -> Row:
    """The row of one extension as ARM describes it; the running version, not the pinned one."""
    properties = extension.get("properties") or {}
    settings = {key.lower(): value for key, value in (properties.get("configurationSettings") or {}).items()}
    on = [word for word in ("Training", "Inference") if str(settings.get(f"enable{word}".lower())).lower() == "true"]
    return OrderedDict(
        Name=extension.get("name"),
        State=properties.get("provisioningState"),
        Version=properties.get("currentVersion") or properties.get("version"),
        Train=properties.get("releaseTrain"),
        AutoUpgrade=properties.get("autoUpgradeMinorVersion"),
        Scenario=" and ".join(on),
        Error=_first_status(properties),
    )


def extension_or_plan(result: Mapping[str, Any]) -> Row | list[Row]:
    """The row of an extension, or what a dry run of it would do: a row for each resource and each setting."""
    if "method" not in result:
        return extension_row(result)
    if result["action"] == "none":
        return _plan_row("nothing", "", "")
    return _update_rows(result) if result["method"] == "PATCH" else _create_rows(result)


def _create_rows(plan: Mapping[str, Any]) -> list[Row]:
    rows = [_plan_row(one["action"], one["kind"], one["name"]) for one in plan["resources"]]
    for name, value in plan["body"]["properties"].items():
        many = value if isinstance(value, Mapping) and name.startswith("configuration") else {name: value}
        rows += [_plan_row("set", key, one) for key, one in many.items()]
    return rows


def _update_rows(plan: Mapping[str, Any]) -> list[Row]:
    return [
        *(_plan_row(one["action"], one["kind"], one["name"], "") for one in plan["resources"]),
        *(_plan_row("change", one["key"], one["after"], one["before"] or "not set") for one in plan["changes"]),
    ]


def _plan_row(action: str, what: str, value: Any, before: str | None = None) -> Row:
    import json

    was = {} if before is None else {"Before": before}
    return OrderedDict(Action=action, What=what, **was, Value=value if isinstance(value, str) else json.dumps(value))


def extension_rows(extensions: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of several extensions."""
    return [extension_row(extension) for extension in extensions]


def compute_row(compute: Mapping[str, Any]) -> Row:
    """The row of one compute as ARM describes it; `properties` may be null, or no mapping, at either level."""
    outer = _mapping(compute.get("properties"))
    inner = _mapping(outer.get("properties"))
    types = inner.get("instanceTypes")
    return OrderedDict(
        Name=compute.get("name"),
        Type=outer.get("computeType"),
        State=outer.get("provisioningState"),
        Cluster=str(outer.get("resourceId") or "").rsplit("/", 1)[-1],
        Namespace=inner.get("namespace"),
        DefaultInstanceType=inner.get("defaultInstanceType"),
        InstanceTypes=len(types) if types is not None else None,
        Identity=_mapping(compute.get("identity")).get("type") or "None",
        Error=_first_provisioning_error(compute),
    )


def compute_rows(computes: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of several computes."""
    return [compute_row(compute) for compute in computes]


def setting_rows(settings: Mapping[str, Any] | list[Mapping[str, Any]]) -> list[Row]:
    """The rows of one setting or of several."""
    return [_setting_row(one) for one in (settings if isinstance(settings, list) else [settings])]


def component_rows(components: list[Mapping[str, Any]]) -> list[Row]:
    """The rows of components."""
    return [
        OrderedDict(Name=one["name"], Kind=one["kind"], Scenario=" and ".join(one["scenarios"]), Unless=one["unless"])
        for one in components
    ]


def _setting_row(one: Mapping[str, Any]) -> Row:
    values = one.get("values") or ""
    return OrderedDict(
        Key=one["key"],
        Bag=one.get("bag"),
        Values=values if isinstance(values, str) else " ".join(values),
        Default=one.get("default"),
        Scenario=" and ".join(one.get("scenarios") or []),
        Description=short(one["description"], 80),
    )


def _first_status(properties: Mapping[str, Any]) -> str:
    if str(properties.get("provisioningState")).lower() != "failed":
        return ""
    for status in properties.get("statuses") or []:
        if status and status.get("message"):
            return short(f"{status.get('code') or ''} {status['message']}")
    return ""


def _first_provisioning_error(compute: Mapping[str, Any]) -> str:
    """The deepest coded detail, which is the useful one, of what ARM keeps with a compute that failed."""
    if not _mapping(compute.get("properties")).get("provisioningErrors"):
        return ""
    from azext_amlk8s.diagnosis import of_compute

    return next((short(f"{one.code} {one.message}") for one in of_compute(compute)), "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def short(text: str, width: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"
