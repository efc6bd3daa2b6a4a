"""The facts that checks look at: typed keys, and the values that Azure and the cluster gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from azext_amlk8s.checks.leftover_objects import Leftover
from azext_amlk8s.knowledge.clouds import Cloud
from azext_amlk8s.refs import EXTENSION_TYPE, ClusterRef, WorkspaceRef
from azext_amlk8s.rules import Fact, NotApplicable, Unavailable
from azext_amlk8s.settings import Dependency, Settings

T = TypeVar("T")
Object = Mapping[str, Any]
Objects = Sequence[Object]

BEFORE, INSTALLED, ALWAYS = "before", "installed", "always"
AKS, ARC = "managedClusters", "connectedClusters"
NAMESPACE = "azureml"
DEFAULT_EXTENSION = "azureml"


@dataclass(frozen=True)
class TlsSecret:
    """The secret that sslSecret names: the keys that it has, and when its certificate expires (ISO 8601), if known."""

    name: str
    exists: bool
    keys: tuple[str, ...] = ()
    expires: str = ""
    expired: bool = False


@dataclass(frozen=True)
class CertificateView:
    """The public part of a certificate: when its chain expires (ISO 8601), the days until then, its fingerprint."""

    expires: str
    days_left: int
    sha256: str


@dataclass(frozen=True)
class RouterCertificate:
    """The certificate that the inference router was given, and the one that it serves; None for what is not known."""

    given: CertificateView | None
    served: CertificateView | None
    address: str = ""
    secret: str = ""


@dataclass(frozen=True)
class DryRun:
    """The answer of the API server to an object that it was asked to check, and not to store.

    rejection is its message where admission rejects the object, unknown why it gave no verdict.
    """

    subject: str
    namespace: str
    rejection: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class HostResult:
    """What a pod met on the way to a host over HTTPS.

    stage is where the connection ended: dns, connect, proxy, tls (the certificate is not trusted), handshake, or empty
    for a success. issuer is that of the certificate; proxied says that a proxy was in between.
    """

    host: str
    stage: str = ""
    error: str = ""
    issuer: str = ""
    proxied: bool = False


@dataclass(frozen=True)
class PoolProbe:
    """The probe of a node pool.

    state is done, image (the image could not be pulled), pending, rejected, failed, timeout or skipped; message says
    why. authorities is the number of CAs that the image trusts; proxy is that of the container.
    """

    pool: str
    state: str
    message: str = ""
    node: str = ""
    hosts: tuple[HostResult, ...] = ()
    proxy: str = ""
    authorities: int = 0


# From Azure. FEATURE and RELAY are None where Azure does not know the feature, or where no relay is named.
CLI: Fact[str] = Fact("cli")
CLOUD: Fact[Cloud] = Fact("cloud")
CLUSTER: Fact[Object] = Fact("cluster")
EXTENSIONS: Fact[Objects] = Fact("extensions")
PROVIDERS: Fact[Objects] = Fact("providers")
FEATURE: Fact[Object | None] = Fact("feature")
PERMISSIONS: Fact[Objects] = Fact("permissions")
GROUP_PERMISSIONS: Fact[Objects] = Fact("group_permissions")
LOCKS: Fact[Objects] = Fact("locks")
RELAY: Fact[Object | None] = Fact("relay")
WORKSPACE: Fact[Object] = Fact("workspace")
COMPUTES: Fact[Objects] = Fact("computes")
ASSIGNMENTS: Fact[Mapping[str, Objects]] = Fact("assignments")
TRUSTED_ACCESS: Fact[Objects] = Fact("trusted_access")
# AVAILABLE_TYPE and AVAILABLE_VERSIONS are what the extensionTypes API says for this cluster; KUBERNETES_VERSIONS is
# what AKS offers.
AVAILABLE_TYPE: Fact[Object] = Fact("extension_type")
AVAILABLE_VERSIONS: Fact[Objects] = Fact("extension_versions")
KUBERNETES_VERSIONS: Fact[Object | None] = Fact("kubernetes_versions")
# ARC_CERTIFICATE is the date (ISO 8601) on which the identity of an Arc-connected cluster expires, and the days until
# then. RELAY_KEY says whether the cluster has the key of the relay. Both are None where that is not known.
ARC_CERTIFICATE: Fact[tuple[str, int] | None] = Fact("arc_certificate")
RELAY_KEY: Fact[bool | None] = Fact("relay_key")
LEFTOVER_RESOURCES: Fact[Sequence[Dependency]] = Fact("leftover_resources")

# From the cluster's own API, whole objects of all namespaces. KUBERNETES is the address of the API server; EVENTS and
# HEALTH are of the namespace azureml; CONTROLLERS are Deployments, DaemonSets and StatefulSets with their kind;
# INSTANCE_TYPES is None without the custom resource definition; RELEASES is the metadata of Helm's secrets; WEBHOOKS
# are the configurations of admission webhooks, with their kind; DEFINITIONS and SERVICES are metadata alone;
# TLS_SECRET is None where no secret is named, and never holds the private key; neither does ROUTER_CERTIFICATE, which
# is None where the router does not serve HTTPS.
KUBERNETES: Fact[str] = Fact("kubernetes")
NODES: Fact[Objects] = Fact("nodes")
PODS: Fact[Objects] = Fact("pods")
EVENTS: Fact[Objects] = Fact("events")
QUOTAS: Fact[Objects] = Fact("quotas")
CONTROLLERS: Fact[Objects] = Fact("controllers")
NAMESPACES: Fact[Objects] = Fact("namespaces")
HEALTH: Fact[Object | None] = Fact("health")
INSTANCE_TYPES: Fact[Objects | None] = Fact("instance_types")
VOLCANO: Fact[Object | None] = Fact("volcano")
ROUTER_ROLE: Fact[Object | None] = Fact("router_role")
RELEASES: Fact[Objects] = Fact("releases")
CONSTRAINTS: Fact[Object | None] = Fact("constraints")
ARC_AGENTS: Fact[Object | None] = Fact("arc_agents")
LIMIT_RANGES: Fact[Objects] = Fact("limit_ranges")
WEBHOOKS: Fact[Objects] = Fact("webhooks")
SERVICES: Fact[Objects] = Fact("services")
DEFINITIONS: Fact[Objects] = Fact("definitions")
CLUSTER_ROLES: Fact[Objects] = Fact("cluster_roles")
TLS_SECRET: Fact[TlsSecret | None] = Fact("tls_secret")
ROUTER_CERTIFICATE: Fact[RouterCertificate | None] = Fact("router_certificate")
CLAIMS: Fact[Objects] = Fact("claims")
POD_GROUPS: Fact[Objects] = Fact("pod_groups")
DRY_RUNS: Fact[Sequence[DryRun]] = Fact("dry_runs")
NETWORK_POLICIES: Fact[Objects] = Fact("network_policies")
PROBES: Fact[Sequence[PoolProbe]] = Fact("probes")
LEFTOVERS: Fact[Sequence[Leftover]] = Fact("leftovers")

IN_CLUSTER: tuple[Fact[Any], ...] = (
    KUBERNETES, NODES, PODS, EVENTS, QUOTAS, CONTROLLERS, NAMESPACES, HEALTH, INSTANCE_TYPES, VOLCANO, ROUTER_ROLE,
    RELEASES, CONSTRAINTS, ARC_AGENTS, LIMIT_RANGES, WEBHOOKS, SERVICES, DEFINITIONS, CLUSTER_ROLES, TLS_SECRET, CLAIMS,
    ROUTER_CERTIFICATE, POD_GROUPS, DRY_RUNS, NETWORK_POLICIES, LEFTOVERS,
)  # fmt: skip


@dataclass(frozen=True)
class CheckTarget:
    """What is checked: a cluster, and perhaps the computes of a workspace.

    before is for a cluster that gets the extension; scenario is training, inference, both, or empty for what is
    installed; settings are those of a request, where one is checked; namespace is that of a compute that is to be
    attached. probe: node pools are probed; leftovers: those of earlier installations are looked for. version is that of
    a request. kubeconfig and context are the user's options for kubectl; caller is the signed-in account.
    """

    cluster: ClusterRef
    workspace: WorkspaceRef | None = None
    compute: str = ""
    before: bool = False
    scenario: str = ""
    kubeconfig: str = ""
    context: str = ""
    caller: str = ""
    settings: Settings | None = None
    namespace: str = ""
    probe: bool = False
    version: str = ""
    leftovers: bool = False

    @property
    def is_attachment(self) -> bool:
        """Whether a compute is to be attached: its namespace is checked, that of the extension is not."""
        return bool(self.namespace)


class Facts:
    """The facts of a target by their keys; `facts[NODES]` has the type that the key declares."""

    def __init__(self, target: CheckTarget, values: Mapping[Fact[Any], Any] | None = None) -> None:
        self.target = target
        self._values = dict(values or {})

    @property
    def cluster(self) -> ClusterRef:
        """The cluster that is checked."""
        return self.target.cluster

    def __getitem__(self, fact: Fact[T]) -> T:
        """The value. Raises NotApplicable where it could not be read."""
        value = self.state(fact)
        if isinstance(value, Unavailable):
            raise NotApplicable(value.reason)
        return value

    def get(self, fact: Fact[T]) -> T | None:
        """The value, or None where it could not be read or was not collected."""
        value = self._values.get(fact)
        return None if isinstance(value, Unavailable) else value

    def state(self, fact: Fact[T]) -> T | Unavailable:
        """The value, or why it could not be read."""
        value: T | Unavailable = self._values.get(fact, Unavailable(f"{fact.name} was not collected"))
        return value


def name_of(obj: Object) -> str:
    """The name of a Kubernetes object."""
    return str((obj.get("metadata") or {}).get("name") or "")


def namespace_of(obj: Object) -> str:
    """The namespace of a Kubernetes object."""
    return str((obj.get("metadata") or {}).get("namespace") or "")


def labels_of(obj: Object) -> Mapping[str, str]:
    """The labels of a Kubernetes object."""
    return (obj.get("metadata") or {}).get("labels") or {}


def properties_of(resource: Object | None) -> Object:
    """The properties of an ARM resource."""
    return (resource or {}).get("properties") or {}


def state_of(resource: Object) -> str:
    """provisioningState of an ARM resource."""
    return str(properties_of(resource).get("provisioningState") or "")


def find_extension(extensions: Objects) -> Object | None:
    """The Azure Machine Learning extension among those of a cluster."""
    return next((extension for extension in extensions if type_of(extension) == EXTENSION_TYPE), None)


def installed_extension(facts: Facts) -> Object:
    """The extension. Raises NotApplicable where it is not installed."""
    extension = find_extension(facts[EXTENSIONS])
    if extension is None:
        raise NotApplicable("the extension is not installed")
    return extension


def count(number: int, noun: str) -> str:
    """A number with its noun in singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def name_some(names: Sequence[str], limit: int = 2) -> str:
    """The first names, and how many others there are: "gateway, aml-operator and 12 more"."""
    if len(names) <= limit + 1:
        return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def type_of(extension: Object) -> str:
    """The type of an extension in lower case."""
    return str(properties_of(extension).get("extensionType")).lower()
