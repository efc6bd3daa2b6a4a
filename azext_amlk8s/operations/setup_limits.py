"""The limits of Azure that the clusters of setup files reach together."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from azext_amlk8s.operations.setup_inputs import Clients
from azext_amlk8s.rules import Finding
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.setup_files.limit_rules import limits_of_subscription
from azext_amlk8s.setup_files.plan import CREATE, ClusterPlan

ROLE_ASSIGNMENT = "role assignment"
INFERENCE = "enableinference"


def with_limits(clusters: Sequence[ClusterSetup], plans: Sequence[ClusterPlan], clients: Clients) -> list[ClusterPlan]:
    """The plans, with the findings on limits at each cluster of the subscription that reaches them."""
    endpoints: dict[str, Counter[str]] = {}
    roles: Counter[str] = Counter()
    for cluster_setup, plan in zip(clusters, plans, strict=True):
        roles[_key(cluster_setup)] += sum(
            resource.kind == ROLE_ASSIGNMENT and resource.action == CREATE for resource in plan.resources
        )
        if cluster_setup.workspace and _serves(cluster_setup) and (region := _region(cluster_setup, clients)):
            endpoints.setdefault(_key(cluster_setup), Counter())[region] += 1
    found: dict[str, tuple[Finding, ...]] = {
        key: tuple(limits_of_subscription(key, endpoints.get(key, {}), roles[key])) for key in {*endpoints, *roles}
    }
    return [
        dataclasses.replace(plan, findings=(*plan.findings, *found.get(_key(cluster_setup), ())))
        for cluster_setup, plan in zip(clusters, plans, strict=True)
    ]


def _key(cluster_setup: ClusterSetup) -> str:
    """The subscription whose limits count: that of the workspace, else that of the cluster."""
    return (
        cluster_setup.workspace.subscription if cluster_setup.workspace else cluster_setup.cluster.subscription
    ).lower()


def _serves(cluster_setup: ClusterSetup) -> bool:
    settings = (cluster_setup.extension or {}).get("settings") or {}
    values = {str(key).lower(): str(value).lower() for key, value in settings.items()}
    return bool(cluster_setup.compute_name) and values.get(INFERENCE) == "true"


def _region(cluster_setup: ClusterSetup, clients: Clients) -> str:
    """The region of the workspace; empty where it cannot be read, which the plan of the compute reports."""
    from azure.core.exceptions import AzureError

    assert cluster_setup.workspace is not None
    try:
        return str(
            clients.of(cluster_setup.workspace.subscription).get_workspace(cluster_setup.workspace).get("location")
            or ""
        )
    except AzureError:
        return ""
