"""Rules over settings and the nodes of the cluster: labels, taints, routers, capacity."""

from __future__ import annotations

from azext_amlk8s import knowledge
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.component_rules import AML
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.nodes import (
    ROUTERS,
    count_possible_cores,
    count_possible_nodes,
    count_usable_nodes,
    describe_nodes,
    describe_unusable,
    extension_placement,
    has_few_nodes,
    selects_none_certainly,
)
from azext_amlk8s.settings.reading_rules import DEPLOY
from azext_amlk8s.settings.setting_rules import TROUBLESHOOT
from azext_amlk8s.shell import quote

ERROR, WARNING = Severity.ERROR, Severity.WARNING
HIGH_AVAILABILITY = "inferenceRouterHA"


@rule(
    "F119",
    ERROR,
    title="Nodes for the extension",
    requires="A Linux node with amd64 that is Ready, schedulable and without other taints exists.",
    source=AML,
    why="The extension's pods stay pending otherwise.",
)
def usable_nodes(settings: Settings, facts: ClusterFacts) -> Problems:
    """No node can run the extension's pods; a warning where node auto-provisioning may create one."""
    severity = WARNING if facts.adds_nodes else None
    if _selects_no_node(settings, facts):
        if selects_none_certainly(settings, facts):
            message = f"nodeSelector: no node of '{facts.name}' has the labels: {_reasons(settings, facts)}."
            fix = "Correct the labels of nodeSelector, or leave it out."
            if facts.is_aks:
                fix = f"az aks nodepool list --cluster-name {quote(facts.name)} -g {quote(facts.group)} -o table"
            yield Problem("nodeSelector", message, fix=fix, severity=severity)
    elif count_possible_nodes(settings, facts) == 0:
        message = f"No node of '{facts.name}' can run the extension's pods: {_reasons(settings, facts)}."
        fix = "Add Linux nodes with amd64 and without taints."
        if facts.is_aks:
            name, group = quote(facts.name), quote(facts.group)
            fix = f"az aks nodepool add --cluster-name {name} -g {group} -n {_new_pool(facts)} --node-count {ROUTERS}"
        yield Problem(facts.name, message, fix=fix, severity=severity)


@rule(
    "F118",
    WARNING,
    title="Labels of nodeSelector on node pools",
    requires="A node pool has the labels of nodeSelector.",
    source=TROUBLESHOOT,
    why="The extension's pods stay pending unless the nodes were labelled otherwise.",
    follows_any=("F101",),
)
def selector_on_pools(settings: Settings, facts: ClusterFacts) -> Problems:
    """Labels that no pool has as far as Azure knows; they may have been added to the nodes with kubectl."""
    if _selects_no_node(settings, facts) and not selects_none_certainly(settings, facts):
        message = f"nodeSelector: no node pool has the labels: {_reasons(settings, facts)}."
        yield Problem("nodeSelector", message, fix="Label a node pool, or leave out nodeSelector.")


@rule(
    "F101",
    ERROR,
    title="Nodes for inference routers",
    requires="Three usable nodes exist for inferenceRouterHA=True, or can be added.",
    source=TROUBLESHOOT,
    why="Routers run on different nodes; the installation fails with E40002 while one of three is missing.",
    follows_any=("F119",),
)
def router_nodes(settings: Settings, facts: ClusterFacts) -> Problems:
    """Three routers on nodes that are too few, and to which nothing can add any."""
    possible = count_possible_nodes(settings, facts)
    if possible is None or possible >= ROUTERS or facts.adds_nodes:
        return
    if settings.is_enabled("enableInference") and settings.is_enabled(HIGH_AVAILABILITY):
        message = f"{HIGH_AVAILABILITY}: three routers need three nodes; {describe_nodes(settings, facts)}."
        related = ("nodeSelector",) if extension_placement(settings).node_selector else ()
        fix = f"--config {HIGH_AVAILABILITY}=False"
        yield Problem(HIGH_AVAILABILITY, message, str(ROUTERS), str(possible), fix, related)


