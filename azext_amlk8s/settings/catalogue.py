"""The knowledge of settings and components as objects that a person can be shown: the page's two appendices, live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.settings.schema import find, schema, values_of, wanted

KINDS = {"former": "formerNames", "misprint": "misprints", "template": "templateNames"}


def every_setting() -> list[dict[str, Any]]:
    """All keys in the schema's order, then the families."""
    told = schema()
    named = [_object(name, what) for name, what in told["properties"].items()]
    return [*named, *(_object(what["x-name"], what) for what in told["patternProperties"].values())]


def setting(word: str) -> dict[str, Any] | None:
    """What a key means, by any of its names in any case; of a dropped or mapped one what became of it."""
    for name, told in schema()["x-dropped"].items():
        if name.lower() == word.lower():
            return {"key": name, "until": told["until"], "successor": None, "description": told["why"]}
    for name, told in schema()["x-mapped"].items():
        if name.lower() == word.lower():
            words = " ".join(f"{key}={value}" for key, value in told["to"].items())
            description = f"Is read as {words}."
            return {"key": name, "until": told["until"], "successor": words, "description": description}
    key = find(word)
    names = {one["key"].lower(): one for one in every_setting()}
    if key is None:
        return names.get(word.lower())
    return names.get(key.name.lower()) or next((dict(one, key=key.name) for one in _families(key.name)), None)


def every_component() -> list[dict[str, Any]]:
    """What is put into the cluster, then what into Azure."""
    told = knowledge.load("components")
    return [
        {
            "name": one["name"],
            "kind": one["kind"],
            "scenarios": one["scenarios"],
            "unless": " ".join(f"{key}={value}" for key, value in one.get("unless", {}).items()) or None,
            "description": one["description"],
            "cloud": one.get("cloud"),
        }
        for one in (*told["kubernetes"], *told["azure"])
    ]


def _families(name: str) -> Iterator[dict[str, Any]]:
    import re

    for pattern, told in schema()["patternProperties"].items():
        if re.search(pattern, name):
            yield _object(told["x-name"], told)


def _object(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    aliases = told.get("x-aliases", {})
    source = schema()["x-sources"][told["x-source"]]
    return {
        "key": name,
        "bag": told["x-bag"],
        "values": list(values_of(told)) or wanted(told),
        "default": told.get("default"),
        "scenarios": told["x-scenarios"],
        "set": told.get("x-set", "given"),
        "since": told.get("x-since"),
        "until": told.get("x-until"),
        **{shown: [one for one, what in aliases.items() if what["kind"] == kind] for kind, shown in KINDS.items()},
        "description": " ".join(filter(None, (told["description"], told.get("x-note")))),
        "source": source["url"],
    }
