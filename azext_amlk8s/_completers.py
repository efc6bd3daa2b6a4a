"""Completion of words, from the knowledge base."""

from __future__ import annotations

from typing import Any


def setting_keys(prefix: str, **_: Any) -> list[str]:
    """`key=value` for every value of the settings that begin with `prefix`, `key=` where any value can stand."""
    from azext_amlk8s.settings.schema import known_keys, values_of_key

    words = [f"{key}={value}" for key in known_keys() for value in values_of_key(key) or ("",)]
    return [word for word in words if word.lower().startswith(prefix.lower())]


def setting_names(prefix: str, **_: Any) -> list[str]:
    """The settings that begin with `prefix`."""
    from azext_amlk8s.settings.schema import known_keys

    return [key for key in known_keys() if key.lower().startswith(prefix.lower())]


def failure_codes(prefix: str, **_: Any) -> list[str]:
    """Every code of the knowledge base of failures that begins with `prefix`."""
    from azext_amlk8s.diagnosis import entries

    return sorted({one.code for one in entries() if one.code.lower().startswith(prefix.lower())})


def check_words(prefix: str, **_: Any) -> list[str]:
    """The categories and ids of checks that begin with `prefix`."""
    from azext_amlk8s.checks import known_words

    return [word for word in known_words() if word.lower().startswith(prefix.lower())]
