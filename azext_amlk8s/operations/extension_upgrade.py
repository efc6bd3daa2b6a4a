"""az amlk8s extension upgrade"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm
from azext_amlk8s.operations.cluster_backup import Backup, read_backup, restore, save_backup
from azext_amlk8s.operations.extension_common import (
    DEFAULT_TIMEOUT_SECONDS,
    RunOptions,
    open_named_extension,
    state_of,
)
from azext_amlk8s.operations.extension_progress import (
    wait_until_idle,
)
from azext_amlk8s.operations.extension_versions import offered_versions, train_of
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.settings.releases import is_older, notes_between, running_version

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.helm_history import Revision

Resource = Mapping[str, Any]
NOT_UPGRADED = "Not upgraded"


def upgrade(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    name: str | None = None,
    to: str | None = None,
    train: str | None = None,
    skip_checks: Sequence[str] | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    timeout: int | None = None,
    yes: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Install another version of the extension, and verify what it runs. Returns what has changed.

    An upgrade that is stuck or has failed is recognised and repeated. Everything is read and checked before anything is
    written; an interrupted run is continued by the same command.
    """
    from azext_amlk8s.operations.check import require_known_checks

    require_known_checks(skip_checks)
    client, extension, existing = open_named_extension(cmd, resource_group_name, cluster_name, cluster_type, name)
    seconds = timeout or DEFAULT_TIMEOUT_SECONDS
    if not dry_run:
        existing = wait_until_idle(cmd, client, extension, existing, seconds) or existing
    cluster, note = connect_to_cluster(client, extension.cluster, kubeconfig, context)
    target = _choose_version(client, extension, existing, to, train)
    run = RunOptions(extension.name, skip_checks, seconds, yes, dry_run)
    running, pending = _read_release(cluster, extension.name)
    return _Upgrade(cmd, client, extension, existing, cluster, note, target, run, running, pending).run()


def _read_release(cluster: Cluster | None, name: str) -> tuple[str, Sequence[Revision]]:
    """The version that Helm has deployed, and the revisions that it takes for operations that still run."""
    from azext_amlk8s.kubernetes import ClusterError
    from azext_amlk8s.operations.helm_history import chart_version, read_history, read_release

    try:
        history = read_history(cluster, name) if cluster else []
        release, _ = read_release(cluster, name) if cluster else ({}, "")
    except ClusterError:
        return "", ()
    return chart_version(release), [revision for revision in history if revision.is_pending]


@dataclass(frozen=True)
class _Target:
    """The version to install and its train; whether it is the newest and was not named by the user."""

    version: str
    train: str
    is_newest: bool


def _choose_version(
    client: AzureClient, extension: ExtensionRef, existing: Resource, to: str | None, train: str | None
) -> _Target:
    """The version. Raises InvalidArgumentValueError for one that Azure does not offer for this cluster and train."""
    train = train or train_of(existing)
    offered = offered_versions(client, extension.cluster, train)
    if not offered:
        raise az_error(
            "InvalidArgumentValueError",
            f"Release train '{train}' has no versions of the extension for cluster '{extension.cluster.name}'.",
            ["--train stable"],
        )
    if to and to not in offered:
        newest = ", ".join(offered[:-4:-1])
        raise az_error(
            "InvalidArgumentValueError",
            f"Azure does not offer version '{to}' in release train '{train}' for cluster '{extension.cluster.name}'; "
            f"the newest are {newest}.",
            [f"--to {offered[-1]}", f"az amlk8s extension versions {extension.cluster.cli_args}"],
        )
    return _Target(to or offered[-1], train, not to)


