"""Arguments and files into Settings: canonical keys, normalised values, each in the section where it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import reading_rules as rules
from azext_amlk8s.settings.documents import NotSettings, is_document, read_document, split_lines
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.schema import Key, Schema, by_lower_case, find_key, listed_value

PLACEHOLDER = re.compile(r"^<.*>$")
COMMA = re.compile(r",\s*(?=[A-Za-z_][\w.\\/\[\]-]*=)")
INVERTED = {"True": "False", "False": "True"}


@dataclass(frozen=True)
class Document:
    """A file of settings: its name for findings, its text."""

    name: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class _Item:
    """One setting as it was given; file is empty for one of the command line."""

    key: str
    value: str = field(repr=False)
    section: str
    file: str = ""

    @property
    def option(self) -> str:
        return rules.OPTIONS[self.section]


@dataclass
class _Reading:
    """What has been read so far: for each canonical key the item, its value, and the section that it goes to."""

    allow_unknown: bool
    values: dict[str, tuple[_Item, str, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    in_both: set[str] = field(default_factory=set)

    def report(self, findings: Iterable[Finding]) -> None:
        self.findings.extend(findings)

    def settings(self) -> Settings:
        sections: dict[str, dict[str, str]] = {"config": {}, "protected": {}}
        for key, (_, value, section) in self.values.items():
            sections[section][key] = value
        return Settings(sections["config"], sections["protected"])


def read_settings(
    config: Iterable[str],
    protected: Iterable[str],
    *,
    config_file: Document | None = None,
    protected_file: Document | None = None,
    allow_unknown: bool = False,
) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings out of files and key=value arguments, and the findings about how they are written.

    Keys match in any case, former and misprinted names are mapped, a secret in the plain section is moved, the last
    repeat is used with a warning, an argument overrides a file. An empty value resets a key to the chart's default; it
    is kept as "". A secret value is in no finding.
    """
    reading = _Reading(allow_unknown)
    for section, document in (("config", config_file), ("protected", protected_file)):
        if document is not None:
            _add(reading, _read_file(document.text, section, document.name, reading))
    for section, words in (("config", config), ("protected", protected)):
        for word in words:
            _add(reading, _read_argument(word, section, reading))
    return reading.settings(), tuple(reading.findings)


def _add(reading: _Reading, items: Iterable[_Item]) -> None:
    for item in items:
        for key, value in _interpret(item, reading):
            _store(reading, item, key, value)


def _read_file(text: str, section: str, name: str, reading: _Reading) -> Iterator[_Item]:
    try:
        for key, value in read_document(text):
            yield _Item(key, value.strip(), section, name)
    except NotSettings as reason:
        reading.report(rules.unreadable_document(name, str(reason)))


def _read_argument(word: str, section: str, reading: _Reading) -> Iterator[_Item]:
    option = rules.OPTIONS[section]
    if is_document(word):
        yield from (replace(item, file="") for item in _read_file(word, section, option, reading))
        return
    for line in split_lines(word):
        parts = split_commas(line)
        if parts:
            reading.report(rules.comma_separated_settings(parts, option, section))
            yield from (_Item(name, value, section) for name, value in parts)
            continue
        name, sign, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if sign and name:
            yield _Item(name, value, section)
        elif name.startswith("@"):
            reading.report(rules.unreadable_value_file(option, name.removeprefix("@")))
        else:
            reading.report(rules.malformed_setting(name, section))


def split_commas(line: str) -> list[tuple[str, str]]:
    """The settings in an argument such as a=1,b=2 or "a=1,"; empty where the comma may belong to the value."""
    parts = [part.strip() for part in COMMA.split(line)]
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts)]
    keys = [find_key(name) for name, _ in pairs]
    if pairs[-1][1].endswith(",") and (last := keys[-1]) is not None and last.values:
        pairs[-1] = (pairs[-1][0], pairs[-1][1].rstrip(", "))
        return pairs if None not in keys else []
    return pairs if len(pairs) > 1 and None not in keys else []


def _interpret(item: _Item, reading: _Reading) -> Iterator[tuple[Key, str]]:
    """The key that an item means, with its normalised value; nothing, and a finding, where it means none."""
    if removed := by_lower_case("x-dropped").get(item.key.lower()):
        reading.report(rules.removed_setting(item.key, removed["why"]))
        return
    if replaced := by_lower_case("x-mapped").get(item.key.lower()):
        yield from _replacements(item, replaced, reading)
        return
    key = find_key(item.key)
    if key is None:
        rule = rules.unknown_setting_passed_on if reading.allow_unknown else rules.unknown_setting
        reading.report(rule(item.key, item.value, item.option, item.section))
        if reading.allow_unknown:
            yield Key(item.key, "either"), item.value
        return
    value = _normalise(key, item, reading)
    if key.alias:
        shown = rules.shown_value(key.name, value or "", item.section)
        reading.report(rules.other_name(item.key, key.alias, [(key.name, shown)], item.option, key.inverted))
    elif key.name != item.key:
        reading.report(rules.other_case(key.name, item.key))
    if value is not None:
        yield key, value


def _normalise(key: Key, item: _Item, reading: _Reading) -> str | None:
    """The value as it is sent, or None with a finding."""
    value = item.value
    if not value and key.resettable:
        return ""
    if PLACEHOLDER.match(value):
        reading.report(rules.placeholder(key, item.key, value, item.option))
        return None
    if value.startswith("@") and len(value) > 1:
        reading.report(rules.unreadable_value_file(key.name, value.removeprefix("@")))
        return None
    if value and not key.values:
        return value
    normal = listed_value(key.values, value)
    if normal is None:
        reading.report(rules.invalid_value(key, item.key, value, item.option, item.section))
        return None
    return INVERTED[normal] if key.inverted else normal


def _store(reading: _Reading, item: _Item, key: Key, value: str) -> None:
    section = item.section if key.section == "either" else key.section
    if before := reading.values.get(key.name):
        earlier, earlier_value, _ = before
        if earlier.section != item.section:
            if key.name not in reading.in_both:
                reading.report(rules.given_in_both_sections(key.name))
            reading.in_both.add(key.name)
            return
        if earlier_value != value and earlier.file and not item.file:
            reading.report(rules.command_line_overrides(key.name, earlier.file))
        elif earlier_value != value:
            reading.report(rules.repeated_setting(key.name, value, item.section))
    elif section != item.section:
        rule = rules.secret_in_plain_settings if section == "protected" else rules.plain_setting_in_protected
        reading.report(rule(key.name))
    reading.values[key.name] = (item, value, section)


def _replacements(item: _Item, replaced: Schema, reading: _Reading) -> Iterator[tuple[Key, str]]:
    successor = " ".join(f"{key}={value}" for key, value in replaced["to"].items())
    if item.value.lower() != replaced["when"].lower():
        reason = f"{item.key}={replaced['when']} was replaced by {successor}."
        reading.report(rules.removed_setting(item.key, reason))
        return
    reading.report(rules.other_name(item.key, "former", list(replaced["to"].items()), item.option, False))
    for name, value in replaced["to"].items():
        if (key := find_key(name)) is not None:
            yield key, value
