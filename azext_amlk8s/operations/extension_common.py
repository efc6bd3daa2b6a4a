"""What the commands on extensions share: find them, follow their operations, report their failures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import code_of, coded_lines, response_headers
from azext_amlk8s.operations.failure_context import FailureContext, operation_failed, resource_failed
from azext_amlk8s.refs import CONNECTED_CLUSTERS, MANAGED_CLUSTERS, ClusterRef, ExtensionRef
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    from azext_amlk8s.azure import AzureClient, Operation

NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
GUIDE = "https://aka.ms/arcmltsg"
BUSY = ("creating", "updating", "deleting")
OPERATIONS = {"created": "create", "updated": "update", "deleted": "delete"}

Resource = dict[str, Any]


def validate_names(name: str, scope: str | None, extension_type: str | None) -> None:
    """Raise InvalidArgumentValueError for an invalid name, another scope than cluster or another extension type."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.settings import EXTENSION_TYPE

    if not NAME.match(name):
        raise InvalidArgumentValueError(
            f"{name} is not a name that Azure takes for an extension: letters, digits, - and dots, at most 63.",
            recommendation="--name azureml-extension",
        )
    if scope and scope.lower() != "cluster":
        raise InvalidArgumentValueError(
            f"The scope {scope} is not possible: the extension is installed for the cluster.",
            recommendation="--scope cluster",
        )
    if extension_type and extension_type.lower() != EXTENSION_TYPE:
        raise InvalidArgumentValueError(
            f"The extension type {extension_type} is not ours.",
            recommendation=[
                "--extension-type Microsoft.AzureML.Kubernetes",
                f"az k8s-extension create --extension-type {quote(extension_type)}",
            ],
        )


def azureml_extensions(extensions: Iterable[Resource]) -> list[Resource]:
    """The extensions of type Microsoft.AzureML.Kubernetes."""
    from azext_amlk8s.settings import EXTENSION_TYPE

    return [
        extension
        for extension in extensions
        if str((extension.get("properties") or {}).get("extensionType")).lower() == EXTENSION_TYPE
    ]


def find_extension(extensions: Iterable[Resource], extension: ExtensionRef) -> Resource | None:
    """The AzureML extension with this name, or None."""
    name = extension.name.lower()
    return next((item for item in azureml_extensions(extensions) if item["name"].lower() == name), None)


def read_cluster(client: AzureClient, cluster: ClusterRef) -> tuple[Resource, list[Resource]]:
    """The cluster and its extensions, read in parallel. Raises az's ResourceNotFoundError for a missing cluster."""
    with ThreadPoolExecutor(2) as pool:
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
    from azure.cli.core import azclierror
    from azure.core.exceptions import HttpResponseError

    group = cluster.resource_group
    if code_of(error) == "ResourceGroupNotFound":
        return azclierror.ResourceNotFoundError(
            f"There is no resource group {group} in this subscription.", recommendation="az group list -o table"
        )
    if extension and is_extension_missing(error):
        return _extension_not_found(client, ExtensionRef(cluster, extension))
    other = CONNECTED_CLUSTERS if cluster.is_aks else MANAGED_CLUSTERS
    try:
        client.get_cluster(ClusterRef(cluster.subscription, group, other, cluster.name))
        return azclierror.ResourceNotFoundError(
            f"{cluster.name} is not of type {cluster.type} but of type {other}.",
            recommendation=f"--cluster-type {other}",
        )
    except HttpResponseError:
        listing = (
            "az aks list"
            if cluster.is_aks
            else "az resource list --resource-type Microsoft.Kubernetes/connectedClusters"
        )
        return azclierror.ResourceNotFoundError(
            f"There is no cluster {cluster.name} of type {cluster.type} in resource group {group}.",
            recommendation=f"{listing} -g {quote(group)} -o table",
        )


def _extension_not_found(client: AzureClient, extension: ExtensionRef) -> Exception:
    from azure.cli.core import azclierror
    from azure.core.exceptions import HttpResponseError

    cluster = extension.cluster
    try:
        names = [item["name"] for item in azureml_extensions(client.list_extensions(cluster))]
    except HttpResponseError:
        names = []
    if names:
        return azclierror.ResourceNotFoundError(
            f"There is no extension {extension.name} on {cluster.name}; the one that is there is called {names[0]}.",
            recommendation=f"--name {names[0]}",
        )
    return azclierror.ResourceNotFoundError(
        f"There is no extension {extension.name} on {cluster.name}.",
        recommendation=f"az amlk8s extension list {cluster.cli_args} -o table",
    )


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


def follow_operation(
    cmd: Any, operation: Operation, client: AzureClient, extension: ExtensionRef, action: str, condition: str
) -> Any:
    """The result of an operation on the extension. Raises DeploymentError with what is known of its failure.

    condition is the option of `extension wait` for it: created, updated or deleted.
    """
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.console.progress import follow

    try:
        return follow(cmd, operation, action, f"az amlk8s extension wait {extension.cli_args} --{condition}")
    except HttpResponseError as error:
        messages: list[str] = []
        with contextlib.suppress(HttpResponseError):
            messages = status_messages(client.get_extension(extension))
        context = FailureContext(client, extension.cluster, OPERATIONS[condition], {"NAME": extension.name})
        raise operation_failed(action, error, messages, _commands(extension), context) from error


def extension_failed(
    client: AzureClient, extension: ExtensionRef, resource: Mapping[str, Any], head: str, operation: str = ""
) -> Exception:
    """The DeploymentError for an extension in state Failed; head is its first sentence.

    operation is create, update or delete where it is known.
    """
    from azext_amlk8s.diagnosis import extension_errors

    coded = extension_errors(resource)
    context = FailureContext(client, extension.cluster, operation, {"NAME": extension.name})
    lines = coded_lines(coded) or ["Azure keeps no reason with it."]
    return resource_failed(head, coded, lines, _commands(extension), context)


def wait_until_idle(cmd: Any, client: AzureClient, extension: ExtensionRef, resource: Resource) -> Resource | None:
    """The extension once no operation runs on it, or None where it was deleted; resource is its last known state."""
    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.console.progress import follow

    poller = StatePoller(resource, lambda: read_extension(client, extension))
    if not poller.done():
        resume = f"az amlk8s extension wait {extension.cli_args} --updated"
        follow(cmd, poller, f"Waiting for what is going on with {extension.name}", resume)
    return poller.result()


def status_messages(extension: Mapping[str, Any]) -> list[str]:
    """A line for each status of the extension that has a message."""
    return [
        f"({status.get('code')}) {' '.join((status.get('message') or '').split())}"
        for status in (extension.get("properties") or {}).get("statuses") or []
        if status.get("message")
    ]


def state_of(extension: Mapping[str, Any] | None) -> str:
    """The provisioningState, empty where there is none."""
    return str(((extension or {}).get("properties") or {}).get("provisioningState") or "")


def indented(changes: Iterable[object]) -> str:
    """Changes as lines below a sentence."""
    return "".join(f"\n  {change}" for change in changes)


def _commands(extension: ExtensionRef) -> list[str]:
    return [f"az amlk8s extension show {extension.cli_args}", GUIDE]