@dataclass(frozen=True)
class _Upgrade:
    """An upgrade to a version that Azure offers."""

    cmd: AzCliCommand
    client: AzureClient
    extension: ExtensionRef
    existing: Resource
    cluster: Cluster | None
    note: str
    target: _Target
    options: RunOptions
    running: str
    pending: Sequence[Revision]

    def run(self) -> dict[str, Any]:
        """Upgrade, or return the plan of a dry run."""
        from knack.log import get_logger

        log = get_logger(__name__)
        plan = self._plan()
        if self.options.dry_run:
            return plan
        if plan["action"] == "none":
            log.warning(
                "Extension '%s' already runs version %s; nothing was changed.", self.extension.name, self.before
            )
            return plan
        for line in self._announcement():
            log.warning("%s", line)
        self._confirm()
        backup, file = self._back_up()
        self._release_lock()
        updated = self._send()
        restored = restore(self.cluster, backup) if self.cluster and backup else []
        result = self._result(updated, file, restored)
        for line in restored:
            log.warning("Restored: %s.", line)
        return result

    @property
    def before(self) -> str:
        """The version that runs: as Helm records it in the cluster; Azure names the one that was requested last."""
        return self.running or running_version(self.existing)

    @property
    def _has_failed(self) -> bool:
        return state_of(self.existing).lower() not in ("succeeded", "")

    @property
    def _was_automatic(self) -> bool:
        return bool((self.existing.get("properties") or {}).get("autoUpgradeMinorVersion"))

    @property
    def _is_downgrade(self) -> bool:
        return is_older(self.target.version, self.before)

    def _plan(self) -> dict[str, Any]:
        properties = self.existing.get("properties") or {}
        same_train = str(properties.get("releaseTrain") or "").lower() == self.target.train.lower()
        is_done = self.target.version == self.before and not self._has_failed and same_train and not self.pending
        return {
            "action": "none" if is_done else "upgrade",
            "extension": self.extension.name,
            "before": self.before or None,
            "after": self.target.version,
            "releaseTrain": self.target.train,
            "downgrade": self._is_downgrade,
            "state": state_of(self.existing) or None,
            "pendingRevisions": [revision.number for revision in self.pending],
            "notes": [dict(release) for release in notes_between(self.before, self.target.version)],
        }

    def _announcement(self) -> list[str]:
        name, before, after = self.extension.name, self.before, self.target.version
        lines = [f"Version of extension '{name}': {before or 'unknown'} -> {after}"]
        lines += [f"  {release['version']}: {' '.join(release['notes'])}" for release in notes_between(before, after)]
        if self._has_failed:
            wanted = running_version(self.existing)
            running = f"; version {before} still runs" if before and before != wanted else ""
            lines.append(f"The earlier operation has failed: '{name}' is {state_of(self.existing)}{running}.")
            lines += _reasons(self.existing)
        for revision in self.pending:
            lines.append(
                f"Helm revision {revision.number} is {revision.status}: an earlier operation was interrupted, and Helm "
                "refuses every other one until its record is deleted."
            )
        if self.cluster is None:
            lines.append(f"Instance types and config maps are not saved: {self.note}")
        if self._was_automatic and not self.target.is_newest:
            lines.append(f"Automatic upgrades are switched off: version {after} is kept.")
        return lines

    def _confirm(self) -> None:
        from knack.log import get_logger

        cluster = self.extension.cluster.name
        if self._is_downgrade:
            get_logger(__name__).warning(
                "Version %s is older than %s: an older chart may not read what the newer one has written.",
                self.target.version,
                self.before,
            )
        verb = "Downgrade" if self._is_downgrade else "Upgrade"
        confirm(
            self.cmd,
            f"{verb} extension '{self.extension.name}' on cluster '{cluster}' to {self.target.version}?",
            self.options.yes,
            refusal="Not downgraded" if self._is_downgrade else NOT_UPGRADED,
        )
        if self.pending:
            question = f"Delete the record of Helm revision {', '.join(str(each.number) for each in self.pending)}?"
            confirm(self.cmd, question, self.options.yes, refusal=NOT_UPGRADED)

    def _back_up(self) -> tuple[Backup | None, str | None]:
        """Save what an upgrade could revert to a file; its name, None where there is nothing to save."""
        if self.cluster is None:
            return None, None
        backup = read_backup(self.cluster)
        return backup, save_backup(backup, self.extension.cluster.name)

    def _release_lock(self) -> None:
        from knack.log import get_logger

        from azext_amlk8s.operations.helm_history import delete_revision

        for revision in self.pending:
            assert self.cluster is not None
            delete_revision(self.cluster, revision)
            get_logger(__name__).warning("Deleted the record of Helm revision %d.", revision.number)

    def _send(self) -> Resource:
        """Install the version; an extension that was upgraded automatically before, and still may be, stays so."""
        updated = self._update(VersionOptions(release_train=self._changed_train(), version=self.target.version))
        if self._was_automatic and self.target.is_newest:
            updated = self._update(VersionOptions(auto_upgrade=True))
        return updated

    def _changed_train(self) -> str | None:
        return None if self.target.train.lower() == train_of(self.existing).lower() else self.target.train

    def _update(self, versions: VersionOptions) -> Resource:
        from azure.cli.core.azclierror import DeploymentError

        from azext_amlk8s.operations.extension_update import update_extension

        connect = (self.client, self.extension.cluster)
        run = RunOptions(self.extension.name, self.options.skip_checks, self.options.timeout, True)
        try:
            return dict(
                update_extension(
                    self.cmd, lambda: connect, SettingOptions(), versions.values(), run, repeat_failed=True
                )
            )
        except DeploymentError as error:
            error.recommendations += self._ways_out()
            raise

    def _ways_out(self) -> list[str]:
        """What to do after an upgrade that failed: resolve its cause and repeat it, or return to what runs."""
        upgrade_command = f"az amlk8s extension upgrade {self.extension.cli_args}"
        back = [f"{upgrade_command} --to {self.before}   # return to the version that runs"] if self.before else []
        return [f"{upgrade_command} --to {self.target.version}   # when the cause is resolved", *back]

    def _result(self, updated: Resource, file: str | None, restored: list[str]) -> dict[str, Any]:
        from azext_amlk8s.operations.upgrade_verification import changed_settings, verify_components

        after = running_version(updated)
        components = verify_components(self.cmd, self.client, self.extension)
        return {
            **self._plan(),
            "action": "upgraded",
            "after": after,
            "state": state_of(updated) or None,
            "pendingRevisions": [],
            "backup": file,
            "restored": restored,
            "changedSettings": changed_settings(self.existing, updated),
            "components": components,
        }


def _reasons(existing: Resource) -> list[str]:
    """What Azure says of the failure, explained where it is known."""
    from azext_amlk8s.diagnosis import explain_failure, extension_errors
    from azext_amlk8s.redaction import redact_text

    coded = extension_errors(existing)
    if not coded:
        return []
    explanation = explain_failure(coded)[0]
    return [f"  {redact_text(coded[0].message)}", *([f"  {explanation.meaning}"] if explanation.known else [])]
