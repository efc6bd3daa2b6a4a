"""What the checks are about, as Azure and the cluster said it; fields are None where they were not asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
Objects = Sequence[Object]


@dataclass(frozen=True)
class Unseen:
    """A fact that could not be had, why, and what to do where that is known; absent where there is no such thing."""

    why: str
    absent: bool = False
    fix: str = ""


@dataclass(frozen=True)
class Place:
    """What is checked. scenario is training, inference, both, or empty for what is installed."""

    subscription: str
    group: str
    cluster_type: str
    cluster: str
    before: bool = False
    scenario: str = ""
    workspace: str = ""
    workspace_group: str = ""
    compute: str = ""

    @property
    def is_aks(self) -> bool:
        """Whether it is an AKS cluster, else one that Arc connects."""
        return self.cluster_type.lower() == "managedclusters"

    @property
    def words(self) -> str:
        """The options that name the cluster, to be pasted."""
        return f"-g {self.group} -c {self.cluster} -t {self.cluster_type}"

    @property
    def az(self) -> str:
        """az's own options for it, to be pasted."""
        return f"-g {self.group} -n {self.cluster}"


@dataclass(frozen=True, eq=False)
class Facts:
    """Of the cluster in Azure: cluster, extensions, providers, feature, permissions (on it), group_permissions, locks,
    relay (None where none is named). Of the cluster itself, whole objects of its API: nodes, pods (all namespaces),
    events and quotas (of azureml), controllers (deployments, daemon sets and stateful sets of all namespaces, each with
    its kind), namespaces, health (the config map), instance_types (None without the CRD), volcano (its CRD), fe_role
    (ClusterRole azureml-fe), releases (metadata of Helm's secrets), constraints (OpenShift's), agents (what Arc's
    agents keep). Of the workspace: workspace, computes, assignments (of roles, by principal), trusted_access.
    kubernetes is the address of the API server. Each may be Unseen where a check only wants it.
    """

    place: Place
    cli: Any = None
    cluster: Any = None
    extensions: Any = None
    providers: Any = None
    feature: Any = None
    permissions: Any = None
    group_permissions: Any = None
    locks: Any = None
    relay: Any = None
    kubernetes: Any = None
    nodes: Any = None
    pods: Any = None
    events: Any = None
    quotas: Any = None
    controllers: Any = None
    namespaces: Any = None
    health: Any = None
    instance_types: Any = None
    volcano: Any = None
    fe_role: Any = None
    releases: Any = None
    constraints: Any = None
    agents: Any = None
    workspace: Any = None
    computes: Any = None
    assignments: Any = None
    trusted_access: Any = None


class Inapplicable(Exception):
    """Raised by a judge where there is nothing to judge; the message is a clause that says why."""


def seen(value: Any) -> Any:
    """A fact, None where it was not seen."""
    return None if isinstance(value, Unseen) else value


def name_of(obj: Object) -> str:
    """The name of an object of Kubernetes."""
    return str((obj.get("metadata") or {}).get("name") or "")


def namespace_of(obj: Object) -> str:
    """Its namespace."""
    return str((obj.get("metadata") or {}).get("namespace") or "")


def labels_of(obj: Object) -> Mapping[str, str]:
    """Its labels."""
    return (obj.get("metadata") or {}).get("labels") or {}


def ours(extensions: Objects) -> Object | None:
    """The extension of our type among those of a cluster."""
    kind = "microsoft.azureml.kubernetes"
    return next((one for one in extensions if _kind(one) == kind), None)


def installed(facts: Facts) -> Object:
    """The extension. Raises Inapplicable where there is none."""
    there = ours(facts.extensions)
    if there is None:
        raise Inapplicable("the extension is not there")
    return there


def state_of(resource: Object) -> str:
    """provisioningState of a resource of ARM."""
    return str((resource.get("properties") or {}).get("provisioningState") or "")


def _kind(extension: Object) -> str:
    return str((extension.get("properties") or {}).get("extensionType")).lower()
