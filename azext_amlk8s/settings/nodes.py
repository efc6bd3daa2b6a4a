"""How many nodes of a cluster can run the extension's own pods, now and after an autoscaler has added some."""

from __future__ import annotations

from collections.abc import Iterator

from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.placement import Placement, system_placement
from azext_amlk8s.scheduling.reasons import placement_obstacles, selector_obstacles, takes_pods
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import Settings

ROUTERS = 3


def extension_placement(settings: Settings) -> Placement:
    """Where the extension's own pods may run; workLoadToleration does not apply to them."""
    return system_placement(settings.without_resets().config)


def count_nodes(facts: ClusterFacts) -> int | None:
    """How many nodes exist."""
    return facts.node_count if facts.nodes is None else len(facts.nodes)


def count_usable_nodes(settings: Settings, facts: ClusterFacts) -> int | None:
    """How many existing nodes can run the extension's pods: Ready, schedulable, tolerated, Linux, amd64, labelled.

    Of pools and of Arc-connected clusters Azure does not report which nodes are Ready; None where it reports no nodes.
    """
    placement = extension_placement(settings)
    if facts.nodes is not None:
        return sum(takes_pods(node, placement) for node in facts.nodes)
    if facts.pools is not None:
        return sum(pool.count for pool in facts.pools if takes_pods(pool.template, placement))
    return facts.node_count


def count_possible_nodes(settings: Settings, facts: ClusterFacts) -> int | None:
    """The same with every node that the autoscalers of the pools may add."""
    placement, usable = extension_placement(settings), count_usable_nodes(settings, facts)
    if usable is None:
        return None
    return usable + sum(
        pool.max_count - pool.count for pool in facts.pools or () if takes_pods(pool.template, placement)
    )


def count_possible_cores(settings: Settings, facts: ClusterFacts) -> int | None:
    """The CPU cores of those nodes; None where they are not known."""
    placement = extension_placement(settings)
    if facts.pools is not None:
        pools = [pool for pool in facts.pools if takes_pods(pool.template, placement)]
        if any(pool.cores is None for pool in pools):
            return None
        return sum(pool.max_count * (pool.cores or 0) for pool in pools)
    if facts.nodes is not None:
        nodes = [node for node in facts.nodes if takes_pods(node, placement)]
        return sum(node.allocatable.get("cpu", 0) for node in nodes) // 1000
    return facts.cores


def has_few_nodes(settings: Settings, facts: ClusterFacts) -> bool:
    """Whether fewer than three nodes can run a router now.

    Where no pool fits although the nodes have not been asked, they may have labels that Azure does not know: then all
    nodes are counted.
    """
    known = facts.nodes is not None or count_possible_nodes(settings, facts)
    usable = count_usable_nodes(settings, facts) if known else facts.node_count
    return usable is not None and usable < ROUTERS


def describe_nodes(settings: Settings, facts: ClusterFacts) -> str:
    """For example "2 of 3 nodes usable, up to 5 with the autoscaler (pool win runs Windows, Linux required)"."""
    usable, possible, total = (
        count_usable_nodes(settings, facts),
        count_possible_nodes(settings, facts),
        count_nodes(facts),
    )
    text = f"{usable} of {total} {'node' if total == 1 else 'nodes'} usable"
    if possible is not None and usable is not None and possible > usable:
        text += f", up to {possible} with the autoscaler"
    if facts.adds_nodes:
        text += ", more with node auto-provisioning"
    reasons = list(describe_unusable(settings, facts))
    return f"{text} ({'; '.join(reasons)})" if reasons else text


def describe_unusable(settings: Settings, facts: ClusterFacts) -> Iterator[str]:
    """Why pools or nodes cannot run the extension's pods, as clauses."""
    placement = extension_placement(settings)
    if facts.nodes is not None:
        nodes: list[tuple[str, Node]] = [(f"node {node.name}", node) for node in facts.nodes]
    else:
        nodes = [(f"pool {pool.name}", pool.template) for pool in facts.pools or ()]
    for name, node in nodes:
        obstacles = (*placement_obstacles(node, placement), *selector_obstacles(node, placement.node_selector))
        if obstacles:
            yield f"{name} {' and '.join(obstacle.phrase for obstacle in obstacles)}"


def selects_none_certainly(settings: Settings, facts: ClusterFacts) -> bool:
    """Whether no node can have the labels of nodeSelector: the nodes have been asked, or a label that every pool has,
    such as agentpool, has another value on each of them."""
    if facts.nodes is not None:
        return True
    pools = facts.pools or ()
    selector = extension_placement(settings).node_selector.items()
    return any(all(pool.template.labels.get(key, value) != value for pool in pools) for key, value in selector)
