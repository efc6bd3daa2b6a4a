"""After an upgrade: whether the components of the version run, and which settings have other values than before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient


def verify_components(cmd: AzCliCommand, client: AzureClient, extension: ExtensionRef) -> dict[str, Any] | None:
    """The number of components of the installed version, and those that are not ready; None where none can be read.

    Findings are logged, and errors make the exit code 1.
    """
    from azext_amlk8s.checks import CheckTarget, select_checks
    from azext_amlk8s.checks.component_catalogue import LEFTOVER
    from azext_amlk8s.checks.component_states import MISSING, NOT_READY
    from azext_amlk8s.console.check_console import Observer
    from azext_amlk8s.console.errors import log_findings, set_exit_code
    from azext_amlk8s.operations.check import find_components, run_checks

    target = CheckTarget(extension.cluster)
    result, collector = run_checks(client, target, select_checks(target, only=("components",)), Observer())
    components = [each for each in find_components(result, collector) if each.role != LEFTOVER]
    if not components:
        return None
    log_findings(result.findings)
    if not result.healthy:
        set_exit_code(cmd, 1)
    failing = [each.name for each in components if each.state in (MISSING, NOT_READY)]
    return {"total": len(components), "ready": len(components) - len(failing), "notReady": failing}


def changed_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings that differ, and the release train and automatic upgrades, each with both values."""
    from azext_amlk8s.settings import BLANK, read_deployed
    from azext_amlk8s.settings.schema import is_secret

    old, new = read_deployed(dict(before)), read_deployed(dict(after))
    values = [
        {**each.config, "releaseTrain": each.release_train, "autoUpgradeMinorVersion": str(each.auto_upgrade)}
        for each in (old, new)
    ]
    return [
        {
            "key": key,
            "before": BLANK if is_secret(key) else values[0].get(key),
            "after": BLANK if is_secret(key) else values[1].get(key),
        }
        for key in sorted({*values[0], *values[1]})
        if values[0].get(key) != values[1].get(key)
    ]
