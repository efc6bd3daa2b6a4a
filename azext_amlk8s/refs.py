"""Which cluster, extension, workspace or compute is meant."""

from __future__ import annotations

import re
from typing import NamedTuple

from azext_amlk8s.shell import join

MANAGED_CLUSTERS, CONNECTED_CLUSTERS = "managedClusters", "connectedClusters"
# The type of the Azure Machine Learning extension, in lower case.
EXTENSION_TYPE = "microsoft.azureml.kubernetes"
# Previews offered the extension under other types of the same publisher.
PUBLISHER = "microsoft.azureml."
PROVIDERS = {MANAGED_CLUSTERS: "Microsoft.ContainerService", CONNECTED_CLUSTERS: "Microsoft.Kubernetes"}

_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<resource_group>[^/]+)"
_CLUSTER = (
    rf"{_GROUP}/providers/Microsoft\.(ContainerService|Kubernetes)"
    r"/(?P<type>managedClusters|connectedClusters)/(?P<name>[^/]+)"
)
_CLUSTER_ID = rf"^{_CLUSTER}/?$"
_EXTENSION_ID = (
    rf"^(?P<cluster>{_CLUSTER})/providers/Microsoft\.KubernetesConfiguration/extensions/(?P<extension>[^/]+)/?$"
)
_WORKSPACE = rf"{_GROUP}/providers/Microsoft\.MachineLearningServices/workspaces/(?P<name>[^/]+)"
_WORKSPACE_ID = rf"^{_WORKSPACE}/?$"
_COMPUTE_ID = rf"^(?P<workspace>{_WORKSPACE})/computes/(?P<compute>[^/]+)/?$"


class ClusterRef(NamedTuple):
    """A cluster in Azure. type is managedClusters (AKS) or connectedClusters (Arc)."""

    subscription: str
    resource_group: str
    type: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ClusterRef:
        """The cluster of a resource ID. Raises ValueError for an ID of something else."""
        found = re.match(_CLUSTER_ID, resource_id.strip(), re.IGNORECASE)
        if not found:
            raise ValueError(f"'{resource_id}' is not the resource ID of an AKS or Arc-connected cluster")
        return cls(found["subscription"], found["resource_group"], canonical_type(found["type"]), found["name"])

    @property
    def is_aks(self) -> bool:
        """Whether it is an AKS cluster; otherwise it is Arc-connected."""
        return self.type.lower() == MANAGED_CLUSTERS.lower()

    @property
    def provider(self) -> str:
        """The resource provider: Microsoft.ContainerService or Microsoft.Kubernetes."""
        return PROVIDERS[canonical_type(self.type)]

    @property
    def id(self) -> str:
        """The resource ID."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/{self.provider}/{canonical_type(self.type)}/{self.name}"

    @property
    def cli_args(self) -> str:
        """The options of `az amlk8s` that name it, quoted."""
        return join(["-g", self.resource_group, "-c", self.name, "-t", self.type])

    @property
    def az_args(self) -> str:
        """The options of `az aks` and `az connectedk8s` that name it, quoted."""
        return join(["-g", self.resource_group, "-n", self.name])


class ExtensionRef(NamedTuple):
    """An extension on a cluster."""

    cluster: ClusterRef
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ExtensionRef:
        """The extension of a resource ID. Raises ValueError for an ID of something else."""
        found = re.match(_EXTENSION_ID, resource_id.strip(), re.IGNORECASE)
        if not found:
            raise ValueError(f"'{resource_id}' is not the resource ID of a cluster extension")
        return cls(ClusterRef.parse(found["cluster"]), found["extension"])

    @property
    def id(self) -> str:
        """The resource ID."""
        return f"{self.cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions/{self.name}"

    @property
    def cli_args(self) -> str:
        """The options of `az amlk8s extension` that name it, quoted."""
        return f"{self.cluster.cli_args} {join(['-n', self.name])}"


class WorkspaceRef(NamedTuple):
    """A workspace of Azure Machine Learning."""

    subscription: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> WorkspaceRef:
        """The workspace of a resource ID. Raises ValueError for an ID of something else."""
        found = re.match(_WORKSPACE_ID, resource_id.strip(), re.IGNORECASE)
        if not found:
            raise ValueError(f"'{resource_id}' is not the resource ID of a workspace")
        return cls(found["subscription"], found["resource_group"], found["name"])

    @property
    def id(self) -> str:
        """The resource ID."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    @property
    def cli_args(self) -> str:
        """The options of `az amlk8s compute` that name it, quoted."""
        return join(["-g", self.resource_group, "-w", self.name])


class ComputeRef(NamedTuple):
    """A compute of a workspace."""

    workspace: WorkspaceRef
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ComputeRef:
        """The compute of a resource ID. Raises ValueError for an ID of something else."""
        found = re.match(_COMPUTE_ID, resource_id.strip(), re.IGNORECASE)
        if not found:
            raise ValueError(f"'{resource_id}' is not the resource ID of a compute")
        return cls(WorkspaceRef.parse(found["workspace"]), found["compute"])

    @property
    def id(self) -> str:
        """The resource ID."""
        return f"{self.workspace.id}/computes/{self.name}"

    @property
    def cli_args(self) -> str:
        """The options of `az amlk8s compute` that name it, quoted."""
        return f"{self.workspace.cli_args} {join(['-n', self.name])}"


def is_former_type(extension_type: str) -> bool:
    """Whether the type of an extension is one under which previews offered the AzureML extension."""
    return extension_type.lower().startswith(PUBLISHER) and extension_type.lower() != EXTENSION_TYPE


def former_type_message(name: str, extension_type: str) -> str:
    """What to say of an extension of a former type."""
    return (
        f"Extension '{name}' has the type '{extension_type}' of a preview. To replace it, run az amlk8s compute "
        "migrate with a compute on this cluster."
    )


def canonical_type(cluster_type: str) -> str:
    """managedClusters or connectedClusters, in ARM's spelling. Raises ValueError for any other type."""
    for kind in PROVIDERS:
        if cluster_type.lower() == kind.lower():
            return kind
    raise ValueError(f"invalid cluster type '{cluster_type}'; expected {MANAGED_CLUSTERS} or {CONNECTED_CLUSTERS}")
