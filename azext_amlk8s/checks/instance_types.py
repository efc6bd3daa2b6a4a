"""Instance types: whether each fits a node, and agrees with the extension's own node selector."""

from __future__ import annotations

from azext_amlk8s.checks.facts import (
    CLUSTER,
    EXTENSIONS,
    INSTALLED,
    INSTANCE_TYPES,
    NODES,
    PODS,
    Facts,
    count,
    find_extension,
    properties_of,
)
from azext_amlk8s.instance_types.fit import TypeFit, fit
from azext_amlk8s.instance_types.fit_findings import Commands, contradicting_selectors, evaluate_fit
from azext_amlk8s.instance_types.model import InstanceType, types_of_objects
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.rules import CheckSpec, Observation, Results, Severity, rule
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement, workload_placement
from azext_amlk8s.scheduling.pools import nodes_from_pools
from azext_amlk8s.shell import join

TYPES = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"


@rule(
    "K701",
    Severity.WARNING,
    title="Fit of instance types",
    requires="Every instance type fits some node.",
    source=TYPES,
    why="Jobs stay queued, or end with Code 9.",
    check=CheckSpec(
        "types",
        (NODES, PODS, INSTANCE_TYPES),
        (CLUSTER, EXTENSIONS),
        INSTALLED,
        relays=("N101", "N102", "N103", "N108"),
    ),
)
def instance_types_fit(facts: Facts) -> Results:
    """Nodes that exist, and those that an autoscaler may add."""
    fits, placement = instance_type_fits(facts)
    yield from evaluate_fit(fits, placement, _commands(facts))
    yield Observation(count(len(fits), "instance type"))


@rule(
    "K702",
    Severity.ERROR,
    title="Node selectors of instance types",
    requires="No instance type contradicts the extension's node selector.",
    source=TYPES,
    why="A pod needs a node that has the labels of both selectors.",
    check=CheckSpec("types", (INSTANCE_TYPES, EXTENSIONS), phase=INSTALLED, relays=("N104",)),
)
def instance_type_selectors(facts: Facts) -> Results:
    """Both selectors must match."""
    yield from contradicting_selectors(_types(facts), _placement(facts), _commands(facts))


def instance_type_fits(facts: Facts) -> tuple[list[TypeFit], Placement]:
    """Where the cluster's instance types fit, and what the extension adds to their pods.

    Made of nodes, pods and instance types and, where they can be read, the cluster and its extensions.
    """
    nodes = nodes_from_objects(facts[NODES], facts[PODS])
    pools = properties_of(facts.get(CLUSTER)).get("agentPoolProfiles") or ()
    placement = _placement(facts)
    return fit(_types(facts), [*nodes, *nodes_from_pools(pools, nodes)], placement), placement


def _commands(facts: Facts) -> Commands:
    target, extension = facts.target, find_extension(facts.get(EXTENSIONS) or ())
    options = ExtensionRef(target.cluster, str(extension["name"])).cli_args if extension else ""
    given = (("--kubeconfig", target.kubeconfig), ("--context", target.context))
    words = [word for option, value in given if value for word in (option, value)]
    return Commands(target.cluster.cli_args, options, join(words or ["--context", target.cluster.name]))


def _types(facts: Facts) -> list[InstanceType]:
    return list(types_of_objects([dict(instance_type) for instance_type in facts[INSTANCE_TYPES] or ()]).values())


def _placement(facts: Facts) -> Placement:
    extension = find_extension(facts.get(EXTENSIONS) or ())
    workspace = facts.target.workspace
    names = {
        "resourceGroup": workspace.resource_group if workspace else "",
        "workspace": workspace.name if workspace else "",
        "compute": facts.target.compute,
    }
    return workload_placement(properties_of(extension).get("configurationSettings"), names)
