"""Properties of all settings: none is lost, order does not matter, canonical settings are read unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from azext_amlk8s.settings import Document, Settings, evaluate_rules, merge_settings, read_settings
from azext_amlk8s.settings.schema import find_key, known_keys, schema, values_of_key

# Texts that are valid in a shell, YAML and JSON; @ and <> have scenarios in settings-files.yaml.
WORD = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
LABEL = st.from_regex(r"[a-z]([a-z0-9.-]{0,8}[a-z0-9])?(/[a-z]{1,6})?", fullmatch=True).filter(
    lambda item: ".." not in item
)
FAMILIES = ("amloperator", "scoringFe", "nginxIngress", "volcanoScheduler", "prometheus", "relayserver", "servicebus")
OTHER_NAMES = [name for prop in schema()["properties"].values() for name in prop.get("x-aliases", {})]


@st.composite
def keys(draw: st.DrawFn) -> str:
    """A canonical key: one of the schema's, or one of a family."""
    kind = draw(st.sampled_from(["known", "label", "family"]))
    if kind == "known":
        return draw(st.sampled_from(known_keys()))
    if kind == "label":
        return "nodeSelector." + draw(LABEL).replace(".", "\\.")
    key = f"{draw(st.sampled_from(FAMILIES))}.{draw(WORD)}"
    found = find_key(key)
    assume(found is not None and found.name == key)
    return key


@st.composite
def values(draw: st.DrawFn, key: str) -> str:
    """A valid value of a key, as it is sent."""
    return draw(st.sampled_from(values_of_key(key)) if values_of_key(key) else WORD)


@st.composite
def sections(draw: st.DrawFn) -> dict[str, str]:
    """Canonical settings, without keys that differ only in capitals."""
    found = {key: draw(values(key)) for key in draw(st.lists(keys(), max_size=8, unique_by=str.lower))}
    names = {key.lower() for key in found}
    return {key: value for key, value in found.items() if not any(name.startswith(f"{key.lower()}.") for name in names)}


@st.composite
def arguments(draw: st.DrawFn, section: Mapping[str, str]) -> list[str]:
    """KEY=VALUE arguments of settings in any order, with other capitals of known keys and values."""
    words = []
    for key, value in draw(st.permutations(list(section.items()))):
        if key in schema()["properties"] and draw(st.booleans()):
            key = draw(st.sampled_from([key.lower(), key.upper()]))
            if (found := find_key(key)) and found.values:
                value = draw(st.sampled_from([value.lower(), value.upper()]))
        words.append(f"{key}={value}")
    return words


def nested(section: Mapping[str, str]) -> dict[str, Any]:
    """Settings as a mapping, nested at the first dot."""
    tree: dict[str, Any] = {}
    for key, value in section.items():
        first, dot, rest = key.partition(".")
        if dot:
            tree.setdefault(first, {})[rest] = value
        else:
            tree[key] = value
    return tree


def everything(read: Settings) -> dict[str, str]:
    """Both sections in one."""
    return {**read.config, **read.protected}


@given(st.data(), sections())
def test_settings_are_read_in_any_order_and_spelling(data: st.DataObject, section: dict[str, str]) -> None:
    """No setting is lost, and none is in both sections."""
    read, _ = read_settings(data.draw(arguments(section)), [])
    assert everything(read) == section
    assert not read.config.keys() & read.protected.keys()


@given(st.data(), sections())
def test_canonical_settings_are_read_unchanged(data: st.DataObject, section: dict[str, str]) -> None:
    """Canonical settings that are read again are equal, without findings."""
    once, _ = read_settings(data.draw(arguments(section)), [])
    again, found = read_settings(
        *([f"{key}={value}" for key, value in item.items()] for item in (once.config, once.protected))
    )
    assert (again, found) == (once, ())


@given(st.data(), sections())
def test_file_and_arguments_are_combined(data: st.DataObject, section: dict[str, str]) -> None:
    """Any part of the settings can be in a file, nested or dotted, JSON or YAML."""
    in_file = {key: value for key, value in section.items() if data.draw(st.booleans())}
    assume(in_file)
    tree = data.draw(st.sampled_from([in_file, nested(in_file)]))
    text = data.draw(st.sampled_from([json.dumps(tree), yaml.safe_dump(tree)]))
    words = [f"{key}={value}" for key, value in section.items() if key not in in_file]
    read, found = read_settings(words, [], config_file=Document("file", text))
    assert everything(read) == section
    assert {finding.id for finding in found} <= {"S007"}


