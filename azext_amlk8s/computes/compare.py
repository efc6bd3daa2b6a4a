"""A compute that is there, beside the one that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.computes.facts import Wanted


@dataclass(frozen=True)
class Difference:
    """One thing in which the two differ, both in words for a person."""

    what: str
    there: str
    wanted: str


def compare(there: Mapping[str, Any], wanted: Wanted) -> tuple[Difference, ...]:
    """Where they differ; what is not asked for (identity, tags, description) is not compared. Ids without case."""
    outer = there.get("properties") or {}
    inner = outer.get("properties") or {}
    pairs = [
        ("cluster", str(outer.get("resourceId") or ""), wanted.cluster.id),
        ("namespace", str(inner.get("namespace") or "default"), wanted.namespace),
    ]
    if wanted.identity is not None:
        pairs.append(("identity", identity_words(there.get("identity")), identity_words(wanted.identity)))
    if wanted.description is not None:
        pairs.append(("description", str(outer.get("description") or ""), wanted.description))
    if wanted.tags is not None:
        pairs.append(("tags", _pairs(there.get("tags")), _pairs(wanted.tags)))
    return tuple(Difference(what, one, other) for what, one, other in pairs if _plain(one) != _plain(other))


def identity_words(identity: Mapping[str, Any] | None) -> str:
    """An identity in words: its type, and the user-assigned one."""
    if not identity or str(identity.get("type")).lower() == "none":
        return "none"
    return " ".join([str(identity.get("type")), *sorted(identity.get("userAssignedIdentities") or {})])


def _pairs(tags: Mapping[str, Any] | None) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted((tags or {}).items()))


def _plain(text: str) -> str:
    return text.lower().rstrip("/")
