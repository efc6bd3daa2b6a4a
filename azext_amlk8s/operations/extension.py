"""az amlk8s extension: looking, and what its other commands share."""

from __future__ import annotations

import shlex
from typing import Any

from azext_amlk8s.console.errors import azure_errors, code_of

OTHER_TYPE = {"managedclusters": "connectedClusters", "connectedclusters": "managedClusters"}


def show(cmd: Any, resource_group_name: str, cluster_name: str, cluster_type: str, name: str) -> dict[str, Any]:
    """The extension as ARM describes it; exit code 3 when it is not there."""
    from azext_amlk8s.azure import Arm

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            return arm.get_extension(resource_group_name, cluster_type, cluster_name, name)
        except not_found() as error:
            raise absent(error, arm, resource_group_name, cluster_type, cluster_name, name) from error


def list_(cmd: Any, resource_group_name: str, cluster_name: str, cluster_type: str) -> list[dict[str, Any]]:
    """The extensions of our type on a cluster."""
    from azext_amlk8s.azure import Arm

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            return ours(arm.list_extensions(resource_group_name, cluster_type, cluster_name))
        except not_found() as error:
            raise absent(error, arm, resource_group_name, cluster_type, cluster_name) from error


def wait(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    name: str,
    created: bool = False,
    updated: bool = False,
    deleted: bool = False,
    exists: bool = False,
    custom: str | None = None,
    interval: int = 5,
    timeout: int = 3600,
) -> None:
    """Wait until the extension meets a condition; exit code 1 when the time is up or it has failed."""
    from azext_amlk8s.azure import Arm
    from azext_amlk8s.operations.extension_common import Target, failed
    from azext_amlk8s.operations.waiting import Condition, wait_for

    condition = Condition(created=created, updated=updated, deleted=deleted, exists=exists, custom=custom)
    with azure_errors():
        arm = Arm(cmd.cli_ctx)

        def read() -> dict[str, Any] | None:
            try:
                return dict(arm.get_extension(resource_group_name, cluster_type, cluster_name, name))
            except not_found() as error:
                if is_of_extension(error):
                    return None
                raise absent(error, arm, resource_group_name, cluster_type, cluster_name) from error

        target = Target(resource_group_name, cluster_type, cluster_name, name)
        look = f"az amlk8s extension show {target.words}"
        head = f"{name} is Failed; it will not be Succeeded."
        wait_for(read, condition, interval, timeout, name, look, lambda there: failed(arm, target, there, head))


def facts(arm: Any, group: str, cluster_type: str, cluster: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The cluster and the extensions on it, asked for side by side."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        of_cluster = pool.submit(arm.get_cluster, group, cluster_type, cluster)
        of_extensions = pool.submit(arm.list_extensions, group, cluster_type, cluster)
        try:
            return of_cluster.result(), of_extensions.result()
        except not_found() as error:
            raise absent(error, arm, group, cluster_type, cluster) from error


def ours(extensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of our type."""
    from azext_amlk8s.settings import EXTENSION_TYPE

    return [
        one for one in extensions if str((one.get("properties") or {}).get("extensionType")).lower() == EXTENSION_TYPE
    ]


def absent(error: Any, arm: Any, group: str, cluster_type: str, cluster: str, name: str = "") -> Exception:
    """The error for what a 404 is about: the group, the extension, the cluster, or its type."""
    from azure.cli.core.azclierror import ResourceNotFoundError
    from azure.core.exceptions import HttpResponseError

    if code_of(error) == "ResourceGroupNotFound":
        return ResourceNotFoundError(
            f"There is no resource group {group} in this subscription.", recommendation="az group list -o table"
        )
    if name and is_of_extension(error):
        return _absent_extension(arm, group, cluster_type, cluster, name)
    other = OTHER_TYPE[cluster_type.lower()]
    try:
        arm.get_cluster(group, other, cluster)
        return ResourceNotFoundError(
            f"{cluster} is not of type {cluster_type} but of type {other}.", recommendation=f"--cluster-type {other}"
        )
    except HttpResponseError:
        listing = (
            "az aks list"
            if other == "connectedClusters"
            else "az resource list --resource-type Microsoft.Kubernetes/connectedClusters"
        )
        return ResourceNotFoundError(
            f"There is no cluster {cluster} of type {cluster_type} in resource group {group}.",
            recommendation=f"{listing} -g {group} -o table",
        )


def _absent_extension(arm: Any, group: str, cluster_type: str, cluster: str, name: str) -> Exception:
    """The error for an extension that is not there, with the name of the one that is."""
    from azure.cli.core.azclierror import ResourceNotFoundError
    from azure.core.exceptions import HttpResponseError

    try:
        there = [one["name"] for one in ours(arm.list_extensions(group, cluster_type, cluster))]
    except HttpResponseError:
        there = []
    if there:
        return ResourceNotFoundError(
            f"There is no extension {name} on {cluster}; the one that is there is called {there[0]}.",
            recommendation=f"--name {there[0]}",
        )
    return ResourceNotFoundError(
        f"There is no extension {name} on {cluster}.",
        recommendation=f"az amlk8s extension list {options(group, cluster_type, cluster)} -o table",
    )


def is_of_extension(error: Any) -> bool:
    """The resource provider's own 404; ARM's gateway answers for cluster and group (field guide arm-protocol, 1)."""
    return not error.response.headers.get("x-ms-failure-cause")


def not_found() -> Any:
    """azure-core's error for 404, imported when it is needed."""
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError


def options(group: str, cluster_type: str, cluster: str, name: str = "") -> str:
    """The options that name a cluster, or an extension on it, to be pasted."""
    words = ["-g", group, "-c", cluster, "-t", cluster_type, *(["-n", name] if name else [])]
    return " ".join(shlex.quote(word) for word in words)
