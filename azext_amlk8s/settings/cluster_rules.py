"""Rules over settings and the state of the cluster that they are meant for."""

from __future__ import annotations

from azext_amlk8s import knowledge
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.component_rules import AML, RELAY_DOCS
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.option_rules import ARC
from azext_amlk8s.settings.reading_rules import DEPLOY
from azext_amlk8s.settings.setting_rules import TROUBLESHOOT
from azext_amlk8s.shell import quote

AKS = "https://learn.microsoft.com/azure/aks/cluster-extensions"
PROVIDERS = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"
ERROR, WARNING = Severity.ERROR, Severity.WARNING
BUSY = ("creating", "updating", "deleting")


@rule(
    "F103",
    ERROR,
    title="Internal load balancer",
    requires="internalLoadBalancerProvider=azure is used on AKS.",
    source=DEPLOY,
    why="Azure creates no load balancer for an Arc-connected cluster; the installation fails with E40003.",
)
def internal_load_balancer(settings: Settings, facts: ClusterFacts) -> Problems:
    """An internal load balancer of Azure on an Arc-connected cluster."""
    key = "internalLoadBalancerProvider"
    if settings.get(key) and not facts.is_aks:
        message = f"{key}: available on AKS only; cluster '{facts.name}' is Arc-connected."
        yield Problem(key, message, found=facts.cluster_type, fix=f"Leave out {key}.")


@rule(
    "F104",
    WARNING,
    title="Load balancer of the cluster",
    requires="The cluster provides load balancers for inferenceRouterServiceType=loadBalancer.",
    source=DEPLOY,
    why="The service stays pending otherwise, and the installation fails with E40001.",
)
def load_balancer(settings: Settings, facts: ClusterFacts) -> Problems:
    """A distribution that comes without a load balancer, outside a cloud that adds one."""
    clusters = knowledge.load("clusters")
    distribution = (facts.distribution or "").lower()
    without = distribution in clusters["without_load_balancer"]
    in_cloud = (facts.infrastructure or "").lower() in clusters["clouds"]
    key = "inferenceRouterServiceType"
    if settings.get(key) == "loadBalancer" and not facts.is_aks and without and not in_cloud:
        message = f"{key}: clusters of distribution '{distribution}' come without a load balancer."
        yield Problem(key, message, found=distribution, fix=f"--config {key}=nodePort")


@rule(
    "F105",
    ERROR,
    title="Arc connection",
    requires="An Arc-connected cluster is connected.",
    source=ARC,
    why="The agents cannot fetch the extension; it stays in state Creating until it fails.",
)
def arc_connection(settings: Settings, facts: ClusterFacts) -> Problems:
    """A cluster that is offline, connecting or expired."""
    if facts.connectivity and facts.connectivity.lower() != "connected":
        message = f"Cluster '{facts.name}' is {facts.connectivity} in Azure Arc; expected Connected."
        fix = f"az connectedk8s show -n {quote(facts.name)} -g {quote(facts.group)}"
        yield Problem(facts.name, message, "Connected", facts.connectivity, fix)


@rule(
    "F106",
    WARNING,
    title="Version of the Arc agents",
    requires="The Arc agents are recent.",
    source=ARC,
    why="Old agents do not report the state of an extension.",
)
def arc_agents(settings: Settings, facts: ClusterFacts) -> Problems:
    """Agents that are older than the oldest that are known to work."""
    oldest = knowledge.load("clusters")["oldest_agent"]
    if facts.agent_version and _numbers(facts.agent_version) < _numbers(oldest):
        message = (
            f"Arc agents of cluster '{facts.name}' have version {facts.agent_version}; expected {oldest} or later."
        )
        fix = f"az connectedk8s upgrade -n {quote(facts.name)} -g {quote(facts.group)}"
        yield Problem(facts.name, message, oldest, facts.agent_version, fix)


