"""az amlk8s extension create"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, raise_for_errors
from azext_amlk8s.operations import backing_resources
from azext_amlk8s.operations.extension_common import (
    BUSY,
    DEFAULT_NAME,
    DEFAULT_TIMEOUT_SECONDS,
    GUIDE,
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
    extension_failed,
    follow_operation,
    poll_after_lost_response,
    status_messages,
    wait_until_idle,
)
from azext_amlk8s.operations.setting_options import (
    SettingOptions,
    VersionOptions,
    version_findings,
    with_setting_options,
    with_version_options,
)
from azext_amlk8s.operations.settings import connect_and_read_facts, connect_by_name
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.shell import join, quote

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient, Operation, StatePoller
    from azext_amlk8s.operations.settings import Connect
    from azext_amlk8s.settings import ClusterFacts, Dependency, Settings

Versions = Mapping[str, Any]  # release_train, version and auto_upgrade


@with_setting_options
@with_version_options
def create(
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
    or_update: bool = False,
    timeout: int = DEFAULT_TIMEOUT_SECONDS,
    yes: bool = False,
    dry_run: bool = False,
    no_wait: bool = False,
) -> Any:
    """Validate the settings, check the cluster, install the extension and follow it. Returns it as ARM describes it.

    With dry_run the plan is returned and nothing is written. An existing extension is only changed with or_update.
    """
    validate_names(name or DEFAULT_NAME, scope, extension_type, release_namespace)
    from azext_amlk8s.operations.check import require_known_checks

    require_known_checks(skip_checks)
    run = RunOptions(name, skip_checks, timeout, yes, dry_run, no_wait)
    connect = connect_by_name(cmd, resource_group_name, cluster_name, cluster_type)
    return create_extension(cmd, connect, given, versions.values(), run, or_update=or_update)


def create_extension(
    cmd: AzCliCommand,
    connect: Connect,
    given: SettingOptions,
    version: Versions,
    run: RunOptions,
    known_protected: Mapping[str, str] | None = None,
    *,
    or_update: bool = False,
) -> Any:
    """What `create` does, on a cluster that connect finds. Returns the extension, or the plan of a dry run.

    known_protected is passed on where an existing extension is updated.
    """
    from knack.log import get_logger

    from azext_amlk8s.settings import (
        build_create_body,
        evaluate_cluster_rules,
        evaluate_rules,
        extension_name,
        needed_resources,
    )

    settings, findings = given.read()
    findings += [*evaluate_rules(settings), *version_findings(version)]
    client, cluster, extensions, facts = connect_and_read_facts(connect, settings, findings, given.strict)
    extension = ExtensionRef(cluster, run.name) if run.name else choose_extension(cluster, extensions, DEFAULT_NAME)
    existing = find_extension(extensions, extension)
    if existing is not None and or_update:
        from azext_amlk8s.operations.extension_update import update_extension

        run = run._replace(name=extension.name)
        return update_extension(cmd, lambda: (client, cluster), given, version, run, known_protected)
    connection = None
    if existing is not None:
        raise_for_errors(findings, strict=given.strict)
        _raise_if_different(existing, settings, extension, version)
        if not run.dry_run:
            return existing if run.no_wait else _wait_for_existing(cmd, client, extension, existing, run.timeout)
    else:
        findings += [*extension_name(extension.name, facts), *evaluate_cluster_rules(settings, facts)]
        raise_for_errors(findings, strict=given.strict)
        connection = check_cluster(client, cluster, settings, "create", run, version["version"])
    needs = needed_resources(settings, facts)
    resources = backing_resources.find_resources(client, needs)
    if run.dry_run:
        plan = _describe_plan(extension, settings, facts, version, needs, backing_resources.describe(needs, resources))
        return {**plan, "action": "none" if existing else "create"}
    created = backing_resources.ensure(cmd, client, needs, resources)
    body = build_create_body(_merged(settings, created), facts, **version)
    operation = _begin(client, extension, body, settings, version)
    if run.no_wait:
        resume = f"az amlk8s extension wait {extension.cli_args} --created"
        get_logger(__name__).warning("The installation continues in Azure. To follow it: %s", resume)
        return operation.started()
    action = f"Installing {extension.name} on {cluster.name}"
    result = follow_operation(cmd, operation, client, extension, action, "created", run.timeout, connection)
    get_logger(__name__).warning("Next: az amlk8s check %s", cluster.cli_args)
    return result


def _merged(settings: Settings, extra: Settings) -> Settings:
    from azext_amlk8s.settings import merge_settings

    return merge_settings(settings, extra)


def _begin(
    client: AzureClient, extension: ExtensionRef, body: Mapping[str, Any], settings: Settings, versions: Versions
) -> Operation | StatePoller:
    """The operation of the PUT, also where its response was lost although Azure has accepted it."""
    from azure.core.exceptions import AzureError
    from knack.log import get_logger

    try:
        return client.begin_create_extension(extension, body)
    except AzureError as error:
        # It did not exist before, and is compared with what was requested below.
        poller = poll_after_lost_response(client, extension, error, lambda found: True)
    get_logger(__name__).warning("The response of Azure was lost, but the installation has started.")
    _raise_if_different(poller.result() or {}, settings, extension, versions)
    return poller


def _describe_plan(
    extension: ExtensionRef,
    settings: Settings,
    facts: ClusterFacts,
    versions: Versions,
    needs: Sequence[Dependency],
    resources: list[dict[str, str]],
) -> dict[str, Any]:
    from azext_amlk8s.settings import BLANK, build_create_body, redact_body

    chosen = sorted({*settings.config, *settings.protected})
    for need in needs:
        settings = _merged(settings, need.settings(None, BLANK))
    body = redact_body(build_create_body(settings, facts, **versions))
    return {
        "action": "create",
        "chosen": chosen,
        "method": "PUT",
        "id": extension.id,
        "resources": resources,
        "body": body,
    }


def _raise_if_different(
    existing: Mapping[str, Any], settings: Settings, extension: ExtensionRef, versions: Versions
) -> None:
    """Raise ValidationError unless the extension has, or is getting, the requested settings."""
    from knack.log import get_logger

    from azext_amlk8s.settings import find_differences, read_deployed

    current = read_deployed(existing)
    state = current.state
    if state.lower() == "deleting":
        raise az_error(
            "ValidationError",
            f"Extension '{extension.name}' is being deleted.",
            [f"az amlk8s extension wait {extension.cli_args} --deleted"],
        )
    if state.lower() not in (*BUSY, "succeeded"):
        raise az_error(
            "ValidationError",
            f"Extension '{extension.name}' already exists in state {state}."
            + "".join(f"\n  {line}" for line in status_messages(existing)),
            [
                f"az amlk8s extension delete {extension.cli_args} --yes   # then run the same command again",
                f"az amlk8s extension diagnose {extension.cluster.cli_args}",
                GUIDE,
            ],
        )
    if changes := find_differences(settings, current, **versions):
        busy = state.lower() in BUSY
        status = f"is {state} with different settings:" if busy else "already exists with different settings:"
        wait = [f"az amlk8s extension wait {extension.cli_args} --created"] if busy else []
        update = f"az amlk8s extension update {extension.cli_args} {_update_options(changes, settings)}"
        raise az_error("ValidationError", f"Extension '{extension.name}' {status}{indented(changes)}", [*wait, update])
    if settings.protected:
        get_logger(__name__).warning(
            "Protected settings cannot be read from Azure and are assumed to be unchanged: %s. To send them again: "
            "az amlk8s extension update %s --config-protected %s",
            ", ".join(sorted(settings.protected)),
            extension.cli_args,
            join(f"{key}=..." for key in sorted(settings.protected)),
        )


def _update_options(changes: Sequence[Any], settings: Settings) -> str:
    """The options of `extension update` that make the requested changes; values of protected settings are left out."""
    names = {"version": "--version", "releaseTrain": "--release-train", "autoUpgradeMinorVersion": "--auto-upgrade"}
    options = [f"{names[change.key]} {quote(change.after)}" for change in changes if change.key in names]
    given = {*settings.config, "enableTraining", "enableInference"}
    if pairs := [f"{change.key}={change.after}" for change in changes if change.key in given]:
        options.append(f"--config {join(pairs)}")
    if protected := [change.key for change in changes if change.key in settings.protected]:
        options.append("--config-protected " + " ".join(f"{key}=..." for key in protected))
    return " ".join(options)


def _wait_for_existing(
    cmd: AzCliCommand, client: AzureClient, extension: ExtensionRef, existing: Resource, timeout: float
) -> Resource:
    """The extension at the end of an installation that an earlier run began, or as it is."""
    from knack.log import get_logger

    if state_of(existing).lower() not in BUSY:
        get_logger(__name__).warning(
            "Extension '%s' already exists with these settings; nothing was changed.", extension.name
        )
        return existing
    result = wait_until_idle(cmd, client, extension, existing, timeout) or {}
    if state_of(result).lower() != "succeeded":
        head = f"Installing {extension.name} on {extension.cluster.name} failed."
        raise extension_failed(client, extension, result, head, "create")
    return result
