"""Command lines of az into the extensions and computes that they create."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from azext_amlk8s.lint.evaluation import merged
from azext_amlk8s.lint.model import ExtensionUse, cluster_kind
from azext_amlk8s.lint.scripts import CommandLine
from azext_amlk8s.lint.values import HOLE, Mark, Value, unknown
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.settings.read import split_commas
from azext_amlk8s.settings.schema import find_key

ALIASES = {
    "--configuration-settings": "--config",
    "--config-settings": "--config",
    "--configuration-protected-settings": "--config-protected",
    "--config-protected-settings": "--config-protected",
    "--configuration-settings-file": "--config-file",
    "--config-settings-file": "--config-file",
    "--configuration-protected-settings-file": "--config-protected-file",
    "--config-protected-settings-file": "--config-protected-file",
    "--auto-upgrade-minor-version": "--auto-upgrade",
    "-n": "--name",
    "-g": "--resource-group",
    "-c": "--cluster-name",
    "-t": "--cluster-type",
    "-w": "--workspace-name",
    "-m": "--method",
    "-u": "--url",
    "--uri": "--url",
    "-b": "--body",
}
MANY = ("--config", "--config-protected")
FILES = ("--config-file", "--config-protected-file")
FLAGS = {
    "--no-wait",
    "--yes",
    "-y",
    "--debug",
    "--verbose",
    "--only-show-errors",
    "--help",
    "-h",
    "--dry-run",
    "--strict",
}
INSTALLS = {
    ("k8s-extension", "create"): ("k8s-extension", False),
    ("k8s-extension", "update"): ("k8s-extension", True),
    ("amlk8s", "extension", "create"): ("amlk8s", False),
    ("amlk8s", "extension", "validate"): ("amlk8s", False),
    ("amlk8s", "extension", "update"): ("amlk8s", True),
}
ATTACHES = (("ml", "compute", "attach"), ("amlk8s", "compute", "attach"))


@dataclass(frozen=True)
class Arguments:
    """The options of a command line with their values; is_open: there may be more."""

    mark: Mark
    words: tuple[str, ...]
    options: dict[str, list[Value]] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    is_open: bool = False

    def value(self, option: str) -> Value | None:
        """The value of an option that has one; None where it is not given."""
        values = self.options.get(option)
        return values[-1] if values else None

    def text(self, option: str) -> str:
        """The text of an option, empty where it is not given or not known."""
        value = self.value(option)
        return value.text if value is not None else ""

    def starts_with(self, *words: str) -> bool:
        """Whether the command is this one."""
        return self.words[: len(words)] == words


def parse_arguments(line: CommandLine) -> Arguments:
    """The words of a command line as a command and its options."""
    words: list[str] = []
    options: dict[str, list[Value]] = {}
    marks: dict[str, Mark] = {}
    current, is_open = "", line.is_open
    for value in line.words:
        name, _, rest = value.description.partition("=")
        if value.description.startswith("-") and HOLE not in name and _is_option(value):
            current = ALIASES.get(name.lower(), name.lower())
            options.setdefault(current, [])
            marks.setdefault(current, value.mark)
            if rest:
                options[current].append(_after_equals(value, len(name) + 1))
                current = current if current in MANY else ""
        elif current:
            options[current].append(value)
            if not value.known and not value.description and current in MANY:
                is_open = True
            current = current if current in MANY else ""
        elif not options and value.known:
            words.append(value.text.lower())
        else:
            is_open = is_open or not value.known
        if current in FLAGS:
            current = ""
    return Arguments(line.mark, tuple(words), options, marks, is_open)


def _is_option(value: Value) -> bool:
    text = value.description
    return len(text) > 1 and (text[1].isalpha() or text.startswith("--"))


def _after_equals(value: Value, size: int) -> Value:
    if value.known:
        return Value(value.text[size:], value.mark, inputs=value.inputs)
    return unknown(value.mark, "", value, hint=value.hint[size:])


def extension_use(arguments: Arguments, read_file: Callable[[Value], Value | None]) -> ExtensionUse | None:
    """The extension that a command installs or updates; None for another command, or an extension of another type.

    read_file returns the settings in a file that the command names, None where it is not known.
    """
    kind = next((found for words, found in INSTALLS.items() if arguments.starts_with(*words)), None)
    if kind is None:
        return None
    dialect, is_update = kind
    config, protected = (section_of(arguments, option) for option in MANY)
    contents = [read_file(path) if (path := arguments.value(option)) is not None else None for option in FILES]
    config, protected = (
        merged(section.mark, [content, section]) if content is not None else section
        for section, content in zip((config, protected), contents, strict=True)
    )
    given = arguments.text("--extension-type")
    if dialect == "k8s-extension":
        if given and given.lower() != EXTENSION_TYPE:
            return None
        if not given and not (is_update and _has_known_keys(config, protected)):
            return None
    cluster = arguments.value("--cluster-type")
    files = any(
        option in arguments.options and content is None for option, content in zip(FILES, contents, strict=True)
    )
    return ExtensionUse(
        dialect,
        arguments.mark,
        config,
        protected,
        arguments.value("--version"),
        arguments.value("--auto-upgrade"),
        arguments.value("--release-train"),
        cluster_kind(cluster),
        is_update=is_update or files or arguments.is_open,
    )


def _has_known_keys(*sections: Value) -> bool:
    return any(find_key(key) is not None and "." not in key for section in sections for key, _ in section.items())


def section_of(arguments: Arguments, option: str) -> Value:
    """The settings behind --config or --config-protected as a mapping."""
    data: dict[str, Value] = {}
    keys: dict[str, Mark] = {}
    is_open = False
    for name, value in pairs_of(arguments.options.get(option, ())):
        if name is None:
            is_open = True
        else:
            data[name], keys[name] = value, value.mark
    mark = arguments.marks.get(option, arguments.mark)
    return Value(data, mark, keys=keys, is_open=is_open)


def pairs_of(words: Iterable[Value]) -> Iterator[tuple[str | None, Value]]:
    """The settings of words; None as the name of what is not known. Words without = are left out."""
    for word in words:
        name, sign, rest = word.description.partition("=")
        parts = split_commas(word.text) if word.known and sign else []
        if parts:
            yield from ((key, Value(text, word.mark)) for key, text in parts)
            continue
        if word.known and word.text.lstrip().startswith(("{", "@")) or HOLE in name or not word.description:
            yield None, word
        elif sign and name.strip():
            if word.known:
                yield name.strip(), Value(rest, word.mark, inputs=word.inputs, plain_inputs=word.plain_inputs)
            else:
                yield name.strip(), _unknown_rest(word, len(name) + 1)


def _unknown_rest(word: Value, size: int) -> Value:
    """The unknown value behind the =, with the values that it may have."""
    choices = tuple(
        Value(choice.text[size:], choice.mark) for choice in word.choices if choice.known and len(choice.text) > size
    )
    hint = word.hint[size:]
    return unknown(word.mark, "", word, hint="" if hint == HOLE else hint, choices=choices)
