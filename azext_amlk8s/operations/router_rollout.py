"""Waiting until the pods of the inference router have been replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.time_limit import is_time_up

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.router_certificate import ServedCertificate

INTERVAL_SECONDS = 2.0
MOST_SECONDS = 600
# How long an address may answer with the old certificate after the last pod was replaced.
GRACE_SECONDS = 20


def wait_for_rollout(
    cmd: AzCliCommand,
    cluster: Cluster | None,
    read_served: Callable[[], ServedCertificate],
    is_new: Callable[[ServedCertificate], bool],
    seconds: float,
) -> ServedCertificate:
    """What the router serves when it serves the new certificate, or when it should: its pods have been replaced."""
    from azext_amlk8s.console.progress import ProgressLine

    line = ProgressLine(cmd, "Waiting for the pods of the router")
    deadline = time.monotonic() + min(seconds, MOST_SECONDS)
    complete_since: float | None = None
    try:
        while True:
            state = _rollout(cluster) if cluster else ""
            served = read_served()
            if not state and (is_new(served) or not served.der):
                return served
            complete_since = None if state else complete_since or time.monotonic()
            is_late = complete_since is not None and time.monotonic() - complete_since >= GRACE_SECONDS
            if is_late or is_time_up() or time.monotonic() >= deadline:
                return served
            line.show(state or "old certificate still served")
            time.sleep(INTERVAL_SECONDS)
    finally:
        line.clear()


def _rollout(cluster: Cluster) -> str:
    """How far the rollout of the router is, empty when it is complete or cannot be read."""
    from azext_amlk8s.kubernetes import ClusterError

    try:
        for name in load("router")["deployments"]:
            if deployment := cluster.read(f"/apis/apps/v1/namespaces/azureml/deployments/{name}"):
                return _progress(deployment)
    except ClusterError:
        return ""
    return ""


def _progress(deployment: Mapping[str, Any]) -> str:
    """As `kubectl rollout status`: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status"""
    status, spec = deployment.get("status") or {}, deployment.get("spec") or {}
    wanted = int(spec.get("replicas") or 1)
    generation = int((deployment.get("metadata") or {}).get("generation") or 0)
    observed = status.get("observedGeneration")
    if observed is not None and int(observed) < generation:
        return "rollout begins"
    updated, available = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods replaced"
    if available < updated:
        return f"{available} of {updated} new pods available"
    return ""
