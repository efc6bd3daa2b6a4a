"""az amlk8s extension update"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.handlers import dependencies
from azext_amlk8s.handlers.extension import facts
from azext_amlk8s.handlers.extension_common import (
    Target,
    followed,
    refuse_other_kinds,
    said,
    settled,
    the_one,
)
from azext_amlk8s.handlers.reporting import azure_errors, confirm, refuse_on_errors
from azext_amlk8s.handlers.settings import given_words, with_files

ATTEMPTS = 10


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

    from azext_amlk8s.arm import Arm
    from azext_amlk8s.settings import cluster_facts, judge_version

    refuse_other_kinds(name, scope, extension_type)
    versions: dict[str, Any] = {"release_train": release_train, "version": version, "auto_upgrade": auto_upgrade}
    files = (config_file, config_protected_file)
    if not any((config, config_protected, *files)) and all(value is None for value in versions.values()):
        raise RequiredArgumentMissingError("There is nothing to update.", recommendation="--config KEY=VALUE")
    settings, found = given_words(config, config_protected, *files, allow_unknown_settings)
    refuse_on_errors(found, judge_version(version, auto_upgrade, release_train), strict=strict)
    target = Target(resource_group_name, cluster_type, cluster_name, name)
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        cluster, extensions = facts(arm, resource_group_name, cluster_type, cluster_name)
        about = cluster_facts(cluster, cluster_type)
        there = _there(the_one(extensions, target), target)
        settings = _with_files(settings, there)
        if dry_run:
            plan = _planned(arm, settings, about, there, versions)
            return _shown(arm, target, plan, there, dependencies.described(plan.needs, plan.found))
        operation = _sent(cmd, arm, target, there, settings, about, versions, yes)
        if not hasattr(operation, "done"):
            return operation
        if no_wait:
            return operation.started()
        return followed(cmd, operation, arm, target, f"Updating {name} on {cluster_name}", "updated")


def _with_files(settings: Any, there: Mapping[str, Any]) -> Any:
    """The settings with the contents of files, judged by the host name that is deployed where none is given."""
    from azext_amlk8s.settings import Settings, deployed

    name = deployed(there).settings().get("sslCname")
    if not name or settings.get("sslCname"):
        known = settings
    else:
        known = Settings({**settings.config, "sslCname": name}, settings.protected)
    read, of_files = with_files(known)
    refuse_on_errors(of_files)
    config = {key: value for key, value in read.config.items() if known is settings or key != "sslCname"}
    return Settings(config, read.protected)


class _Plan:
    """An update, what it needs of Azure, and what is there of that."""

    def __init__(self, change: Any, needs: Sequence[Any], found: Mapping[str, Any], stopped: Mapping[str, Any]) -> None:
        self.update, self.needs, self.found, self.stopped = change, needs, found, stopped


def _sent(
    cmd: Any,
    arm: Any,
    target: Target,
    there: Mapping[str, Any],
    settings: Any,
    about: Any,
    versions: Mapping[str, Any],
    yes: bool,
) -> Any:
    """The operation, or the extension where nothing changes; as long as the extension is busy it is waited for."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    log = get_logger(__name__)
    agreed: Any = None
    for attempt in range(ATTEMPTS):
        there = _there(settled(cmd, arm, target, dict(there)), target)
        plan = _planned(arm, settings, about, there, versions)
        if not plan.update.body:
            log.warning("The extension %s has these settings already; nothing was changed.", target.name)
            return there
        if agreed != plan.update.changes:
            log.warning("These settings of %s change:%s", target.name, said(plan.update.changes))
            _agree(cmd, plan, yes)
            agreed = plan.update.changes
        plan = _with_dependencies(cmd, arm, plan, settings, about, there, versions)
        try:
            return arm.begin_update_extension(*target.parts, plan.update.body)
        except HttpResponseError as error:
            if error.status_code != 409 or attempt == ATTEMPTS - 1:
                raise
            log.warning("The extension %s is busy; its end is waited for.", target.name)
            there = arm.get_extension(*target.parts)
    raise AssertionError


def _there(extension: Mapping[str, Any] | None, target: Target) -> Mapping[str, Any]:
    from azure.cli.core.azclierror import ResourceNotFoundError

    if extension is None:
        raise ResourceNotFoundError(
            f"There is no extension {target.name} on {target.cluster}.",
            recommendation=f"az amlk8s extension create {target.words} --config enableTraining=True",
        )
    return extension


def _planned(arm: Any, settings: Any, about: Any, there: Mapping[str, Any], versions: Mapping[str, Any]) -> _Plan:
    """Raises ValidationError with all that is wrong with what the cluster would have; old sins are not held up."""
    from azext_amlk8s.settings import (
        deployed,
        judge,
        judge_lost,
        judge_update,
        needed,
        overlaid,
        plan_update,
        restorable,
        stops,
    )

    now = deployed(there)
    after = overlaid(now, settings)
    needs = [one for one in needed(after, about) if _is_asked_for(one, settings)]
    found = dependencies.look(arm, needs)
    given = settings
    for one in needs:
        given = _with(given, one)
    restored: Mapping[str, str] = {}
    if given.protected:
        lost = now.protected - given.protected.keys()
        restored = dependencies.restored(arm, restorable(lost, now.config, about), now.config)
        restored = {key: value for key, value in restored.items() if key in lost}
    planned = plan_update(given, now, restored, **versions)
    before = set(judge(now.settings()))
    refuse_on_errors(
        judge_update(settings, now), (one for one in judge(after) if one not in before), judge_lost(planned)
    )
    return _Plan(planned, needs, found, stops(planned.changes, now))


def _is_asked_for(one: Any, settings: Any) -> bool:
    from azext_amlk8s.settings import switch_of

    return switch_of(one.kind) in (*settings.config, *settings.protected)


def _with(settings: Any, one: Any) -> Any:
    from azext_amlk8s.settings import BLANK, merged

    return merged(settings, one.settings(None, BLANK))


def _with_dependencies(
    cmd: Any, arm: Any, plan: _Plan, settings: Any, about: Any, there: Mapping[str, Any], versions: Mapping[str, Any]
) -> _Plan:
    """The plan with the real secrets in it, once what it needs has been made."""
    if not plan.needs:
        return plan
    from azext_amlk8s.settings import merged

    made = dependencies.ensure(cmd, arm, plan.needs, plan.found)
    return _planned(arm, merged(settings, made), about, there, versions)


def _agree(cmd: Any, plan: _Plan, yes: bool) -> None:
    if plan.stopped:
        reasons = [
            f"Running {what} stop, because of {', '.join(one.key for one in changes)}."
            for what, changes in plan.stopped.items()
        ]
        confirm(cmd, " ".join(reasons), yes)


def _shown(
    arm: Any, target: Target, plan: _Plan, there: Mapping[str, Any], resources: list[dict[str, str]]
) -> dict[str, Any]:
    from azext_amlk8s.settings import blanked

    return {
        "action": "update" if plan.update.body else "none",
        "method": "PATCH",
        "id": arm.extension_id(*target.parts),
        "changes": [{"key": one.key, "before": one.before, "after": one.after} for one in plan.update.changes],
        "stops": list(plan.stopped),
        "resources": resources,
        "body": blanked(plan.update.body) if plan.update.body else {},
    }
