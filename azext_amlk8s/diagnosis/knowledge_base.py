"""The knowledge base of failures: each documented code and each kind of message, with its meaning, cause and fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from azext_amlk8s import knowledge

# The data files, in the order in which their entries are tried.
FILES = ("codes", "codes-ml", "codes-kubernetes", "codes-network")
SCOPES = (
    "arm", "helm", "health", "compute", "cluster", "workload", "job", "pod", "scheduler", "admission", "network",
    "identity",
)  # fmt: skip
MAX_LINE = 1500
MIN_LITERAL = 3
FLAGS = re.IGNORECASE | re.DOTALL


@dataclass(frozen=True)
class Pattern:
    """A regular expression whose named groups are the variable names of a message.

    literals are texts in lower case; one of each tuple must occur, so that most patterns are never compiled.
    """

    expression: str
    literals: tuple[tuple[str, ...], ...]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The compiled expression."""
        return re.compile(self.expression, FLAGS)

    def search(self, text: str, lower: str) -> re.Match[str] | None:
        """The first match in a text, which is also given in lower case."""
        if not all(any(literal in lower for literal in alternatives) for alternatives in self.literals):
            return None
        return self.regex.search(text)


@dataclass(frozen=True)
class Entry:
    """One kind of failure. scope is one of SCOPES: who reports it, or what it is about.

    A code that no service uses, for a failure known by its message alone, is `coined`. A `wrapper` says only that
    something failed, not what. A `general` entry explains a message only where no other entry explains it. `signs` are
    patterns of the surrounding text that tell entries of the same code apart. plugin is the kube-scheduler plugin whose
    message this is.
    """

    code: str
    scope: str
    meaning: str
    cause: str
    fix: tuple[str, ...]
    source: str
    name: str = ""
    wrapper: bool = False
    coined: bool = False
    general: bool = False
    plugin: str = ""
    aliases: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    signs: tuple[re.Pattern[str], ...] = ()

    def match(self, text: str, lower: str = "") -> Match | None:
        """Where a text shows this failure by one of its patterns; None where it does not."""
        lower = lower or text.lower()
        result = next((match for pattern in self.patterns if (match := pattern.search(text, lower))), None)
        if result is None or not self.fits(text):
            return None
        start, end = text.rfind("\n", 0, result.start()) + 1, text.find("\n", result.end())
        line = " ".join(text[start : end if end >= 0 else None].split())
        line = line if len(line) <= MAX_LINE else " ".join(result[0].split())[:MAX_LINE]
        return Match(self, line, {name: value for name, value in result.groupdict().items() if value})

    def fits(self, text: str) -> bool:
        """Whether the surrounding text does not exclude this entry."""
        return not self.signs or any(sign.search(text) for sign in self.signs)


