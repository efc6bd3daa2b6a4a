"""Checks of words that az makes right after parsing; local and instant."""

from __future__ import annotations

from typing import Any


def flatten_words(namespace: Any) -> None:
    """Make one list of a repeatable option whose every use takes several words."""
    for name in ("config", "config_protected", "node_selector"):
        words = getattr(namespace, name, None)
        if words and isinstance(words[0], list):
            setattr(namespace, name, [word for group in words for word in group])


def positive_seconds(word: str) -> int:
    """A time in whole seconds, 1 or more. Raises ValueError, which az makes an error of the option."""
    seconds = int(word)
    if seconds < 1:
        raise ValueError(f"{word} is not 1 or more")
    return seconds
