"""Remove from one cluster what a plan removes, in the order: computes, instance types, extension, namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from azext_amlk8s.refs import ComputeRef
from azext_amlk8s.setup_files.plan import REMOVING, ClusterPlan

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.setup_inputs import Clients
    from azext_amlk8s.setup_files import ClusterSetup

COMPUTE, INSTANCE_TYPE, EXTENSION, NAMESPACE = "compute", "instance type", "extension", "namespace"
ORDER = (COMPUTE, INSTANCE_TYPE, EXTENSION, NAMESPACE)


def remove_planned(
    cmd: AzCliCommand,
    clients: Clients,
    cluster_setup: ClusterSetup,
    plan: ClusterPlan,
    connect: Callable[[], Cluster],
    timeout: float,
) -> Iterator[str]:
    """Remove the resources of a plan one by one; yields each that was removed. What does not exist is no error.

    Raises what the removal of a resource raises; those before it stay removed.
    """
    for resource in sorted(plan.resources, key=lambda each: ORDER.index(each.kind) if each.kind in ORDER else -1):
        if resource.action not in REMOVING:
            continue
        if resource.kind == COMPUTE:
            _detach(cmd, clients, cluster_setup, resource.name, timeout)
        elif resource.kind == INSTANCE_TYPE:
            delete_instance_type(connect(), resource.name)
        elif resource.kind == EXTENSION:
            _delete_extension(cmd, clients, cluster_setup, resource.name, timeout)
        elif resource.kind == NAMESPACE:
            delete_namespace(connect(), resource.name)
        yield f"{resource.kind} '{resource.name}'"


def _detach(cmd: AzCliCommand, clients: Clients, cluster_setup: ClusterSetup, name: str, timeout: float) -> None:
    from azext_amlk8s.operations.compute import detach_compute
    from azext_amlk8s.operations.waiting import Deadline

    assert cluster_setup.workspace is not None
    ref = ComputeRef(cluster_setup.workspace, name)
    detach_compute(cmd, clients.of(cluster_setup.workspace.subscription), ref, Deadline(timeout), yes=True)


def delete_instance_type(connection: Cluster, name: str) -> None:
    """Delete an instance type; one that does not exist is no error."""
    from azext_amlk8s.kubernetes import ClusterRefused, NoInstanceTypes

    try:
        connection.delete_instance_type(name)
    except NoInstanceTypes:
        return
    except ClusterRefused as refused:
        if refused.status != 404:
            raise


def _delete_extension(
    cmd: AzCliCommand, clients: Clients, cluster_setup: ClusterSetup, name: str, timeout: float
) -> None:
    from azext_amlk8s.operations.extension_delete import delete_extension

    cluster = cluster_setup.cluster
    delete_extension(cmd, clients.of(cluster.subscription), cluster, name, timeout=timeout, yes=True)


def delete_namespace(connection: Cluster, name: str) -> None:
    """Delete a namespace with everything in it; one that does not exist is no error."""
    path = f"/api/v1/namespaces/{name}"
    if namespace := connection.read(path):
        connection.delete(path, str(namespace["metadata"].get("uid")))
