"""Rules over settings and the facts of the cluster that they are meant for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import EXTENSION_TYPE, Settings
from azext_amlk8s.settings.nodes import (
    ROUTERS,
    few_nodes,
    present_nodes,
    reasons_against,
    schedulable_cores,
    schedulable_nodes,
    selector,
)
from azext_amlk8s.settings.rules import AML, ARC, TROUBLES

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
AKS = "https://learn.microsoft.com/azure/aks/cluster-extensions"
Judge = Callable[[Settings, ClusterFacts], Iterator[Finding]]
JUDGES: list[Judge] = []

F101 = Rule("F101", ERROR, "Three routers have three nodes that can take them.", TROUBLES)
F102 = Rule("F102", WARNING, "Where fewer than three nodes can take a router, one router is installed.", TROUBLES)
F103 = Rule("F103", ERROR, "An internal load balancer is asked for on AKS only.", TROUBLES)
F104 = Rule("F104", WARNING, "loadBalancer wants a cluster that provides load balancers.", TROUBLES)
F105 = Rule("F105", ERROR, "An Arc-connected cluster is connected.", ARC)
F106 = Rule("F106", WARNING, "The Arc agents are recent.", ARC)
F107 = Rule("F107", ERROR, "An AKS cluster runs.", AKS)
F108 = Rule("F108", WARNING, "The cluster is in state Succeeded.", AKS)
F109 = Rule("F109", ERROR, "An AKS cluster has a managed identity.", AKS)
F110 = Rule("F110", ERROR, "The resource providers are registered.", ARC)
F111 = Rule("F111", ERROR, "A cluster has one extension of a type.", ARC)
F112 = Rule("F112", ERROR, "Nothing is going on with the extension.", ARC)
F113 = Rule("F113", WARNING, "An extension of this type that failed is looked at first.", TROUBLES)
F114 = Rule("F114", ERROR, "The nodes have the CPU that the extension's pods request.", AML)
F115 = Rule("F115", WARNING, "On OpenShift the extension's service accounts are granted what they need.", AML)
F116 = Rule("F116", ERROR, "An Arc-connected cluster is reached through a relay.", AML)
F117 = Rule("F117", ERROR, "A setting of AKS is used on AKS.", AML)
F118 = Rule("F118", WARNING, "Node pools have the labels of nodeSelector.", TROUBLES)
F119 = Rule("F119", ERROR, "Some Linux nodes can take the extension's pods.", AML)
F120 = Rule("F120", WARNING, "openshift says what the cluster is.", AML)
F121 = Rule("F121", WARNING, "Three routers have three nodes before an autoscaler adds some.", TROUBLES)
# What an update fails for, or is told, whatever it changes: the health check looks at all again.
AT_EVERY_UPDATE = {one.id for one in (F101, F102, F103, F105, F107, F108, F119, F121)}


def judges(function: Judge) -> Judge:
    """Have `judge_facts` ask this rule."""
    JUDGES.append(function)
    return function


def judge_facts(settings: Settings, facts: ClusterFacts) -> tuple[Finding, ...]:
    """All that the rules say of settings on this cluster, in the order of the rules."""
    return tuple(finding for one in JUDGES for finding in one(settings, facts))


def judge_facts_of_update(after: Settings, before: Settings, facts: ClusterFacts) -> tuple[Finding, ...]:
    """What these rules say of the settings after an update and did not say before it; what is judged anew, always."""
    old = set(judge_facts(before, facts))
    return tuple(one for one in judge_facts(after, facts) if one not in old or one.id in AT_EVERY_UPDATE)


@judges
def routers_have_nodes(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Seed page, key considerations; health code E40002; field guide cluster-extension 2.1 step 9, 5 row 3."""
    most, now = schedulable_nodes(settings, facts), present_nodes(settings, facts)
    if not settings.on("enableInference") or not most or now is None or now >= ROUTERS:
        return
    why = "".join(f"; {sentence}" for sentence in _excluded(settings, facts))
    key, fix = "inferenceRouterHA", "--config inferenceRouterHA=False"
    if settings.on(key) and most < ROUTERS:
        message = f"Three routers need three nodes, and {most} of {facts.name} can take them{why}."
        yield F101.finding(key, message, required=str(ROUTERS), found=str(most), fix=fix)
    elif settings.on(key):
        message = f"Three routers need three nodes; until the autoscaler adds some, {now} can take them{why}."
        yield F121.finding(key, message, required=str(ROUTERS), found=str(now), fix=fix)
    elif not settings.get(key):
        message = f"One router is installed instead of three, because {now} of the nodes can take them{why}."
        yield F102.finding(key, message, required=str(ROUTERS), found=str(now), fix=fix)


