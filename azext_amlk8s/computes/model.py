"""A requested attachment, and the facts about the cluster and the workspace that its rules look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from azext_amlk8s.computes.roles import RoleNeeded

# A resource as ARM returns it.
Resource = Mapping[str, Any]

ATTACH_GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace"
COMPUTE_TROUBLESHOOTING = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
COMPUTE_SPEC = "https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/computes"

BUSY_STATES = ("creating", "updating", "deleting")
FAILED_STATES = ("failed", "canceled", "cancelled")
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class AttachRequest:
    """An attachment as the user requests it. identity is in ARM's form; workload is training, inference, both or "".

    identity, tags, description and disable_local_auth are None where the user did not give them. context is the context
    of the kubeconfig that leads to the cluster, if the user gave one.
    """

    compute: ComputeRef
    cluster: ClusterRef
    namespace: str = DEFAULT_NAMESPACE
    identity: Resource | None = None
    tags: Mapping[str, str] | None = None
    description: str | None = None
    workload: str = ""
    disable_local_auth: bool | None = None
    context: str = ""

    @property
    def workspace(self) -> WorkspaceRef:
        """The workspace that the cluster is attached to."""
        return self.compute.workspace

    def kubectl(self, *commands: str) -> str:
        """Lines that run these commands of kubectl on the cluster; the first line gets access to it if necessary."""
        access = "az aks get-credentials" if self.cluster.is_aks else "az connectedk8s proxy"
        lines = [] if self.context else [f"{access} {self.cluster.az_args}"]
        context = quote(self.context or self.cluster.name)
        return "\n".join([*lines, *(f"kubectl --context {context} {command}" for command in commands)])


@dataclass(frozen=True)
class ClusterContents:
    """What was read from the cluster's own API. namespaces maps names to phases.

    instance_types: whether the kind InstanceType is served; pod_identity: whether the API of aad-pod-identity is;
    failed_checks: one line for each failed check of the extension's health report.
    """

    namespaces: Mapping[str, str]
    instance_types: bool = True
    pod_identity: bool = False
    failed_checks: Sequence[str] = ()


@dataclass(frozen=True)
class AttachFacts:
    """What Azure and the cluster report, in ARM's JSON.

    contents is None where the cluster's API could not be read, and contents_error is a sentence that says why.
    trusted_access holds the role bindings of an AKS cluster whose local accounts are disabled. missing_roles are those
    of a workspace's user-assigned identity; roles_unreadable says that they could not be read. supported_versions are
    the minor versions of Kubernetes that AKS offers, newest first, if the cluster's is older than all of them.
    missing_identity is the resource ID of an identity of the compute that does not exist.
    """

    workspace: Resource
    cluster: Resource
    extensions: Sequence[Resource] = ()
    computes: Sequence[Resource] = ()
    contents: ClusterContents | None = None
    contents_error: str = ""
    trusted_access: Sequence[Resource] = ()
    missing_roles: Sequence[RoleNeeded] = ()
    roles_unreadable: bool = False
    look_alikes: Sequence[str] = ()
    supported_versions: Sequence[str] = ()
    missing_identity: str = ""

    def find_compute(self, name: str) -> Resource | None:
        """The compute of this name in the workspace, in any case, or None."""
        return find_compute(self.computes, name)


def find_compute(computes: Iterable[Resource], name: str) -> Resource | None:
    """The compute of this name, in any case, or None."""
    return next((compute for compute in computes if str(compute.get("name")).lower() == name.lower()), None)


def inner_properties(compute: Resource) -> Resource:
    """The properties within the properties of a compute, empty where either is null."""
    return properties_of(properties_of(compute))


def state_of(compute: Resource) -> str:
    """The provisioningState as ARM spells it, or Unknown."""
    return str(properties_of(compute).get("provisioningState") or "Unknown")


def namespace_of(compute: Resource) -> str:
    """The namespace of a compute; default where ARM leaves it out."""
    return str(inner_properties(compute).get("namespace") or DEFAULT_NAMESPACE)


def cluster_id_of(compute: Resource) -> str:
    """The resource ID of the cluster of a compute, or nothing."""
    return str(properties_of(compute).get("resourceId") or "")
