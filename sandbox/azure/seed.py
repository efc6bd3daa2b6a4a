"""The ARM resources that a world starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.key_vault import vault_resource
from sandbox.azure.tree import Resource, Tree
from sandbox.world import Cluster, Pool, World, guid

CREATED = "2024-05-01T08:00:00.0000000Z"


def build_tree(world: World) -> Tree:
    """The resources of a world."""
    tree = Tree()
    root = f"/subscriptions/{world.subscription}"
    for group in world.groups:
        tree.put(
            {
                "id": f"{root}/resourceGroups/{group['name']}",
                "name": group["name"],
                "type": "Microsoft.Resources/resourceGroups",
                "location": group.get("location", world.location),
                "tags": group.get("tags") or {},
                "properties": {"provisioningState": "Succeeded"},
            }
        )
    for identity in world.identities:
        tree.put(_identity(world, root, identity))
    for cluster in world.clusters:
        tree.put(_aks(world, root, cluster) if cluster.type == "managedClusters" else _arc(world, root, cluster))
    for workspace in world.workspaces:
        tree.put(_workspace(world, root, workspace))
    for vault in world.vaults:
        tree.put(vault_resource(world, root, vault))
    for resource in world.resources:
        entry = dict(resource)
        above = "".join(f"/providers/{scope}" for scope in (entry.pop("scope", None),) if scope)
        namespace, *types = entry["type"].split("/")
        names = entry["name"].split("/")
        path = "/".join(word for pair in zip(types, names, strict=True) for word in pair)
        resource_id = f"{root}/resourceGroups/{entry.pop('group')}{above}/providers/{namespace}/{path}"
        place = {} if above or not _placed(entry["type"]) else {"location": world.location}
        tree.put({**place, **entry, "id": resource_id, "name": names[-1]})
    return tree


def _placed(kind: str) -> bool:
    """Whether a resource has a location: top-level resources, computes and online endpoints."""
    namespace, *types = kind.lower().split("/")
    return namespace != "microsoft.authorization" and (len(types) == 1 or types[-1] in ("computes", "onlineendpoints"))


def _identity(world: World, root: str, entry: Any) -> Resource:
    name = entry["name"]
    group = f"{root}/resourcegroups/{entry['group']}"
    return {
        "id": f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
        "name": name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
        "location": world.location,
        "tags": {},
        "properties": {
            "tenantId": world.tenant,
            "principalId": guid("principal", name),
            "clientId": guid("client", name),
        },
    }


def _aks(world: World, root: str, cluster: Cluster) -> Resource:
    location = cluster.location or world.location
    host = f"{cluster.name}-dns-{guid(cluster.name)[:8]}.hcp.{location}.azmk8s.invalid"
    properties = {
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        "kubernetesVersion": cluster.version,
        "currentKubernetesVersion": cluster.version,
        "dnsPrefix": f"{cluster.name}-dns",
        "fqdn": host,
        "azurePortalFQDN": host,
        "agentPoolProfiles": [
            _agent_pool(pool, cluster.version, is_system=not index) for index, pool in enumerate(cluster.pools)
        ],
        "servicePrincipalProfile": {"clientId": "msi"},
        "nodeResourceGroup": f"MC_{cluster.group}_{cluster.name}_{location}",
        "enableRBAC": True,
        "supportPlan": "KubernetesOfficial",
        "disableLocalAccounts": False,
        "maxAgentPools": 100,
        "identityProfile": {
            "kubeletidentity": {
                "resourceId": f"{root}/resourceGroups/MC_{cluster.group}_{cluster.name}_{location}/providers/"
                f"Microsoft.ManagedIdentity/userAssignedIdentities/{cluster.name}-agentpool",
                "clientId": guid("kubelet-client", cluster.name),
                "objectId": guid("kubelet", cluster.name),
            }
        },
        "oidcIssuerProfile": {"enabled": False},
        "securityProfile": {},
        "storageProfile": {"diskCSIDriver": {"enabled": True}},
        **cluster.properties,
    }
    group = f"{root}/resourcegroups/{cluster.group}"
    resource: Resource = {
        "id": f"{group}/providers/Microsoft.ContainerService/managedClusters/{cluster.name}",
        "name": cluster.name,
        "type": "Microsoft.ContainerService/ManagedClusters",
        "location": location,
        "tags": dict(cluster.tags),
        "sku": {"name": "Base", "tier": "Free"},
        "properties": properties,
    }
    # A cluster of a service principal has no identity of its own.
    if properties["servicePrincipalProfile"].get("clientId") == "msi":
        principal = guid("principal", cluster.name)
        resource["identity"] = {"type": "SystemAssigned", "principalId": principal, "tenantId": world.tenant}
    return resource


def _agent_pool(pool: Pool, version: str, *, is_system: bool) -> Resource:
    return {
        "name": pool.name,
        "count": pool.count,
        "vmSize": pool.vm_size,
        "osDiskSizeGB": 128,
        "osDiskType": "Managed",
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "enableAutoScaling": pool.max_count is not None,
        **({} if pool.max_count is None else {"minCount": pool.min_count or 0, "maxCount": pool.max_count}),
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        "orchestratorVersion": version,
        "mode": "System" if is_system else "User",
        "osType": pool.os.capitalize(),
        "osSKU": "Ubuntu",
        # AKS leaves both out when they are not set.
        **({"nodeLabels": dict(pool.labels)} if pool.labels else {}),
        **({"nodeTaints": [_taint(taint) for taint in pool.taints]} if pool.taints else {}),
    }


def _taint(taint: Mapping[str, str]) -> str:
    return f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"


def _arc(world: World, root: str, cluster: Cluster) -> Resource:
    properties = {
        "agentPublicKeyCertificate": "",
        "provisioningState": "Succeeded",
        "connectivityStatus": "Connected",
        "distribution": cluster.distribution,
        "infrastructure": cluster.infrastructure,
        "kubernetesVersion": cluster.version,
        "agentVersion": "1.22.1",
        "totalNodeCount": cluster.node_count,
        "offering": None,
        "totalCoreCount": sum(pool.count * pool.cpu for pool in cluster.pools),
        "lastConnectivityTime": CREATED,
        "managedIdentityCertificateExpirationTime": "2099-01-01T00:00:00.0000000Z",
        **cluster.properties,
    }
    return {
        "id": f"{root}/resourceGroups/{cluster.group}/providers/Microsoft.Kubernetes/connectedClusters/{cluster.name}",
        "name": cluster.name,
        "type": "microsoft.kubernetes/connectedclusters",
        "location": cluster.location or world.location,
        "tags": dict(cluster.tags),
        "identity": {
            "type": "SystemAssigned",
            "principalId": guid("principal", cluster.name),
            "tenantId": world.tenant,
        },
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def _workspace(world: World, root: str, entry: Any) -> Resource:
    name, kind = entry["name"], entry.get("identity", "SystemAssigned")
    group = f"{root}/resourceGroups/{entry['group']}/providers"
    identity: dict[str, Any] = {
        "type": "SystemAssigned",
        "principalId": guid("principal", name),
        "tenantId": world.tenant,
    }
    if kind != "SystemAssigned":
        identity_id = f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/{kind}"
        identity = {
            "type": "UserAssigned",
            "userAssignedIdentities": {
                identity_id: {"principalId": guid("principal", kind), "clientId": guid("client", kind)}
            },
        }
    properties = {
        "friendlyName": name,
        "description": "",
        "provisioningState": "Succeeded",
        "workspaceId": guid("workspace", name),
        "storageAccount": f"{group}/Microsoft.Storage/storageAccounts/{name.replace('-', '')}",
        "keyVault": f"{group}/Microsoft.Keyvault/vaults/{name}",
        "applicationInsights": f"{group}/Microsoft.Insights/components/{name}",
        "containerRegistry": "",
        "publicNetworkAccess": "Enabled",
        "hbiWorkspace": False,
        "v1LegacyMode": False,
        "discoveryUrl": f"https://{world.location}.api.azureml.invalid/discovery",
        **(entry.get("properties") or {}),
    }
    return {
        "id": f"{group}/Microsoft.MachineLearningServices/workspaces/{name}",
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": world.location,
        "tags": entry.get("tags") or {},
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "identity": identity,
        "properties": properties,
    }
