"""The instance types: whether each fits somewhere, and with the extension's own selector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from azext_amlk8s.checks.facts import Facts, ours, seen
from azext_amlk8s.checks.model import Check, When
from azext_amlk8s.instance_types.fit import fit
from azext_amlk8s.instance_types.fit_findings import judge_fit, judge_selectors
from azext_amlk8s.instance_types.model import InstanceType, types_of_objects
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement, workload_placement
from azext_amlk8s.scheduling.pools import nodes_from_pools

TYPES = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
K701 = Rule("K701", Severity.WARNING, "Every instance type fits on some node.", TYPES)
K702 = Rule("K702", Severity.ERROR, "No instance type contradicts the extension's node selector.", TYPES)


def fits(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 3.6: what fits nowhere waits for ever, or ends with Code 9."""
    nodes = nodes_from_objects(facts.nodes, facts.pods)
    pools = ((seen(facts.cluster) or {}).get("properties") or {}).get("agentPoolProfiles") or ()
    where = _placement(facts)
    yield from judge_fit(fit(_types(facts), [*nodes, *nodes_from_pools(pools, nodes)], where), where)


def selectors(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 3.4: both selectors must match."""
    yield from judge_selectors(_types(facts), _placement(facts))


def _types(facts: Facts) -> list[InstanceType]:
    return list(types_of_objects([dict(one) for one in facts.instance_types or ()]).values())


def _placement(facts: Facts) -> Placement:
    there: Any = ours(seen(facts.extensions) or ()) or {}
    return workload_placement(
        (there.get("properties") or {}).get("configurationSettings"),
        {
            "resourceGroup": facts.place.workspace_group,
            "workspace": facts.place.workspace,
            "compute": facts.place.compute,
        },
    )


CHECKS = (
    Check(K701, "types", fits, ("nodes", "pods", "instance_types"), ("cluster", "extensions"), When.INSTALLED),
    Check(K702, "types", selectors, ("instance_types", "extensions"), when=When.INSTALLED),
)
