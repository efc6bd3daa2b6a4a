"""az amlk8s compute update"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import redact_compute
from azext_amlk8s.computes import (
    build_update_body,
    check_update,
    parse_identity,
    rejected_update,
    same_identity,
    unapplied_update,
)
from azext_amlk8s.console.errors import confirm, error_messages, raise_for_errors
from azext_amlk8s.operations.compute_errors import cluster_of, compute_not_found, not_found
from azext_amlk8s.operations.compute_options import (
    open_compute,
    parse_removed_tags,
    parse_set_values,
    reject_lists,
    reject_unsupported,
)
from azext_amlk8s.operations.compute_progress import TrackedOperation, begin_update, follow_compute, log_continues
from azext_amlk8s.operations.waiting import Deadline

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.refs import ComputeRef

UPDATE_SECONDS = 20 * 60
# A PUT over an existing Kubernetes compute is usually answered with one of these.
REJECTED = (400, 405, 409, 422)


def update(
    cmd: AzCliCommand,
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
    set_values: Sequence[str] | None = None,
    remove: Sequence[str] | None = None,
    add: Sequence[str] | None = None,
    force_string: bool = False,
    idle_time_before_scale_down: str | None = None,
    max_instances: str | None = None,
    min_instances: str | None = None,
) -> dict[str, Any] | None:
    """Send the compute again with another identity or other tags, and read whether the service applied the change.

    The service usually rejects it; the ValidationError then contains the command that detaches the compute and
    attaches it again, as it does for the cluster and the namespace, and where the service ignored the change.
    """
    deadline = Deadline(timeout or UPDATE_SECONDS)
    reject_unsupported(
        "AmlCompute",
        idle_time_before_scale_down=idle_time_before_scale_down,
        max_instances=max_instances,
        min_instances=min_instances,
    )
    reject_lists(add)
    # The values of tags are strings, with --force-string and without.
    changed_tags, removed_tags = parse_set_values(set_values or ()), parse_removed_tags(remove or ())
    identity, findings = parse_identity(identity_type, " ".join(user_assigned_identities or ()))
    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    try:
        compute = client.get_compute(ref)
    except not_found() as error:
        raise compute_not_found(error, ref) from error
    raise_for_errors(findings, check_update(compute, ref, namespace, resource_id))
    if changed_tags or removed_tags:
        tags = {**(tags if tags is not None else compute.get("tags") or {}), **changed_tags}
        tags = {key: value for key, value in tags.items() if key not in removed_tags}
    return update_compute(cmd, client, ref, compute, identity, tags, deadline, no_wait=no_wait, yes=yes)


def update_compute(
    cmd: AzCliCommand,
    client: AzureClient,
    ref: ComputeRef,
    compute: Mapping[str, Any],
    identity: Mapping[str, Any] | None,
    tags: Mapping[str, str] | None,
    deadline: Deadline,
    *,
    no_wait: bool = False,
    yes: bool = False,
) -> dict[str, Any] | None:
    """What `update` does with a compute that was read; identity and tags are None where they stay."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    body = build_update_body(compute, identity, tags)
    if body is None:
        get_logger(__name__).warning("Compute '%s' already has these settings. Nothing was changed.", ref.name)
        return redact_compute(compute)
    confirm(cmd, f"Update compute '{ref.name}', which may restart what runs on it?", yes, refusal="Not updated")
    identity = None if same_identity(identity, compute.get("identity")) else identity
    try:
        operation = begin_update(client, ref, body, lambda found: not unapplied_update(found, ref, identity, tags))
    except HttpResponseError as error:
        if error.status_code in REJECTED:
            raise_for_errors(rejected_update(compute, ref, " ".join(error_messages(error)[1]), identity, tags))
        raise
    resume = f"az amlk8s compute wait {ref.cli_args} --updated"
    if no_wait:
        log_continues(resume)
        return None
    tracked = TrackedOperation(
        cmd, client, ref, f"Updating {ref.name}", resume, "update", deadline, cluster_of(compute)
    )
    updated = follow_compute(tracked, operation)
    raise_for_errors(unapplied_update(updated, ref, identity, tags))
    return redact_compute(updated)
