"""What will become a problem: outdated versions, versions that will be dropped, credentials that expire or changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.checks.extension import extension_ref
from azext_amlk8s.checks.facts import (
    AKS,
    ARC,
    ARC_CERTIFICATE,
    AVAILABLE_VERSIONS,
    CLUSTER,
    EXTENSIONS,
    INSTALLED,
    KUBERNETES_VERSIONS,
    RELAY_KEY,
    Facts,
    count,
    installed_extension,
    properties_of,
)
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import CheckSpec, NotApplicable, Observation, Problem, Results, Severity, rule
from azext_amlk8s.settings.certificate_rules import SOON_DAYS
from azext_amlk8s.settings.releases import is_older, running_version, sorted_versions, version_key
from azext_amlk8s.shell import join

UPGRADES = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
VERSIONS = "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions"
ARC_PAGE = "https://learn.microsoft.com/azure/azure-arc/kubernetes/faq"
RELAY_PAGE = "https://learn.microsoft.com/azure/azure-relay/relay-authentication-and-authorization"
OFFICIAL = "kubernetesofficial"


@rule(
    "K410",
    Severity.WARNING,
    title="Extension version",
    requires="The extension runs the newest version that Azure offers for the cluster.",
    source=UPGRADES,
    why="Fixes and support are for recent versions.",
    check=CheckSpec("extension", (EXTENSIONS, AVAILABLE_VERSIONS), phase=INSTALLED),
)
def outdated_version(facts: Facts) -> Results:
    """With automatic upgrades Azure installs newer versions by itself."""
    extension = installed_extension(facts)
    running = running_version(extension)
    offered = sorted_versions(str(properties_of(each).get("version") or "") for each in facts[AVAILABLE_VERSIONS])
    if not offered or not is_older(running, offered[-1]):
        yield Observation(running or "unknown")
        return
    newer = [version for version in offered if is_older(running, version)]
    automatic = properties_of(extension).get("autoUpgradeMinorVersion") is not False
    word = "on" if automatic else "off"
    message = (
        f"The extension runs version {running}; {count(len(newer), 'newer version')} up to {newer[-1]} "
        f"{'is' if len(newer) == 1 else 'are'} available, and automatic upgrades are {word}."
    )
    fix = f"az amlk8s extension upgrade {extension_ref(facts).cli_args}"
    yield Problem(extension_ref(facts).name, message, newer[-1], running, fix)


@rule(
    "K411",
    Severity.INFO,
    title="Automatic upgrades",
    requires="Azure installs newer minor versions of the extension by itself.",
    source=UPGRADES,
    why="A version that is kept becomes outdated.",
    follows=("K410",),
    check=CheckSpec("extension", (EXTENSIONS,), phase=INSTALLED),
)
def automatic_upgrades(facts: Facts) -> Results:
    """An information: many keep a version on purpose."""
    properties = properties_of(installed_extension(facts))
    if properties.get("autoUpgradeMinorVersion") is False:
        version = properties.get("version") or properties.get("currentVersion")
        message = f"Automatic upgrades are off; version {version} is kept until it is upgraded."
        fix = f"az amlk8s extension update {extension_ref(facts).cli_args} --auto-upgrade true"
        yield Problem(extension_ref(facts).name, message, "on", "off", fix)
    else:
        yield Observation("on")


@rule(
    "K412",
    Severity.WARNING,
    title="End of Kubernetes support",
    requires="AKS supports the version of Kubernetes beyond the coming months.",
    source=VERSIONS,
    why="Azure Machine Learning supports the versions that AKS supports.",
    follows=("K206",),
    check=CheckSpec("azure", (CLUSTER, KUBERNETES_VERSIONS), phase=INSTALLED, clusters=AKS),
)
def end_of_support(facts: Facts) -> Results:
    """The live list of AKS decides which version is dropped next; its date is data."""
    properties = properties_of(facts[CLUSTER])
    version = str(properties.get("currentKubernetesVersion") or properties.get("kubernetesVersion") or "")
    minor = ".".join(version.split(".")[:2])
    offered = facts[KUBERNETES_VERSIONS]
    supported = _official_versions(offered or {})
    if not minor or not supported:
        raise NotApplicable("the supported versions of Kubernetes are not known")
    dates = load("kubernetes_support")["aks"].get(minor, {})
    end, long_term_end = dates.get("end", ""), dates.get("longTermSupportEnd", "")
    fix = f"az aks upgrade {facts.cluster.az_args} --kubernetes-version {supported[-1]}"
    if minor not in supported:
        ended = f"ended on {end}" if end else "has ended"
        long_term = f" Long-term support, where it is enabled, ends on {long_term_end}." if long_term_end else ""
        message = f"Standard support of Kubernetes {minor} on AKS {ended}.{long_term}"
        if is_older(minor, supported[0]):
            yield Problem(facts.cluster.name, message, supported[0], version, fix)
    elif minor == supported[0] and len(supported) > 1:
        message = f"Kubernetes {minor} is the oldest version that AKS supports, and is dropped next" + (
            f" (announced for {end})." if end else "."
        )
        yield Problem(facts.cluster.name, message, supported[-1], version, fix)
    else:
        yield Observation(f"{minor}{f', supported until {end}' if end else ''}")


@rule(
    "K413",
    Severity.WARNING,
    title="Arc identity certificate",
    requires=f"The certificate of the cluster's identity is valid for another {SOON_DAYS} days.",
    source=ARC_PAGE,
    why="The agents renew it while they are connected; after its expiry the cluster must be connected again.",
    check=CheckSpec("azure", (ARC_CERTIFICATE,), phase=INSTALLED, clusters=ARC),
)
def arc_certificate(facts: Facts) -> Results:
    """The one by which the agents of an Arc-connected cluster sign in."""
    certificate = facts[ARC_CERTIFICATE]
    if certificate is None:
        yield Observation("no date known")
        return
    expires, days = certificate
    fix = f"az connectedk8s show {facts.cluster.az_args}"
    if days < 0:
        message = f"The certificate of the cluster's identity expired on {expires}; the agents cannot sign in."
        yield Problem(facts.cluster.name, message, "a valid certificate", expires, fix, severity=Severity.ERROR)
    elif days < SOON_DAYS:
        message = (
            f"The certificate of the cluster's identity expires in {count(days, 'day')}, on {expires}, and the agents "
            "have not renewed it."
        )
        yield Problem(facts.cluster.name, message, f"{SOON_DAYS} days or more", expires, fix)
    else:
        yield Observation(f"valid until {expires}")


@rule(
    "K414",
    Severity.ERROR,
    title="Relay key",
    requires="The cluster has the key that the relay in Azure has now.",
    source=RELAY_PAGE,
    why="With another key the cluster cannot listen, and jobs and endpoints do not reach it.",
    follows=("K405",),
    check=CheckSpec("extension", (EXTENSIONS, RELAY_KEY), phase=INSTALLED, clusters=ARC),
)
def relay_key(facts: Facts) -> Results:
    """Compared with what Helm has deployed; the keys themselves are dropped at once."""
    matches = facts[RELAY_KEY]
    if matches is None:
        raise NotApplicable("the key of the relay cannot be compared")
    if matches:
        yield Observation("the cluster has the current key")
        return
    message = "The key of the relay was rotated in Azure, and the cluster still has another one."
    settings = properties_of(installed_extension(facts)).get("configurationSettings") or {}
    relay = str(settings.get(load("dependencies")["relay"]["pointer"]) or "")
    # An update with relayserver.enabled=True changes nothing: a protected setting is sent only when it is given.
    fix = (
        f"az amlk8s extension update {extension_ref(facts).cli_args} --yes --config-protected "
        f'relayServerConnectionString="$({_list_keys(relay)})"'
    )
    yield Problem("relay", message, "the current key", "another key", fix)


def _list_keys(hybrid_connection: str) -> str:
    """The command that prints the connection string of a hybrid connection, by its resource ID.

    https://learn.microsoft.com/cli/azure/relay/hyco/authorization-rule/keys
    """
    segments = hybrid_connection.strip("/").split("/")
    subscription, group, namespace, name = (segments[index] for index in (1, 3, 7, 9))
    options = join(
        ["-g", group, "--namespace-name", namespace, "--hybrid-connection-name", name, "-n", "azureml_rw"]
        + ["--subscription", subscription, "--query", "primaryConnectionString", "-o", "tsv"]
    )
    return f"az relay hyco authorization-rule keys list {options}"


def _official_versions(offered: Mapping[str, Any]) -> Sequence[str]:
    """The minor versions with standard support from the oldest to the newest, without previews."""
    versions = [
        str(entry.get("version"))
        for entry in offered.get("values") or ()
        if not entry.get("isPreview")
        and OFFICIAL in [str(plan).lower() for plan in (entry.get("capabilities") or {}).get("supportPlan") or ()]
    ]
    return sorted(versions, key=version_key)