@judges
def internal_load_balancer(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Health code E40003; field guide cluster-extension 2.1 step 6e: passes elsewhere and fails in the cluster."""
    if settings.get("internalLoadBalancerProvider") and not facts.is_aks:
        message = f"An internal load balancer of Azure is for AKS; {facts.name} is Arc-connected."
        fix = "Leave out internalLoadBalancerProvider."
        yield F103.finding("internalLoadBalancerProvider", message, found=facts.cluster_type, fix=fix)


@judges
def load_balancer(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Seed page, key considerations; health code E40001."""
    told = knowledge.load("clusters")
    distribution = (facts.distribution or "").lower()
    bare = distribution in told["without_load_balancer"] and (facts.infrastructure or "").lower() not in told["clouds"]
    if settings.get("inferenceRouterServiceType") == "loadBalancer" and not facts.is_aks and bare:
        message = (
            f"A cluster of distribution {distribution} has no load balancer of its own, and loadBalancer needs one."
        )
        fix = "--config inferenceRouterServiceType=nodePort"
        yield F104.finding("inferenceRouterServiceType", message, found=distribution, fix=fix)


@judges
def arc_is_connected(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide arm-protocol section 4: connectivityStatus; after connecting it is Connecting for a while."""
    if facts.connectivity and facts.connectivity.lower() != "connected":
        message = f"{facts.name} is {facts.connectivity} to Azure Arc, and must be Connected."
        fix = f"kubectl get pods -n azure-arc   # then: az connectedk8s show -n {facts.name} -g {_group(facts)}"
        yield F105.finding(facts.name, message, required="Connected", found=facts.connectivity, fix=fix)


@judges
def arc_agents(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 5: old agents do not report the status of an extension."""
    oldest = knowledge.load("clusters")["oldest_agent"]
    if facts.agent_version and _numbers(facts.agent_version) < _numbers(oldest):
        message = f"The Arc agents of {facts.name} have version {facts.agent_version}, which is older than {oldest}."
        fix = f"az connectedk8s upgrade -n {facts.name} -g {_group(facts)}"
        yield F106.finding(facts.name, message, required=oldest, found=facts.agent_version, fix=fix)


@judges
def aks_runs(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide arm-protocol section 4: powerState.code is Running or Stopped."""
    if facts.power_state and facts.power_state.lower() != "running":
        message = f"{facts.name} is {facts.power_state}."
        fix = f"az aks start -n {facts.name} -g {_group(facts)}"
        yield F107.finding(facts.name, message, required="Running", found=facts.power_state, fix=fix)


@judges
def cluster_is_settled(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide arm-protocol section 4."""
    state = facts.provisioning_state
    if state and state.lower() not in ("succeeded", "accepted"):
        kind = "aks" if facts.is_aks else "connectedk8s"
        message = f"{facts.name} is in state {state}, not Succeeded."
        fix = f"az {kind} show -n {facts.name} -g {_group(facts)} --query provisioningState"
        yield F108.finding(facts.name, message, required="Succeeded", found=state, fix=fix)


@judges
def aks_identity(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide arm-protocol section 5: extensions are refused on clusters with a service principal."""
    if facts.is_aks and facts.service_principal:
        message = f"{facts.name} uses a service principal; extensions need a managed identity."
        fix = f"az aks update -n {facts.name} -g {_group(facts)} --enable-managed-identity"
        yield F109.finding(facts.name, message, required="a managed identity", found="a service principal", fix=fix)


@judges
def providers(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 13; the peer checks one of them, and warns only."""
    for namespace in needed_providers(settings, facts.cluster_type):
        state = facts.providers.get(namespace.lower())
        if state is not None and state.lower() != "registered":
            message = f"The resource provider {namespace} is {state} in this subscription."
            fix = f"az provider register --namespace {namespace} --wait"
            yield F110.finding(namespace, message, required="Registered", found=state, fix=fix)


@judges
def other_extensions(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 7a, ValidationFailed; section 4: states; 5 row 23: one still terminating."""
    ours = [one for one in facts.extensions if one.type == EXTENSION_TYPE]
    for one in ours:
        show = f"az amlk8s extension show -g {_group(facts)} -c {facts.name} -t {facts.cluster_type} -n {one.name}"
        if one.state.lower() in ("creating", "updating", "deleting"):
            done = "deleted" if one.state.lower() == "deleting" else "created"
            fix = f"{show.replace(' show ', ' wait ')} --{done}"
            yield F112.finding(
                one.name, f"The extension {one.name} is {one.state} at this moment.", found=one.state, fix=fix
            )
        elif one.state.lower() != "succeeded":
            yield F113.finding(
                one.name, f"The extension {one.name} is there, and is {one.state}.", found=one.state, fix=show
            )


@judges
def capacity(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 6 item 12: the published footprint, production with three routers."""
    cores = schedulable_cores(settings, facts)
    on = [word for word in ("training", "inference") if settings.on(f"enable{word.capitalize()}")]
    if cores is None or not on or schedulable_nodes(settings, facts) == 0:
        return
    high = settings.get("inferenceRouterHA", str(not few_nodes(settings, facts))) == "True"
    footprint = knowledge.load("components")["footprint"]["production" if high else "test"]
    needs = footprint["both" if len(on) == 2 else on[0]]
    if cores * 1000 < int(needs["cpu"].rstrip("m")):
        message = (
            f"The extension's pods request {needs['cpu']} CPU, and the nodes that can take them have {cores} cores."
        )
        fix = "--config inferenceRouterHA=False" if high and "inference" in on else "Add nodes, or larger ones."
        yield F114.finding(facts.name, message, required=needs["cpu"], found=f"{cores * 1000}m", fix=fix)


@judges
def openshift(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Seed page, Appendix II; field guide cluster-extension 2.1 step 9: Arc knows the distribution, and it decides."""
    there = (facts.distribution or "").lower() == "openshift"
    if there:
        message = f"{facts.name} is OpenShift: the service accounts of namespace azureml need a security context."
        fix = "oc adm policy add-scc-to-group privileged system:serviceaccounts:azureml"
        yield F115.finding(facts.name, message, found="openshift", fix=fix)
    given = settings.get("openshift")
    if given and (given == "True") != there and (facts.distribution or facts.is_aks):
        what = "is OpenShift" if there else "is not OpenShift"
        message = f"openshift={given} is given, and {facts.name} {what}."
        yield F120.finding("openshift", message, required=str(there), found=given, fix="Leave out openshift.")


@judges
def relay(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 3b: without it an Arc-connected cluster has no link to the cloud."""
    if not facts.is_aks and settings.get("relayserver.enabled") == "False":
        message = (
            f"relayserver.enabled=False cuts {facts.name} off: an Arc-connected cluster is reached through a relay."
        )
        yield F116.finding("relayserver.enabled", message, fix="Leave out relayserver.enabled.")


@judges
def settings_of_aks(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 3b."""
    for key in knowledge.load("clusters")["only_on_aks"]:
        if settings.on(key) and not facts.is_aks:
            message = f"{key} is for AKS clusters; {facts.name} is Arc-connected."
            yield F117.finding(key, message, fix=f"Leave out {key}.")


@judges
def some_nodes(settings: Settings, facts: ClusterFacts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 22: Windows, spot and tainted pools do not take the system's pods.

    A label that ARM does not name may still have been put on the nodes, so a selector of such a label only warns.
    """
    if schedulable_nodes(settings, facts) != 0:
        return
    why = "; ".join(_excluded(settings, facts)) or f"{facts.name} has no nodes"
    bare = Settings({key: value for key, value in settings.config.items() if not key.startswith("nodeSelector.")})
    if schedulable_nodes(bare, facts) == 0:
        fix = f"az aks nodepool add --cluster-name {facts.name} -g {_group(facts)} -n NAME --node-count 3"
        yield F119.finding(facts.name, f"No node of {facts.name} can take the extension's pods: {why}.", fix=fix)
    elif _is_certain(settings, facts):
        fix = f"az aks nodepool list --cluster-name {facts.name} -g {_group(facts)} -o table"
        yield F119.finding("nodeSelector", f"No node of {facts.name} has the labels of nodeSelector: {why}.", fix=fix)
    else:
        fix = "kubectl get nodes --show-labels   # or leave nodeSelector out"
        yield F118.finding("nodeSelector", f"No node pool has the labels of nodeSelector: {why}.", fix=fix)


def _is_certain(settings: Settings, facts: ClusterFacts) -> bool:
    """Whether a label that every pool has, such as agentpool, has another value on each of them."""
    pools = facts.pools or ()
    return any(all(pool.labels.get(key, value) != value for pool in pools) for key, value in selector(settings))


def needed_providers(settings: Settings, cluster_type: str) -> list[str]:
    """The namespaces of the resource providers that an installation with these settings uses."""
    told: dict[str, Any] = knowledge.load("clusters")["providers"]
    names = ["always", cluster_type.lower()]
    on_aks = cluster_type.lower() == "managedclusters"
    wants_relay = settings.get("relayserver.enabled", "False" if on_aks else "True") == "True"
    if wants_relay and not settings.get("relayServerConnectionString"):
        names.append("relay")
    if settings.on("logAnalyticsWS") and not settings.get("azure_log_analytics.connection_string"):
        names.append("logs")
    if settings.on("servicebus.enabled") and not settings.get("serviceBusConnectionString"):
        names.append("bus")
    return [namespace for name in names for namespace in told[name]]


def judge_name(name: str, facts: ClusterFacts) -> tuple[Finding, ...]:
    """A cluster has one extension of our type: under another name it is in the way (field guide 7a)."""
    return tuple(
        F111.finding(
            one.name,
            f"The cluster has the extension already, under the name {one.name} ({one.state}); it can have one only.",
            found=one.name,
            fix=f"--name {one.name}",
        )
        for one in facts.extensions
        if one.type == EXTENSION_TYPE and one.name.lower() != name.lower()
    )


def _excluded(settings: Settings, facts: ClusterFacts) -> list[str]:
    told = [(pool.name, reasons_against(settings, pool)) for pool in facts.pools or ()]
    return [f"pool {name} {' and '.join(reasons)}" for name, reasons in told if reasons]


def _group(facts: ClusterFacts) -> str:
    words = facts.resource_id.split("/")
    return words[4] if len(words) > 4 else "GROUP"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(word) for word in version.split("-")[0].split(".") if word.isdigit())
