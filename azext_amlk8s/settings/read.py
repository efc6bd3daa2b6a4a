"""Words and files into Settings: canonical keys, normalised values, each in the bag where it belongs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.documents import NotSettings, is_document, lines_of, read_document
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.schema import Key, find, nearest, schema

OPTIONS = {"config": "--config", "protected": "--config-protected"}
FILE_OPTIONS = {"config": "--config-file", "protected": "--config-protected-file"}
GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
PLACEHOLDER = re.compile(r"^<.*>$")
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

S001 = Rule("S001", ERROR, "A setting is written key=value.", GUIDE)
S002 = Rule("S002", ERROR, "A key is one that the extension knows; --allow-unknown-settings lets others pass.", GUIDE)
S003 = Rule("S003", ERROR, "A setting has a value, and one of those that are possible.", GUIDE)
S004 = Rule("S004", ERROR, "A setting is given as an open or as a protected one, not as both.", GUIDE)
S005 = Rule("S005", WARNING, "A setting that is gone is left out.", GUIDE)
S006 = Rule("S006", WARNING, "A former, misprinted or template name is read as the name of today.", GUIDE)
S007 = Rule("S007", WARNING, "A secret among the open settings is sent as a protected one.", GUIDE)
S008 = Rule("S008", WARNING, "Of a setting that is given more than once the last value is taken.", GUIDE)
S009 = Rule("S009", INFO, "A key in other capitals is sent in the spelling that the chart reads.", GUIDE)
S010 = Rule("S010", WARNING, "With --allow-unknown-settings an unknown key is passed on as it is.", GUIDE)
S011 = Rule(
    "S011", WARNING, "What is no secret, and is read from the open settings only, is sent as an open one.", GUIDE
)
S012 = Rule("S012", WARNING, "A setting on the command line goes before the same one in a file.", GUIDE)
S013 = Rule("S013", ERROR, "A file of settings is JSON or YAML, a mapping of keys to values.", GUIDE)
S014 = Rule("S014", ERROR, "The file behind @ can be read.", GUIDE)
S015 = Rule("S015", ERROR, "A placeholder such as <name> is filled in.", GUIDE)


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
    bag: str
    file: str = ""

    @property
    def option(self) -> str:
        return (FILE_OPTIONS if self.file else OPTIONS)[self.bag]


@dataclass
class _Reading:
    """What has been read so far: for each canonical key the item and the bag that it goes to."""

    allow_unknown: bool
    held: dict[str, tuple[_Item, str, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def settings(self) -> Settings:
        bags: dict[str, dict[str, str]] = {"config": {}, "protected": {}}
        for name, (_, value, bag) in self.held.items():
            bags[bag][name] = value
        return Settings(bags["config"], bags["protected"])


def read_settings(
    config: Iterable[str],
    protected: Iterable[str],
    *,
    config_file: Document | None = None,
    protected_file: Document | None = None,
    allow_unknown: bool = False,
) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings out of files and `key=value` words, and all that is to be said of the words themselves.

    Keys match in any case, old and misprinted names are mapped (seed page, Appendix II; field guide cluster-extension
    3d), a secret in the open bag is moved, a repeat wins with a warning, a word goes before a file. A secret value is
    never quoted in a finding.
    """
    reading = _Reading(allow_unknown)
    for bag, document in (("config", config_file), ("protected", protected_file)):
        if document is not None:
            _take(reading, _of_document(document.text, bag, document.name, reading))
    for bag, words in (("config", config), ("protected", protected)):
        for word in words:
            _take(reading, _of_word(word, bag, reading))
    return reading.settings(), tuple(reading.findings)


def _take(reading: _Reading, items: Iterable[_Item]) -> None:
    for item in items:
        for key, value in _known(item, reading):
            _put(reading, item, key, value)


def _of_document(text: str, bag: str, name: str, reading: _Reading) -> Iterator[_Item]:
    try:
        for key, value in read_document(text):
            yield _Item(key, value.strip(), bag, name)
    except NotSettings as error:
        fix = f'{FILE_OPTIONS[bag]} FILE, which holds for example {{"enableTraining": "True"}}'
        reading.findings.append(S013.finding(name, f"The settings in {name} cannot be read: {error}.", fix=fix))


def _of_word(word: str, bag: str, reading: _Reading) -> Iterator[_Item]:
    if is_document(word):
        yield from (replace(item, file="") for item in _of_document(word, bag, OPTIONS[bag], reading))
        return
    for line in lines_of(word):
        name, sign, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if sign and name:
            yield _Item(name, value, bag)
        elif name.startswith("@"):
            reading.findings.append(_unread(name, OPTIONS[bag], f"{OPTIONS[bag]} @FILE"))
        else:
            shown = name if bag == "config" else "An item"
            message = f"{shown} in {OPTIONS[bag]} is not of the form key=value."
            fix = f"{OPTIONS[bag]} {(name if bag == 'config' else '') or 'key'}=VALUE"
            reading.findings.append(S001.finding(shown, message, fix=fix))


def _known(item: _Item, reading: _Reading) -> Iterator[tuple[Key, str]]:
    """The key that an item means, with its normalised value; nothing, and a finding, where it means none."""
    say, name = reading.findings.append, item.key
    if told := _lowered("x-dropped").get(name.lower()):
        say(
            S005.finding(
                name, f"{name} is no longer a setting and is left out. {told['why']}", fix=f"Leave {name} out."
            )
        )
        return
    if told := _lowered("x-mapped").get(name.lower()):
        yield from _mapped(item, told, reading)
        return
    key = find(name)
    if key is None:
        yield from _unknown(item, reading)
        return
    value = _normal(key, item, reading)
    if key.alias:
        turned = ", with its value turned round" if key.inverted else ""
        was = {
            "former": "a former name",
            "misprint": "a misprint of the documentation",
            "template": "a template's name",
        }
        message = f"{name} is {was[key.alias]}: it is read as {key.name}{turned}."
        fix = f"{item.option} {key.name}={value if value and key.values else 'VALUE'}"
        say(S006.finding(name, message, required=key.name, found=name, fix=fix))
    elif key.name != name:
        say(S009.finding(key.name, f"{name} is written {key.name}.", required=key.name, found=name, fix=key.name))
    if value is not None:
        yield key, value


