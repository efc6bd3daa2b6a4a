"""The managed identity of a compute, as options name it and as ARM takes it."""

from __future__ import annotations

import re
from typing import Any

from azext_amlk8s.computes.cluster_ids import PLACEHOLDER
from azext_amlk8s.computes.model import ATTACH_GUIDE, Resource
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.shell import join
from azext_amlk8s.values import mapping

OPTION = "--user-assigned-identities"
LIST_IDENTITIES = "az identity list --query '[].id' -o tsv"
IDENTITY_ID = re.compile(
    r"^/?subscriptions/[^/]+/resourcegroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+/?$",
    re.IGNORECASE,
)


def parse_identity(identity_type: str | None, identities: str | None) -> tuple[Resource | None, tuple[Finding, ...]]:
    """The identity of a compute in ARM's form, None for none or an invalid one, and findings.

    identities are resource IDs, separated by commas or spaces; the service uses the first. A missing leading slash is
    added with a warning.
    """
    ids = [part for part in re.split(r"[,\s]+", identities or "") if part]
    system = (identity_type or "").lower() == "systemassigned"
    errors = (
        *conflicting_identities(system, ids),
        *unnamed_identity((identity_type or "").lower() == "userassigned", ids),
        *(invalid_identity_id(ids[0]) if ids and not system else ()),
    )
    if errors:
        return None, errors
    if not ids:
        return ({"type": "SystemAssigned"} if identity_type else None), ()
    first = "/" + ids[0].strip("/")
    return user_assigned(first), (*identity_without_slash(ids[0], first), *several_identities(ids, first))


def user_assigned(*ids: str) -> dict[str, Any]:
    """User-assigned identities in ARM's form."""
    return {"type": "UserAssigned", "userAssignedIdentities": {identity_id: {} for identity_id in ids}}


def sendable_identity(identity: Resource | None) -> dict[str, Any] | None:
    """An identity as ARM takes it, without the principal IDs that ARM returned. None for none."""
    if not identity or str(identity.get("type") or "None").lower() == "none":
        return None
    ids = mapping(identity.get("userAssignedIdentities"))
    return {
        "type": identity["type"],
        **({"userAssignedIdentities": {identity_id: {} for identity_id in ids}} if ids else {}),
    }


def identity_args(identity: Resource | None) -> list[str]:
    """The options that give this identity to a compute; none for no identity."""
    sendable = sendable_identity(identity)
    if not sendable:
        return []
    if ids := sendable.get("userAssignedIdentities"):
        return ["--identity-type", "UserAssigned", OPTION, *ids]
    return ["--identity-type", str(sendable["type"])]


def describe_identity(identity: Resource | None) -> str:
    """An identity as text: its type and the IDs of user-assigned ones."""
    if not identity or str(identity.get("type")).lower() == "none":
        return "none"
    return " ".join([str(identity.get("type")), *sorted(mapping(identity.get("userAssignedIdentities")))])


def same_identity(first: Resource | None, second: Resource | None) -> bool:
    """Whether two identities are of the same type and name the same user-assigned ones."""
    return describe_identity(first).lower() == describe_identity(second).lower()


@rule(
    "C131",
    Severity.ERROR,
    title="Type of the identity",
    requires="A compute must have either a system-assigned or a user-assigned identity, not both.",
    source=ATTACH_GUIDE,
)
def conflicting_identities(system_assigned: bool, given: list[str]) -> Problems:
    """given are the IDs of user-assigned identities."""
    if system_assigned and given:
        message = f"--identity-type SystemAssigned and {OPTION} exclude each other."
        yield Problem(OPTION, message, fix=join(["--identity-type", "UserAssigned", OPTION, *given]))


@rule(
    "C132",
    Severity.ERROR,
    title="User-assigned identity",
    requires="A user-assigned identity must be named.",
    source=ATTACH_GUIDE,
)
def unnamed_identity(is_user_assigned: bool, given: list[str]) -> Problems:
    """given are the IDs of user-assigned identities."""
    if is_user_assigned and not given:
        yield Problem(OPTION, f"--identity-type UserAssigned requires {OPTION}.", fix=LIST_IDENTITIES)


@rule(
    "C133",
    Severity.ERROR,
    title="Identity resource ID",
    requires="A user-assigned identity must be given by its resource ID.",
    source=ATTACH_GUIDE,
)
def invalid_identity_id(text: str) -> Problems:
    """text is what the user gave for the first identity."""
    if not IDENTITY_ID.match(text) or PLACEHOLDER.search(text):
        message = f"Invalid identity ID '{text}'; expected the resource ID of a user-assigned identity."
        yield Problem(OPTION, message, found=text, fix=LIST_IDENTITIES)


@rule(
    "C103",
    Severity.WARNING,
    title="Slash before the identity ID",
    requires="The resource ID of an identity must begin with a slash.",
    source=ATTACH_GUIDE,
)
def identity_without_slash(text: str, completed: str) -> Problems:
    """completed is the ID with its slash."""
    if not text.startswith("/"):
        message = f"The identity ID has no leading slash. It was corrected to {completed}."
        yield Problem(OPTION, message, found=text, fix=f"{OPTION} {completed}")


@rule(
    "C104",
    Severity.WARNING,
    title="Number of user-assigned identities",
    requires="A compute must have no more than one user-assigned identity.",
    source=ATTACH_GUIDE,
)
def several_identities(given: list[str], first: str) -> Problems:
    """first is the one that the service uses."""
    if len(given) > 1:
        message = f"A compute uses one user-assigned identity. Of the {len(given)} given, the first is used: {first}"
        yield Problem(OPTION, message, found=str(len(given)), fix=f"{OPTION} {first}")
