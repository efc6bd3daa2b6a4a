"""Rules over an AKS cluster that is to be attached."""

from __future__ import annotations

from collections.abc import Sequence

from azext_amlk8s import knowledge
from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.model import ATTACH_GUIDE, COMPUTE_TROUBLESHOOTING, AttachFacts, AttachRequest, Resource
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.shell import join

KUBERNETES_VERSIONS = "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions"
# The longest name that AKS accepts for a role binding of Trusted Access.
LONGEST_BINDING_NAME = 24


@rule(
    "C111",
    Severity.ERROR,
    title="Power state of the cluster",
    requires="An AKS cluster must be running when it is attached.",
    source=COMPUTE_TROUBLESHOOTING,
)
def stopped_cluster(request: AttachRequest, facts: AttachFacts) -> Problems:
    """AKS clusters that are stopped."""
    power = str((properties_of(facts.cluster).get("powerState") or {}).get("code") or "")
    if power.lower() == "stopped":
        message = f"Cluster '{request.cluster.name}' is stopped."
        fix = f"az aks start {request.cluster.az_args}"
        yield Problem("cluster", message, expected="Running", found=power, fix=fix)


@rule(
    "C129",
    Severity.WARNING,
    title="Kubernetes version",
    requires="The cluster should run one of the three newest minor versions of Kubernetes that AKS offers.",
    source=KUBERNETES_VERSIONS,
)
def unsupported_kubernetes(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Clusters that run a version older than those."""
    if facts.supported_versions:
        version = str(properties_of(facts.cluster).get("kubernetesVersion") or "")
        supported = ", ".join(facts.supported_versions)
        message = f"Kubernetes {version} is not supported any more; supported versions are {supported}."
        fix = "Upgrade the cluster."
        if request.cluster.is_aks:
            fix = f"az aks upgrade {request.cluster.az_args} --kubernetes-version {facts.supported_versions[-1]}"
        yield Problem("cluster", message, expected=supported, found=version, fix=fix)


@rule(
    "C112",
    Severity.ERROR,
    title="Identity of the cluster",
    requires="An AKS cluster must use a managed identity.",
    source=ATTACH_GUIDE,
)
def service_principal(request: AttachRequest, facts: AttachFacts) -> Problems:
    """AKS clusters that use a service principal."""
    profile = properties_of(facts.cluster).get("servicePrincipalProfile") or {}
    if str(profile.get("clientId") or "msi").lower() != "msi" and not (facts.cluster.get("identity") or {}).get("type"):
        message = f"Cluster '{request.cluster.name}' uses a service principal; expected a managed identity."
        fix = f"az aks update {request.cluster.az_args} --enable-managed-identity"
        yield Problem("cluster", message, expected="a managed identity", found="a service principal", fix=fix)


@rule(
    "C113",
    Severity.ERROR,
    title="Trusted Access for the workspace",
    requires="An AKS cluster without local accounts must grant the workspace Trusted Access.",
    source=ATTACH_GUIDE,
)
def disabled_local_accounts(request: AttachRequest, facts: AttachFacts) -> Problems:
    """AKS clusters whose local accounts are disabled and that have no role binding for the workspace."""
    if properties_of(facts.cluster).get("disableLocalAccounts") and not has_trusted_access(
        facts.workspace, facts.trusted_access
    ):
        cluster = request.cluster
        message = (
            f"Local accounts of cluster '{cluster.name}' are disabled, and workspace '{request.workspace.name}' has no "
            "Trusted Access to it."
        )
        args = ["-g", cluster.resource_group, "--cluster-name", cluster.name]
        args += ["-n", _binding_name(request.workspace.name)]
        args += ["--source-resource-id", str(facts.workspace.get("id")), "--roles", trusted_access_role()]
        fix = f"az aks trustedaccess rolebinding create {join(args)}"
        yield Problem("cluster", message, expected=trusted_access_role(), fix=fix)


@rule(
    "C114",
    Severity.WARNING,
    title="Authorized IP ranges",
    requires="The API server must accept connections from the addresses of Azure Machine Learning.",
    source=ATTACH_GUIDE,
)
def restricted_api_server(request: AttachRequest, facts: AttachFacts) -> Problems:
    """AKS clusters with authorized IP ranges."""
    properties = properties_of(facts.cluster)
    if ranges := (properties.get("apiServerAccessProfile") or {}).get("authorizedIPRanges"):
        count = len(ranges)
        message = (
            f"The API server accepts connections from {count} authorized IP range{'' if count == 1 else 's'} only. "
            "These must include the addresses of Azure Machine Learning."
        )
        location = str(facts.cluster.get("location") or "eastus")
        query = "values[?name=='AzureMachineLearning'].properties.addressPrefixes[]"
        listing = join(["az", "network", "list-service-tags", "-l", location, "--query", query, "-o", "tsv"])
        fix = (
            f"{listing}\nAdd these addresses to the current ones ({', '.join(map(str, ranges))}) with "
            f"az aks update {request.cluster.az_args} --api-server-authorized-ip-ranges."
        )
        yield Problem("cluster", message, found=", ".join(map(str, ranges)), fix=fix)


def trusted_access_role() -> str:
    """The role of a Trusted Access binding that a workspace needs."""
    return str(knowledge.load("roles")["trustedAccess"]["role"])


def has_trusted_access(workspace: Resource, bindings: Sequence[Resource]) -> bool:
    """Whether one of the role bindings of an AKS cluster grants the workspace the role that it needs."""
    source = str(workspace.get("id")).lower()
    return any(
        str(properties_of(binding).get("sourceResourceId")).lower() == source
        and trusted_access_role().lower() in (str(role).lower() for role in properties_of(binding).get("roles") or ())
        for binding in bindings
    )


def find_supported_versions(version: str, offered: Resource) -> tuple[str, ...]:
    """The three newest minor versions that AKS offers, newest first, if `version` is older than them; else nothing.

    offered is AKS's response; previews do not count. Versions that cannot be parsed are never older.
    """
    minors = sorted(
        {
            minor
            for value in offered.get("values") or ()
            if not value.get("isPreview") and (minor := _minor_version(str(value.get("version"))))
        },
        reverse=True,
    )[:3]
    own = _minor_version(version)
    return tuple(f"{major}.{minor}" for major, minor in minors) if minors and own and own < minors[-1] else ()


def _minor_version(version: str) -> tuple[int, int] | None:
    parts = version.lstrip("v").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else None


def _binding_name(workspace: str) -> str:
    """A name for a role binding that AKS accepts."""
    return "".join(character for character in workspace.lower() if character.isalnum() or character == "-")[
        :LONGEST_BINDING_NAME
    ].strip("-")
