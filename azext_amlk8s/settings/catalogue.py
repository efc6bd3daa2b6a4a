"""The settings and components that the knowledge base describes, as objects for commands and generated pages."""

from __future__ import annotations

import re
from typing import Any

from azext_amlk8s.settings.schema import Schema, allowed_values, describe_values, find_key, schema

ALIAS_FIELDS = {"former": "formerNames", "misprint": "misprints", "template": "templateNames"}


def list_settings() -> list[dict[str, Any]]:
    """All keys in the schema's order, then the families of keys."""
    named = [_describe(name, declared) for name, declared in schema()["properties"].items()]
    return [*named, *(_describe(declared["x-name"], declared) for declared in schema()["patternProperties"].values())]


def describe_setting(name: str) -> dict[str, Any] | None:
    """The setting with this name, current or former, in any case; for a removed one what replaced it."""
    for key, removed in schema()["x-dropped"].items():
        if key.lower() == name.lower():
            return {"key": key, "until": removed["until"], "successor": None, "description": removed["why"]}
    for key, replaced in schema()["x-mapped"].items():
        if key.lower() == name.lower():
            successor = " ".join(f"{new}={value}" for new, value in replaced["to"].items())
            description = f"Is read as {successor}."
            return {"key": key, "until": replaced["until"], "successor": successor, "description": description}
    known = find_key(name)
    settings = {setting["key"].lower(): setting for setting in list_settings()}
    if known is None:
        return settings.get(name.lower())
    return settings.get(known.name.lower()) or _describe_family_member(known.name)


def _describe_family_member(name: str) -> dict[str, Any] | None:
    for pattern, declared in schema()["patternProperties"].items():
        if re.search(pattern, name):
            return dict(_describe(declared["x-name"], declared), key=name)
    return None


def _describe(name: str, declared: Schema) -> dict[str, Any]:
    aliases = declared.get("x-aliases", {})
    return {
        "key": name,
        "section": declared["x-section"],
        "values": list(allowed_values(declared)) or describe_values(declared),
        "default": declared.get("default"),
        "scenarios": declared["x-scenarios"],
        "set": declared.get("x-set", "given"),
        "since": declared.get("x-since"),
        "until": declared.get("x-until"),
        **{
            field: [alias for alias, alias_entry in aliases.items() if alias_entry["kind"] == kind]
            for kind, field in ALIAS_FIELDS.items()
        },
        "description": " ".join(filter(None, (declared["description"], declared.get("x-note")))),
        "source": schema()["x-sources"][declared["x-source"]]["url"],
    }
