"""Settings of templates and commands into Settings whose unknown values no rule takes for known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from azext_amlk8s.lint import setting_rules
from azext_amlk8s.lint.model import ExtensionUse, LintFinding
from azext_amlk8s.lint.values import Mark, Value, to_scalar_text
from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import Settings, reading_rules
from azext_amlk8s.settings.evaluate import rules_over_settings
from azext_amlk8s.settings.read import INVERTED, PLACEHOLDER
from azext_amlk8s.settings.schema import Key, by_lower_case, find_key, listed_value

# Tolerations are one list, so that one unknown setting of it makes all of them uncertain.
OPEN_LISTS = {"S114": "workLoadToleration"}
# Whether these hold depends on how the values of parameters go together, which every deployment may choose.
OF_COMBINATIONS = {"S101", "S102", "S103", "S106", "S107", "S109", "S110", "S117"}


@dataclass(frozen=True)
class TrackedSettings(Settings):
    """Settings that remember which keys a rule has read. uncertain are keys whose values are not known."""

    uncertain: frozenset[str] = frozenset()
    is_open: bool = False
    reads: set[str] = field(default_factory=set, compare=False)

    def get(self, key: str, default: str = "") -> str:
        """The value of a key, which counts as read."""
        self.reads.add(key)
        return super().get(key, default)

    def read_uncertain(self, rule: str) -> set[str]:
        """The keys that have been read and are not known."""
        given = {*self.config, *self.protected}
        keys = {key for key in self.reads if key in self.uncertain or (self.is_open and key not in given)}
        family = OPEN_LISTS.get(rule)
        if family and (self.is_open or any(key.startswith(family) for key in self.uncertain)):
            keys.add(family)
        return keys


@dataclass
class _Reading:
    use: ExtensionUse
    sections: dict[str, dict[str, str]] = field(default_factory=lambda: {"config": {}, "protected": {}})
    uncertain: set[str] = field(default_factory=set)
    marks: dict[str, Mark] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    findings: list[LintFinding] = field(default_factory=list)

    def add(self, findings: tuple[Finding, ...], mark: Mark) -> None:
        self.findings += [LintFinding(finding, mark) for finding in findings]


@dataclass(frozen=True)
class ReadSettings:
    """The settings of one use of the extension, their positions and values by canonical key, and findings."""

    settings: TrackedSettings
    marks: dict[str, Mark]
    values: dict[str, Value]
    findings: list[LintFinding]


def read_settings(use: ExtensionUse) -> ReadSettings:
    """The settings that a template or a command gives, and what is wrong with how they are written."""
    reading = _Reading(use)
    for section, value in (("config", use.config), ("protected", use.protected)):
        for key, mark, inner in _pairs(value):
            _read_pair(reading, section, key, inner, mark)
    settings = TrackedSettings(
        reading.sections["config"], reading.sections["protected"], frozenset(reading.uncertain), use.is_open
    )
    return ReadSettings(settings, reading.marks, reading.values, reading.findings)


def _pairs(value: Value | None) -> Iterator[tuple[str, Mark, Value]]:
    """The settings of a section with the positions of their keys, also those that it may have."""
    if value is None:
        return
    yield from ((key, value.key_mark(key), inner) for key, inner in value.items())
    for choice in value.choices:
        for key, mark, inner in _pairs(choice):
            yield key, mark, Value(None, inner.mark, known=False, choices=(inner,))


def _read_pair(reading: _Reading, section: str, name: str, value: Value, mark: Mark) -> None:
    use = reading.use
    lowered = name.lower()
    if removed := by_lower_case("x-dropped").get(lowered):
        reading.add(reading_rules.removed_setting(name, removed["why"]), mark)
        return
    if replaced := by_lower_case("x-mapped").get(lowered):
        successor = " ".join(f"{key}={each}" for key, each in replaced["to"].items())
        reading.add(setting_rules.ignored_name(use, name, successor, "former"), mark)
        reading.uncertain.update(replaced["to"])
        return
    key = find_key(name)
    if key is None:
        reading.add(setting_rules.unknown_name(use, name, section), mark)
        return
    if key.alias or key.name != name:
        reading.add(setting_rules.ignored_name(use, name, key.name, key.alias or "case", key.inverted), mark)
    reading.marks.setdefault(key.name, mark)
    reading.values.setdefault(key.name, value)
    _check_section(reading, key, section, value, mark)
    _store(reading, key, name, section, value, mark)


def _check_section(reading: _Reading, key: Key, section: str, value: Value, mark: Mark) -> None:
    use = reading.use
    if key.section == "protected" and section == "config":
        empty = value.known and value.data in (None, "")
        if use.is_translated:
            reading.add(reading_rules.secret_in_plain_settings(key.name), mark)
        elif not empty:
            reading.add(setting_rules.plain_secret(use, key.name), mark)
    elif key.section == "config" and section == "protected":
        reading.add(setting_rules.misplaced_setting(use, key.name), mark)
    if section == "protected" or key.secret or key.section == "protected":
        reading.add(setting_rules.unprotected_secret(use, key.name, value), mark)


def _store(reading: _Reading, key: Key, name: str, section: str, value: Value, mark: Mark) -> None:
    use = reading.use
    reading.add(setting_rules.text_values(use, key.name, value), value.mark)
    text = to_scalar_text(value)
    if text is None:
        reading.uncertain.add(key.name)
        _check_choices(reading, key, name, section, value)
        return
    normal = _normalise(reading, key, name, section, text.strip(), value.mark)
    if normal is None:
        reading.uncertain.add(key.name)
    else:
        reading.sections[section][key.name] = normal


def _check_choices(reading: _Reading, key: Key, name: str, section: str, value: Value) -> None:
    """The values that an unknown one may have must be possible as well."""
    for choice in value.choices:
        text = to_scalar_text(choice)
        if text:
            _normalise(reading, key, name, section, text.strip(), choice.mark)
        elif not choice.known:
            _check_choices(reading, key, name, section, choice)


def _normalise(reading: _Reading, key: Key, name: str, section: str, text: str, mark: Mark) -> str | None:
    """The value as the chart reads it, or None with a finding."""
    option = reading_rules.OPTIONS[section]
    if not text:
        return ""
    if PLACEHOLDER.match(text):
        reading.add(reading_rules.placeholder(key, name, text, option), mark)
        return None
    if not key.values:
        return text
    normal = listed_value(key.values, text)
    if normal is None:
        reading.add(reading_rules.invalid_value(key, name, text, option, section), mark)
        return None
    return INVERTED[normal] if key.inverted else normal


def evaluate_settings(use: ExtensionUse, read: ReadSettings) -> tuple[list[LintFinding], list[str]]:
    """The findings of the rules over settings, and the rules that could not be evaluated.

    A finding is left out where the rule had read a value that is not known before.
    """
    findings: list[LintFinding] = []
    skipped: list[str] = []
    for rule in rules_over_settings():
        read.settings.reads.clear()
        for result in rule.results(read.settings):
            if not isinstance(result, Finding):
                continue
            missing = read.settings.read_uncertain(rule.id)
            if missing:
                skipped.append(f"{rule.id} is not evaluated: {', '.join(sorted(missing))} unknown")
                continue
            findings.append(_positioned(use, read, result))
    return findings, skipped


def _positioned(use: ExtensionUse, read: ReadSettings, finding: Finding) -> LintFinding:
    keys = (finding.subject, *finding.related)
    mark = next((read.marks[key] for key in keys if key in read.marks), None)
    if mark is None:
        mark = next((section.mark for section in (use.config, use.protected) if section is not None), use.mark)
    if finding.id in OF_COMBINATIONS and _by_default(read):
        finding = setting_rules.as_default(finding, read.settings.reads)
    return LintFinding(finding, mark)


def _by_default(read: ReadSettings) -> bool:
    """Whether a value that the last rule has read is the default of a parameter, which a deployment may override."""
    return any(read.values[key].inputs for key in read.settings.reads if key in read.values)
