"""Whether the extension can be had for this cluster: its region, its type, its version of Kubernetes."""

from __future__ import annotations

from azext_amlk8s.checks.facts import (
    AKS,
    ALWAYS,
    AVAILABLE_TYPE,
    AVAILABLE_VERSIONS,
    BEFORE,
    CLUSTER,
    EXTENSIONS,
    KUBERNETES_VERSIONS,
    Facts,
    find_extension,
    name_some,
    properties_of,
)
from azext_amlk8s.computes import find_supported_versions
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rules import CheckSpec, NotApplicable, Observation, Problem, Results, Severity, Unavailable, rule
from azext_amlk8s.settings.releases import version_key

VERSIONS = "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions"
TYPES_API = "https://learn.microsoft.com/rest/api/kubernetesconfiguration/extension-types/extension-types"


@rule(
    "K205",
    Severity.ERROR,
    title="Extension availability",
    requires="The extension type is available in the region and for the type of the cluster.",
    source=TYPES_API,
    why="The installation fails with ExtensionTypeRegistrationGetFailed.",
    follows_any=("K201",),
    check=CheckSpec("azure", (CLUSTER,), (AVAILABLE_TYPE,), BEFORE),
)
def extension_availability(facts: Facts) -> Results:
    """The extensionTypes API lists for a cluster what it can have; what it does not list is not available."""
    location = str(facts[CLUSTER].get("location") or "")
    kind = "AKS" if facts.cluster.is_aks else "Arc-connected"
    message = f"The extension is not available for {kind} clusters in {location}."
    fix = (
        "Use a cluster in a region that has the extension. To list regions: "
        "https://azure.microsoft.com/explore/global-infrastructure/products-by-region"
    )
    state = facts.state(AVAILABLE_TYPE)
    if isinstance(state, Unavailable):
        if not state.absent or EXTENSION_TYPE not in state.reason.lower():
            raise NotApplicable(f"the extension types of the region cannot be read: {state.reason}")
        yield Problem(facts.cluster.name, message, "the extension type", location, fix)
        return
    supported = [str(name).lower() for name in properties_of(state).get("supportedClusterTypes") or ()]
    if supported and facts.cluster.type.lower() not in supported:
        yield Problem(facts.cluster.name, message, ", ".join(supported), facts.cluster.type, fix)
    else:
        yield Observation(f"available in {location}")


@rule(
    "K208",
    Severity.WARNING,
    title="Version of the extension",
    requires="A version that is requested is one that Azure offers for the cluster.",
    source=TYPES_API,
    why="The installation fails, or installs another version.",
    follows_any=("K201", "K205"),
    check=CheckSpec("azure", (AVAILABLE_VERSIONS,), (EXTENSIONS,), ALWAYS),
)
def extension_version(facts: Facts) -> Results:
    """By the extensionTypes API; without a request, what is installed and what is the newest."""
    offered = sorted(
        (str(properties_of(available_version).get("version") or "") for available_version in facts[AVAILABLE_VERSIONS]),
        key=version_key,
    )
    version = facts.target.version
    if not offered:
        raise NotApplicable("Azure lists no versions")
    if version and version not in offered:
        shown = name_some(offered[:-4:-1], 3)
        message = f"Azure does not list version {version} of the extension for this cluster; the newest are {shown}."
        yield Problem("--version", message, shown, version, f"--version {offered[-1]}")
    installed = str(properties_of(find_extension(facts.get(EXTENSIONS) or ())).get("currentVersion") or "")
    words = [f"installed {installed}"] if installed else []
    yield Observation(", ".join([*words, f"newest {offered[-1]}"]))


@rule(
    "K206",
    Severity.WARNING,
    title="Kubernetes version",
    requires="The version of Kubernetes is one of the three newest minor versions that AKS offers.",
    source=VERSIONS,
    why="Attaching the cluster to a workspace is refused for older versions.",
    check=CheckSpec("azure", (CLUSTER, KUBERNETES_VERSIONS), phase=BEFORE, clusters=AKS),
)
def kubernetes_version(facts: Facts) -> Results:
    """Previews do not count; a version newer than all is left to AKS."""
    properties = properties_of(facts[CLUSTER])
    version = str(properties.get("currentKubernetesVersion") or properties.get("kubernetesVersion") or "")
    offered = facts[KUBERNETES_VERSIONS]
    supported = find_supported_versions(version, offered or {})
    if supported:
        message = f"Kubernetes {version} is older than the versions that are supported: {', '.join(supported)}."
        fix = f"az aks upgrade {facts.cluster.az_args} --kubernetes-version {supported[-1]}"
        yield Problem(facts.cluster.name, message, ", ".join(supported), version, fix)
    elif version:
        yield Observation(version)
