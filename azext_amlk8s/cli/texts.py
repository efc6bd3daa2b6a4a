"""Results as text for people at a terminal; the lines are printed by console.reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.console.reports import count, finding_lines, fix_lines

MOST_PLACES = 4


def findings_text(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The findings of a validation, and the verdict."""
    return finding_lines(findings)


def check_text(_report: Mapping[str, Any]) -> list[str]:
    """Nothing: the check itself has printed its results on stderr, verdict included."""
    return []


def explanations_text(explanations: Sequence[Mapping[str, Any]]) -> list[str]:
    """The meaning, cause, fix and source of each explanation; one line for each in a list of all."""
    if len(explanations) > 10:
        return [f"{each['code']:<34} {each['meaning']}" for each in explanations]
    lines: list[str] = []
    for explanation in explanations:
        name = str(explanation.get("name") or "")
        title = [explanation.get("code") or "Unknown message", name if name != explanation.get("code") else ""]
        scope = f"({explanation['scope']})" if explanation.get("scope") else ""
        lines += [""] if lines else []
        lines.append(" ".join(filter(None, [*title, scope])))
        parts = [f"{key}: {_part(value)}" for key, value in (explanation.get("parts") or {}).items()]
        lines += [f"    {text}" for text in (explanation.get("meaning"), explanation.get("cause"), *parts) if text]
        lines += fix_lines(explanation.get("fix") or [])
        lines += [f"    See {explanation['source']}"] if explanation.get("source") else []
    return lines


def _part(value: Any) -> str:
    """A part of a message: names as name=value, lists with commas."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_part(item)}" for key, item in value.items())
    return ", ".join(map(_part, value)) if isinstance(value, (list, tuple)) else str(value)


def plan_text(result: Mapping[str, Any]) -> list[str] | None:
    """The plan of a dry run: resources with their costs, then the settings that the user chose, then the others."""
    if "method" not in result:
        return None
    lines = []
    for resource in result["resources"]:
        mark = "+" if resource["action"] == "create" else "~"
        lines.append(f"{mark} {resource['action']} {resource['kind']} '{resource['name']}'")
        lines += [f"    {resource['costs']}"] if resource.get("costs") else []
    name = str(result["id"]).rsplit("/", 1)[-1]
    if result["action"] == "none":
        return [*lines, f"✓ Extension '{name}' already has these settings. Nothing to change."]
    if result["method"] == "PATCH":
        lines.append(f"~ update extension '{name}'")
        lines += [
            f"    ~ {change['key']}: {_value(change['before'])} -> {_value(change['after'])}"
            for change in result["changes"]
        ]
    else:
        lines += [f"+ create extension '{name}'", *_setting_lines(result)]
    billed = sum(bool(resource.get("costs")) for resource in result["resources"])
    costs = f"{count(billed, 'billed resource')} " if billed else "No billed resource "
    return [*lines, "", f"{costs}to create. Nothing was changed; run the command without --dry-run to apply this plan."]


def _setting_lines(plan: Mapping[str, Any]) -> list[str]:
    chosen = {key.lower() for key in plan.get("chosen") or ()}
    properties = plan["body"]["properties"]
    sections = (properties.get("configurationSettings"), properties.get("configurationProtectedSettings"))
    settings = {key: value for section in sections for key, value in (section or {}).items()}
    own = {key: value for key, value in settings.items() if key.lower() in chosen}
    derived = {key: value for key, value in settings.items() if key not in own}
    lines = [f"    + {key} = {_value(value)}" for key, value in own.items()]
    lines += ["    derived:"] if derived and own else []
    return lines + [f"      {key} = {_value(value)}" for key, value in derived.items()]


def _value(value: Any) -> str:
    return "not set" if value is None else value if isinstance(value, str) else json.dumps(value)


def fit_text(fits: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each instance type how many pods fit, now and in total, and where; or why none fits."""
    lines = []
    for fit in fits:
        mark, text = fit_summary(fit)
        lines.append(f"{mark} {fit['name']}: {text}")
        if mark != "✓":
            reasons = [*fit["reasons"], *(reason for place in fit["places"] for reason in place["reasons"])]
            lines += dict.fromkeys(f"    {reason['message']}" for reason in reasons)
    return lines or ["No instance types."]


def fit_summary(fit: Mapping[str, Any]) -> tuple[str, str]:
    """The mark and the capacity of one instance type as `instance-type fit` returns it."""
    if not fit["fits"]:
        return "✗", "fits nowhere"
    places = [place["place"] for place in fit["places"] if place["podsAfterScaleOut"]]
    where = f" on {', '.join(places[:MOST_PLACES])}" if places else ""
    where += f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    pods, free, total = fit["pods"], fit["podsFreeNow"], fit["podsAfterScaleOut"]
    scale_out = f", {total} after scale-out" if total > pods else ""
    refused = {"yes": "; jobs are refused with Code 9", "possible": "; jobs may be refused with Code 9"}
    mark = "✗" if fit["refused"] == "yes" else "✓" if free and not fit["refused"] else "!"
    return mark, f"{free} of {count(pods, 'pod')} free{scale_out}{where}{refused.get(fit['refused'], '')}"


def bundle_text(bundle: Mapping[str, Any]) -> list[str]:
    """Where the diagnosis is, and its verdict."""
    return [
        bundle["verdict"],
        "",
        f"Archive:  {bundle['archive']}",
        f"Page:     {bundle['page']}",
        "Secrets are removed; names of resources remain. Read the archive before you share it.",
    ]


def removal_text(result: Mapping[str, Any] | None) -> list[str] | None:
    """What --everything has removed, and what remains with its costs."""
    if result is None:
        return None
    lines = [f"- {removed}" for removed in result["removed"]]
    for remaining in result["remains"]:
        lines.append(f"! {remaining['what']}: {' '.join(filter(None, (remaining['why'], remaining['costs'])))}")
        lines += [f"    {remaining['command']}"] if remaining["command"] else []
    return [*lines, *([] if result["remains"] else ["✓ Nothing remains."])]