@rule(
    "F107",
    ERROR,
    title="Power state of the cluster",
    requires="An AKS cluster is running.",
    source=AKS,
    why="Nothing can be installed on a stopped cluster.",
)
def power_state(settings: Settings, facts: ClusterFacts) -> Problems:
    """A stopped cluster."""
    if facts.power_state and facts.power_state.lower() != "running":
        message = f"Cluster '{facts.name}' is {facts.power_state}; expected Running."
        fix = f"az aks start -n {quote(facts.name)} -g {quote(facts.group)}"
        yield Problem(facts.name, message, "Running", facts.power_state, fix)


@rule(
    "F108",
    WARNING,
    title="State of the cluster",
    requires="The provisioning state of the cluster is Succeeded.",
    source=AKS,
    why="Azure may reject a change, or the cluster may lack what a failed operation should have made.",
)
def cluster_state(settings: Settings, facts: ClusterFacts) -> Problems:
    """A cluster that is changing or has failed; one that is being deleted is an error."""
    state = facts.provisioning_state
    if state and state.lower() not in ("succeeded", "accepted"):
        message = f"Cluster '{facts.name}' is in state {state}; expected Succeeded."
        name, group = quote(facts.name), quote(facts.group)
        fix = f"az {'aks' if facts.is_aks else 'connectedk8s'} show -n {name} -g {group} --query provisioningState"
        severity = ERROR if state.lower() == "deleting" else None
        yield Problem(facts.name, message, "Succeeded", state, fix, severity=severity)


@rule(
    "F109",
    ERROR,
    title="Managed identity of the cluster",
    requires="An AKS cluster has a managed identity.",
    source=AKS,
    why="Azure supports extensions on clusters with a managed identity only.",
)
def cluster_identity(settings: Settings, facts: ClusterFacts) -> Problems:
    """A cluster with a service principal."""
    if facts.is_aks and facts.service_principal:
        message = f"Cluster '{facts.name}' uses a service principal; extensions need a managed identity."
        fix = f"az aks update -n {quote(facts.name)} -g {quote(facts.group)} --enable-managed-identity"
        yield Problem(facts.name, message, "a managed identity", "a service principal", fix)


@rule(
    "F110",
    ERROR,
    title="Resource providers",
    requires="The resource providers that an installation uses are registered in the subscription.",
    source=PROVIDERS,
    why="Azure rejects requests to a provider that is not registered.",
)
def resource_providers(settings: Settings, facts: ClusterFacts) -> Problems:
    """Providers in another state than Registered."""
    for namespace in needed_providers(settings, facts.cluster_type):
        state = facts.providers.get(namespace.lower())
        if state is not None and state.lower() != "registered":
            message = f"Resource provider '{namespace}' is {state} in this subscription; expected Registered."
            fix = f"az provider register --namespace {namespace} --wait"
            yield Problem(namespace, message, "Registered", state, fix)


@rule(
    "F112",
    ERROR,
    title="Operations on the extension",
    requires="No operation on the extension is in progress.",
    source=ARC,
    why="Azure rejects a change during another one.",
)
def extension_operation(settings: Settings, facts: ClusterFacts) -> Problems:
    """An extension that is being created, updated or deleted."""
    for extension in facts.extensions:
        state = extension.state.lower()
        if extension.type == EXTENSION_TYPE and state in BUSY:
            message = f"Extension '{extension.name}' is {extension.state}; its operation is still in progress."
            until = "deleted" if state == "deleting" else "created"
            fix = f"az amlk8s extension wait {_extension_options(extension.name, facts)} --{until}"
            yield Problem(extension.name, message, found=extension.state, fix=fix)


@rule(
    "F113",
    WARNING,
    title="Failed extension",
    requires="An existing extension is in state Succeeded.",
    source=TROUBLESHOOT,
    why="The cause of its failure may still exist.",
)
def failed_extension(settings: Settings, facts: ClusterFacts) -> Problems:
    """An extension that failed or was canceled."""
    for extension in facts.extensions:
        if extension.type == EXTENSION_TYPE and extension.state.lower() not in (*BUSY, "succeeded"):
            message = f"Extension '{extension.name}' exists in state {extension.state}; expected Succeeded."
            fix = f"az amlk8s extension show {_extension_options(extension.name, facts)}"
            yield Problem(extension.name, message, found=extension.state, fix=fix)


