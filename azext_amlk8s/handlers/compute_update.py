"""az amlk8s compute update: what can be changed honestly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.handlers.compute_common import Place, absent, confirm, followed, not_found, scene_of
from azext_amlk8s.handlers.reporting import azure_errors, refuse_on_errors


def update(
    cmd: Any,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    identity_type: str | None = None,
    user_assigned_identities: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    namespace: str | None = None,
    resource_id: str | None = None,
    timeout: int | None = None,
    no_wait: bool = False,
    yes: bool = False,
) -> Any:
    """Send the compute again with another identity or other tags, and look whether the service took them.

    The service has no other way (field guide compute 1.1). The cluster and the namespace cannot be changed; for them
    ValidationError names `attach --replace`. Raises it too where the service kept what was there.
    """
    from azext_amlk8s.arm import Arm
    from azext_amlk8s.computes import blanked, read_identity

    place = Place(resource_group_name, workspace_name, name)
    identity, findings = read_identity(identity_type, " ".join(user_assigned_identities or ()))
    refuse_on_errors(findings)
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            there = arm.get_compute(*place.parts)
        except not_found() as error:
            raise absent(error, place, of_compute=True) from error
        _refuse_immutable(there, place, namespace, resource_id)
        body = _body(there, identity, tags)
        if body is None:
            return blanked(there)
        confirm(f"Send {name} again with the change? The service may restart what runs on it.", yes)
        operation = arm.begin_put_compute(*place.parts, body)
        if no_wait:
            return blanked(operation.started() or {})
        resume = f"az amlk8s compute wait {place.words} --updated"
        scene = scene_of(arm, there, "update", workspace_name)
        found = followed(cmd, operation, place, f"Updating {name}", resume, scene, timeout)
        _refuse_what_was_not_taken(found, body, place)
        return blanked(found)


def _refuse_immutable(there: Mapping[str, Any], place: Place, namespace: str | None, resource_id: str | None) -> None:
    from azure.cli.core.azclierror import ValidationError

    outer = there.get("properties") or {}
    held = {"namespace": (outer.get("properties") or {}).get("namespace"), "cluster": outer.get("resourceId")}
    lines = [
        f"  {what}: {held[what]}, not {wanted}"
        for what, wanted in (("namespace", namespace), ("cluster", resource_id))
        if wanted and str(held[what]).lower().strip("/") != wanted.lower().strip("/")
    ]
    if lines:
        option = f"--resource-id {resource_id or held['cluster']} --namespace {namespace or held['namespace']}"
        raise ValidationError(
            "\n".join(["What a compute cannot change while it is attached:", *lines]),
            recommendation=f"az amlk8s compute attach {place.words} {option} --replace",
        )


def _body(
    there: Mapping[str, Any], identity: Mapping[str, Any] | None, tags: Mapping[str, str] | None
) -> dict[str, Any] | None:
    """The compute as it is, with the change; None where nothing changes. Nothing that is there is left out."""
    from knack.log import get_logger

    from azext_amlk8s.computes.compare import identity_words

    same_identity = (
        identity is None or identity_words(identity).lower() == identity_words(there.get("identity")).lower()
    )
    if same_identity and (tags is None or dict(tags) == (there.get("tags") or {})):
        get_logger(__name__).warning("Nothing would change; nothing was sent.")
        return None
    outer = there.get("properties") or {}
    inner = outer.get("properties") or {}
    kept = {key: inner[key] for key in ("namespace", "defaultInstanceType", "instanceTypes") if inner.get(key)}
    body: dict[str, Any] = {
        "location": there.get("location"),
        "tags": dict(tags) if tags is not None else there.get("tags") or {},
        "properties": {
            **{key: outer[key] for key in ("computeType", "resourceId", "description") if outer.get(key) is not None},
            "properties": kept,
        },
    }
    wanted = identity if identity is not None else _sendable(there.get("identity"))
    return {**body, "identity": wanted} if wanted else body


def _sendable(identity: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An identity as ARM takes it: without the ids of principals that it returned."""
    if not identity or not identity.get("type"):
        return None
    ids = identity.get("userAssignedIdentities")
    return {"type": identity["type"], **({"userAssignedIdentities": {one: {} for one in ids}} if ids else {})}


def _refuse_what_was_not_taken(found: Mapping[str, Any], body: Mapping[str, Any], place: Place) -> None:
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.computes.compare import identity_words

    kept = []
    if "identity" in body and identity_words(found.get("identity")).lower() != identity_words(body["identity"]).lower():
        kept.append("identity")
    if (found.get("tags") or {}) != body["tags"]:
        kept.append("tags")
    if kept:
        cluster = (found.get("properties") or {}).get("resourceId")
        raise ValidationError(
            f"The service did not take the change of {' and '.join(kept)}; what was there is still there.",
            recommendation=f"az amlk8s compute attach {place.words} --resource-id {cluster} --replace",
        )
