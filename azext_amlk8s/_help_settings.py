"""The part of the help that is made of the knowledge of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s import knowledge

LIST = "az amlk8s extension settings list"
# knack names a parameter by all its options, in their order.
OPTIONS = {"config": "--config --configuration-settings", "protected": "--config-protected --config-protected-settings"}


def parameters(*, every: bool = False) -> str:
    """The parameters of a help entry, as YAML, that take settings; with every each setting that a person gives is told."""
    return "\n".join(["parameters:", *(line for bag in OPTIONS for line in _parameter(bag, every))])


def _parameter(bag: str, every: bool) -> list[str]:
    lines = [f"  - name: {OPTIONS[bag]}", f"    populator-commands: [{LIST}]"]
    if not every:
        return lines
    told = [_line(key, what) for key, what in _given().items() if _option(what) == bag]
    return [*lines, "    long-summary: |", *(f"        {line}" for line in ("Keys match in any case.", *told))]


def _option(what: Mapping[str, Any]) -> str:
    return "protected" if what["x-bag"] == "protected" else "config"


def _given() -> Mapping[str, Mapping[str, Any]]:
    schema = knowledge.load("settings.schema")
    families = {what["x-name"]: what for what in schema["patternProperties"].values() if not what.get("x-open")}
    return {
        key: what for key, what in {**schema["properties"], **families}.items() if what.get("x-set", "given") == "given"
    }


def _line(key: str, what: Mapping[str, Any]) -> str:
    values = "/".join(what.get("enum", ())) or ("True/False" if what.get("$ref", "").endswith("/flag") else "")
    shown = f"{key}={values}" if values else key
    default = f" Default: {what['default']}." if "default" in what else ""
    return f"{shown}: {what['description']}{default}"