@dataclass(frozen=True)
class Match:
    """An entry that a text shows: the line that shows it, and the names in it (pod, webhook, host …)."""

    entry: Entry
    line: str
    names: Mapping[str, str] = field(default_factory=dict)


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, in the order of the data files."""
    return tuple(_read_entry(record) for file in FILES for record in knowledge.load(file)["codes"])


def entries_of_code(code: str, text: str = "", scope: str = "") -> tuple[Entry, ...]:
    """The entries of a code, its name, plugin or an alias, in any case; several where the text does not decide."""
    known = _index().get(" ".join(code.lower().split()), ())
    of_scope = [entry for entry in known if entry.scope == scope]
    fitting = [entry for entry in of_scope or known if text and entry.fits(text)]
    decided = [entry for entry in fitting if entry.signs]
    return tuple(decided or fitting or of_scope or known)


def matches(text: str) -> tuple[Match, ...]:
    """Every entry whose patterns a text shows, without general entries where another explains the same line."""
    lower = text.lower()
    results = [match for entry in entries() if (match := entry.match(text, lower))]
    specific = [match.line for match in results if not match.entry.general and not match.entry.wrapper]
    return tuple(match for match in results if not match.entry.general or not _overlaps(match.line, specific))


def _overlaps(line: str, others: Iterable[str]) -> bool:
    return any(line in other or other in line for other in others)


@cache
def _index() -> Mapping[str, tuple[Entry, ...]]:
    index: dict[str, tuple[Entry, ...]] = {}
    for entry in entries():
        keys = (entry.code, entry.name, entry.plugin, *entry.aliases)
        for word in dict.fromkeys(word.lower() for word in keys if word):
            index[word] = (*index.get(word, ()), entry)
    return index


def _read_entry(record: Mapping[str, Any]) -> Entry:
    return Entry(
        **{
            **record,
            "fix": tuple(record["fix"]),
            "aliases": tuple(record.get("aliases", ())),
            "patterns": tuple(Pattern(pattern, required_literals(pattern)) for pattern in record.get("patterns", ())),
            "signs": tuple(re.compile(sign, FLAGS) for sign in record.get("signs", ())),
        }
    )


def required_literals(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Plain texts in lower case that a text must contain to match: one of each tuple.

    Empty where an alternative of the regular expression has none, so that the expression must always be run.
    """
    alternatives = [_literals_of(pieces) for pieces in _pieces(pattern)]
    if len(alternatives) == 1:
        return alternatives[0]
    if not all(alternatives):
        return ()
    return (tuple(text for required in alternatives for text in required[0]),)


def _literals_of(pieces: list[str | tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The two most selective requirements of one alternative, the best first."""
    literals = [(piece,) if isinstance(piece, str) else piece for piece in pieces]
    literals = [piece for piece in literals if piece and all(len(text) >= MIN_LITERAL for text in piece)]
    literals.sort(key=lambda piece: (min(map(len, piece)), -len(piece)), reverse=True)
    return tuple(literals[:2])


def _pieces(pattern: str) -> list[list[str | tuple[str, ...]]]:
    """For each top-level alternative its plain texts, and for each group what one of it must be."""
    alternatives: list[list[str | tuple[str, ...]]] = [[""]]
    index = 0
    while index < len(pattern):
        char, pieces = pattern[index], alternatives[-1]
        text: str | tuple[str, ...] = ""
        end = index + 1
        if char == "\\":
            text, end = ("" if pattern[index + 1].isalnum() else pattern[index + 1]), index + 2
        elif char == "(":
            end = _closing(pattern, index)
            text = _literals_of_group(pattern[index + 1 : end - 1])
        elif char == "[":
            end = _closing(pattern, index)
        elif char == "{":
            end = pattern.index("}", index) + 1
        elif char == "|":
            alternatives.append([""])
            index = end
            continue
        elif char.isalnum() or char in " -_/:=\"'":
            text = char.lower()
        if not text or pattern[end : end + 1] in ("?", "*", "{"):
            pieces.append("")
        elif isinstance(text, str) and isinstance(pieces[-1], str):
            pieces[-1] += text
        else:
            pieces += [text, ""] if isinstance(text, tuple) else [text]
        index = end
    return alternatives


def _literals_of_group(content: str) -> tuple[str, ...]:
    if content.startswith("?P<"):
        content = content[content.index(">") + 1 :]
    if content.startswith("?"):
        return ()
    required = required_literals(content)
    return required[0] if required else ()


def _closing(pattern: str, index: int) -> int:
    """The index behind the bracket that closes the group or character class that opens at an index."""
    if pattern[index] == "[":
        index += 2 if pattern[index + 1] in "^]" else 1
        while pattern[index] != "]":
            index += 2 if pattern[index] == "\\" else 1
        return index + 1
    index += 1
    while pattern[index] != ")":
        if pattern[index] == "\\":
            index += 2
        elif pattern[index] in "([":
            index = _closing(pattern, index)
        else:
            index += 1
    return index + 1
