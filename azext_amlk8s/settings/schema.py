"""The settings schema, asked for what a key means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from azext_amlk8s import knowledge


@dataclass(frozen=True)
class Key:
    """A key as the schema knows it. inverted: a True of the old name means False of this one."""

    name: str
    bag: str
    values: tuple[str, ...] = ()
    inverted: bool = False
    alias: bool = False
    secret: bool = False


def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) with its annotations."""
    loaded: Mapping[str, Any] = knowledge.load("settings.schema")
    return loaded


def known_keys() -> list[str]:
    """The canonical names, in the schema's order."""
    return list(schema()["properties"])


def find(word: str) -> Key | None:
    """The key that a word means, in any case: by name, old name, misprint of the documentation, or family."""
    if found := _names().get(word.lower()):
        return found
    for pattern, told in schema()["patternProperties"].items():
        if re.search(pattern, word, re.IGNORECASE):
            family = re.match(r"[A-Za-z_]+", word)
            canonical = re.split(r"[\\\[]", pattern.lstrip("^"))[0]
            name = canonical + word[family.end() :] if family else word
            return Key(name, told["x-bag"])
    return None


def nearest(word: str) -> str:
    """The known name that looks most like a word, or nothing."""
    close = difflib.get_close_matches(word.lower(), list(_names()), n=1, cutoff=0.6)
    return _names()[close[0]].name if close else ""


@lru_cache(maxsize=1)
def _names() -> dict[str, Key]:
    names: dict[str, Key] = {}
    for name, told in schema()["properties"].items():
        common = {"bag": told["x-bag"], "values": tuple(told.get("enum", ())), "secret": bool(told.get("x-secret"))}
        names[name.lower()] = Key(name, **common)
        for alias in told.get("x-aliases", ()):
            names[alias.lower()] = Key(name, alias=True, **common)
        for alias in told.get("x-inverted-aliases", ()):
            names[alias.lower()] = Key(name, alias=True, inverted=True, **common)
    return names