def _normal(key: Key, item: _Item, reading: _Reading) -> str | None:
    """The value as it is sent, or None with a finding."""
    say, value = reading.findings.append, item.value
    if not value:
        say(S003.finding(item.key, f"{item.key} has no value.", fix=f"{item.option} {key.name}={_example(key)}"))
        return None
    if PLACEHOLDER.match(value):
        message = f"{item.key} still has the placeholder of an example as its value."
        say(S015.finding(key.name, message, fix=f"{item.option} {key.name}={_example(key)}"))
        return None
    if value.startswith("@") and len(value) > 1:
        say(_unread(value, key.name, f"{item.option} {key.name}=@FILE"))
        return None
    if not key.values:
        return value
    normal = next((one for one in key.values if one.lower() == value.lower()), None)
    if normal is None:
        fix = f"{item.option} {key.name}={_likely(key, value)}"
        shown = f"{key.name}={value}" if item.bag == "config" else f"The value of {key.name}"
        message = f"{shown} is not possible: the value is {key.wants}."
        found = value if item.bag == "config" else ""
        say(S003.finding(key.name, message, required=key.wants, found=found, fix=fix))
        return None
    return {"True": "False", "False": "True"}[normal] if key.inverted else normal


def _put(reading: _Reading, item: _Item, key: Key, value: str) -> None:
    bag = item.bag if key.bag == "either" else key.bag
    say = reading.findings.append
    if before := reading.held.get(key.name):
        if before[0].bag != item.bag:
            _refuse_both(reading, key.name)
            return
        if before[1] != value:
            say(_of_repeat(before[0], item, key.name))
    elif bag != item.bag:
        if bag == "protected":
            message = f"{key.name} is kept secret: it is sent as a protected setting."
            say(S007.finding(key.name, message, fix=f"--config-protected {key.name}=VALUE"))
        else:
            message = f"{key.name} is no secret: it is sent as an open setting."
            say(S011.finding(key.name, message, fix=f"--config {key.name}=VALUE"))
    reading.held[key.name] = (item, value, bag)


def _refuse_both(reading: _Reading, name: str) -> None:
    if name not in reading.refused:
        message = f"{name} is given both to --config and to --config-protected."
        reading.findings.append(S004.finding(name, message, fix=f"Give {name} once."))
    reading.refused.add(name)


def _of_repeat(before: _Item, now: _Item, name: str) -> Finding:
    if before.file and not now.file:
        message = f"{name} stands in {before.file} and on the command line; the value of the command line is taken."
        return S012.finding(name, message, fix=f"Give {name} once.")
    message = f"{name} is given more than once; the last value is taken."
    return S008.finding(name, message, fix=f"Give {name} once.")


def _mapped(item: _Item, told: Mapping[str, Any], reading: _Reading) -> Iterator[tuple[Key, str]]:
    words = " ".join(f"{key}={to}" for key, to in told["to"].items())
    fix = f"{item.option} {words}"
    if item.value.lower() != told["when"].lower():
        message = f"{item.key} is no longer a setting and is left out; {item.key}={told['when']} was {words}."
        reading.findings.append(S005.finding(item.key, message, fix=f"Leave {item.key} out."))
        return
    reading.findings.append(S006.finding(item.key, f"{item.key} is read as {words}.", required=words, fix=fix))
    for name, value in told["to"].items():
        if (key := find(name)) is not None:
            yield key, value


def _unknown(item: _Item, reading: _Reading) -> Iterator[tuple[Key, str]]:
    close = nearest(item.key)
    # What looks like no key at all may be a secret that was typed without one.
    name = item.key if item.bag == "config" or close else "A key"
    where = "" if name == item.key else f" of {item.option}"
    hint = f" Did you mean {close}?" if close else ""
    fix = f"{item.option} {close}=VALUE" if close else ""
    if not reading.allow_unknown:
        message = f"{name}{where} is not a setting of the extension.{hint}"
        fix = fix or "--allow-unknown-settings   # to pass it on as it is"
        reading.findings.append(S002.finding(name, message, required=close, found=name, fix=fix))
        return
    message = f"{name}{where} is not known, and passed on as it is.{hint}"
    reading.findings.append(S010.finding(name, message, required=close, found=name, fix=fix))
    yield Key(item.key, "either"), item.value


def _unread(at: str, subject: str, fix: str) -> Finding:
    path = at.removeprefix("@")
    return S014.finding(subject, f"The file {path} of {subject} cannot be read.", found=path, fix=fix)


def _likely(key: Key, value: str) -> str:
    if set(key.values) == {"True", "False"}:
        return "True" if value.lower() in ("yes", "y", "1", "on", "enabled", "enable", "t") else "False"
    close = [one for one in key.values if one.lower().startswith(value.lower()[:2])]
    return (close or [*key.values])[0]


def _example(key: Key) -> str:
    return key.values[0] if key.values else "VALUE"


@cache
def _lowered(name: str) -> Mapping[str, Any]:
    return {key.lower(): value for key, value in schema()[name].items()}