@given(st.data(), sections())
def test_command_line_overrides_the_file(data: st.DataObject, section: dict[str, str]) -> None:
    """A setting that is in both has the value of the command line, with a finding if they differ."""
    assume(section)
    other = {key: data.draw(values(key)) for key in section}
    read, found = read_settings(
        [f"{key}={value}" for key, value in section.items()], [], config_file=Document("file", json.dumps(other))
    )
    assert everything(read) == section
    assert {finding.subject for finding in found if finding.id == "S012"} == {
        key for key in section if section[key] != other[key]
    }


@given(st.data(), sections())
def test_the_bag_in_which_a_setting_is_given_does_not_matter(data: st.DataObject, section: dict[str, str]) -> None:
    """Each setting goes where it belongs; only of those allowed in either section the choice is kept."""
    here = {key: value for key, value in section.items() if data.draw(st.booleans())}
    words = ([f"{key}={value}" for key, value in section.items() if (key in here) is first] for first in (True, False))
    read, _ = read_settings(*words)
    assert everything(read) == section
    for key, held in (("config", read.config), ("protected", read.protected)):
        assert all((known := find_key(item)) and known.section in (key, "either") for item in held)


@given(st.lists(st.text(max_size=20), max_size=6), st.lists(st.text(max_size=20), max_size=3), st.booleans())
def test_every_argument_becomes_a_setting_or_a_finding(
    config: list[str], protected: list[str], allow_unknown: bool
) -> None:
    """Never an exception, and never ignored."""
    read, found = read_settings(config, protected, allow_unknown=allow_unknown)
    if any(word.strip() for word in (*config, *protected)):
        assert everything(read) or found


@given(st.sampled_from(OTHER_NAMES), st.data())
def test_other_name_sets_the_current_name(alias: str, data: st.DataObject) -> None:
    """The setting is read under its current name, with the value inverted where the meaning was."""
    key = find_key(alias)
    assert key
    value = data.draw(values(key.name))
    read, _ = read_settings([f"{alias}={value}"], [])
    expected = {"True": "False", "False": "True"}[value] if key.inverted else value
    assert everything(read) == {key.name: expected}


SECRET = "hunter2hunter2"
# Arguments of --config-protected: any key, known or not, valid or not, with a secret as its value.
SECRET_ARGUMENTS = st.one_of(
    st.builds(lambda key: f"{key}={SECRET}", st.one_of(st.sampled_from([*known_keys(), *OTHER_NAMES]), keys(), WORD)),
    st.sampled_from(
        [
            SECRET,
            f"={SECRET}",
            f"{SECRET}==",
            f'{{"sslCname": "{SECRET}"',
            f"sslCname: {SECRET}\nx: [",
            f"<{SECRET}>",
        ]
    ),
)


@given(st.lists(SECRET_ARGUMENTS, min_size=1, max_size=3), st.booleans())
def test_secret_is_in_no_finding(words: list[str], allow_unknown: bool) -> None:
    """Neither in a finding about the argument nor in one of a rule."""
    read, found = read_settings([], words, allow_unknown=allow_unknown)
    assert SECRET not in repr((found, evaluate_rules(Settings({}, read.protected))))


halves = st.builds(
    lambda build, other: Settings(build, {key: v for key, v in other.items() if key not in build}),
    sections(),
    sections(),
)


@given(halves, halves, halves)
def test_merged_settings(settings: Settings, two: Settings, three: Settings) -> None:
    """No setting is lost, the first keeps its values, no key is in both sections, and merging is associative."""
    both = merge_settings(settings, two)
    assert everything(both) == {**everything(two), **everything(settings)}
    assert not both.config.keys() & both.protected.keys()
    assert merge_settings(settings, both) == both
    assert merge_settings(merge_settings(settings, two), three) == merge_settings(settings, merge_settings(two, three))