@rule(
    "F115",
    WARNING,
    title="Security context constraints of OpenShift",
    requires="On OpenShift the service accounts of namespace azureml are granted the privileged constraint.",
    source=DEPLOY,
    why="OpenShift does not start the extension's pods otherwise.",
)
def openshift_constraints(settings: Settings, facts: ClusterFacts) -> Problems:
    """An OpenShift cluster."""
    if _is_openshift(facts):
        message = f"Cluster '{facts.name}' is OpenShift: grant the service accounts of namespace azureml their rights."
        fix = "oc adm policy add-scc-to-group privileged system:serviceaccounts:azureml"
        yield Problem(facts.name, message, found="openshift", fix=fix)


@rule(
    "F120",
    WARNING,
    title="Distribution of the cluster",
    requires="openshift agrees with the cluster.",
    source=DEPLOY,
    why="The tool sets openshift by the distribution that Azure reports.",
)
def openshift_setting(settings: Settings, facts: ClusterFacts) -> Problems:
    """openshift=True elsewhere, or openshift=False on OpenShift."""
    given, expected = settings.get("openshift"), _is_openshift(facts)
    if given and (given == "True") != expected and (facts.distribution or facts.is_aks):
        message = f"openshift: '{given}', but cluster '{facts.name}' is {'' if expected else 'not '}OpenShift."
        yield Problem("openshift", message, str(expected), given, "Leave out openshift.")


@rule(
    "F116",
    ERROR,
    title="Relay of Arc-connected clusters",
    requires="relayserver.enabled is not False on an Arc-connected cluster.",
    source=RELAY_DOCS,
    why="Azure Machine Learning reaches such a cluster through the relay.",
)
def arc_relay(settings: Settings, facts: ClusterFacts) -> Problems:
    """A relay that is switched off."""
    key = "relayserver.enabled"
    if not facts.is_aks and settings.get(key) == "False":
        message = f"{key}: 'False' on the Arc-connected cluster '{facts.name}', which needs the relay."
        yield Problem(key, message, expected="True", found="False", fix=f"Leave out {key}.")


@rule(
    "F117",
    ERROR,
    title="Settings for AKS",
    requires="A setting for AKS is used on AKS.",
    source=AML,
    why="It refers to an attachment of AKS that other clusters never had.",
)
def aks_settings(settings: Settings, facts: ClusterFacts) -> Problems:
    """Settings for the migration from an AKS attachment on an Arc-connected cluster."""
    for key in knowledge.load("clusters")["only_on_aks"]:
        if settings.is_enabled(key) and not facts.is_aks:
            message = f"{key}: available on AKS only; cluster '{facts.name}' is Arc-connected."
            yield Problem(key, message, fix=f"Leave out {key}.")


def needed_providers(settings: Settings, cluster_type: str) -> list[str]:
    """The namespaces of the resource providers that an installation with these settings uses."""
    providers: dict[str, list[str]] = knowledge.load("clusters")["providers"]
    on_aks = cluster_type.lower() == "managedclusters"
    reasons = ["always", cluster_type.lower()]
    relay = settings.get("relayserver.enabled", "False" if on_aks else "True") == "True"
    if relay and not settings.get("relayServerConnectionString"):
        reasons.append("relay")
    if settings.is_enabled("logAnalyticsWS") and not settings.get("azure_log_analytics.connection_string"):
        reasons.append("logs")
    if settings.is_enabled("servicebus.enabled") and not settings.get("serviceBusConnectionString"):
        reasons.append("bus")
    return [namespace for reason in reasons for namespace in providers[reason]]


def _extension_options(name: str, facts: ClusterFacts) -> str:
    return f"-g {quote(facts.group)} -c {quote(facts.name)} -t {facts.cluster_type} -n {quote(name)}"


def _is_openshift(facts: ClusterFacts) -> bool:
    return (facts.distribution or "").lower() == "openshift"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())
