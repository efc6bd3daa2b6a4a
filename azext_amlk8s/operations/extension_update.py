"""az amlk8s extension update"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors, confirm, raise_for_errors
from azext_amlk8s.operations import backing_resources as dependencies
from azext_amlk8s.operations.extension_common import (
    find_extension,
    follow_operation,
    indented,
    validate_names,
    wait_until_idle,
)
from azext_amlk8s.operations.settings import connect_and_read_facts, given_words, with_files
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    pass

ATTEMPTS = 10
PAUSE_SECONDS = 2


def update(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    name: str,
    config: Sequence[str] | None = None,
    config_protected: Sequence[str] | None = None,
    config_file: str | None = None,
    config_protected_file: str | None = None,
    allow_unknown_settings: bool = False,
    strict: bool = False,
    scope: str | None = None,
    extension_type: str | None = None,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
    yes: bool = False,
    dry_run: bool = False,
    no_wait: bool = False,
) -> Any:
    """Read what is deployed, judge what will be, show the difference, send it alone. Returns the extension.

    With dry_run the plan is returned and nothing is written.
    """
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.settings import evaluate_version_rules, extension_name

    validate_names(name, scope, extension_type)
    versions: dict[str, Any] = {"release_train": release_train, "version": version, "auto_upgrade": auto_upgrade}
    files = (config_file, config_protected_file)
    if not any((config, config_protected, *files)) and all(value is None for value in versions.values()):
        raise RequiredArgumentMissingError("There is nothing to update.", recommendation="--config KEY=VALUE")
    settings, found = given_words(config, config_protected, *files, allow_unknown_settings)
    found += evaluate_version_rules(version, auto_upgrade, release_train)
    with azure_errors():
        client, cluster, extensions, about = connect_and_read_facts(
            cmd, settings, found, strict, resource_group_name, cluster_type, cluster_name
        )
        extension = ExtensionRef(cluster, name)
        if (one := find_extension(extensions, extension)) is None:
            raise_for_errors(found, strict=strict)
        there = _there(one, extension, extension_name(name, about))
        found += _of_pinned(there, versions)
        settings, of_files = _with_files(settings, there)
        told = _Told(strict)
        wish = _Wish(client, settings, replace(about, extensions=()), versions)
        if dry_run:
            plan = _planned(wish, there)
            told.raise_for_errors([*found, *of_files, *plan.findings])
            return _shown(client, extension, plan, dependencies.described(plan.needs, plan.found))
        operation = _sent(cmd, extension, there, wish, [*found, *of_files], told, yes)
        if not hasattr(operation, "done"):
            return operation
        if no_wait:
            return operation.started()
        return follow_operation(cmd, operation, client, extension, f"Updating {name} on {cluster_name}", "updated")


def _of_pinned(there: Mapping[str, Any], versions: Mapping[str, Any]) -> Sequence[Any]:
    """What is to be indented of a train for an extension that stays on a version."""
    from azext_amlk8s.settings import evaluate_version_rules, read_deployed

    stays = versions["version"] is None and not versions["auto_upgrade"]
    return evaluate_version_rules(read_deployed(there).version, None, versions["release_train"]) if stays else ()


def _with_files(settings: Any, there: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    """The settings with the contents of files, judged by the host name that is deployed where none is given."""
    from azext_amlk8s.settings import Settings, read_deployed

    name = read_deployed(there).settings().get("sslCname")
    if not name or settings.get("sslCname"):
        return with_files(settings)
    read, found = with_files(Settings({**settings.config, "sslCname": name}, settings.protected))
    return Settings({key: value for key, value in read.config.items() if key != "sslCname"}, read.protected), found


@dataclass(frozen=True)
class _Wish:
    """What is asked for of a cluster: settings with their files read, and what is indented of version and upgrades."""

    client: Any
    settings: Any
    about: Any
    versions: Mapping[str, Any]


@dataclass(frozen=True)
class _Plan:
    """An update, what it needs of Azure, what is there of that, what stops, and what the rules say."""

    update: Any
    needs: Sequence[Any]
    found: Mapping[str, Any]
    stopped: Mapping[str, Any]
    findings: Sequence[Any]


class _Told:
    """What has been indented, so that a plan that is made again does not say it again."""

    def __init__(self, strict: bool) -> None:
        self._strict, self._said = strict, set[Any]()

    def raise_for_errors(self, findings: Sequence[Any]) -> None:
        raise_for_errors([one for one in findings if one not in self._said], strict=self._strict)
        self._said.update(findings)


def _sent(
    cmd: Any,
    extension: ExtensionRef,
    there: Mapping[str, Any],
    wish: _Wish,
    found: Sequence[Any],
    told: _Told,
    yes: bool,
) -> Any:
    """The operation, or the extension where nothing changes; as long as the extension is busy it is waited for."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    log, client = get_logger(__name__), wish.client
    agreed: Any = None
    for attempt in range(ATTEMPTS):
        there = _there(wait_until_idle(cmd, client, extension, dict(there)), extension)
        plan = _planned(wish, there)
        told.raise_for_errors([*found, *plan.findings])
        if not plan.update.body:
            log.warning("The extension %s has these settings already; nothing was changed.", extension.name)
            return there
        if agreed != plan.update.changes:
            log.warning("These settings of %s change:%s", extension.name, indented(plan.update.changes))
            _agree(cmd, extension, plan, yes)
            agreed = plan.update.changes
        plan = _with_dependencies(cmd, plan, wish, there)
        told.raise_for_errors(plan.findings)
        try:
            return client.begin_update_extension(extension, plan.update.body)
        except HttpResponseError as error:
            if error.status_code != 409 or attempt == ATTEMPTS - 1:
                raise
            log.warning("The extension %s is busy; its end is waited for.", extension.name)
            time.sleep(PAUSE_SECONDS)
            there = client.get_extension(extension)
    raise AssertionError


