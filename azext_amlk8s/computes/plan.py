"""What is sent for a compute, and the command that would send it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azext_amlk8s.computes.compare import namespace_of, same_identity
from azext_amlk8s.computes.facts import Wanted, inner, outer

# What a PUT over a compute sends again (field guide compute 2.2); all else is the service's own.
SENT_AGAIN = ("computeType", "resourceId", "description", "disableLocalAuth")
SENT_AGAIN_INSIDE = ("namespace", "defaultInstanceType", "instanceTypes")


def attach_body(wanted: Wanted, workspace: Mapping[str, Any]) -> dict[str, Any]:
    """The PUT body of an attachment (field guide compute 2.2); the location is the workspace's."""
    told: dict[str, Any] = {
        "computeType": "Kubernetes",
        "resourceId": wanted.cluster.id,
        "properties": {"namespace": wanted.namespace},
    }
    if wanted.description is not None:
        told["description"] = wanted.description
    if wanted.disable_local_auth is not None:
        told["disableLocalAuth"] = wanted.disable_local_auth
    body: dict[str, Any] = {"location": workspace["location"], "properties": told}
    if wanted.identity:
        body["identity"] = wanted.identity
    if wanted.tags is not None:
        body["tags"] = dict(wanted.tags)
    return body


def keeping(wanted: Wanted, there: Mapping[str, Any], *, namespace: bool) -> Wanted:
    """What is wanted, with what is there where nothing was asked for; with namespace, its namespace too.

    Endpoints find a compute again by its name and namespace (field guide compute 5.3).
    """
    told = outer(there)
    return replace(
        wanted,
        namespace=namespace_of(there) if namespace else wanted.namespace,
        identity=wanted.identity if wanted.identity is not None else sendable(there.get("identity")),
        tags=wanted.tags if wanted.tags is not None else there.get("tags") or None,
        description=wanted.description if wanted.description is not None else told.get("description"),
        disable_local_auth=told.get("disableLocalAuth") or None,
    )


def update_body(
    there: Mapping[str, Any], identity: Mapping[str, Any] | None, tags: Mapping[str, str] | None
) -> dict[str, Any] | None:
    """The compute as it is, with the change; None where nothing changes. Nothing that can be sent is left out."""
    if (identity is None or same_identity(identity, there.get("identity"))) and (
        tags is None or dict(tags) == (there.get("tags") or {})
    ):
        return None
    told, inside = outer(there), inner(there)
    body: dict[str, Any] = {
        "location": there.get("location"),
        "tags": dict(tags) if tags is not None else there.get("tags") or {},
        "properties": {
            **{key: told[key] for key in SENT_AGAIN if told.get(key) is not None},
            "properties": {key: inside[key] for key in SENT_AGAIN_INSIDE if inside.get(key)},
        },
    }
    wanted = identity if identity is not None else sendable(there.get("identity"))
    return {**body, "identity": wanted} if wanted else body


def sendable(identity: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An identity as ARM takes it: without the ids of principals that it returned. None for none."""
    if not identity or str(identity.get("type") or "None").lower() == "none":
        return None
    ids = identity.get("userAssignedIdentities")
    return {"type": identity["type"], **({"userAssignedIdentities": {one: {} for one in ids}} if ids else {})}


def attach_command(wanted: Wanted, *more: str) -> str:
    """The command that attaches it, whole, to be pasted."""
    words = ["-g", wanted.group, "-w", wanted.workspace, "-n", wanted.name]
    words += ["--resource-id", wanted.cluster.id, "--namespace", wanted.namespace]
    identity = wanted.identity or {}
    if ids := identity.get("userAssignedIdentities"):
        words += ["--identity-type", "UserAssigned", "--user-assigned-identities", *ids]
    elif identity:
        words += ["--identity-type", str(identity["type"])]
    if wanted.description:
        words += ["--description", wanted.description]
    if wanted.tags:
        words += ["--tags", *(f"{key}={value}" for key, value in wanted.tags.items())]
    return " ".join(["az amlk8s compute attach", *map(shlex.quote, [*words, *more])])
