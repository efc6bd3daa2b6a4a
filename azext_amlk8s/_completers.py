"""Completion of words, from the knowledge base."""

from __future__ import annotations

from typing import Any


def setting_keys(prefix: str, **_: Any) -> list[str]:
    """`key=` for every known setting that begins with `prefix`."""
    from azext_amlk8s.settings import known_keys

    return [f"{key}=" for key in known_keys() if key.lower().startswith(prefix.lower())]


def failure_codes(prefix: str, **_: Any) -> list[str]:
    """Every code of the knowledge base of failures that begins with `prefix`."""
    from azext_amlk8s.diagnosis import entries

    return sorted({one.code for one in entries() if one.code.lower().startswith(prefix.lower())})
