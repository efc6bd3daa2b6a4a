"""What the commands on extensions share: find the cluster and its extensions, and report what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from azext_amlk8s.console.errors import az_error, code_of, response_headers
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.resource_lookup import cluster_not_found, open_named_cluster
from azext_amlk8s.refs import (
    CONNECTED_CLUSTERS,
    EXTENSION_TYPE,
    MANAGED_CLUSTERS,
    ClusterRef,
    ExtensionRef,
    former_type_message,
    is_former_type,
)
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

# Not compiled, since commands that read import this module.
NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"
DEFAULT_NAME = "azureml"
RELEASE_NAMESPACE = "azureml"
GUIDE = "Troubleshooting guide: https://aka.ms/arcmltsg"
BUSY = ("creating", "updating", "deleting")
DEFAULT_TIMEOUT_SECONDS = 3600

Resource = dict[str, Any]


class RunOptions(NamedTuple):
    """How `create` and `update` run: for which extension, what is skipped, and whether it plans, asks and waits.

    checked: the fatal checks were run a moment ago, so that they are not repeated.
    """

    name: str | None = None
    skip_checks: Sequence[str] | None = None
    timeout: int = DEFAULT_TIMEOUT_SECONDS
    yes: bool = False
    dry_run: bool = False
    no_wait: bool = False
    checked: bool = False


def validate_names(
    name: str, scope: str | None, extension_type: str | None, release_namespace: str | None = None
) -> None:
    """Raise InvalidArgumentValueError for a name, scope, extension type or release namespace that is not supported."""
    if not re.fullmatch(NAME, name):
        raise az_error(
            "InvalidArgumentValueError",
            f"Invalid extension name '{name}'; expected 1 to 63 letters, digits, hyphens and dots.",
            [f"--name {DEFAULT_NAME}"],
        )
    if scope and scope.lower() != "cluster":
        raise az_error(
            "InvalidArgumentValueError",
            f"Invalid scope '{scope}'; expected cluster.",
            ["--scope cluster"],
        )
    if extension_type and extension_type.lower() != EXTENSION_TYPE:
        raise az_error(
            "InvalidArgumentValueError",
            f"Unsupported extension type '{extension_type}'; expected Microsoft.AzureML.Kubernetes.",
            [
                "--extension-type Microsoft.AzureML.Kubernetes",
                f"az k8s-extension create --extension-type {quote(extension_type)}",
            ],
        )
    if release_namespace and release_namespace != RELEASE_NAMESPACE:
        raise az_error(
            "InvalidArgumentValueError",
            f"Invalid release namespace '{release_namespace}'; expected {RELEASE_NAMESPACE}, the only one that the "
            "extension supports.",
            [f"--release-namespace {RELEASE_NAMESPACE}"],
        )


def azureml_extensions(extensions: Iterable[Resource]) -> list[Resource]:
    """The extensions of type Microsoft.AzureML.Kubernetes."""
    return [
        extension
        for extension in extensions
        if str((extension.get("properties") or {}).get("extensionType")).lower() == EXTENSION_TYPE
    ]


def former_extension(extensions: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The extension of a former type, or None."""
    types = ((each, str((each.get("properties") or {}).get("extensionType"))) for each in extensions)
    return next((dict(each) for each, kind in types if is_former_type(kind)), None)


def find_extension(extensions: Iterable[Resource], extension: ExtensionRef) -> Resource | None:
    """The AzureML extension with this name, or None."""
    name = extension.name.lower()
    return next((item for item in azureml_extensions(extensions) if item["name"].lower() == name), None)


def find_extension_of_cluster(extensions: Iterable[Resource], cluster: ClusterRef, name: str | None) -> Resource | None:
    """The extension with this name, or without a name the only AzureML extension of a cluster; None for none."""
    extensions = list(extensions)
    reference = ExtensionRef(cluster, name) if name else choose_extension(cluster, extensions, DEFAULT_NAME)
    return find_extension(extensions, reference)


class NamedExtension(NamedTuple):
    """A client for the subscription of an extension, the extension, and its resource."""

    client: AzureClient
    ref: ExtensionRef
    resource: Resource


def open_named_extension(
    cmd: AzCliCommand, resource_group_name: str, cluster_name: str, cluster_type: str | None, name: str | None
) -> NamedExtension:
    """The extension that the options name; without a name it is the AzureML extension of the cluster.

    Raises ResourceNotFoundError for no such extension, RequiredArgumentMissingError for several without a name.
    """
    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    extension = _resolve_extension(client, cluster, name)
    try:
        return NamedExtension(client, extension, client.get_extension(extension))
    except not_found() as error:
        raise not_found_error(error, client, cluster, extension.name) from error


def _resolve_extension(client: AzureClient, cluster: ClusterRef, name: str | None) -> ExtensionRef:
    if name:
        return ExtensionRef(cluster, name)
    try:
        return choose_extension(cluster, client.list_extensions(cluster))
    except not_found() as error:
        raise not_found_error(error, client, cluster) from error


def no_extension(cluster: ClusterRef, extensions: Iterable[Resource]) -> Exception:
    """The error for a cluster without the extension; it names one of a former type."""
    message = f"Cluster '{cluster.name}' has no AzureML extension."
    create = f"az amlk8s extension create {cluster.cli_args} --config enableTraining=True"
    if former := former_extension(extensions):
        fix = former_type_message(str(former["name"]), str(former["properties"]["extensionType"]))
        return az_error("ResourceNotFoundError", message, [fix])
    return az_error("ResourceNotFoundError", message, [create])


