"""The knowledge base of failures: every code and text that is documented, with its meaning, cause and fix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from azext_amlk8s import knowledge

LONGEST_LINE = 1500


@dataclass(frozen=True)
class Entry:
    """One failure. scope says who reports it: arm, helm, health, compute, cluster, workload, job or pod.

    A code that Azure does not use, for a failure known by its text alone, is `coined`. A `wrapper` says only that
    something failed, never what. `signs` tell entries of the same code apart by what stands around it.
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
    aliases: tuple[str, ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()
    signs: tuple[re.Pattern[str], ...] = ()

    def shown_in(self, text: str) -> str:
        """The line of a text that tells of this failure by a pattern of its own, cut to size; empty where none does."""
        found = next((match for pattern in self.patterns if (match := pattern.search(text))), None)
        if found is None or not self.fits(text):
            return ""
        start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
        line = " ".join(text[start : end if end >= 0 else None].split())
        return line if len(line) <= LONGEST_LINE else " ".join(found[0].split())[:LONGEST_LINE]

    def fits(self, text: str) -> bool:
        """Whether the surroundings do not speak against it."""
        return not self.signs or any(sign.search(text) for sign in self.signs)


@cache
def entries() -> tuple[Entry, ...]:
    """All of them, in the order of the file."""
    return tuple(_entry(told) for told in knowledge.load("codes")["codes"])


@cache
def _by_code() -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in entries():
        for word in dict.fromkeys(one.lower() for one in (entry.code, entry.name, *entry.aliases) if one):
            found[word] = (*found.get(word, ()), entry)
    return found


def by_code(code: str, text: str = "", scope: str = "") -> tuple[Entry, ...]:
    """The entries of a code, its name or an alias in any case; several where the surroundings do not decide."""
    known = _by_code().get(code.strip().lower(), ())
    of_scope = [one for one in known if one.scope == scope]
    fitting = [one for one in of_scope or known if text and one.fits(text)]
    return tuple(fitting or of_scope or known)


def by_text(text: str) -> tuple[tuple[Entry, str], ...]:
    """The entries whose patterns a text shows, each with the line that shows it."""
    return tuple((entry, line) for entry in entries() if (line := entry.shown_in(text)))


def _entry(told: Mapping[str, Any]) -> Entry:
    flags = re.IGNORECASE | re.DOTALL
    return Entry(
        **{
            **told,
            "fix": tuple(told["fix"]),
            "aliases": tuple(told.get("aliases", ())),
            "patterns": tuple(re.compile(one, flags) for one in told.get("patterns", ())),
            "signs": tuple(re.compile(one, flags) for one in told.get("signs", ())),
        }
    )
