"""An existing compute compared with the one that is requested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.identities import describe_identity
from azext_amlk8s.computes.model import AttachRequest, Resource, cluster_id_of, namespace_of


@dataclass(frozen=True)
class Difference:
    """One setting in which an existing compute differs from the request, both values as text."""

    setting: str
    existing: str
    requested: str

    def __str__(self) -> str:
        return f"{self.setting} is '{self.existing or 'none'}', requested '{self.requested or 'none'}'"


def compare_compute(compute: Resource, request: AttachRequest) -> tuple[Difference, ...]:
    """The differences. Identity, tags and description are compared only where the request gives them.

    Resource IDs are compared without case.
    """
    pairs = [
        ("cluster", cluster_id_of(compute), request.cluster.id),
        ("namespace", namespace_of(compute), request.namespace),
    ]
    if request.identity is not None:
        pairs.append(("identity", describe_identity(compute.get("identity")), describe_identity(request.identity)))
    if request.description is not None:
        pairs.append(("description", str(properties_of(compute).get("description") or ""), request.description))
    if request.tags is not None:
        pairs.append(("tags", format_tags(compute.get("tags")), format_tags(request.tags)))
    return tuple(Difference(*pair) for pair in pairs if not _same(*pair))


def format_tags(tags: Mapping[str, str] | None) -> str:
    """Tags as text, sorted by key."""
    return " ".join(f"{key}={value}" for key, value in sorted((tags or {}).items()))


def _same(setting: str, existing: str, requested: str) -> bool:
    if setting in ("cluster", "identity"):
        return existing.lower().rstrip("/") == requested.lower().rstrip("/")
    return existing == requested
