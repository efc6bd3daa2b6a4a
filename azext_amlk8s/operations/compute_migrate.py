"""az amlk8s compute migrate: from a retired AksCompute, from previews of 2021, from az k8s-extension."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import check_request
from azext_amlk8s.computes.model import AttachRequest
from azext_amlk8s.console.errors import az_error, confirm, raise_for_errors
from azext_amlk8s.console.reports import count
from azext_amlk8s.operations.compute_errors import compute_not_found, read_compute
from azext_amlk8s.operations.compute_options import open_compute
from azext_amlk8s.operations.extension_common import azureml_extensions, read_cluster
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.legacy_migration import LegacyMigration
from azext_amlk8s.operations.migration_step import Step
from azext_amlk8s.operations.preview_migration import PreviewMigration, find_preview_migration
from azext_amlk8s.operations.setting_options import SettingOptions
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.refs import ClusterRef, ComputeRef
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient

Resource = Mapping[str, Any]
SECONDS = 3600
NOTHING_CHANGED = "Nothing was changed"


def migrate(
    cmd: AzCliCommand,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    new_name: str | None = None,
    namespace: str | None = None,
    config: Sequence[str] | None = None,
    config_protected: Sequence[str] | None = None,
    rollback: bool = False,
    timeout: int = SECONDS,
    yes: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Show the steps from a compute to a Kubernetes compute with today's settings, ask, and carry them out.

    Steps that are done are left out, so that an interrupted migration is continued by the same command. With rollback
    the steps before the last one are undone.
    """
    from knack.log import get_logger

    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    compute = read_compute(client, ref)
    if compute is None:
        return _after_migration(client, ref, _target(ref, new_name), rollback=rollback)
    given = SettingOptions(config, config_protected)
    _raise_for_errors(given.read()[1])
    migration = _migration_of(cmd, client, ref, compute, given, new_name, namespace, Deadline(timeout))
    steps = migration.undo_steps() if rollback else migration.steps()
    open_steps = [step for step in steps if not step.is_done]
    plan = {
        "compute": ref.name,
        "from": migration.source,
        "action": "rollback" if rollback else "migrate" if open_steps else "none",
        "steps": [_view(step) for step in steps],
        "rollbackUntil": migration.rollback_until,
    }
    log = get_logger(__name__)
    if not open_steps:
        nothing_to_undo = f"No trace of a migration of compute '{ref.name}': nothing to undo."
        log.warning("%s", nothing_to_undo if rollback else migration.nothing_to_do)
        return plan
    for number, step in enumerate(steps, 1):
        log.warning("%d. %s%s", number, step.title, " (done)" if step.is_done else "")
        if step.risk and not step.is_done:
            log.warning("   Risk: %s", step.risk)
    if migration.rollback_until and not rollback:
        name = join(["--new-name", new_name]) if new_name else ""
        command = f"az amlk8s compute migrate {ref.cli_args} {name}".strip()
        log.warning("Until step %s it can be undone: %s --rollback", migration.rollback_until, command)
    if dry_run:
        return plan
    verb = "Undo" if rollback else "Carry out"
    confirm(cmd, f"{verb} {count(len(open_steps), 'step')}?", yes, NOTHING_CHANGED)
    for step in open_steps:
        if step.id == "detach-legacy":
            log.warning("After this step there is no rollback.")
            refusal = "Not detached; everything before is done"
            confirm(cmd, f"Detach the compute '{ref.name}'?", yes, refusal=refusal)
        step.run()
        log.warning("Done: %s", step.title)
    return {**plan, "steps": [{**_view(step), "done": True} for step in steps]}


def _raise_for_errors(findings: Iterable[Finding]) -> None:
    """Raise for what a later step would reject; warnings are left to it."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    raise_for_errors(replace(error, fix=error.fix.replace("--name ", "--new-name ")) for error in errors)


def _target(ref: ComputeRef, new_name: str | None) -> ComputeRef:
    """The Kubernetes compute that replaces an AksCompute."""
    return ComputeRef(ref.workspace, new_name or f"{ref.name[:12]}-k8s")


def _after_migration(client: AzureClient, ref: ComputeRef, target: ComputeRef, *, rollback: bool) -> dict[str, Any]:
    """The result for a compute that does not exist. Raises ResourceNotFoundError where none has replaced it."""
    from azure.core.exceptions import ResourceNotFoundError
    from knack.log import get_logger

    if read_compute(client, target) is None:
        raise compute_not_found(ResourceNotFoundError(), ref)
    message = f"Compute '{ref.name}' does not exist, and compute '{target.name}' does: the migration has ended."
    if rollback:
        raise az_error("ValidationError", f"{message} It cannot be undone after the AksCompute was detached.")
    get_logger(__name__).warning("%s Nothing to migrate.", message)
    return {"compute": ref.name, "from": LegacyMigration.source, "action": "none", "steps": [], "rollbackUntil": ""}


def _view(step: Step) -> dict[str, Any]:
    return {"id": step.id, "title": step.title, "done": step.is_done, "risk": step.risk, "undo": step.undo}


def _migration_of(
    cmd: AzCliCommand,
    client: AzureClient,
    ref: ComputeRef,
    compute: Resource,
    given: SettingOptions,
    new_name: str | None,
    namespace: str | None,
    deadline: Deadline,
) -> LegacyMigration | PreviewMigration:
    """The migration for the kind of a compute. Raises InvalidArgumentValueError for any other kind."""
    properties = compute.get("properties") or {}
    kind = str(properties.get("computeType") or "")
    if kind.lower() not in ("aks", "kubernetes"):
        raise az_error(
            "InvalidArgumentValueError",
            f"Compute '{ref.name}' is of kind {kind or 'unknown'}; expected AKS (AksCompute) or Kubernetes.",
            [f"az amlk8s compute list {ref.workspace.cli_args} --all -o table"],
        )
    try:
        cluster = ClusterRef.parse(str(properties.get("resourceId") or ""))
    except ValueError:
        raise az_error("ValidationError", f"Azure reports no cluster for compute '{ref.name}'.") from None
    extensions = read_cluster(client, cluster)[1]
    extension = next(iter(azureml_extensions(extensions)), None)
    if kind.lower() == "kubernetes":
        return find_preview_migration(cmd, client, ref, compute, cluster, extensions, given, deadline)
    target = _target(ref, new_name)
    namespace = namespace or f"k8s-{target.name}"
    _raise_for_errors(check_request(AttachRequest(target, cluster, namespace), ref.workspace.subscription))
    connection, note = connect_to_cluster(client, cluster)
    if connection is None:
        raise az_error("AzureConnectionError", note, ["Run the command where the cluster can be reached."])
    return LegacyMigration(
        cmd,
        client,
        ref,
        compute,
        cluster,
        extension,
        target,
        namespace,
        given,
        connection,
        deadline,
    )
