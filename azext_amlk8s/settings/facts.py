"""What Azure and, where it can be reached, the cluster report about a cluster, as values for the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.knowledge.clouds import Cloud, find_cloud
from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.pools import NodePool, adds_nodes, pools_from_profiles
from azext_amlk8s.values import mapping

MANAGED_IDENTITY = "msi"
# Values of connectivityStatus of an Arc-connected cluster whose agents can do nothing.
OFFLINE = ("offline", "expired")
RESOURCE_GROUP = 4  # of /subscriptions/S/resourceGroups/G/...
Resource = Mapping[str, Any]  # an object of ARM


@dataclass(frozen=True)
class InstalledExtension:
    """An extension on the cluster; type is in lower case."""

    name: str
    type: str
    state: str


@dataclass(frozen=True)
class ClusterFacts:
    """What is known of a cluster; None or empty where Azure does not report it.

    pools are the agent pools of AKS; nodes are the nodes themselves, where the cluster has been asked. adds_nodes: node
    auto-provisioning creates nodes for pending pods. providers holds the registration state of resource providers by
    name in lower case, and only of those that were requested. cloud is that of the user.
    """

    cluster_type: str
    resource_id: str
    name: str
    location: str
    node_count: int | None = None
    distribution: str | None = None
    infrastructure: str | None = None
    provisioning_state: str | None = None
    power_state: str | None = None
    connectivity: str | None = None
    agent_version: str | None = None
    service_principal: bool = False
    cores: int | None = None
    pools: tuple[NodePool, ...] | None = None
    nodes: tuple[Node, ...] | None = None
    adds_nodes: bool = False
    extensions: tuple[InstalledExtension, ...] = ()
    providers: Mapping[str, str] = field(default_factory=dict)
    cloud: Cloud = field(default_factory=find_cloud)

    @property
    def is_aks(self) -> bool:
        """Whether this is an AKS cluster; the other type is Arc-connected."""
        return self.cluster_type.lower() == "managedclusters"

    @property
    def group(self) -> str:
        """The name of the resource group."""
        parts = self.resource_id.split("/")
        return parts[RESOURCE_GROUP] if len(parts) > RESOURCE_GROUP else ""


def offline_state(cluster: Resource) -> str:
    """The connectivityStatus of a cluster whose agents cannot be reached from Azure, Offline or Expired; else empty."""
    connectivity = str(mapping(cluster.get("properties")).get("connectivityStatus") or "")
    return connectivity if connectivity.lower() in OFFLINE else ""


def cluster_facts_from_resources(
    cluster: Resource,
    cluster_type: str,
    extensions: Iterable[Resource] = (),
    providers: Iterable[Resource] = (),
    *,
    cloud: Cloud | None = None,
) -> ClusterFacts:
    """The facts in ARM's responses: the cluster, the extensions on it, the resource providers.

    Everything but id, name and location may be missing or null.
    https://learn.microsoft.com/rest/api/aks/managed-clusters/get
    https://learn.microsoft.com/rest/api/hybridkubernetes/connected-cluster/get
    """
    properties = mapping(cluster.get("properties"))
    profiles = properties.get("agentPoolProfiles")
    pools = None if profiles is None else tuple(pools_from_profiles(profiles))
    principal = mapping(properties.get("servicePrincipalProfile")).get("clientId")
    return ClusterFacts(
        cluster_type,
        cluster["id"],
        cluster["name"],
        cluster["location"],
        node_count=properties.get("totalNodeCount") if pools is None else sum(pool.count for pool in pools),
        distribution=properties.get("distribution"),
        infrastructure=properties.get("infrastructure"),
        provisioning_state=properties.get("provisioningState"),
        power_state=mapping(properties.get("powerState")).get("code"),
        connectivity=properties.get("connectivityStatus"),
        agent_version=properties.get("agentVersion"),
        service_principal=bool(principal) and str(principal).lower() != MANAGED_IDENTITY,
        cores=properties.get("totalCoreCount") if pools is None else None,
        pools=pools,
        adds_nodes=adds_nodes(properties),
        extensions=tuple(_extension(extension) for extension in extensions),
        providers={
            str(provider.get("namespace")).lower(): str(provider.get("registrationState")) for provider in providers
        },
        cloud=cloud or find_cloud(),
    )


def _extension(resource: Resource) -> InstalledExtension:
    properties = mapping(resource.get("properties"))
    return InstalledExtension(
        str(resource.get("name")),
        str(properties.get("extensionType") or "").lower(),
        str(properties.get("provisioningState") or ""),
    )
