"""az amlk8s instance-type"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from azext_amlk8s.handlers.reporting import azure_errors, refuse_on_errors

FLAGS = ("cpu_request", "cpu_limit", "memory_request", "memory_limit", "gpu", "node_selector")


def list_(
    cmd: Any,
    kubeconfig: str | None = None,
    context: str | None = None,
    cluster_name: str | None = None,
    resource_group_name: str | None = None,
) -> list[dict[str, Any]]:
    """The instance types of the cluster, and the built-in default where nothing overrides it."""
    from azext_amlk8s.instances import DEFAULT_NAME, built_in_default, view

    with _cluster(cmd, kubeconfig, context, cluster_name, resource_group_name) as cluster:
        views = [view(one) for one in cluster.list_instance_types()]
    if not any(one["name"] == DEFAULT_NAME for one in views):
        views.append(view(built_in_default().to_object(), built_in=True))
    return views


def show(
    cmd: Any,
    name: str,
    kubeconfig: str | None = None,
    context: str | None = None,
    cluster_name: str | None = None,
    resource_group_name: str | None = None,
) -> dict[str, Any]:
    """One instance type; exit code 3 when it is not there."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    from azext_amlk8s.instances import DEFAULT_NAME, built_in_default, view

    with _cluster(cmd, kubeconfig, context, cluster_name, resource_group_name) as cluster:
        found = cluster.get_instance_type(name)
        if found is not None:
            return view(found)
        if name == DEFAULT_NAME:
            return view(built_in_default().to_object(), built_in=True)
        known = [one["metadata"]["name"] for one in cluster.list_instance_types()]
    raise ResourceNotFoundError(
        f"There is no instance type {name}; there are: {', '.join([*known, DEFAULT_NAME])}.",
        recommendation="az amlk8s instance-type list -o table",
    )


def create(
    cmd: Any,
    name: str | None = None,
    file: str | None = None,
    cpu_request: str | None = None,
    cpu_limit: str | None = None,
    memory_request: str | None = None,
    memory_limit: str | None = None,
    gpu: int | None = None,
    node_selector: Sequence[str] | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    cluster_name: str | None = None,
    resource_group_name: str | None = None,
) -> Any:
    """Bring the cluster to the instance types of a file or of flags; all are judged before the first is written.

    Returns what stands in the cluster afterwards, each with its action (created, changed, unchanged): one object
    for flags, a list for a file.
    """
    flags = {
        "cpu_request": cpu_request,
        "cpu_limit": cpu_limit,
        "memory_request": memory_request,
        "memory_limit": memory_limit,
        "gpu": gpu,
        "node_selector": node_selector,
    }
    types = _from_file(file, name, flags) if file else [_from_flags(name, flags)]
    done = []
    with _cluster(cmd, kubeconfig, context, cluster_name, resource_group_name) as cluster:
        before = {one["metadata"]["name"]: one for one in cluster.list_instance_types()}
        for one in types:
            done.append(_applied(cluster, one, before.get(one.name)))
    return done if file else done[0]


def delete(
    cmd: Any,
    name: str,
    kubeconfig: str | None = None,
    context: str | None = None,
    cluster_name: str | None = None,
    resource_group_name: str | None = None,
) -> None:
    """Delete one instance type; exit code 3 when it is not there."""
    from azure.cli.core.azclierror import ResourceNotFoundError
    from knack.log import get_logger

    from azext_amlk8s.cluster import ClusterRefused
    from azext_amlk8s.instances import DEFAULT_NAME

    with _cluster(cmd, kubeconfig, context, cluster_name, resource_group_name) as cluster:
        try:
            cluster.delete_instance_type(name)
        except ClusterRefused as refused:
            if refused.status != 404:
                raise
            raise ResourceNotFoundError(
                f"There is no instance type {name} in the cluster.",
                recommendation="az amlk8s instance-type list -o table",
            ) from refused
    if name == DEFAULT_NAME:
        get_logger(__name__).warning("The built-in %s applies again to workloads that name no type.", DEFAULT_NAME)


def _applied(cluster: Any, one: Any, before: dict[str, Any] | None) -> dict[str, Any]:
    from azext_amlk8s.instances import view

    after = cluster.apply_instance_type(one.to_object())
    if before is None:
        action = "created"
    elif before.get("spec") == after.get("spec"):
        action = "unchanged"
    else:
        action = "changed"
    return {**view(after), "action": action}


