"""The settings schema, asked for what a key means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from azext_amlk8s import knowledge

FAMILY = re.compile(r"^[A-Za-z_]+")
INDEXED = re.compile(r"^(\w+\[\d+\]\.)(\w+)$")


@dataclass(frozen=True)
class Key:
    """A key as the schema knows it, under the name that is sent.

    alias says what kind of other name the word was (former, misprint, template), and is empty for the name itself;
    inverted: a True of the old name means False of this one. wants: words for what a value must be.
    """

    name: str
    bag: str
    values: tuple[str, ...] = ()
    inverted: bool = False
    alias: str = ""
    secret: bool = False
    wants: str = ""


def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) with its annotations."""
    loaded: Mapping[str, Any] = knowledge.load("settings.schema")
    return loaded


def known_keys() -> list[str]:
    """The canonical names, in the schema's order."""
    return list(schema()["properties"])


def find(word: str) -> Key | None:
    """The key that a word means, in any case: by name, other name, misprint of the documentation, or family."""
    if found := _names().get(word.lower()):
        return found
    for pattern, told in _families():
        if pattern.search(word):
            return _key(_of_family(word, told["x-name"]), told)
    return None


def about(name: str) -> Mapping[str, Any]:
    """What the schema says of a key by its canonical name, families included; empty for an unknown one."""
    if told := schema()["properties"].get(name):
        return dict(told)
    return next((dict(told) for pattern, told in _families() if pattern.search(name)), {})


def scenarios_of(name: str) -> tuple[str, ...]:
    """The scenarios in which a key has an effect: training, inference or both of them."""
    return tuple(about(name).get("x-scenarios", ()))


def nearest(word: str) -> str:
    """The known name that looks most like a word, or nothing."""
    looks = {**{name: key.name for name, key in _names().items()}, **_shown_families()}
    close = difflib.get_close_matches(word.lower(), list(looks), n=1, cutoff=0.6)
    return looks[close[0]] if close else ""


def violations(settings: Mapping[str, str]) -> Iterator[str]:
    """The names of the settings whose values the schema does not allow; unknown names are not its business here."""
    for error in _validator().iter_errors(dict(settings)):
        if error.path:
            yield str(error.path[0])


def values_of(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that a key can have, as they are sent; empty where they are not a list."""
    resolved = _resolved(told)
    return tuple(resolved.get("x-values") or told.get("enum", ()))


def values_of_key(name: str) -> tuple[str, ...]:
    """The values that the key of that name can have."""
    return values_of(about(name))


def wanted(told: Mapping[str, Any]) -> str:
    """Words for what a value must be."""
    return " or ".join(values_of(told)) or str(_resolved(told).get("description", ""))


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


@cache
def _names() -> dict[str, Key]:
    names = {name.lower(): _key(name, told) for name, told in schema()["properties"].items()}
    for name, told in schema()["properties"].items():
        for alias, what in told.get("x-aliases", {}).items():
            names.setdefault(alias.lower(), _key(name, told, what["kind"], bool(what.get("inverted"))))
    return names


@cache
def _families() -> tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]:
    told = schema()["patternProperties"]
    return tuple((re.compile(pattern, re.IGNORECASE), what) for pattern, what in told.items())


def _shown_families() -> dict[str, str]:
    return {what["x-name"].lower(): what["x-name"] for _, what in _families() if not what.get("x-open")}


def _of_family(word: str, shown: str) -> str:
    """The word with the family's own spelling; of an indexed one the part too, of others what follows is kept."""
    family = FAMILY.match(shown)
    assert family
    name = family.group() + word[family.end() :]
    indexed = INDEXED.match(name)
    return indexed.group(1) + indexed.group(2).lower() if indexed else name


def _key(name: str, told: Mapping[str, Any], alias: str = "", inverted: bool = False) -> Key:
    secret = bool(told.get("x-secret"))
    return Key(name, told["x-bag"], values_of(told), inverted, alias, secret, wanted(told))


def _resolved(told: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = told.get("$ref", "")
    found: Mapping[str, Any] = schema()["$defs"][reference.rsplit("/", 1)[-1]] if reference else told
    return found