def choose_extension(cluster: ClusterRef, extensions: Iterable[Resource], default: str = "") -> ExtensionRef:
    """The only AzureML extension among those of a cluster, or the default name where there is none."""
    extensions = list(extensions)
    names = [str(item["name"]) for item in azureml_extensions(extensions)]
    if len(names) > 1:
        raise az_error(
            "RequiredArgumentMissingError",
            f"Cluster '{cluster.name}' has several AzureML extensions: {', '.join(names)}. Specify one with --name.",
            [f"--name {quote(names[0])}"],
        )
    if not names and not default:
        raise no_extension(cluster, extensions)
    return ExtensionRef(cluster, names[0] if names else default)


def read_cluster(client: AzureClient, cluster: ClusterRef) -> tuple[Resource, list[Resource]]:
    """The cluster and its extensions, read in parallel. Raises az's ResourceNotFoundError for a missing cluster."""
    with DaemonPool(2) as pool:
        cluster_read = pool.submit(client.get_cluster, cluster)
        extensions_read = pool.submit(client.list_extensions, cluster)
        try:
            return cluster_read.result(), extensions_read.result()
        except not_found() as error:
            raise not_found_error(error, client, cluster) from error


def not_found_error(
    error: ResourceNotFoundError, client: AzureClient, cluster: ClusterRef, extension: str = ""
) -> Exception:
    """az's ResourceNotFoundError for what a 404 says is missing: the resource group, the extension or the cluster."""
    from azure.core.exceptions import HttpResponseError

    group = cluster.resource_group
    if code_of(error) == "ResourceGroupNotFound":
        message = f"Resource group '{group}' not found in subscription '{cluster.subscription}'."
        return az_error("ResourceNotFoundError", message, ["az group list -o table"])
    if extension and is_extension_missing(error):
        return extension_not_found(client, ExtensionRef(cluster, extension))
    other = CONNECTED_CLUSTERS if cluster.is_aks else MANAGED_CLUSTERS
    try:
        client.get_cluster(ClusterRef(cluster.subscription, group, other, cluster.name))
    except HttpResponseError:
        return cluster_not_found(group, cluster.name, cluster)
    return az_error(
        "ResourceNotFoundError",
        f"Cluster '{cluster.name}' has the type {other}, not {cluster.type}.",
        [f"--cluster-type {other}"],
    )


def extension_not_found(client: AzureClient, extension: ExtensionRef) -> Exception:
    """az's ResourceNotFoundError for an extension, with the name of the AzureML extension that exists."""
    from azure.core.exceptions import HttpResponseError

    cluster = extension.cluster
    try:
        names = [str(item["name"]) for item in azureml_extensions(client.list_extensions(cluster))]
    except HttpResponseError:
        names = []
    message = f"Extension '{extension.name}' not found on cluster '{cluster.name}'"
    if names:
        message = f"{message}; its AzureML extension is '{names[0]}'."
        return az_error("ResourceNotFoundError", message, [f"--name {quote(names[0])}"])
    listing = f"az amlk8s extension list {cluster.cli_args} -o table"
    return az_error("ResourceNotFoundError", f"{message}.", [listing])


def is_extension_missing(error: HttpResponseError) -> bool:
    """Whether a 404 is about the extension: ARM's gateway, which answers for cluster and group, sets this header."""
    return not response_headers(error).get("x-ms-failure-cause")


def not_found() -> type[ResourceNotFoundError]:
    """azure-core's error for 404, imported when it is needed."""
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError


def read_extension(client: AzureClient, extension: ExtensionRef) -> Resource | None:
    """The extension, or None where the cluster does not have it. Raises for a missing cluster."""
    try:
        return client.get_extension(extension)
    except not_found() as error:
        if is_extension_missing(error):
            return None
        raise not_found_error(error, client, extension.cluster) from error


def check_cluster(
    client: AzureClient,
    cluster: ClusterRef,
    settings: Any,
    operation: str,
    run: RunOptions,
    version: str | None = None,
) -> Cluster | None:
    """Run every fatal check that applies before an operation. Raises ValidationError with their errors.

    version is the one that is requested; one that Azure does not list is a warning.
    Returns the connection to the cluster itself, where it can be reached; None where nothing was to be checked.
    """
    if run.checked:
        return None
    from knack.log import get_logger

    from azext_amlk8s.checks import CheckTarget
    from azext_amlk8s.checks.catalogue import VERSION_CHECK
    from azext_amlk8s.console.errors import log_findings, raise_for_errors
    from azext_amlk8s.operations.check import run_fatal_checks
    from azext_amlk8s.rules import Severity

    if run.skip_checks:
        get_logger(__name__).warning("Skipped checks: %s.", ", ".join(run.skip_checks))
    target = CheckTarget(cluster, settings=settings, version=version or "")
    result, connection = run_fatal_checks(client, target, operation, run.skip_checks or ())
    raise_for_errors(finding for finding in result.findings if finding.severity is Severity.ERROR)
    log_findings(finding for finding in result.findings if finding.id == VERSION_CHECK)
    return connection


def state_of(extension: Mapping[str, Any] | None) -> str:
    """The provisioningState, empty where there is none."""
    return str(((extension or {}).get("properties") or {}).get("provisioningState") or "")


def indented(changes: Iterable[object]) -> str:
    """Changes as lines below a sentence."""
    return "".join(f"\n  {change}" for change in changes)
