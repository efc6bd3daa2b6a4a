"""What fit needs to know of a cluster: nodes and pods, pools that may grow, what the extension adds to workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession

if TYPE_CHECKING:
    from azext_amlk8s.instance_types.fit_findings import Commands
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.scheduling.nodes import Node
    from azext_amlk8s.scheduling.placement import Placement
    from azext_amlk8s.scheduling.pools import Size

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"


@dataclass(frozen=True)
class ClusterFacts:
    """nodes include those that autoscalers may add; unknown are findings on what could not be read."""

    nodes: Sequence[Node]
    placement: Placement
    commands: Commands
    unknown: tuple[Finding, ...] = ()


def cluster_facts(
    found: ClusterSession,
    options: ClusterOptions,
    config: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    *,
    pools: bool = True,
) -> ClusterFacts:
    """Read the cluster and Azure side by side. config are the extension's settings where the user gives them.

    names are those that workloads tolerate in taints, see workload_placement. With pools, AKS agent pools are read.
    Raises ClusterUnreachable, ClusterRefused.
    """
    from azext_amlk8s.instance_types.fit_findings import unknown_pods, unknown_settings
    from azext_amlk8s.scheduling.nodes import nodes_from_objects
    from azext_amlk8s.scheduling.placement import workload_placement
    from azext_amlk8s.scheduling.pools import nodes_from_pools

    with DaemonPool(4) as pool:
        node_objects = pool.submit(found.cluster.items, NODES)
        pod_objects = pool.submit(_pods, found.cluster)
        extension_read = pool.submit(found.extension) if found.ref else None
        profiles_read = pool.submit(_profiles, found) if pools else None
        pods, refusal = pod_objects.result()
        nodes = nodes_from_objects(node_objects.result(), pods)
        profiles, location = profiles_read.result() if profiles_read else ([], "")
        extension = extension_read.result() if extension_read else None
    commands = commands_for(found, options, str((extension or {}).get("name") or ""))
    settings = config if config is not None else _settings(extension)
    added = nodes_from_pools(profiles, nodes, _sizes(found, profiles, nodes, location))
    unknown = () if config is not None or extension is not None else unknown_settings()
    unknown += unknown_pods(refusal, commands) if refusal else ()
    return ClusterFacts([*nodes, *added], workload_placement(settings, names), commands, unknown)


def commands_for(found: ClusterSession, options: ClusterOptions, extension: str = "") -> Commands:
    """The options that name this cluster and its extension in commands to paste."""
    from azext_amlk8s.instance_types.fit_findings import Commands
    from azext_amlk8s.refs import ExtensionRef
    from azext_amlk8s.shell import join

    cluster = found.ref if found.ref else None
    credentials = ""
    words = [
        f"--{key}={value}" for key, value in (("kubeconfig", options.kubeconfig), ("context", options.context)) if value
    ]
    if cluster and not words:
        words = ["--context", cluster.name]
        credentials = f"az aks get-credentials {cluster.az_args}" if cluster.is_aks else ""
    of_extension = ExtensionRef(cluster, extension).cli_args if cluster and extension else ""
    return Commands(options.cli_suffix.strip(), of_extension, join(words), credentials)


def _pods(cluster: Any) -> tuple[list[dict[str, Any]], str]:
    """The pods of all namespaces, or none and why: a user who may read nodes may be forbidden to list pods."""
    from azext_amlk8s.kubernetes import ClusterRefused

    try:
        return cluster.items(PODS), ""
    except ClusterRefused as refused:
        if refused.status != 403:
            raise
        return [], refused.message


def _settings(extension: Mapping[str, Any] | None) -> Mapping[str, str]:
    return ((extension or {}).get("properties") or {}).get("configurationSettings") or {}


def _profiles(found: ClusterSession) -> tuple[list[Mapping[str, Any]], str]:
    """The agent pools of an AKS cluster and its location; none of another cluster, or where reading is forbidden."""
    from azure.core.exceptions import HttpResponseError

    if not found.client or not found.ref or not found.ref.is_aks:
        return [], ""
    try:
        cluster = found.client.get(found.ref.id)
    except HttpResponseError:
        return [], ""
    return (cluster.get("properties") or {}).get("agentPoolProfiles") or [], str(cluster.get("location") or "")


def _sizes(
    found: ClusterSession, profiles: Sequence[Mapping[str, Any]], nodes: Sequence[Node], location: str
) -> dict[str, Size]:
    """The sizes of virtual machines, read only where a pool has no node whose amounts are known."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.scheduling.pools import parse_size

    pools = {node.pool for node in nodes}
    if not found.client or all(profile.get("name") in pools for profile in profiles):
        return {}
    try:
        return {
            str(size["name"]): parse_size(size) for size in found.client.list_vm_sizes(location) if size.get("name")
        }
    except HttpResponseError:
        return {}
