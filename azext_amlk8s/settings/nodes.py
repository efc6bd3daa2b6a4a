"""Which nodes of a cluster can take the extension's own pods, and how many there can be."""

from __future__ import annotations

from collections.abc import Iterator

from azext_amlk8s import knowledge
from azext_amlk8s.settings.facts import ClusterFacts, Pool, Taint
from azext_amlk8s.settings.model import Settings

SELECTOR = "nodeSelector."
REPELS = ("NoSchedule", "NoExecute")
ROUTERS = 3


def schedulable_nodes(settings: Settings, facts: ClusterFacts) -> int | None:
    """How many nodes can take the extension's pods, at the upper bound of an autoscaler; None where Azure does not say.

    Of Arc-connected clusters Azure knows the number of nodes alone.
    """
    if facts.pools is None:
        return facts.node_count
    return sum(pool.most for pool in facts.pools if not reasons_against(settings, pool))


def present_nodes(settings: Settings, facts: ClusterFacts) -> int | None:
    """How many of those nodes are there now, whatever an autoscaler may bring; None where Azure does not say."""
    if facts.pools is None:
        return facts.node_count
    return sum(pool.count for pool in facts.pools if not reasons_against(settings, pool))


def few_nodes(settings: Settings, facts: ClusterFacts) -> bool:
    """Whether fewer than three nodes can take a router now (field guide cluster-extension 2.1 step 9, 5 row 3).

    Where no pool seems to fit, the labels may be some that Azure does not know: then all nodes are counted.
    """
    nodes = present_nodes(settings, facts) if schedulable_nodes(settings, facts) else facts.node_count
    return nodes is not None and nodes < ROUTERS


def schedulable_cores(settings: Settings, facts: ClusterFacts) -> int | None:
    """The CPU cores of those nodes; None where Azure does not say."""
    if facts.pools is None:
        return facts.cores
    fit = [pool for pool in facts.pools if not reasons_against(settings, pool)]
    if any(pool.cores is None for pool in fit):
        return None
    return sum(pool.most * (pool.cores or 0) for pool in fit)


def reasons_against(settings: Settings, pool: Pool) -> list[str]:
    """Why the extension's pods do not run on a pool, as clauses; empty when they do."""
    reasons = []
    if pool.os.lower() != "linux":
        reasons.append(f"runs {pool.os}")
    if not pool.running:
        reasons.append("is stopped")
    reasons += [f"has the taint {taint.key}:{taint.effect}" for taint in pool.taints if _repels(taint)]
    reasons += [f"lacks the label {key}={value}" for key, value in selector(settings) if pool.labels.get(key) != value]
    return reasons


def selector(settings: Settings) -> Iterator[tuple[str, str]]:
    """The labels that nodes must have, as Kubernetes spells them."""
    for key, value in settings.config.items():
        if key.startswith(SELECTOR):
            yield key.removeprefix(SELECTOR).replace("\\.", "."), value


def _repels(taint: Taint) -> bool:
    """Field guide compute 3.4: the system pods tolerate these taints, and workLoadToleration is for workloads only."""
    return taint.effect in REPELS and taint.key not in knowledge.load("clusters")["tolerated"]
