"""The cluster itself: access to it, its nodes, their capacity, and the agents that install extensions."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.checks.explanations import explained_problem
from azext_amlk8s.checks.facts import (
    AKS,
    ALWAYS,
    ARC,
    BEFORE,
    CLUSTER,
    CONSTRAINTS,
    CONTROLLERS,
    EVENTS,
    EXTENSIONS,
    HEALTH,
    INSTANCE_TYPES,
    KUBERNETES,
    NAMESPACES,
    NODES,
    PODS,
    Facts,
    Object,
    count,
    name_of,
    name_some,
    namespace_of,
    properties_of,
)
from azext_amlk8s.checks.footprint import ROUTERS, Capacity, footprint, free_capacity
from azext_amlk8s.checks.installation import evaluate_setting_rules, setting_check, settings_of
from azext_amlk8s.checks.model import Check
from azext_amlk8s.diagnosis import explain_failure, find_failures
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import (
    CheckSpec,
    Fact,
    NotApplicable,
    Observation,
    Problem,
    Results,
    Severity,
    Unavailable,
    rule,
)
from azext_amlk8s.scheduling.amounts import format_amount
from azext_amlk8s.scheduling.nodes import Node, nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement, system_placement
from azext_amlk8s.scheduling.pools import adds_nodes, pools_from_profiles
from azext_amlk8s.scheduling.reasons import placement_obstacles, selector_obstacles, takes_pods
from azext_amlk8s.shell import join

KNOWN = load("checks")
CONNECT = "https://learn.microsoft.com/azure/azure-arc/kubernetes/cluster-connect"
NODE_PAGE = "https://kubernetes.io/docs/concepts/architecture/nodes/"
AML = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
READABLE: tuple[Fact[Any], ...] = (NODES, PODS, EVENTS, CONTROLLERS, NAMESPACES, HEALTH, INSTANCE_TYPES)


@rule(
    "K301",
    Severity.ERROR,
    title="Access to the cluster",
    requires="A kubeconfig leads to the cluster, and its API server responds.",
    source=CONNECT,
    why="What is in the cluster cannot be checked.",
    follows_any=("K201", "F107", "K105"),
    check=CheckSpec("cluster", uses=(KUBERNETES, CLUSTER)),
)
def cluster_access(facts: Facts) -> Results:
    """AKS gives the credentials; for Arc a context of the kubeconfig is needed."""
    server = facts.state(KUBERNETES)
    if isinstance(server, Unavailable):
        file = join(["--file", facts.target.kubeconfig]) if facts.target.kubeconfig else ""
        fix = f"az aks get-credentials {facts.cluster.az_args} {file}".rstrip()
        if not facts.cluster.is_aks:
            fix = (
                f"az connectedk8s proxy {facts.cluster.az_args}\nKeep it running, and check again in another terminal."
            )
        yield Problem(facts.cluster.name, server.reason, "a kubeconfig that leads to the cluster", fix=fix)
    else:
        yield Observation(server)


@rule(
    "K302",
    Severity.WARNING,
    title="Read access in the cluster",
    requires="You may read nodes, pods, events, controllers, namespaces and instance types in the cluster.",
    source=CONNECT,
    why="Checks of what cannot be read are skipped.",
    check=CheckSpec("cluster", (KUBERNETES,), READABLE),
)
def read_access(facts: Facts) -> Results:
    """One finding for everything that the cluster refused."""
    states = {fact.name: facts.state(fact) for fact in READABLE}
    refused = {name: state.reason for name, state in states.items() if isinstance(state, Unavailable)}
    if refused:
        names = ", ".join(refused)
        message = f"Cannot read {names}: {list(refused.values())[0]}"
        yield Problem("cluster", message, found=names, fix="kubectl auth can-i --list")


@rule(
    "K303",
    Severity.WARNING,
    title="Node readiness",
    requires="Every node is Ready and schedulable.",
    source=NODE_PAGE,
    why="A node that is not Ready takes no pods, and DaemonSets on it never become ready.",
    check=CheckSpec("cluster", (NODES,), phase=ALWAYS, retry=True),
)
def node_readiness(facts: Facts) -> Results:
    """One finding for all nodes in the same state."""
    nodes = nodes_from_objects(facts[NODES])
    states: dict[str, list[str]] = {}
    for node in nodes:
        if node.state:
            states.setdefault(node.state, []).append(node.name)
    for state, names in states.items():
        text = state.removeprefix("is ")
        verb = "is" if len(names) == 1 else "are"
        message = f"{count(len(names), 'node')} {verb} {text}: {name_some(names, 4)}."
        first = f"kubectl describe node {names[0]}" if "Ready" in state else f"kubectl uncordon {' '.join(names)}"
        yield Problem(names[0], message, "Ready", text, first, tuple(names[1:]))
    ready = sum(not node.state for node in nodes)
    yield Observation(f"{ready} of {count(len(nodes), 'node')} ready")


usable_nodes = setting_check(
    "F119 F118",
    "Nodes for the extension",
    CheckSpec("cluster", (CLUSTER,), (NODES,), BEFORE),
    observe=lambda facts: _usable(facts),
)
router_nodes = setting_check(
    "F101 F102 F121", "Nodes for inference routers", CheckSpec("cluster", (CLUSTER,), (NODES,), BEFORE)
)
node_cores = setting_check("F114", "CPU of the nodes", CheckSpec("cluster", (CLUSTER,), (NODES,), BEFORE))


@rule(
    "K307",
    Severity.ERROR,
    title="Usable nodes",
    requires="Nodes that are Ready, schedulable, amd64 and Linux, and that the extension's pods tolerate, exist.",
    source=AML,
    why="Pods of the extension stay Pending, and the installation fails after its timeout.",
    follows_any=("F101", "F119", "K301"),
    check=CheckSpec("cluster", (NODES,), (CLUSTER, EXTENSIONS), BEFORE),
)
def usable_nodes_in_cluster(facts: Facts) -> Results:
    """What the nodes themselves show; a warning where an autoscaler or auto-provisioning can add nodes."""
    settings, nodes = settings_of(facts), nodes_from_objects(facts[NODES])
    placement = system_placement(settings.config)
    usable = [node for node in nodes if takes_pods(node, placement)]
    needed = ROUTERS if settings.is_enabled("enableInference") and settings.get("inferenceRouterHA") == "True" else 1
    if len(usable) >= needed:
        yield Observation(f"{len(usable)} of {count(len(nodes), 'node')}")
        return
    reasons = [f"{node.name} {_first_obstacle(node, placement)}" for node in nodes if node not in usable]
    detail = (
        f": {'; '.join(reasons[:3])}{f'; and {len(reasons) - 3} more' if len(reasons) > 3 else ''}" if reasons else ""
    )
    verb = "is" if len(usable) == 1 else "are"
    message = f"{count(len(usable), 'node')} of {len(nodes)} {verb} usable; {needed} required{detail}."
    severity = Severity.WARNING if can_add_nodes(facts) else Severity.ERROR
    fix = "--config inferenceRouterHA=False" if usable else _add_nodes(facts)
    yield Problem(facts.cluster.name, message, str(needed), str(len(usable)), fix, severity=severity)


def _first_obstacle(node: Node, placement: Placement) -> str:
    """What keeps the pods of a placement off a node that does not take them."""
    found = (*placement_obstacles(node, placement), *selector_obstacles(node, placement.node_selector))
    return found[0].phrase


@rule(
    "K308",
    Severity.WARNING,
    title="Node auto-provisioning",
    requires="Capacity that auto-provisioning adds is allowed for the pods of the extension.",
    source="https://learn.microsoft.com/azure/aks/node-auto-provisioning",
    check=CheckSpec("cluster", (CLUSTER,), phase=BEFORE, clusters=AKS),
)
def node_auto_provisioning(facts: Facts) -> Results:
    """Pending pods bring nodes; NodePool resources of the cluster say which."""
    if adds_nodes(properties_of(facts[CLUSTER])):
        message = (
            "Node auto-provisioning is on: nodes are created for pending pods, so capacity is not checked as an error."
        )
        fix = "kubectl get nodepools"
        yield Problem(facts.cluster.name, message, "a NodePool for linux/amd64", "mode Auto", fix)
    else:
        yield Observation("off")


@rule(
    "K304",
    Severity.WARNING,
    title="Recommended size",
    requires="The nodes have at least 4 vCPU and 8 GB of memory together.",
    source=KNOWN["recommended"]["source"],
    follows_any=("F114", "F119"),
    check=CheckSpec("cluster", (NODES,), phase=BEFORE),
)
def recommended_size(facts: Facts) -> Results:
    """Measured by the capacity of nodes that are Ready and run Linux."""
    capacity = free_capacity([_as_empty(node) for node in _ready_nodes(facts)], (), {})
    minimum = Capacity(KNOWN["recommended"]["cpuMillicores"], KNOWN["recommended"]["memoryBytes"] * 1000)
    if capacity.cpu < minimum.cpu or capacity.memory < minimum.memory:
        message = f"{facts.cluster.name} has {capacity}; at least 4 vCPU and 8 GB are recommended."
        yield Problem(facts.cluster.name, message, str(minimum), str(capacity), _add_nodes(facts))
    else:
        yield Observation(str(capacity))


@rule(
    "K305",
    Severity.ERROR,
    title="Free capacity",
    requires="The nodes have the CPU and memory free that the extension's pods request.",
    source=AML,
    why="Pods of the extension stay Pending, and the installation fails after its timeout.",
    follows_any=("F114", "F119", "K307"),
    check=CheckSpec("cluster", (NODES, PODS), (CLUSTER, EXTENSIONS), BEFORE),
)
def free_capacity_for_extension(facts: Facts) -> Results:
    """What Microsoft publishes of the requests, against what other pods leave."""
    settings = settings_of(facts)
    free = free_capacity(facts[NODES], facts[PODS], settings.config)
    needed = footprint(settings, free.nodes)
    lacking = [resource for resource in ("cpu", "memory") if getattr(free, resource) < getattr(needed, resource)]
    if not free.nodes:
        raise NotApplicable("no node takes the extension's pods")
    if not lacking:
        yield Observation(f"{free} free, {needed} requested")
        return
    available = " and ".join(_amount(resource, getattr(free, resource)) for resource in lacking)
    requested = " and ".join(_amount(resource, getattr(needed, resource)) for resource in lacking)
    message = f"The extension's pods request {requested}; {available} is free on the nodes that can run them."
    severity = Severity.WARNING if can_add_nodes(facts) else Severity.ERROR
    yield Problem(facts.cluster.name, message, str(needed), str(free), _add_nodes(facts), severity=severity)


@rule(
    "K306",
    Severity.ERROR,
    title="Extension agents",
    requires="The agents that install extensions are running.",
    source=AML,
    why="Agents that are not running install nothing and report no status.",
    check=CheckSpec("cluster", (PODS,), retry=True),
)
def extension_agents(facts: Facts) -> Results:
    """The agents of Arc are in azure-arc, those of AKS in kube-system."""
    known = KNOWN["agents"][facts.cluster.type.lower()]
    namespace, prefixes = known["namespace"], tuple(known["names"])
    pods = [pod for pod in facts[PODS] if namespace_of(pod) == namespace and name_of(pod).startswith(prefixes)]
    for failure in find_failures(pods):
        explanation = explain_failure(failures=(failure,))[0]
        where = f" on {failure.node}" if failure.node else ""
        message = f"{failure.name} in {namespace} is not running{where}: {failure.text}"
        fix = f"kubectl describe pod -n {namespace} {failure.name}"
        yield explained_problem(explanation, failure.name, message, found=failure.reason, fix=fix)
    if not pods:
        yield Observation(f"no agents in {namespace} yet")
        return
    yield Observation(f"{count(len(pods), 'pod')} in {namespace}")


def _openshift_constraints(facts: Facts) -> Results:
    """Where the security context constraints of OpenShift can be read, they decide."""
    known = KNOWN["openshift"]
    constraints = facts.get(CONSTRAINTS) or {}
    granted = known["group"] in (constraints.get("groups") or []) or any(
        str(user).startswith(known["account"]) for user in constraints.get("users") or []
    )
    findings = [finding for finding in evaluate_setting_rules(facts) if finding.id == "F115"]
    if not findings:
        yield Observation("not OpenShift")
        return
    if not granted:
        yield from findings


openshift_constraints = Check(
    "F115",
    "OpenShift security context",
    Severity.WARNING,
    CheckSpec("cluster", (CLUSTER,), (CONSTRAINTS, EXTENSIONS), clusters=ARC),
    lambda facts: (constraint for constraint in _openshift_constraints(facts) if not isinstance(constraint, Problem)),
)


def can_add_nodes(facts: Facts) -> bool:
    """Whether auto-provisioning, or the autoscaler of a pool that takes the extension's pods, can add nodes."""
    properties = properties_of(facts.get(CLUSTER))
    if adds_nodes(properties):
        return True
    placement = system_placement(settings_of(facts).config)
    pools = pools_from_profiles(properties.get("agentPoolProfiles") or ())
    return any(pool.max_count > pool.count and takes_pods(pool.template, placement) for pool in pools)


