"""az amlk8s extension update"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm, raise_for_errors
from azext_amlk8s.operations import backing_resources
from azext_amlk8s.operations.extension_common import (
    DEFAULT_NAME,
    DEFAULT_TIMEOUT_SECONDS,
    Resource,
    RunOptions,
    check_cluster,
    choose_extension,
    find_extension,
    indented,
    state_of,
    validate_names,
)
from azext_amlk8s.operations.extension_progress import (
    follow_operation,
    poll_after_lost_response,
    wait_until_idle,
)
from azext_amlk8s.operations.setting_options import (
    SettingOptions,
    VersionOptions,
    load_named_files,
    version_findings,
    with_setting_options,
    with_version_options,
)
from azext_amlk8s.operations.settings import connect_and_read_facts, connect_by_name
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient, Operation, StatePoller
    from azext_amlk8s.operations.settings import Connect
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import Change, ClusterFacts, Dependency, Settings, Update

ATTEMPTS = 10
PAUSE_SECONDS = 2


@with_setting_options
@with_version_options
def update(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    given: SettingOptions,
    versions: VersionOptions,
    cluster_type: str | None = None,
    name: str | None = None,
    scope: str | None = None,
    extension_type: str | None = None,
    release_namespace: str | None = None,
    skip_checks: Sequence[str] | None = None,
    timeout: int | None = None,
    yes: bool = False,
    dry_run: bool = False,
    no_wait: bool = False,
) -> Any:
    """Validate the settings that the extension will have, show the difference and send only that. Returns it.

    With dry_run the plan is returned and nothing is written.
    """
    validate_names(name or DEFAULT_NAME, scope, extension_type, release_namespace)
    version = versions.values()
    if given.is_empty and all(value is None for value in version.values()):
        raise az_error(
            "RequiredArgumentMissingError",
            "Nothing to update: specify a setting, --version, --release-train or --auto-upgrade.",
            ["--config enableTraining=True"],
        )
    from azext_amlk8s.operations.check import require_known_checks

    require_known_checks(skip_checks)
    run = RunOptions(name, skip_checks, timeout or DEFAULT_TIMEOUT_SECONDS, yes, dry_run, no_wait)
    connect = connect_by_name(cmd, resource_group_name, cluster_name, cluster_type)
    return update_extension(cmd, connect, given, version, run)


def update_extension(
    cmd: AzCliCommand,
    connect: Connect,
    given: SettingOptions,
    version: Mapping[str, Any],
    run: RunOptions,
    known_protected: Mapping[str, str] | None = None,
    *,
    repeat_failed: bool = False,
    reported: Sequence[Finding] = (),
) -> Any:
    """What `update` does, on a cluster that connect finds. Returns the extension, or the plan of a dry run.

    known_protected are values of deployed protected settings, for those that cannot be read from Azure again. With
    repeat_failed an update that changes nothing is sent all the same where the last operation has failed. reported are
    findings that the caller has printed.
    """
    from knack.log import get_logger

    from azext_amlk8s.settings import extension_name

    settings, findings = given.read_with_paths()
    findings += version_findings(version)
    client, cluster, extensions, facts = connect_and_read_facts(connect, settings, findings, given.strict)
    extension = ExtensionRef(cluster, run.name) if run.name else choose_extension(cluster, extensions)
    found = find_extension(extensions, extension)
    if found is None:
        raise_for_errors(findings, strict=given.strict)
    existing = _require(found, extension, extension_name(extension.name, facts))
    findings += _train_findings(existing, version)
    settings, file_findings = _with_files(settings, existing)
    reporter = _Reporter(given.strict, reported)
    request = _Request(client, settings, replace(facts, extensions=()), version, known_protected or {}, repeat_failed)
    if run.dry_run:
        plan = _make_plan(request, existing)
        reporter.raise_for_errors([*findings, *file_findings, *plan.findings])
        if plan.update.body:
            check_cluster(client, cluster, settings, "update", run, version["version"])
        return _describe_plan(extension, plan, backing_resources.describe(plan.needs, plan.resources))
    reporter.raise_for_errors([*findings, *file_findings, *_make_plan(request, existing).findings])
    connection = check_cluster(client, cluster, settings, "update", run, version["version"])
    operation = _send(cmd, extension, existing, request, [*findings, *file_findings], reporter, run)
    if isinstance(operation, Mapping):
        return operation
    if run.no_wait:
        resume = f"az amlk8s extension wait {extension.cli_args} --updated"
        get_logger(__name__).warning("The update continues in Azure. To follow it: %s", resume)
        return operation.started()
    action = f"Updating {extension.name} on {cluster.name}"
    return follow_operation(cmd, operation, client, extension, action, "updated", run.timeout, connection)


def _train_findings(existing: Mapping[str, Any], versions: Mapping[str, Any]) -> Sequence[Finding]:
    """Findings on a release train for an extension that keeps its version."""
    from azext_amlk8s.settings import evaluate_version_rules, read_deployed

    keeps_version = versions["version"] is None and not versions["auto_upgrade"]
    return (
        evaluate_version_rules(read_deployed(existing).version, None, versions["release_train"])
        if keeps_version
        else ()
    )


def _with_files(settings: Settings, existing: Mapping[str, Any]) -> tuple[Settings, list[Finding]]:
    """The settings with the contents of files, validated with the deployed host name where none is given."""
    from azext_amlk8s.settings import Settings, read_deployed

    host = read_deployed(existing).settings().get("sslCname")
    if not host or settings.get("sslCname"):
        return load_named_files(settings)
    read, findings = load_named_files(Settings({**settings.config, "sslCname": host}, settings.protected))
    config = {key: value for key, value in read.config.items() if key != "sslCname"}
    return Settings(config, read.protected), findings


@dataclass(frozen=True)
class _Request:
    """What was requested: settings with their files read, and the options about versions."""

    client: AzureClient
    settings: Settings
    facts: ClusterFacts
    versions: Mapping[str, Any]
    known_protected: Mapping[str, str]
    repeat_failed: bool = False


@dataclass(frozen=True)
class _Plan:
    """An update, the Azure resources that it needs, which of them exist, what it stops, and the findings on it."""

    update: Update
    needs: Sequence[Dependency]
    resources: Mapping[str, Resource | None]
    stopped: Mapping[str, Sequence[Change]]
    findings: Sequence[Finding]


class _Reporter:
    """Reports findings once, although a plan may be made several times."""

    def __init__(self, strict: bool, reported: Sequence[Finding]) -> None:
        self._strict, self._reported = strict, set(reported)

    def raise_for_errors(self, findings: Sequence[Finding]) -> None:
        raise_for_errors([finding for finding in findings if finding not in self._reported], strict=self._strict)
        self._reported.update(findings)


def _send(
    cmd: AzCliCommand,
    extension: ExtensionRef,
    existing: Mapping[str, Any],
    request: _Request,
    findings: Sequence[Finding],
    reporter: _Reporter,
    run: RunOptions,
) -> Operation | StatePoller | Mapping[str, Any]:
    """The operation, or the extension where nothing changes. While another operation runs, it is waited for."""
    from azure.core.exceptions import AzureError
    from knack.log import get_logger

    log, client = get_logger(__name__), request.client
    confirmed: Any = None
    for attempt in range(ATTEMPTS):
        existing = _require(wait_until_idle(cmd, client, extension, dict(existing), run.timeout), extension)
        plan = _make_plan(request, existing)
        reporter.raise_for_errors([*findings, *plan.findings])
        repeats = not plan.update.body and request.repeat_failed and state_of(dict(existing)).lower() == "failed"
        if not plan.update.body and not repeats:
            log.warning("Extension '%s' already has these settings; nothing was changed.", extension.name)
            return existing
        if plan.update.changes and confirmed != plan.update.changes:
            log.warning("Changes of extension '%s':%s", extension.name, indented(plan.update.changes))
            _confirm(cmd, extension, plan, run.yes)
            confirmed = plan.update.changes
        plan = _with_resources(cmd, plan, request, existing)
        reporter.raise_for_errors(plan.findings)
        try:
            body = {"properties": _version_properties(request)} if repeats else plan.update.body
            return client.begin_update_extension(extension, body)
        except AzureError as error:
            if getattr(error, "status_code", None) != 409:
                return poll_after_lost_response(
                    client, extension, error, lambda found: not _make_plan(request, found).update.body
                )
            if attempt == ATTEMPTS - 1:
                raise
            log.warning("Another operation runs on extension '%s'; waiting for its end.", extension.name)
            time.sleep(PAUSE_SECONDS)
            existing = client.get_extension(extension)
    raise AssertionError


def _version_properties(request: _Request) -> dict[str, Any]:
    """The version of a request as it is sent."""
    from azext_amlk8s.settings.plan import version_properties

    return version_properties(request.versions["version"], request.versions["auto_upgrade"])


def _require(
    existing: Mapping[str, Any] | None, extension: ExtensionRef, others: Sequence[Finding] = ()
) -> Mapping[str, Any]:
    """The extension. Raises ResourceNotFoundError, which names the AzureML extension with another name."""
    if existing is not None:
        return existing
    message = f"Extension '{extension.name}' not found on cluster '{extension.cluster.name}'."
    fixes = [finding.fix for finding in others]
    create = f"az amlk8s extension create {extension.cli_args} --config enableTraining=True"
    raise az_error(
        "ResourceNotFoundError", " ".join([message, *(finding.message for finding in others)]), fixes or [create]
    )


def _make_plan(request: _Request, existing: Mapping[str, Any]) -> _Plan:
    """The plan; its findings are about what the update introduces, not about what is deployed already."""
    from azext_amlk8s.settings import (
        evaluate_cluster_rules_after_update,
        evaluate_rules,
        evaluate_update_rules,
        has_few_nodes,
        lost_protected_settings,
        needed_resources,
        plan_update,
        read_deployed,
        restorable_resources,
        settings_after_update,
        stopped_workloads,
    )

    client, settings, facts, current = request.client, request.settings, request.facts, read_deployed(existing)
    before, after = current.settings(), settings_after_update(current, settings)
    needs = [need for need in needed_resources(after, facts) if _is_requested(need, settings)]
    resources = backing_resources.find_resources(client, needs)
    given = settings
    for need in needs:
        given = _with_placeholders(given, need)
    restored: Mapping[str, str] = {}
    if given.protected:
        lost = current.protected - given.protected.keys()
        candidates = restorable_resources(lost, current.config, facts)
        read_again = backing_resources.restore_keys(client, candidates, current.config)
        restored = {key: value for key, value in {**request.known_protected, **read_again}.items() if key in lost}
    planned = plan_update(given, current, restored, few_nodes=has_few_nodes(after, facts), **request.versions)
    known = set(evaluate_rules(before))
    findings = [
        *evaluate_update_rules(settings, current),
        *(finding for finding in evaluate_rules(after) if finding not in known),
        *(evaluate_cluster_rules_after_update(after, before, facts) if planned.body else ()),
        *lost_protected_settings(planned),
    ]
    return _Plan(planned, needs, resources, stopped_workloads(planned.changes, current), findings)


def _is_requested(need: Dependency, settings: Settings) -> bool:
    from azext_amlk8s.settings import switch_key

    return switch_key(need.kind) in (*settings.config, *settings.protected)


def _with_placeholders(settings: Settings, need: Dependency) -> Settings:
    from azext_amlk8s.settings import BLANK, merge_settings

    return merge_settings(settings, need.settings(None, BLANK))


def _with_resources(cmd: AzCliCommand, plan: _Plan, request: _Request, existing: Mapping[str, Any]) -> _Plan:
    """The plan with the real secrets, once the Azure resources that it needs exist."""
    if not plan.needs:
        return plan
    from azext_amlk8s.settings import merge_settings

    created = backing_resources.ensure(cmd, request.client, plan.needs, plan.resources)
    return _make_plan(replace(request, settings=merge_settings(request.settings, created)), existing)


def _confirm(cmd: AzCliCommand, extension: ExtensionRef, plan: _Plan, yes: bool) -> None:
    """Ask before an update that stops workloads, or that installs an older version."""
    from knack.log import get_logger

    downgrade = next((change for change in plan.update.changes if _is_downgrade(change)), None)
    for stopped, changes in plan.stopped.items():
        keys = ", ".join(change.key for change in changes)
        get_logger(__name__).warning("Running %s stop, because of %s.", stopped, keys)
    if downgrade:
        get_logger(__name__).warning("Version: %s -> %s (downgrade)", downgrade.before, downgrade.after)
    if plan.stopped or downgrade:
        question = f"Update extension '{extension.name}' on cluster '{extension.cluster.name}'?"
        confirm(cmd, question, yes, refusal="Not updated")


def _is_downgrade(change: Change) -> bool:
    if change.key != "version" or not change.before or not change.after:
        return False
    try:
        before, after = (tuple(map(int, value.split("."))) for value in (change.before, change.after))
    except ValueError:
        return False
    return after < before


def _describe_plan(extension: ExtensionRef, plan: _Plan, resources: list[dict[str, str]]) -> dict[str, Any]:
    from azext_amlk8s.settings import redact_body

    return {
        "action": "update" if plan.update.body else "none",
        "method": "PATCH",
        "id": extension.id,
        "changes": [
            {"key": change.key, "before": change.before, "after": change.after} for change in plan.update.changes
        ],
        "stops": list(plan.stopped),
        "resources": resources,
        "body": redact_body(plan.update.body) if plan.update.body else {},
    }
