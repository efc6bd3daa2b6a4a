"""The cluster in Azure: whether it is there, runs, is connected, and how it reaches out."""

from __future__ import annotations

from collections.abc import Iterator

from azext_amlk8s.checks import installation
from azext_amlk8s.checks.facts import Facts, Unseen, seen
from azext_amlk8s.checks.model import AKS, ARC, Check
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.cluster_rules import F105, F106, F107, F108, F109

OUTBOUND = load("checks")["outbound"]
PAGES = "https://learn.microsoft.com/azure/aks/"
PROXY = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"

K201 = Rule("K201", Severity.ERROR, "The cluster is there.", PAGES)
K202 = Rule("K202", Severity.WARNING, "The way out is open for what the extension talks to.", OUTBOUND["source"])
K203 = Rule("K203", Severity.WARNING, "A proxy is not asked for what is on the node itself.", PROXY)
K204 = Rule(
    "K204", Severity.WARNING, "The nodes may pull from Microsoft's registry.", f"{PAGES}concepts-network-isolated"
)


def is_there(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7a: ResourceNotFound is a wrong group or a wrong type."""
    if isinstance(facts.cluster, Unseen):
        place = facts.place
        fix = facts.cluster.fix or ("az aks list -o table" if place.is_aks else "az connectedk8s list -o table")
        yield K201.finding(place.cluster, facts.cluster.why, required=place.cluster_type, fix=fix)


def way_out(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7b, 7c (E45003): what the firewall must let through cannot be seen, the way can."""
    told = (facts.cluster.get("properties") or {}).get("networkProfile") or {}
    kind = str(told.get("outboundType") or "")
    if kind.lower() in OUTBOUND["closed"]:
        hosts = ", ".join(hosts_of(facts))
        message = f"{facts.place.cluster} reaches out by {kind}; the firewall there must let through {hosts}."
        fix = "kubectl run out --rm -it --restart=Never --image=mcr.microsoft.com/azure-cli -- curl -sSI https://mcr.microsoft.com"
        yield K202.finding(facts.place.cluster, message, required="HTTPS to these hosts", found=kind, fix=fix)


def hosts_of(facts: Facts) -> list[str]:
    """The hosts that the extension talks to, with the cluster's location filled in."""
    location = str((seen(facts.cluster) or {}).get("location") or "LOCATION")
    hosts = [*OUTBOUND["hosts"], *([] if facts.place.is_aks else OUTBOUND["hostsOnArc"])]
    return [one.replace("LOCATION", location) for one in hosts]


def proxy_is_passed_by(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 6.2: job 137 is a skip range without 127.0.0.1."""
    if facts.place.is_aks:
        told = (facts.cluster.get("properties") or {}).get("httpProxyConfig") or {}
        proxy, passed_by = told.get("httpsProxy") or told.get("httpProxy"), told.get("noProxy") or []
        fix = f"az aks update {facts.place.az} --http-proxy-config FILE"
    else:
        told = (seen(facts.agents) or {}).get("data") or {}
        proxy, passed_by = told.get("HTTPS_PROXY") or told.get("HTTP_PROXY"), str(told.get("NO_PROXY") or "").split(",")
        fix = f"az connectedk8s update {facts.place.az} --proxy-skip-range RANGES,127.0.0.1,localhost"
    missing = [one for one in OUTBOUND["noProxy"] if one not in [str(word).strip() for word in passed_by]]
    if proxy and missing:
        message = f"The proxy is asked for {' and '.join(missing)} too; jobs would end with 137."
        yield K203.finding("proxy", message, required=", ".join(missing), found=", ".join(passed_by), fix=fix)


def registry(facts: Facts) -> Iterator[Finding]:
    """A network-isolated AKS cluster pulls from a cache in a registry of one's own, which may lack our images."""
    told = (facts.cluster.get("properties") or {}).get("bootstrapProfile") or {}
    if str(told.get("artifactSource") or "").lower() == "cache":
        own = str(told.get("containerRegistryId") or "").rsplit("/", 1)[-1]
        message = f"The nodes pull from the registry {own}; it must cache mcr.microsoft.com/azureml/*."
        fix = f"az acr cache create -r {own} -n azureml -s mcr.microsoft.com/azureml/* -t azureml/*"
        yield K204.finding(own, message, required="a cache rule", found="artifactSource Cache", fix=fix)


CHECKS = (
    Check(K201, "azure", is_there, wants=("cluster",)),
    installation.check(F107, "azure", ("cluster",), clusters=AKS, retry=True),
    installation.check(F108, "azure", ("cluster",), retry=True),
    installation.check(F109, "azure", ("cluster",), clusters=AKS),
    installation.check(F105, "azure", ("cluster",), clusters=ARC, retry=True),
    installation.check(F106, "azure", ("cluster",), clusters=ARC),
    Check(K202, "azure", way_out, ("cluster",), clusters=AKS),
    Check(K203, "azure", proxy_is_passed_by, ("cluster",), ("agents",)),
    Check(K204, "azure", registry, ("cluster",), clusters=AKS),
)