def _usable(facts: Facts) -> str:
    nodes = facts.get(NODES)
    if nodes is None:
        return ""
    usable = free_capacity(nodes, (), settings_of(facts).config).nodes
    return f"{usable} of {count(len(nodes), 'node')} usable"


def _amount(resource: str, value: int) -> str:
    return f"{format_amount(resource, value)} {'CPU' if resource == 'cpu' else resource}"


def _ready_nodes(facts: Facts) -> list[Object]:
    usable = {node.name for node in nodes_from_objects(facts[NODES]) if not node.state and node.os == "linux"}
    return [node for node in facts[NODES] if name_of(node) in usable]


def _as_empty(node: Object) -> Object:
    """The node without taints, with all of its capacity allocatable."""
    status = node.get("status") or {}
    return {**node, "spec": {}, "status": {**status, "allocatable": status.get("capacity")}}


def _add_nodes(facts: Facts) -> str:
    if not facts.cluster.is_aks:
        return "Add nodes, or use larger ones."
    pools = properties_of(facts.get(CLUSTER)).get("agentPoolProfiles") or ()
    names = {str(pool.get("name")) for pool in pools}
    name = next(name for name in ("azureml", *(f"azureml{number}" for number in range(2, 100))) if name not in names)
    cluster = facts.cluster
    return f"az aks nodepool add -g {cluster.resource_group} --cluster-name {cluster.name} -n {name} --node-count 3"
