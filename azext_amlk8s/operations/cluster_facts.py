"""What fit must know of a cluster: nodes and pods, pools that may grow, what the extension adds to workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.operations.cluster_options import AKS, Reached

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"


@dataclass(frozen=True)
class ClusterFacts:
    """nodes are instances.nodes.Node, those to come among them.

    unknown are findings on what could not be seen; extension is the name of the extension, if it was.
    """

    nodes: Sequence[Any]
    placement: Any
    unknown: tuple[Any, ...] = ()
    extension: str = ""


def cluster_facts(
    found: Reached,
    config: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    *,
    pools: bool = True,
) -> ClusterFacts:
    """Ask the cluster and Azure side by side. config are the extension's settings where they are given by hand.

    names are those that workloads tolerate in taints, see placement. With pools, AKS agent pools are looked at.
    Raises ClusterUnreachable, ClusterRefused.
    """
    from azext_amlk8s.instance_types.fit_findings import unknown_placement, unknown_pods
    from azext_amlk8s.scheduling.nodes import nodes_from_objects
    from azext_amlk8s.scheduling.placement import workload_placement
    from azext_amlk8s.scheduling.pools import nodes_from_pools

    with ThreadPoolExecutor(4) as pool:
        of_nodes = pool.submit(found.cluster.items, NODES)
        of_pods = pool.submit(_pods, found.cluster)
        of_extension = pool.submit(found.extension) if found.cluster_id and config is None else None
        of_cluster = pool.submit(_profiles, found) if pools else None
        pods, why = of_pods.result()
        nodes = nodes_from_objects(of_nodes.result(), pods)
        profiles, location = of_cluster.result() if of_cluster else ([], "")
        extension = of_extension.result() if of_extension else None
    settings = config if config is not None else _settings(extension)
    grown = nodes_from_pools(profiles, nodes, _sizes(found, profiles, nodes, location))
    unknown = [] if config is not None or extension is not None else [unknown_placement()]
    unknown += [unknown_pods(why)] if why else []
    name = str((extension or {}).get("name") or "")
    return ClusterFacts([*nodes, *grown], workload_placement(settings, names), tuple(unknown), name)


def _pods(cluster: Any) -> tuple[list[dict[str, Any]], str]:
    """The pods of all namespaces, or none and why not: not everybody who may read nodes may read them."""
    from azext_amlk8s.kubernetes import ClusterRefused

    try:
        return cluster.items(PODS), ""
    except ClusterRefused as refused:
        if refused.status != 403:
            raise
        return [], refused.message


def _settings(extension: Mapping[str, Any] | None) -> Mapping[str, str]:
    return ((extension or {}).get("properties") or {}).get("configurationSettings") or {}


def _profiles(found: Reached) -> tuple[list[Mapping[str, Any]], str]:
    """The agent pools of an AKS cluster and its location; none of any other, and none that may not be read."""
    from azure.core.exceptions import HttpResponseError

    if not found.cluster_id or found.parts[1].lower() != AKS.lower():
        return [], ""
    try:
        told = found.arm.get(found.cluster_id)
    except HttpResponseError:
        return [], ""
    return (told.get("properties") or {}).get("agentPoolProfiles") or [], str(told.get("location") or "")


def _sizes(
    found: Reached, profiles: Sequence[Mapping[str, Any]], nodes: Sequence[Any], location: str
) -> dict[str, Any]:
    """The sizes of virtual machines, asked for only where a pool has no node to measure."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.scheduling.pools import parse_size

    there = {node.pool for node in nodes}
    if all(profile.get("name") in there for profile in profiles):
        return {}
    try:
        return {str(one["name"]): parse_size(one) for one in found.arm.list_vm_sizes(location) if one.get("name")}
    except HttpResponseError:
        return {}
