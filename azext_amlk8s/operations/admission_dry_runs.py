"""Asks the API server of a cluster about objects like those of an installation; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.checks.facts import DryRun
from azext_amlk8s.operations.failure_context import NAMESPACE

if TYPE_CHECKING:
    from azext_amlk8s.checks.facts import CheckTarget, Facts, Object
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.settings import Settings

# What is sent in a dry run: a name for the output, a namespace (empty for none), and the object.
DryRunObject = tuple[str, str, dict[str, Any]]


def namespace_objects() -> list[DryRunObject]:
    """The namespace of the extension, which is created first."""
    from azext_amlk8s.checks.pod_shapes import namespace_object

    return [(f"namespace {NAMESPACE}", "", namespace_object())]


def extension_objects(target: CheckTarget, settings: Settings, registry: str) -> list[DryRunObject]:
    """The pods of the extension with these settings."""
    from azext_amlk8s.checks.pod_shapes import component_pods

    return [(name, NAMESPACE, pod) for name, pod in component_pods(settings, target.cluster.type, registry)]


def job_objects(computes: Facts, existing: set[str], types: Sequence[Object], registry: str) -> list[DryRunObject]:
    """The pods of jobs in each existing namespace of a compute."""
    from azext_amlk8s.checks.compute import compute_namespaces
    from azext_amlk8s.checks.pod_shapes import job_pods

    namespaces = [namespace for namespace in compute_namespaces(computes) if namespace in existing]
    return [(name, namespace, pod) for namespace in namespaces for name, pod in job_pods(types, namespace, registry)]


def dry_run(connection: Cluster, subject: str, namespace: str, body: dict[str, Any]) -> DryRun:
    """Whether the API server would accept an object. Raises ClusterUnreachable."""
    from azext_amlk8s.kubernetes import ClusterRefused

    path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/namespaces"
    where = namespace or NAMESPACE
    try:
        connection.dry_run_create(path, body)
    except ClusterRefused as refused:
        # Without permission to create, admission is not reached; what does not support dry runs gives no verdict.
        no_verdict = "cannot create resource" in refused.message or "does not support dry run" in refused.message
        if no_verdict or refused.status in (404, 405, 409):
            return DryRun(subject, where, unknown=refused.message)
        return DryRun(subject, where, rejection=refused.message)
    return DryRun(subject, where)
