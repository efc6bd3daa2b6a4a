"""The schema of settings: which keys exist, by which names, and which values each accepts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from azext_amlk8s import knowledge

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

FAMILY = re.compile(r"^[A-Za-z_]+")
INDEXED = re.compile(r"^(\w+\[\d+\]\.)(\w+)$")
Schema = Mapping[str, Any]  # a part of a JSON Schema


@dataclass(frozen=True)
class Key:
    """A key as the schema knows it, under the name that is sent.

    alias is the kind of other name under which it was found (former, misprint, template), empty for its own name;
    inverted: True of the old name means False of this one. expected describes the values. resettable: an empty value
    sets the key back to the chart's default.
    """

    name: str
    section: str
    values: tuple[str, ...] = ()
    inverted: bool = False
    alias: str = ""
    secret: bool = False
    expected: str = ""
    resettable: bool = True

    @property
    def is_flag(self) -> bool:
        """Whether the values are True and False."""
        return set(self.values) == {"True", "False"}


def schema() -> Schema:
    """The JSON Schema (2020-12) with its annotations."""
    loaded: Schema = knowledge.load("settings.schema")
    return loaded


def known_keys() -> list[str]:
    """The canonical names, in the schema's order."""
    return list(schema()["properties"])


def find_key(name: str) -> Key | None:
    """The key with this name in any case: its own, a former one, a misprint of the documentation, or a family's.

    A name that differs from today's only in case and is listed as another name is found as that (InferenceRouterHA).
    """
    known = _aliases().get(name) or _names().get(name.lower())
    if known is not None:
        return known
    for pattern, declared in _families():
        if pattern.search(name):
            return _key(_family_name(name, declared["x-name"]), declared)
    return None


@cache
def by_lower_case(annotation: str) -> Schema:
    """What an annotation of the whole schema, x-dropped or x-mapped, says of names, by the names in lower case."""
    return {name.lower(): entry for name, entry in schema()[annotation].items()}


def canonical_name(name: str) -> str:
    """Today's name of the key with this name; an unknown name as it is."""
    known = find_key(name)
    return known.name if known else name


def setting_schema(key: str) -> Schema:
    """The schema of a key by its canonical name, families included; empty for an unknown one."""
    if declared := schema()["properties"].get(key):
        return dict(declared)
    return next((dict(declared) for pattern, declared in _families() if pattern.search(key)), {})


def scenarios_of_key(key: str) -> tuple[str, ...]:
    """The scenarios in which a key has an effect: training, inference or both."""
    return tuple(setting_schema(key).get("x-scenarios", ()))


def is_secret(key: str) -> bool:
    """Whether a value of this key must not be shown."""
    known = find_key(key)
    return known is not None and (known.secret or known.section == "protected")


def nearest_name(name: str) -> str:
    """The known key that is spelt most like a name, or an empty string."""
    spellings = {**{name: key.name for name, key in _names().items()}, **_closed_families()}
    close = difflib.get_close_matches(name.lower(), list(spellings), n=1, cutoff=0.6)
    return spellings[close[0]] if close else ""


def invalid_keys(settings: Mapping[str, str]) -> Iterator[str]:
    """The keys whose values the schema does not allow. Unknown keys are ignored, and so are empty values (resets)."""
    values = {key: value for key, value in settings.items() if value != ""}
    for error in _validator().iter_errors(values):
        if error.path:
            yield str(error.path[0])


def allowed_values(declared: Schema) -> tuple[str, ...]:
    """The values that a part of the schema lists, as they are sent; empty where it lists none."""
    resolved = _resolve(declared)
    return tuple(resolved.get("x-values") or declared.get("enum", ()))


def listed_value(values: Iterable[str], text: str) -> str | None:
    """The one of some values that a text is in any case; None for any other text."""
    return next((listed for listed in values if listed.lower() == text.lower()), None)


def values_of_key(key: str) -> tuple[str, ...]:
    """The values listed for a key."""
    return allowed_values(setting_schema(key))


def describe_values(declared: Schema) -> str:
    """A phrase for the values that a part of the schema accepts ("True or False", "a resource ID of Azure, …")."""
    values = allowed_values(declared)
    if len(values) > 2:
        return f"{', '.join(values[:-1])} or {values[-1]}"
    return " or ".join(values) or str(_resolve(declared).get("description", ""))


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


@cache
def _aliases() -> dict[str, Key]:
    return {
        alias: _key(name, declared, alias_entry["kind"], bool(alias_entry.get("inverted")))
        for name, declared in schema()["properties"].items()
        for alias, alias_entry in declared.get("x-aliases", {}).items()
    }


@cache
def _names() -> dict[str, Key]:
    names = {name.lower(): _key(name, declared) for name, declared in schema()["properties"].items()}
    for alias, key in _aliases().items():
        names.setdefault(alias.lower(), key)
    return names


@cache
def _families() -> tuple[tuple[re.Pattern[str], Schema], ...]:
    patterns = schema()["patternProperties"]
    return tuple((re.compile(pattern, re.IGNORECASE), declared) for pattern, declared in patterns.items())


def _closed_families() -> dict[str, str]:
    return {declared["x-name"].lower(): declared["x-name"] for _, declared in _families() if not declared.get("x-open")}


def _family_name(given: str, shown: str) -> str:
    """The given name in the family's spelling: of an indexed key its part too, of others the rest is kept."""
    family = FAMILY.match(shown)
    assert family
    name = family.group() + given[family.end() :]
    indexed = INDEXED.match(name)
    return indexed.group(1) + indexed.group(2).lower() if indexed else name


def _key(name: str, declared: Schema, alias: str = "", inverted: bool = False) -> Key:
    return Key(
        name,
        declared["x-section"],
        allowed_values(declared),
        inverted,
        alias,
        bool(declared.get("x-secret")),
        describe_values(declared),
        bool(declared.get("x-resettable", declared["x-section"] != "protected")),
    )


def _resolve(declared: Schema) -> Schema:
    reference = declared.get("$ref", "")
    resolved: Schema = schema()["$defs"][reference.rsplit("/", 1)[-1]] if reference else declared
    return resolved
