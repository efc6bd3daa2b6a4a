"""The resource types that do more than be kept, and where each stands."""

from __future__ import annotations

from sandbox.azure import locks, loganalytics, relay, servicebus
from sandbox.azure.behaviours import Behaviour, Kept
from sandbox.azure.computes import Computes
from sandbox.azure.extensions import Extensions
from sandbox.azure.neighbours import (
    AksClusters,
    ArcClusters,
    KubernetesVersions,
    Permissions,
    RoleAssignments,
    RoleDefinitions,
    VirtualMachineSizes,
)

BEHAVIOURS: dict[str, Behaviour] = {
    one.type.lower(): one
    for one in (
        Extensions(),
        Computes(),
        RoleDefinitions(),
        RoleAssignments(),
        Permissions(),
        AksClusters(),
        KubernetesVersions(),
        Kept("Microsoft.ContainerService/managedClusters/trustedAccessRoleBindings"),
        Kept("Microsoft.MachineLearningServices/workspaces/onlineEndpoints"),
        ArcClusters(),
        VirtualMachineSizes(),
        *locks.ALL,
        *loganalytics.ALL,
        *relay.ALL,
        *servicebus.ALL,
    )
}
