"""Microsoft.ContainerService: AKS clusters and the Kubernetes versions of a region."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from sandbox.azure.behaviours import Behaviour, Call, Response, StoredType
from sandbox.azure.tree import Resource


class AksClusters(Behaviour):
    """AKS: the kubeconfig of a user, and what a cluster reports at each API version."""

    type = "Microsoft.ContainerService/managedClusters"
    page_size = 100  # assumed
    node_provisioning_since = "2025-05-01"

    async def read(self, call: Call, resource: Resource) -> Resource:
        cluster = await super().read(call, resource)
        if call.api_version >= self.node_provisioning_since:
            return cluster
        properties = {key: value for key, value in cluster["properties"].items() if key != "nodeProvisioningProfile"}
        return {**cluster, "properties": properties}

    async def action(self, call: Call, existing: Resource, name: str) -> Response:
        side = call.azure.cluster_of(existing["id"])
        if name.lower() not in ("listclusterusercredential", "listclusteradmincredential") or side is None:
            return await super().action(call, existing, name)
        text = call.azure.kubeconfig(side)
        user = "clusterUser" if "user" in name.lower() else "clusterAdmin"
        return Response(200, {"kubeconfigs": [{"name": user, "value": base64.b64encode(text.encode()).decode()}]})


class KubernetesVersions(Behaviour):
    """The versions of Kubernetes that AKS offers in a region."""

    type = "Microsoft.ContainerService/locations/kubernetesVersions"
    needs_parent = False
    # https://learn.microsoft.com/azure/aks/supported-kubernetes-versions
    offered = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35")
    long_term_support = ("1.30", "1.31", "1.32")

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        newest = self.offered[-1]
        return {
            "values": [
                {
                    "version": version,
                    "capabilities": {"supportPlan": self._plans(version)},
                    **({"isPreview": True} if version == newest else {}),
                    "patchVersions": {f"{version}.2": {"upgrades": []}},
                }
                for version in self.offered
            ]
        }

    def _plans(self, version: str) -> Sequence[str]:
        official = [] if version in self.long_term_support else ["KubernetesOfficial"]
        return [*official, "AKSLongTermSupport"]


ALL = (
    AksClusters(),
    KubernetesVersions(),
    StoredType("Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings"),
)