def _from_file(file: str, name: str | None, flags: dict[str, Any]) -> list[Any]:
    import sys
    from pathlib import Path

    from azure.cli.core.azclierror import FileOperationError, MutuallyExclusiveArgumentError

    from azext_amlk8s.instances import read_documents

    if name or any(value is not None for value in flags.values()):
        raise MutuallyExclusiveArgumentError(
            "--file excludes --name and the flags that describe an instance type.",
            recommendation=f"az amlk8s instance-type create --file {file}",
        )
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileOperationError(f"The file {file} is not text in UTF-8.") from None
    except OSError as error:
        raise FileOperationError(
            f"The file {file} cannot be read: {error.strerror}.", recommendation="--file PATH"
        ) from error
    types, findings = read_documents(text, "standard input" if file == "-" else file)
    refuse_on_errors(findings)
    return list(types)


def _from_flags(name: str | None, flags: dict[str, Any]) -> Any:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.instances import from_flags

    cpu, memory = flags["cpu_request"] or flags["cpu_limit"], flags["memory_request"] or flags["memory_limit"]
    if not (name and cpu and memory):
        raise RequiredArgumentMissingError(
            "An instance type needs --name, a CPU and a memory, or comes from --file.",
            recommendation="--name NAME --cpu-limit 1 --memory-limit 2Gi",
        )
    made, findings = from_flags(name, **flags)
    refuse_on_errors(findings)
    return made


@contextmanager
def _cluster(
    cmd: Any, kubeconfig: str | None, context: str | None, cluster_name: str | None, group: str | None
) -> Iterator[Any]:
    """The cluster that is meant; what its API refuses becomes az's own errors."""
    from azure.cli.core import azclierror as errors

    from azext_amlk8s.cluster import ClusterRefused, ClusterUnreachable, KubeconfigUnusable, NoInstanceTypes, connect

    text = _kubeconfig_from_azure(cmd, kubeconfig, context, cluster_name, group) if cluster_name else None
    try:
        yield connect(kubeconfig=kubeconfig, context=context, config_text=text)
    except KubeconfigUnusable as unusable:
        raise errors.FileOperationError(
            str(unusable), recommendation=["kubectl config get-contexts", "az aks get-credentials -g GROUP -n CLUSTER"]
        ) from unusable
    except ClusterUnreachable as unreachable:
        raise errors.AzureConnectionError(str(unreachable), recommendation="kubectl cluster-info") from unreachable
    except NoInstanceTypes as none:
        raise errors.ResourceNotFoundError(
            f"{none} The extension brings them, where training or inference is enabled.",
            recommendation=(
                "az amlk8s extension create -g GROUP -c CLUSTER -t managedClusters -n azureml-extension "
                "--config enableTraining=True"
            ),
        ) from none
    except ClusterRefused as refused:
        kinds = {401: errors.UnauthorizedError, 403: errors.ForbiddenError}
        kind = kinds.get(refused.status, errors.BadRequestError)
        raise kind(f"The cluster refused ({refused.status} {refused.reason}): {refused.message}") from refused


def _kubeconfig_from_azure(
    cmd: Any, kubeconfig: str | None, context: str | None, cluster_name: str, group: str | None
) -> str:
    from azure.cli.core.azclierror import (
        MutuallyExclusiveArgumentError,
        RequiredArgumentMissingError,
        ResourceNotFoundError,
    )
    from azure.core.exceptions import ResourceNotFoundError as NotThere

    from azext_amlk8s.arm import Arm

    if kubeconfig or context:
        raise MutuallyExclusiveArgumentError("--cluster-name excludes --kubeconfig and --context.")
    if not group:
        raise RequiredArgumentMissingError(
            "--cluster-name needs --resource-group.", recommendation=f"--cluster-name {cluster_name} -g GROUP"
        )
    with azure_errors():
        try:
            return str(Arm(cmd.cli_ctx).user_kubeconfig(group, cluster_name))
        except NotThere as error:
            raise ResourceNotFoundError(
                f"There is no AKS cluster {cluster_name} in resource group {group}.",
                recommendation=[
                    f"az aks list -g {group} -o table",
                    f"az connectedk8s proxy -g {group} -n {cluster_name}   # for an Arc-connected cluster",
                ],
            ) from error
