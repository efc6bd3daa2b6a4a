"""What is wanted of an attachment, and what is known of the place where it shall be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.computes.ids import ClusterRef
from azext_amlk8s.computes.roles import RoleNeeded


@dataclass(frozen=True)
class Wanted:
    """An attachment as it is wished for. identity is as ARM takes it; workload: training, inference, both, or "".

    What is None (identity, tags, description, disable_local_auth) was not asked for.
    """

    name: str
    group: str
    workspace: str
    cluster: ClusterRef
    namespace: str
    identity: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    description: str | None = None
    workload: str = ""
    disable_local_auth: bool | None = None


@dataclass(frozen=True)
class Inside:
    """What the cluster itself says. namespaces: name -> phase; failed_checks: lines of the extension's health report.

    pod_identity tells of aad-pod-identity; instance_types whether the kind InstanceType is served.
    """

    namespaces: Mapping[str, str]
    instance_types: bool = True
    pod_identity: bool = False
    failed_checks: Sequence[str] = ()


@dataclass(frozen=True)
class AttachFacts:
    """What Azure and the cluster say, each as ARM's JSON.

    inside is None where the cluster cannot be looked into, and unseen says why. trusted_access are the role bindings of
    an AKS cluster, asked for where its local accounts are disabled. missing_roles are those of a workspace's
    user-assigned identity, and roles_unseen says that they could not be read. supported are the minor versions of
    Kubernetes that AKS offers, newest first, where the cluster's is not among them. identity_absent is the id of an
    identity of the compute that is not there.
    """

    workspace: Mapping[str, Any]
    cluster: Mapping[str, Any]
    extensions: Sequence[Mapping[str, Any]] = ()
    computes: Sequence[Mapping[str, Any]] = ()
    inside: Inside | None = None
    unseen: str = ""
    trusted_access: Sequence[Mapping[str, Any]] = ()
    missing_roles: Sequence[RoleNeeded] = ()
    roles_unseen: bool = False
    look_alikes: Sequence[str] = ()
    supported: Sequence[str] = ()
    identity_absent: str = ""

    def compute(self, name: str) -> Mapping[str, Any] | None:
        """The compute of a name in the workspace."""
        return next((one for one in self.computes if str(one.get("name")).lower() == name.lower()), None)


def outer(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a resource, empty where they are null."""
    found = resource.get("properties")
    return found if isinstance(found, Mapping) else {}


def inner(compute: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties within the properties of a compute, empty where either is null."""
    return outer(outer(compute))


def state_of(compute: Mapping[str, Any]) -> str:
    """The provisioningState in ARM's word, or Unknown."""
    return str(outer(compute).get("provisioningState") or "Unknown")


def kind_of(compute: Mapping[str, Any]) -> str:
    """The computeType in ARM's word, or nothing."""
    return str(outer(compute).get("computeType") or "")
