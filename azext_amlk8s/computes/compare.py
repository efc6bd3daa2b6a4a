"""A compute that is there, beside the one that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.computes.facts import Wanted, inner, outer


@dataclass(frozen=True)
class Difference:
    """One thing in which the two differ, both in words for a person."""

    what: str
    there: str
    wanted: str

    @property
    def words(self) -> str:
        """The difference in a few words."""
        return f"{self.what}: {self.there or 'none'}, not {self.wanted or 'none'}"


def compare(there: Mapping[str, Any], wanted: Wanted) -> tuple[Difference, ...]:
    """Where they differ; what is not asked for (identity, tags, description) is not compared. Ids without case."""
    pairs = [
        ("cluster", str(outer(there).get("resourceId") or ""), wanted.cluster.id),
        ("namespace", namespace_of(there), wanted.namespace),
    ]
    if wanted.identity is not None:
        pairs.append(("identity", identity_words(there.get("identity")), identity_words(wanted.identity)))
    if wanted.description is not None:
        pairs.append(("description", str(outer(there).get("description") or ""), wanted.description))
    if wanted.tags is not None:
        pairs.append(("tags", _pairs(there.get("tags")), _pairs(wanted.tags)))
    return tuple(Difference(what, one, other) for what, one, other in pairs if not _same(what, one, other))


def same_identity(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two identities are of the same type and name the same user-assigned ones."""
    return identity_words(one).lower() == identity_words(other).lower()


def identity_words(identity: Mapping[str, Any] | None) -> str:
    """An identity in words: its type, and the user-assigned one."""
    if not identity or str(identity.get("type")).lower() == "none":
        return "none"
    return " ".join([str(identity.get("type")), *sorted(identity.get("userAssignedIdentities") or {})])


def namespace_of(compute: Mapping[str, Any]) -> str:
    """The namespace of a compute; what ARM leaves out is default."""
    return str(inner(compute).get("namespace") or "default")


def _pairs(tags: Mapping[str, Any] | None) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted((tags or {}).items()))


def _same(what: str, one: str, other: str) -> bool:
    if what in ("cluster", "identity"):
        return one.lower().rstrip("/") == other.lower().rstrip("/")
    return one == other
