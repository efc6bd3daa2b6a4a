"""Deletion of the objects that an installation has left in a cluster. Objects with finalizers are not forced."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from azext_amlk8s.checks.leftover_objects import Leftover, find_leftovers

if TYPE_CHECKING:
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.refs import ClusterRef

DELETION_SECONDS, INTERVAL_SECONDS = 120, 2.0
NAMESPACE_PATH = "/api/v1/namespaces/azureml"


def read_leftovers(cluster: Cluster) -> list[Leftover]:
    """The objects that an installation has left in a cluster. Raises ClusterUnreachable, ClusterRefused."""
    from azext_amlk8s.knowledge import load

    objects = {entry["kind"]: cluster.items(entry["path"]) for entry in load("leftovers")["kinds"]}
    namespace = cluster.read(NAMESPACE_PATH)
    return find_leftovers(objects, [namespace] if namespace else [])


def delete_leftovers(cluster: Cluster, timeout: float) -> tuple[list[Leftover], list[Leftover]]:
    """Delete the leftovers of a cluster; returns those that are deleted and those that remain. timeout is in seconds.

    Must be called only where no extension is installed: the objects of an installation look the same. Raises
    ClusterUnreachable, ClusterRefused.
    """
    leftovers = read_leftovers(cluster)
    for leftover in leftovers:
        if not leftover.is_deleting:
            cluster.delete(leftover.path, leftover.uid)
    remaining = _wait_for_deletion(cluster, {leftover.path for leftover in leftovers}, min(timeout, DELETION_SECONDS))
    paths = {leftover.path for leftover in remaining}
    return [leftover for leftover in leftovers if leftover.path not in paths], remaining


def why_it_remains(leftover: Leftover) -> str:
    """What keeps an object from being deleted, as sentences."""
    waiting = [f"Finalizers wait for whoever set them: {', '.join(leftover.finalizers)}."]
    why = " ".join(leftover.reasons or (waiting if leftover.finalizers else ["It is being deleted."]))
    return f"{why} Finalizers are not removed by force: that can leave resources behind."


def not_examined(ref: ClusterRef, reason: str) -> tuple[str, str]:
    """What is not known of a cluster that could not be read for a reason, as sentences; and the command to find out."""
    found = f"az amlk8s check --leftovers {ref.cli_args}"
    return (
        f"The namespace azureml, webhooks, cluster roles and custom resource definitions may remain there. {reason} "
        "When the cluster can be reached, look for them.",
        found,
    )


def _wait_for_deletion(cluster: Cluster, paths: Collection[str], seconds: float) -> list[Leftover]:
    """What remains of these objects once the API server has had time to delete them."""
    deadline = time.monotonic() + seconds
    while True:
        remaining = [leftover for leftover in read_leftovers(cluster) if leftover.path in paths]
        hanging = all(leftover.finalizers or leftover.reasons for leftover in remaining)
        if hanging or time.monotonic() >= deadline:
            return remaining
        time.sleep(INTERVAL_SECONDS)
