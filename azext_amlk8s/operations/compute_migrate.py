"""az amlk8s compute migrate: from a retired AksCompute, from settings of earlier releases, from az k8s-extension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm
from azext_amlk8s.console.reports import count
from azext_amlk8s.operations.compute_errors import compute_not_found, read_compute
from azext_amlk8s.operations.compute_options import open_compute
from azext_amlk8s.operations.extension_common import azureml_extensions, read_cluster
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.legacy_migration import LegacyMigration
from azext_amlk8s.operations.migration_step import Step
from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.refs import ClusterRef, ComputeRef, ExtensionRef

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
        from azure.core.exceptions import ResourceNotFoundError

        raise compute_not_found(ResourceNotFoundError(), ref)
    given = SettingOptions(config, config_protected)
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
    if dry_run:
        return plan
    log = get_logger(__name__)
    if not open_steps:
        log.warning("%s", migration.nothing_to_do)
        return plan
    for number, step in enumerate(steps, 1):
        log.warning("%d. %s%s", number, step.title, " (done)" if step.is_done else "")
        if step.risk and not step.is_done:
            log.warning("   Risk: %s", step.risk)
    if migration.rollback_until and not rollback:
        log.warning("Until step %s: az amlk8s compute migrate %s --rollback", migration.rollback_until, ref.cli_args)
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
) -> LegacyMigration | SettingsMigration:
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
    extension = next(iter(azureml_extensions(read_cluster(client, cluster)[1])), None)
    if kind.lower() == "kubernetes":
        return SettingsMigration(cmd, client, ref, cluster, extension, deadline)
    target = ComputeRef(ref.workspace, new_name or f"{ref.name[:12]}-k8s")
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
        namespace or f"k8s-{target.name}",
        given,
        connection,
        deadline,
    )


@dataclass(frozen=True)
class SettingsMigration:
    """From settings under names of earlier releases; an installation of az k8s-extension is adopted unchanged."""

    cmd: AzCliCommand
    client: AzureClient
    ref: ComputeRef
    cluster: ClusterRef
    extension: Resource | None
    deadline: Deadline
    rollback_until: str = ""

    @property
    def source(self) -> str:
        """Kubernetes, with former settings or without."""
        return "Kubernetes with former settings" if self._former() else "Kubernetes"

    @property
    def nothing_to_do(self) -> str:
        """What to say where every step is done."""
        return (
            f"Compute '{self.ref.name}' and extension '{(self.extension or {}).get('name')}' are used as they are, "
            "whatever installed them. Nothing to migrate."
        )

    def steps(self) -> list[Step]:
        """One step that sets the current names of all former settings; none where there are no former settings."""
        if self.extension is None:
            raise az_error(
                "ResourceNotFoundError",
                f"Cluster '{self.cluster.name}' has no AzureML extension.",
                [f"az amlk8s extension create {self.cluster.cli_args} --config enableTraining=True"],
            )
        former = self._former()
        if not former:
            return []
        pairs = ", ".join(f"{old} -> {new}={value}" for old, (new, value) in former.items())
        return [
            Step(
                "rename-settings",
                f"Set the settings that are read today: {pairs}",
                "The router may be replaced; the former names stay, and nothing reads them.",
                False,
                "",
                self._rename,
            )
        ]

    def undo_steps(self) -> list[Step]:
        """None: settings that nothing read are not restored."""
        raise az_error("ValidationError", "Only a migration from AksCompute has a rollback.")

    def _former(self) -> dict[str, tuple[str, str]]:
        """Deployed settings under former names whose current name is not deployed: the name and value of today."""
        from azext_amlk8s.settings import read_deployed, read_settings

        deployed = read_deployed(dict(self.extension or {}))
        found: dict[str, tuple[str, str]] = {}
        for key, value in deployed.config.items():
            read, _ = read_settings((f"{key}={value}",), ())
            for name, current in read.config.items():
                if name != key and name.lower() != key.lower() and name not in deployed.config:
                    found[key] = (name, current)
        return found

    def _rename(self) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_update import update_extension

        pairs = [f"{name}={value}" for name, value in self._former().values()]
        extension = ExtensionRef(self.cluster, str((self.extension or {}).get("name")))
        connect = (self.client, self.cluster)
        update_extension(
            self.cmd,
            lambda: connect,
            SettingOptions(config=pairs),
            VersionOptions().values(),
            RunOptions(extension.name, timeout=int(self.deadline.remaining), yes=True),
        )