@rule(
    "F121",
    WARNING,
    title="Later nodes for inference routers",
    requires="Three usable nodes exist for inferenceRouterHA=True before the installation.",
    source=TROUBLESHOOT,
    why="The installation waits for an autoscaler or node auto-provisioning, and fails where that takes too long.",
    follows_any=("F119",),
)
def router_nodes_added_later(settings: Settings, facts: ClusterFacts) -> Problems:
    """Three routers on nodes that something has yet to add."""
    usable, possible = count_usable_nodes(settings, facts), count_possible_nodes(settings, facts)
    if usable is None or possible is None or usable >= ROUTERS or (possible < ROUTERS and not facts.adds_nodes):
        return
    if settings.is_enabled("enableInference") and settings.is_enabled(HIGH_AVAILABILITY):
        message = f"{HIGH_AVAILABILITY}: three routers need three nodes; {describe_nodes(settings, facts)}."
        fix = f"--config {HIGH_AVAILABILITY}=False"
        yield Problem(HIGH_AVAILABILITY, message, str(ROUTERS), str(usable), fix)


@rule(
    "F102",
    WARNING,
    title="Number of inference routers",
    requires="Three usable nodes exist, or inferenceRouterHA=False is given.",
    source=DEPLOY,
    why="One router is installed instead of three.",
    follows_any=("F119",),
)
def router_count(settings: Settings, facts: ClusterFacts) -> Problems:
    """One router, because three have not been requested and fewer than three nodes can run one."""
    usable = count_usable_nodes(settings, facts)
    if usable is None or usable >= ROUTERS or not count_possible_nodes(settings, facts):
        return
    if settings.is_enabled("enableInference") and not settings.get(HIGH_AVAILABILITY):
        message = f"{HIGH_AVAILABILITY}: {describe_nodes(settings, facts)}; one router will be installed."
        fix = f"--config {HIGH_AVAILABILITY}=False"
        yield Problem(HIGH_AVAILABILITY, message, str(ROUTERS), str(usable), fix)


@rule(
    "F114",
    ERROR,
    title="CPU for the extension",
    requires="The usable nodes have the CPU that the extension's pods request.",
    source=AML,
    why="Pods stay pending otherwise.",
    follows_any=("F101", "F119"),
)
def cpu_for_extension(settings: Settings, facts: ClusterFacts) -> Problems:
    """The published footprint against the cores of the usable nodes; a warning where nodes can be added."""
    cores = count_possible_cores(settings, facts)
    enabled = [name for name in ("training", "inference") if settings.is_enabled(f"enable{name.capitalize()}")]
    if cores is None or not enabled or count_possible_nodes(settings, facts) == 0:
        return
    high = settings.get(HIGH_AVAILABILITY, str(not has_few_nodes(settings, facts))) == "True"
    footprint = knowledge.load("components")["footprint"]["production" if high else "test"]
    cpu = footprint["both" if len(enabled) == 2 else enabled[0]]["cpu"]
    if cores * 1000 < int(cpu.rstrip("m")):
        message = f"The extension's pods request {cpu} CPU; the usable nodes of '{facts.name}' have {cores * 1000}m."
        fix = f"--config {HIGH_AVAILABILITY}=False" if high and "inference" in enabled else "Add nodes, or larger ones."
        severity = WARNING if facts.adds_nodes else None
        yield Problem(facts.name, message, cpu, f"{cores * 1000}m", fix, severity=severity)


def _selects_no_node(settings: Settings, facts: ClusterFacts) -> bool:
    """Whether nodeSelector alone is the reason that no node is usable."""
    without = Settings({key: value for key, value in settings.config.items() if not key.startswith("nodeSelector.")})
    return count_possible_nodes(settings, facts) == 0 and count_possible_nodes(without, facts) != 0


def _reasons(settings: Settings, facts: ClusterFacts) -> str:
    return "; ".join(describe_unusable(settings, facts)) or f"'{facts.name}' has no nodes"


def _new_pool(facts: ClusterFacts) -> str:
    names = {pool.name for pool in facts.pools or ()}
    return next(name for name in ("mlpool", *(f"mlpool{number}" for number in range(2, 200))) if name not in names)
