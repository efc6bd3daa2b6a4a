"""The cluster in Azure: whether it exists, runs and is connected, and its outbound access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from azext_amlk8s.checks.facts import (
    AKS,
    ARC,
    ARC_AGENTS,
    CLOUD,
    CLUSTER,
    EXTENSIONS,
    WORKSPACE,
    Facts,
    Object,
    properties_of,
    state_of,
)
from azext_amlk8s.checks.installation import evaluate_setting_rules, setting_check, settings_of
from azext_amlk8s.checks.model import Check
from azext_amlk8s.knowledge import load
from azext_amlk8s.knowledge.clouds import SCENARIOS, Endpoint, outbound_endpoints
from azext_amlk8s.rules import CheckSpec, Finding, Observation, Problem, Results, Severity, Unavailable, rule
from azext_amlk8s.shell import join
from azext_amlk8s.values import region_name

OUTBOUND = load("checks")["outbound"]
PAGES = "https://learn.microsoft.com/azure/aks/"
PROXY = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"


@rule(
    "K201",
    Severity.ERROR,
    title="Cluster resource",
    requires="The cluster exists in this resource group and has this cluster type.",
    source=PAGES,
    check=CheckSpec("azure", uses=(CLUSTER,)),
)
def cluster_exists(facts: Facts) -> Results:
    """ResourceNotFound means another resource group or another cluster type."""
    cluster = facts.state(CLUSTER)
    if isinstance(cluster, Unavailable):
        fix = cluster.fix or ("az aks list -o table" if facts.cluster.is_aks else "az connectedk8s list -o table")
        yield Problem(facts.cluster.name, cluster.reason, facts.cluster.type, fix=fix)
    else:
        kind = "AKS" if facts.cluster.is_aks else "Arc-connected"
        yield Observation(f"{kind}, {cluster.get('location') or 'unknown location'}")


def _arc_connection(facts: Facts) -> Iterator[Finding | Observation]:
    """Offline with the last heartbeat, Expired with the date of the certificate, Connecting with the advice to wait."""
    properties, name = properties_of(facts[CLUSTER]), facts.cluster.name
    state = str(properties.get("connectivityStatus") or "")
    heartbeat = str(properties.get("lastConnectivityTime") or "")
    expiry = str(properties.get("managedIdentityCertificateExpirationTime") or "")[:10]
    details = {
        "offline": (
            f"Cluster '{name}' is Offline in Azure Arc{f'; last heartbeat {heartbeat}' if heartbeat else ''}.",
            "kubectl get pods -n azure-arc\nkubectl logs -n azure-arc deployment/clusterconnect-agent --all-containers",
        ),
        "expired": (
            f"The certificate of cluster '{name}' in Azure Arc expired{f' on {expiry}' if expiry else ''}; connect the "
            "cluster again.",
            f"az connectedk8s delete {facts.cluster.az_args}\naz connectedk8s connect {facts.cluster.az_args}",
        ),
        "connecting": (
            f"Cluster '{name}' is Connecting to Azure Arc; its agents have not reported yet.",
            "Wait some minutes, and check again.",
        ),
    }
    for finding in (finding for finding in evaluate_setting_rules(facts) if finding.id == "F105"):
        message, fix = details.get(state.lower(), (finding.message, finding.fix))
        yield replace(finding, message=message, fix=fix)
    yield Observation(f"{state}{f', last heartbeat {heartbeat}' if heartbeat else ''}")


def _provisioning_state(facts: Facts) -> Iterator[Finding | Observation]:
    """A failed cluster, one that is being deleted, and one with an operation in progress."""
    state, name = state_of(facts[CLUSTER]), facts.cluster.name
    for finding in (finding for finding in evaluate_setting_rules(facts) if finding.id == "F108"):
        if state.lower() == "deleting":
            message = f"Cluster '{name}' is being deleted; nothing can be installed on it."
            fix = "Use another cluster, or create the cluster again."
            yield replace(finding, severity=Severity.ERROR, message=message, fix=fix)
        elif state.lower() in ("failed", "canceled") or not facts.cluster.is_aks:
            yield finding
        else:
            message = f"Cluster '{name}' is {state}: an operation is in progress; changes are refused until it ends."
            yield replace(finding, message=message, fix=f"az aks wait {facts.cluster.az_args} --updated")
    yield Observation(state)


power_state = setting_check(
    "F107",
    "Power state",
    CheckSpec("azure", (CLUSTER,), retry=True, clusters=AKS),
    observe=lambda facts: str((properties_of(facts[CLUSTER]).get("powerState") or {}).get("code") or ""),
)
provisioning_state = Check(
    "F108",
    "Provisioning state",
    Severity.WARNING,
    CheckSpec("azure", (CLUSTER,), retry=True),
    _provisioning_state,
)
identity = setting_check("F109", "Cluster identity", CheckSpec("azure", (CLUSTER,), clusters=AKS))
arc_connection = Check(
    "F105",
    "Arc connection",
    Severity.ERROR,
    CheckSpec("azure", (CLUSTER,), retry=True, clusters=ARC),
    _arc_connection,
)
arc_agents = setting_check(
    "F106",
    "Arc agent version",
    CheckSpec("azure", (CLUSTER,), clusters=ARC),
    Severity.WARNING,
    lambda facts: str(properties_of(facts[CLUSTER]).get("agentVersion") or ""),
)


@rule(
    "K202",
    Severity.WARNING,
    title="Outbound access",
    requires="The network allows HTTPS to the hosts that the extension uses.",
    source=OUTBOUND["source"],
    why="Images cannot be pulled and jobs are not received.",
    check=CheckSpec("azure", (CLUSTER, CLOUD), (EXTENSIONS, WORKSPACE), clusters=AKS),
)
def outbound_access(facts: Facts) -> Results:
    """Azure does not know what a firewall allows, but it knows whether one is in between."""
    outbound = str((properties_of(facts[CLUSTER]).get("networkProfile") or {}).get("outboundType") or "")
    if outbound.lower() in OUTBOUND["closed"]:
        hosts = ", ".join(endpoint.host for endpoint in required_endpoints(facts) if not endpoint.optional)
        message = f"Outbound type {outbound}: the firewall must allow HTTPS to {hosts}."
        images = facts[CLOUD].images
        fix = (
            f"kubectl run outbound-test --rm -it --restart=Never --image={images}/azure-cli "
            f"-- curl -sSI https://{images}"
        )
        yield Problem(facts.cluster.name, message, "HTTPS to these hosts", outbound, fix)
    elif outbound:
        yield Observation(outbound)


def required_endpoints(facts: Facts) -> list[Endpoint]:
    """What the cluster must reach in its cloud for the enabled scenarios, with the names that are known."""
    settings, workspace = settings_of(facts), properties_of(facts.get(WORKSPACE))
    scenarios = [
        scenario for scenario in SCENARIOS if settings.is_enabled(f"enable{scenario.capitalize()}")
    ] or SCENARIOS
    return outbound_endpoints(
        facts[CLOUD],
        facts.cluster.type,
        scenarios,
        region=region_name(str((facts.get(CLUSTER) or {}).get("location") or "")),
        workspace=str(workspace.get("workspaceId") or ""),
        account=str(workspace.get("storageAccount") or "").rsplit("/", 1)[-1],
        acr=str(workspace.get("containerRegistry") or "").rsplit("/", 1)[-1],
    )


@rule(
    "K203",
    Severity.WARNING,
    title="noProxy covers node addresses",
    requires="noProxy contains 127.0.0.1 and localhost where the cluster uses a proxy.",
    source=PROXY,
    why="Jobs end with exit code 137.",
    check=CheckSpec("azure", (CLUSTER,), (ARC_AGENTS,)),
)
def no_proxy(facts: Facts) -> Results:
    """AKS keeps its proxy in the cluster resource, Arc in the configuration of its agents."""
    proxy, excluded = _proxy_of_aks(facts[CLUSTER]) if facts.cluster.is_aks else _proxy_of_arc(facts.get(ARC_AGENTS))
    if not proxy:
        yield Observation("no proxy")
        return
    missing = [host for host in OUTBOUND["noProxy"] if host not in excluded]
    if not missing:
        yield Observation(", ".join(excluded))
        return
    message = f"noProxy lacks {' and '.join(missing)}; jobs would end with exit code 137."
    fix = f"Add {' and '.join(missing)} to httpProxyConfig.noProxy of the cluster."
    if not facts.cluster.is_aks:
        ranges = ",".join([*excluded, *missing])
        fix = f"az connectedk8s update {facts.cluster.az_args} {join(['--proxy-skip-range', ranges])}"
    yield Problem("noProxy", message, ", ".join(missing), ", ".join(excluded), fix)


def _proxy_of_aks(cluster: Object) -> tuple[str, list[str]]:
    config = properties_of(cluster).get("httpProxyConfig") or {}
    return str(config.get("httpsProxy") or config.get("httpProxy") or ""), [
        str(address) for address in config.get("noProxy") or ()
    ]


def _proxy_of_arc(agents: Object | None) -> tuple[str, list[str]]:
    data = (agents or {}).get("data") or {}
    excluded = [host.strip() for host in str(data.get("NO_PROXY") or "").split(",") if host.strip()]
    return str(data.get("HTTPS_PROXY") or data.get("HTTP_PROXY") or ""), excluded


@rule(
    "K204",
    Severity.WARNING,
    title="Image cache",
    requires="A registry from which isolated nodes pull has a cache rule for the images of azureml.",
    source=f"{PAGES}concepts-network-isolated",
    why="Images of the extension cannot be pulled.",
    check=CheckSpec("azure", (CLUSTER, CLOUD), clusters=AKS),
)
def image_cache(facts: Facts) -> Results:
    """A network-isolated AKS cluster pulls through a registry of the user."""
    images, profile = facts[CLOUD].images, properties_of(facts[CLUSTER]).get("bootstrapProfile") or {}
    if str(profile.get("artifactSource") or "").lower() != "cache":
        yield Observation(f"nodes pull from {images}")
        return
    registry = str(profile.get("containerRegistryId") or "").rsplit("/", 1)[-1]
    message = f"The nodes pull through the registry '{registry}', which must cache {images}/azureml/*."
    fix = f"az acr cache create {join(['-r', registry])} -n azureml -s '{images}/azureml/*' -t 'azureml/*'"
    yield Problem(registry, message, "a cache rule", "artifactSource Cache", fix)
