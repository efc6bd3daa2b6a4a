"""All checks in order, and which of them a run asks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from azext_amlk8s.checks import azure, cluster, components, compute, extension, subscription, types
from azext_amlk8s.checks.facts import Place
from azext_amlk8s.checks.model import Category, Check, When
from azext_amlk8s.knowledge import load

CATEGORIES = tuple(Category(one["id"], one["title"]) for one in load("checks")["categories"])
CHECKS: tuple[Check, ...] = tuple(
    one for room in (subscription, azure, cluster, extension, components, compute, types) for one in room.CHECKS
)


class UnknownWord(Exception):
    """A word that names neither a check nor a category; nearest is the word that was perhaps meant, or empty."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word
        close = difflib.get_close_matches(word.lower(), [one.lower() for one in known_words()], 1, 0.5)
        self.nearest = next((one for one in known_words() if close and one.lower() == close[0]), "")


def known_words() -> list[str]:
    """What --only and --skip take: categories and ids, those of relayed rules too."""
    ids = dict.fromkeys(word for one in CHECKS for word in (one.id, *one.relays))
    return [*(one.id for one in CATEGORIES), *ids]


def chosen(place: Place, only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks of a run, in order. Raises UnknownWord."""
    known = {word.lower() for word in known_words()}
    if unknown := next((word for word in (*only, *skip) if word.lower() not in known), None):
        raise UnknownWord(unknown)
    left_out = When.INSTALLED if place.before else When.BEFORE
    return tuple(
        one
        for one in CHECKS
        if one.when is not left_out
        and one.clusters.lower() in ("", place.cluster_type.lower())
        and (place.workspace or one.category != "compute")
        and (not only or _named(one, only))
        and not _named(one, skip)
    )


def facts_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """The facts that checks look at, each once."""
    return tuple(dict.fromkeys(name for one in checks for name in one.facts))


def _named(check: Check, words: Iterable[str]) -> bool:
    names = {check.category.lower(), check.id.lower(), *(one.lower() for one in check.relays)}
    return any(word.lower() in names for word in words)
