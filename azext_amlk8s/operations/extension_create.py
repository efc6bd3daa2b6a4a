"""az amlk8s extension create"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors, raise_for_errors
from azext_amlk8s.operations import backing_resources as dependencies
from azext_amlk8s.operations.extension_common import (
    BUSY,
    GUIDE,
    extension_failed,
    find_extension,
    follow_operation,
    indented,
    status_messages,
    validate_names,
    wait_until_idle,
)
from azext_amlk8s.operations.settings import connect_and_read_facts, given_settings
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    pass


def create(
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
    dry_run: bool = False,
    no_wait: bool = False,
) -> Any:
    """Judge the settings, ask Azure for facts, make the plan, carry it out. Returns the extension as ARM describes it.

    With dry_run the plan is returned and nothing is written. An extension that is there is never written to.
    """
    from azext_amlk8s.settings import (
        build_create_body,
        evaluate_cluster_rules,
        evaluate_rules,
        evaluate_version_rules,
        extension_name,
        needed_resources,
    )

    validate_names(name, scope, extension_type)
    settings, found = given_settings(
        config, config_protected, config_file, config_protected_file, allow_unknown_settings
    )
    found += [*evaluate_rules(settings), *evaluate_version_rules(version, auto_upgrade, release_train)]
    versions: dict[str, Any] = {"release_train": release_train, "version": version, "auto_upgrade": auto_upgrade}
    with azure_errors():
        client, cluster, extensions, about = connect_and_read_facts(
            cmd, settings, found, strict, resource_group_name, cluster_type, cluster_name
        )
        extension = ExtensionRef(cluster, name)
        there = find_extension(extensions, extension)
        if there is not None:
            raise_for_errors(found, strict=strict)
            _refuse_unless_the_same(there, settings, extension, versions)
            if not dry_run:
                return there if no_wait else _finished(cmd, client, extension, there)
        else:
            raise_for_errors(found, extension_name(name, about), evaluate_cluster_rules(settings, about), strict=strict)
        needs = needed_resources(settings, about)
        resources = dependencies.look(client, needs)
        if dry_run:
            return _plan(
                client, extension, settings, about, versions, dependencies.described(needs, resources), there, needs
            )
        body = build_create_body(_with(settings, dependencies.ensure(cmd, client, needs, resources)), about, **versions)
        operation = client.begin_create_extension(extension, body)
        if no_wait:
            return operation.started()
        return follow_operation(cmd, operation, client, extension, f"Installing {name} on {cluster_name}", "created")


def _with(settings: Any, more: Any) -> Any:
    from azext_amlk8s.settings import merge_settings

    return merge_settings(settings, more)


def _plan(
    client: Any,
    extension: ExtensionRef,
    settings: Any,
    about: Any,
    versions: Mapping[str, Any],
    resources: list[dict[str, str]],
    there: Mapping[str, Any] | None,
    needs: Sequence[Any],
) -> dict[str, Any]:
    from azext_amlk8s.settings import BLANK, build_create_body, redact_body

    chosen = sorted({*settings.config, *settings.protected})
    for one in needs:
        settings = _with(settings, one.settings(None, BLANK))
    return {
        "action": "none" if there else "create",
        "chosen": chosen,
        "method": "PUT",
        "id": extension.id,
        "resources": resources,
        "body": redact_body(build_create_body(settings, about, **versions)),
    }


def _refuse_unless_the_same(
    there: Mapping[str, Any], settings: Any, extension: ExtensionRef, versions: Mapping[str, Any]
) -> None:
    from azure.cli.core.azclierror import ValidationError
    from knack.log import get_logger

    from azext_amlk8s.settings import find_differences, read_deployed

    now = read_deployed(there)
    state = now.state
    if state.lower() == "deleting":
        raise ValidationError(
            f"The extension {extension.name} is {state} at this moment.",
            recommendation=f"az amlk8s extension wait {extension.cli_args} --deleted",
        )
    if state.lower() not in (*BUSY, "succeeded"):
        raise ValidationError(
            f"The extension {extension.name} is there, and is {state}."
            + "".join(f"\n  {line}" for line in status_messages(there)),
            recommendation=[
                f"az amlk8s extension delete {extension.cli_args} --yes   # then the same command again",
                f"az amlk8s extension update {extension.cli_args} --config ...   # where a setting was the cause",
                GUIDE,
            ],
        )
    if changes := find_differences(settings, now, **versions):
        what = "is there already, and differs:" if state.lower() == "succeeded" else f"is {state}, and differs:"
        wait = [] if state.lower() == "succeeded" else [f"az amlk8s extension wait {extension.cli_args} --created"]
        raise ValidationError(
            f"The extension {extension.name} {what}{indented(changes)}",
            recommendation=[
                *wait,
                f"az amlk8s extension update {extension.cli_args} {_update_words(changes, settings)}",
            ],
        )
    if settings.protected:
        get_logger(__name__).warning(
            "The values of protected settings cannot be read back; those deployed are taken to be the same: %s. "
            "To send them anew: az amlk8s extension update %s --config-protected ...",
            ", ".join(sorted(settings.protected)),
            extension.cli_args,
        )


def _update_words(changes: Sequence[Any], settings: Any) -> str:
    options = {"version": "--version", "releaseTrain": "--release-train", "autoUpgradeMinorVersion": "--auto-upgrade"}
    words = [f"{options[one.key]} {shlex.quote(one.after)}" for one in changes if one.key in options]
    given = {*settings.config, "enableTraining", "enableInference"}
    if config := [f"{one.key}={one.after}" for one in changes if one.key in given]:
        words.append("--config " + " ".join(shlex.quote(word) for word in config))
    if any(one.key in settings.protected for one in changes):
        words.append("--config-protected ...")
    return " ".join(words)


def _finished(cmd: Any, client: Any, extension: ExtensionRef, there: Mapping[str, Any]) -> Any:
    """The extension at the end of an installation that an earlier run began, or as it stands."""
    from knack.log import get_logger

    if str(there["properties"].get("provisioningState")).lower() not in BUSY:
        get_logger(__name__).warning(
            "The extension %s is there already with these settings; nothing was changed.", extension.name
        )
        return there
    ended = wait_until_idle(cmd, client, extension, dict(there))
    if str(((ended or {}).get("properties") or {}).get("provisioningState")).lower() != "succeeded":
        head = f"Installing {extension.name} on {extension.cluster.name} failed."
        raise extension_failed(client, extension, ended or {}, head, "create")
    return ended
