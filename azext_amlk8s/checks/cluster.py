"""The cluster itself: whether it answers, its nodes, its room, and what stands in the way of an installation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.checks import conflicts, installation
from azext_amlk8s.checks.explained import explained
from azext_amlk8s.checks.facts import Facts, Inapplicable, Unseen, name_of, namespace_of, seen
from azext_amlk8s.checks.model import ARC, Check, When
from azext_amlk8s.checks.room import Room, footprint, room_of
from azext_amlk8s.diagnosis import explain_failure, find_failures
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.scheduling.amounts import format_amount
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.settings.cluster_rules import F101, F102, F114, F115, F118, F119

TOLD = load("checks")
CONNECT = "https://learn.microsoft.com/azure/azure-arc/kubernetes/cluster-connect"
NODES = "https://kubernetes.io/docs/concepts/architecture/nodes/"
AML = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
SEES = ("nodes", "pods", "events", "controllers", "namespaces", "health", "instance_types")

K301 = Rule("K301", Severity.ERROR, "The cluster can be looked into from here.", CONNECT)
K302 = Rule("K302", Severity.WARNING, "You may read in the cluster what tells of its health.", CONNECT)
K303 = Rule("K303", Severity.WARNING, "Every node is Ready.", NODES)
K304 = Rule("K304", Severity.WARNING, "The nodes have 4 vCPU and 8 GB together.", TOLD["recommended"]["source"])
K305 = Rule("K305", Severity.ERROR, "The nodes have room for what the extension's pods request.", AML)
K306 = Rule("K306", Severity.ERROR, "The agents that install extensions run.", AML)


def answers(facts: Facts) -> Iterator[Finding]:
    """Issues of users: everything that explains a failure stands in the cluster."""
    if isinstance(facts.kubernetes, Unseen):
        if isinstance(facts.cluster, Unseen):
            raise Inapplicable("the cluster cannot be read")
        place = facts.place
        fix = "kubectl cluster-info" if place.is_aks else f"az connectedk8s proxy {place.az}   # leave it running"
        yield K301.finding(place.cluster, facts.kubernetes.why, required="a kubeconfig that leads there", fix=fix)


def may_read(facts: Facts) -> Iterator[Finding]:
    """What was refused is said, since the checks on it are left out."""
    hidden = {name: value for name in SEES if isinstance(value := getattr(facts, name), Unseen)}
    if hidden:
        why = [*hidden.values()][0].why
        message = f"What the cluster says of {', '.join(hidden)} cannot be read: {why}"
        yield K302.finding("cluster", message, found=", ".join(hidden), fix="kubectl auth can-i --list")


def nodes_are_ready(facts: Facts) -> Iterator[Finding]:
    """A node that is not Ready takes no pod, and its daemon sets never become ready."""
    for node in nodes_from_objects(facts.nodes):
        if node.state:
            message = f"The node {node.name} {node.state}."
            fix = f"kubectl describe node {node.name}" if "Ready" in node.state else f"kubectl uncordon {node.name}"
            yield K303.finding(node.name, message, required="Ready", found=node.state, fix=fix)


def large_enough(facts: Facts) -> Iterator[Finding]:
    """Seed page, prerequisites: the recommended minimum, measured by the nodes' capacity."""
    room = room_of([_whole(one) for one in _ready(facts)], (), {})
    wanted = Room(TOLD["recommended"]["cpuMillicores"], TOLD["recommended"]["memoryBytes"] * 1000)
    if room.cpu < wanted.cpu or room.memory < wanted.memory:
        message = f"{facts.place.cluster} has {room.words}, and 4 vCPU and 8 GB are recommended at least."
        yield K304.finding(facts.place.cluster, message, required=wanted.words, found=room.words, fix=_more(facts))


def room_is_left(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 6 item 12: the published footprint, against what other pods have left."""
    settings = installation.settings_of(facts)
    free = room_of(facts.nodes, facts.pods, settings.config)
    needs = footprint(settings, free.nodes)
    lacking = [word for word in ("cpu", "memory") if getattr(free, word) < getattr(needs, word)]
    if not lacking or not free.nodes:
        return
    told = " and ".join(f"{format_amount(one, getattr(free, one))} of {one} free" for one in lacking)
    asked = " and ".join(f"{format_amount(one, getattr(needs, one))} of {one}" for one in lacking)
    message = f"The extension's pods request {asked}, and the nodes that can take them have {told}."
    yield K305.finding(facts.place.cluster, message, required=needs.words, found=free.words, fix=_more(facts))


def agents_run(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 rows 5 and 22: agents that do not run report nothing, and install nothing."""
    told = TOLD["agents"][facts.place.cluster_type.lower()]
    pods = [
        pod
        for pod in facts.pods
        if namespace_of(pod) == told["namespace"] and name_of(pod).startswith(tuple(told["names"]))
    ]
    for one in find_failures(pods):
        found = explain_failure(failures=(one,))[0]
        where = f" on {one.node}" if one.node else ""
        message = f"{one.name} in {told['namespace']} does not run{where}: {one.text}"
        fix = f"kubectl describe pod -n {told['namespace']} {one.name}"
        yield explained(K306, found, one.name, message, found=one.reason, fix=fix)


def constraints(facts: Facts) -> Iterator[Finding]:
    """Seed page, prerequisites: security context constraints of OpenShift; where they are seen, they decide."""
    told = TOLD["openshift"]
    there = seen(facts.constraints) or {}
    granted = told["group"] in (there.get("groups") or []) or any(
        str(user).startswith(told["account"]) for user in there.get("users") or []
    )
    if not granted:
        yield from installation.check(F115, "cluster", ()).judge(facts)


def _ready(facts: Facts) -> list[Mapping[str, Any]]:
    good = {node.name for node in nodes_from_objects(facts.nodes) if not node.state and node.os == "linux"}
    return [one for one in facts.nodes if name_of(one) in good]


def _whole(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node that offers all that it has, to everybody."""
    status = node.get("status") or {}
    return {**node, "spec": {}, "status": {**status, "allocatable": status.get("capacity")}}


def _more(facts: Facts) -> str:
    place = facts.place
    if not place.is_aks:
        return "Add nodes, or larger ones."
    return f"az aks nodepool add --cluster-name {place.cluster} -g {place.group} -n NAME --node-count 3"


CHECKS = (
    Check(K301, "cluster", answers, wants=("kubernetes", "cluster")),
    Check(K302, "cluster", may_read, ("kubernetes",), SEES),
    Check(K303, "cluster", nodes_are_ready, ("nodes",), retry=True),
    Check(K304, "cluster", large_enough, ("nodes",), when=When.BEFORE),
    *(
        installation.check(rule, "cluster", ("cluster",), wants=("nodes",), when=When.BEFORE)
        for rule in (F101, F102, F114, F118, F119)
    ),
    Check(K305, "cluster", room_is_left, ("nodes", "pods"), ("extensions",), When.BEFORE),
    Check(K306, "cluster", agents_run, ("pods",), retry=True),
    Check(F115, "cluster", constraints, ("cluster",), ("constraints", "extensions"), clusters=ARC),
    *conflicts.CHECKS,
)