def _there(
    resource: Mapping[str, Any] | None, extension: ExtensionRef, others: Sequence[Any] = ()
) -> Mapping[str, Any]:
    """The extension. Raises ResourceNotFoundError, which names the one of another name where there is one."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    if resource is None:
        raise ResourceNotFoundError(
            " ".join(
                [
                    f"There is no extension {extension.name} on {extension.cluster.name}.",
                    *(one.message for one in others),
                ]
            ),
            recommendation=[one.fix for one in others]
            or f"az amlk8s extension create {extension.cli_args} --config enableTraining=True",
        )
    return resource


def _planned(wish: _Wish, there: Mapping[str, Any]) -> _Plan:
    """What is wrong with what the cluster would have is in the plan's findings; old sins are not held up."""
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

    client, settings, about, now = wish.client, wish.settings, wish.about, read_deployed(there)
    before, after = now.settings(), settings_after_update(now, settings)
    needs = [one for one in needed_resources(after, about) if _is_asked_for(one, settings)]
    found = dependencies.look(client, needs)
    given = settings
    for one in needs:
        given = _with(given, one)
    restored: Mapping[str, str] = {}
    if given.protected:
        lost = now.protected - given.protected.keys()
        restored = dependencies.restored(client, restorable_resources(lost, now.config, about), now.config)
        restored = {key: value for key, value in restored.items() if key in lost}
    planned = plan_update(given, now, restored, few_nodes=has_few_nodes(after, about), **wish.versions)
    old = set(evaluate_rules(before))
    findings = [
        *evaluate_update_rules(settings, now),
        *(one for one in evaluate_rules(after) if one not in old),
        *(evaluate_cluster_rules_after_update(after, before, about) if planned.body else ()),
        *lost_protected_settings(planned),
    ]
    return _Plan(planned, needs, found, stopped_workloads(planned.changes, now), findings)


def _is_asked_for(one: Any, settings: Any) -> bool:
    from azext_amlk8s.settings import switch_key

    return switch_key(one.kind) in (*settings.config, *settings.protected)


def _with(settings: Any, one: Any) -> Any:
    from azext_amlk8s.settings import BLANK, merge_settings

    return merge_settings(settings, one.settings(None, BLANK))


def _with_dependencies(cmd: Any, plan: _Plan, wish: _Wish, there: Mapping[str, Any]) -> _Plan:
    """The plan with the real secrets in it, once what it needs has been made."""
    if not plan.needs:
        return plan
    from azext_amlk8s.settings import merge_settings

    made = dependencies.ensure(cmd, wish.client, plan.needs, plan.found)
    return _planned(replace(wish, settings=merge_settings(wish.settings, made)), there)


def _agree(cmd: Any, extension: ExtensionRef, plan: _Plan, yes: bool) -> None:
    from knack.log import get_logger

    for what, changes in plan.stopped.items():
        keys = ", ".join(change.key for change in changes)
        get_logger(__name__).warning("Running %s stop, because of %s.", what, keys)
    if plan.stopped:
        confirm(
            cmd,
            f"Update extension '{extension.name}' on cluster '{extension.cluster.name}'?",
            yes,
            refusal="Not updated",
        )


def _shown(client: Any, extension: ExtensionRef, plan: _Plan, resources: list[dict[str, str]]) -> dict[str, Any]:
    from azext_amlk8s.settings import redact_body

    return {
        "action": "update" if plan.update.body else "none",
        "method": "PATCH",
        "id": extension.id,
        "changes": [{"key": one.key, "before": one.before, "after": one.after} for one in plan.update.changes],
        "stops": list(plan.stopped),
        "resources": resources,
        "body": redact_body(plan.update.body) if plan.update.body else {},
    }
