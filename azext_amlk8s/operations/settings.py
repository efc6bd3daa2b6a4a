"""az amlk8s extension validate, settings and components; and the facts about a cluster that rules need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, finding_object, raise_for_errors, set_exit_code
from azext_amlk8s.operations.resource_lookup import open_named_cluster
from azext_amlk8s.operations.setting_options import (
    SettingOptions,
    VersionOptions,
    version_findings,
    with_setting_options,
    with_version_options,
)

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.refs import ClusterRef
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import ClusterFacts, Settings

    Connect = Callable[[], tuple[AzureClient, ClusterRef]]


@with_setting_options
@with_version_options
def validate(
    cmd: Any,
    given: SettingOptions,
    versions: VersionOptions,
    resource_group_name: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    name: str | None = None,
) -> list[dict[str, str]]:
    """All findings, errors first; az ends in 1 when there is an error. Azure is asked only when a cluster is named."""
    from azext_amlk8s.rules import Report
    from azext_amlk8s.settings import evaluate_rules

    settings, findings = given.read()
    groups = [findings, evaluate_rules(settings), version_findings(versions.values())]
    if cluster_name or cluster_type or resource_group_name or name:
        groups.append(_cluster_findings(cmd, settings, resource_group_name, cluster_name, cluster_type, name))
    report = Report.of(*groups)
    report = report.strict() if given.strict else report
    if report.errors:
        set_exit_code(cmd, 1)
    return [finding_object(finding) for finding in report.findings]


def settings_list(scenario: str | None = None) -> list[dict[str, Any]]:
    """Every setting that is known, or those of a scenario: training, inference, both (which is all of them)."""
    from azext_amlk8s.settings.catalogue import list_settings

    return [setting for setting in list_settings() if _in(setting["scenarios"], scenario)]


def settings_show(key: str) -> dict[str, Any]:
    """One setting, by any name that it ever had."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    from azext_amlk8s.settings.catalogue import describe_setting
    from azext_amlk8s.settings.schema import nearest_name

    found = describe_setting(key)
    if found is None:
        close = nearest_name(key)
        fix = f"az amlk8s extension settings show --key {close}" if close else "az amlk8s extension settings list"
        raise ResourceNotFoundError(f"{key} is not a setting of the extension.", recommendation=fix)
    return found


def components(
    scenario: str | None = None, version: str | None = None, cluster_type: str | None = None
) -> list[dict[str, Any]]:
    """What a version installs in the cluster and creates in Azure, for a scenario or for every one.

    Raises InvalidArgumentValueError for what is no version. A version newer than every known one is treated like the
    newest of them, and a warning says so.
    """
    from azure.cli.core.azclierror import InvalidArgumentValueError
    from knack.log import get_logger

    from azext_amlk8s.checks import list_components
    from azext_amlk8s.checks.component_catalogue import is_newer_than_known, newest_known_version
    from azext_amlk8s.settings import evaluate_version_rules

    if version and (findings := evaluate_version_rules(version, None, None)):
        raise InvalidArgumentValueError(findings[0].message, recommendation=f"--version {newest_known_version()}")
    if version and is_newer_than_known(version):
        newest = newest_known_version()
        get_logger(__name__).warning(
            "%s is newer than %s, the newest version that is known; its components are shown.", version, newest
        )
    return [
        component
        for component in list_components(version or "", cluster_type or "")
        if _in(component["scenarios"], scenario)
    ]


def read_cluster_facts(
    client: AzureClient, settings: Settings, cluster: ClusterRef
) -> tuple[dict[str, Any], list[dict[str, Any]], ClusterFacts]:
    """The cluster, its extensions and the facts for the rules, read in parallel."""
    from azext_amlk8s.daemon_threads import DaemonPool
    from azext_amlk8s.operations.extension_common import read_cluster
    from azext_amlk8s.settings import cluster_facts_from_resources, needed_providers

    namespaces = needed_providers(settings, cluster.type)
    with DaemonPool(len(namespaces)) as pool:
        reads = [pool.submit(_read_provider, client, namespace) for namespace in namespaces]
        resource, extensions = read_cluster(client, cluster)
        providers = [read.result() for read in reads]
    facts = cluster_facts_from_resources(
        resource, cluster.type, extensions, filter(None, providers), cloud=client.cloud
    )
    return resource, extensions, facts


def _read_provider(client: AzureClient, namespace: str) -> dict[str, Any] | None:
    """A resource provider, or None where reading it is forbidden, as with roles in a resource group only."""
    from azure.core.exceptions import HttpResponseError

    try:
        return client.get_provider(namespace)
    except HttpResponseError as error:
        if error.status_code != 403:
            raise
        return None


def connect_by_name(cmd: Any, resource_group: str, cluster_name: str, cluster_type: str | None) -> Connect:
    """A function that connects to Azure and finds the cluster; without a type it is looked up."""

    def connect() -> tuple[AzureClient, ClusterRef]:
        client, cluster, _ = open_named_cluster(cmd, resource_group, cluster_name, cluster_type)
        return client, cluster

    return connect


def connect_and_read_facts(
    connect: Connect, settings: Settings, findings: Sequence[Finding], strict: bool
) -> tuple[AzureClient, ClusterRef, list[dict[str, Any]], ClusterFacts]:
    """The client, the cluster, its extensions and its facts.

    Where Azure cannot be read, errors among the findings are raised instead of the failure of reading.
    """
    try:
        client, cluster = connect()
        _, extensions, facts = read_cluster_facts(client, settings, cluster)
    except Exception:
        raise_for_errors(findings, strict=strict)
        raise
    return client, cluster, extensions, facts


def _cluster_findings(
    cmd: Any,
    settings: Settings,
    resource_group: str | None,
    cluster_name: str | None,
    cluster_type: str | None,
    name: str | None,
) -> Sequence[Finding]:
    """Findings on the cluster that the options name. Without a name any AzureML extension there is reported."""
    from azext_amlk8s.operations.extension_common import azureml_extensions
    from azext_amlk8s.settings import evaluate_cluster_rules, extension_name

    if not (resource_group and cluster_name):
        given = {"--resource-group": resource_group, "--cluster-name": cluster_name}
        missing = [option for option, value in given.items() if not value]
        raise az_error(
            "RequiredArgumentMissingError",
            f"Validating against a cluster also requires {' and '.join(missing)}.",
            ["Add the resource group and the name of the cluster, or leave out all options that name it."],
        )
    client, cluster, _ = open_named_cluster(cmd, resource_group, cluster_name, cluster_type)
    _, extensions, facts = read_cluster_facts(client, settings, cluster)
    existing = azureml_extensions(extensions)
    checked = extension_name(name, facts) if name else extension_name("", facts) if existing else ()
    return [*evaluate_cluster_rules(settings, facts), *checked]


def _in(scenarios: Sequence[str], wanted: str | None) -> bool:
    return wanted in (None, "both") or wanted in scenarios
