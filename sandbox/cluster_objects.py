"""The Kubernetes objects that a cluster of the world starts with: its nodes and what Arc's agents keep."""

from __future__ import annotations

from typing import Any

from sandbox.world import Cluster, Pool, World, guid


def node_objects(cluster: Cluster) -> list[dict[str, Any]]:
    """The Node objects of a cluster."""
    return [_node(cluster, pool, index) for pool in cluster.pools for index in range(pool.count)]


def agent_objects(cluster: Cluster, world: World) -> list[dict[str, Any]]:
    """What the agents of an Arc-connected cluster keep in it: which Azure resource it is."""
    if cluster.type == "managedClusters":
        return []
    data = {
        "AZURE_RESOURCE_NAME": cluster.name,
        "AZURE_RESOURCE_GROUP": cluster.group,
        "AZURE_SUBSCRIPTION_ID": world.subscription,
        "AZURE_REGION": cluster.location or world.location,
        "AZURE_TENANT_ID": world.tenant,
    }
    meta = {"name": "azure-clusterconfig", "namespace": "azure-arc"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "azure-arc"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data},
    ]


def _node(cluster: Cluster, pool: Pool, index: int) -> dict[str, Any]:
    name = f"{cluster.name}-{pool.name}-{index}"
    size = {"cpu": str(pool.cpu), "memory": pool.memory, "pods": "110", "ephemeral-storage": "128Gi"}
    if pool.gpu:
        size["nvidia.com/gpu"] = str(pool.gpu)
    aks = {"agentpool": pool.name, "kubernetes.azure.com/agentpool": pool.name}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": pool.os,
        "kubernetes.io/arch": pool.arch,
        **(aks if cluster.type == "managedClusters" else {}),
        **pool.labels,
    }
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is ready"}
    not_ready = {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "kubelet is down"}
    spec: dict[str, Any] = {"taints": [dict(taint) for taint in pool.taints]} if pool.taints else {}
    if not pool.schedulable:
        cordoned = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        spec = {"unschedulable": True, "taints": [*spec.get("taints", ()), cordoned]}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "capacity": size,
            "allocatable": size,
            "addresses": [
                {"type": "InternalIP", "address": f"10.224.0.{index + 4}"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [ready if pool.ready else not_ready],
            "nodeInfo": {
                "kubeletVersion": f"v{cluster.version}",
                "operatingSystem": pool.os,
                "architecture": pool.arch,
                "osImage": "Ubuntu 22.04.5 LTS",
                "kernelVersion": "5.15.0-1075-azure",
                "containerRuntimeVersion": "containerd://1.7.25",
                "bootID": guid("boot", name),
                "machineID": guid("machine", name).replace("-", ""),
                "systemUUID": guid("system", name),
                "kubeProxyVersion": f"v{cluster.version}",
            },
        },
    }
