"""az amlk8s compute update: what can be changed honestly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.console.errors import azure_errors, confirm, raise_for_errors
from azext_amlk8s.operations.compute_common import Place, absent, followed, not_found, scene_of, went_on


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
    from knack.log import get_logger

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import blanked, judge_taken, judge_update, read_identity, update_body

    place = Place(resource_group_name, workspace_name, name)
    identity, findings = read_identity(identity_type, " ".join(user_assigned_identities or ()))
    with azure_errors():
        arm = AzureClient(cmd.cli_ctx)
        try:
            there = arm.get_compute(arm.compute_ref(*place.parts))
        except not_found() as error:
            raise absent(error, place, of_compute=True) from error
        raise_for_errors(findings, judge_update(there, resource_group_name, workspace_name, namespace, resource_id))
        body = update_body(there, identity, tags)
        if body is None:
            get_logger(__name__).warning("Nothing would change; nothing was sent.")
            return blanked(there)
        confirm(cmd, f"Send {name} again with the change? The service may restart what runs on it.", yes)
        operation = arm.begin_put_compute(arm.compute_ref(*place.parts), body)
        resume = f"az amlk8s compute wait {place.words} --updated"
        if no_wait:
            return went_on(resume)
        scene = scene_of(arm, there, "update", workspace_name)
        found = followed(cmd, operation, arm, place, f"Updating {name}", resume, scene, timeout)
        raise_for_errors(judge_taken(found, body, resource_group_name, workspace_name))
        return blanked(found)
