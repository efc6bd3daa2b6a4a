"""Resource ids of clusters and identities, in the forms that people paste (field guide compute 5.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace"
ERROR, WARNING = Severity.ERROR, Severity.WARNING

C101 = Rule("C101", ERROR, "A cluster is named by the resource ID of an AKS or Arc-connected cluster.", GUIDE)
C102 = Rule(
    "C102", WARNING, "The resource ID of a cluster names the provider that the kind of cluster belongs to.", GUIDE
)
C103 = Rule("C103", WARNING, "The resource ID of an identity begins with a slash.", GUIDE)
C104 = Rule("C104", WARNING, "A compute has one user-assigned identity.", GUIDE)
C131 = Rule("C131", ERROR, "A compute has a system-assigned identity or a user-assigned one, not both.", GUIDE)
C132 = Rule("C132", ERROR, "A user-assigned identity is named.", GUIDE)
C133 = Rule("C133", ERROR, "An identity is named by its resource ID.", GUIDE)

KINDS = {
    "managedclusters": ("Microsoft.ContainerService", "managedClusters"),
    "connectedclusters": ("Microsoft.Kubernetes", "connectedClusters"),
}
CLUSTER_ID = re.compile(
    r"^/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/"
    r"(?P<provider>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)/?$",
    re.IGNORECASE,
)
# An AKS cluster on one's own hardware stands beneath its connectedClusters resource.
HYBRID = re.compile(
    r"^(?P<connected>.*/connectedClusters/[^/]+)/providers/Microsoft\.HybridContainerService/[^/]+/[^/]+/?$",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"[<>{}]")
IDENTITY_ID = re.compile(
    r"^/?subscriptions/[^/]+/resourcegroups/[^/]+/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+/?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ClusterRef:
    """A cluster in Azure; kind is managedClusters or connectedClusters."""

    subscription: str
    group: str
    kind: str
    name: str

    @property
    def id(self) -> str:
        """The ARM id."""
        return f"{self.group_id}/providers/{KINDS[self.kind.lower()][0]}/{self.kind}/{self.name}"

    @property
    def group_id(self) -> str:
        """The ARM id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def is_aks(self) -> bool:
        """Whether it is an AKS cluster, else one that Arc connects."""
        return self.kind.lower() == "managedclusters"


def cluster_ref(subscription: str, group: str, cluster_type: str, name: str) -> ClusterRef:
    """A cluster by its names; cluster_type in any case."""
    return ClusterRef(subscription, group, KINDS[cluster_type.lower()][1], name)


def read_cluster_id(text: str) -> tuple[ClusterRef | None, tuple[Finding, ...]]:
    """The cluster that an id means. The segment before the name decides; a wrong provider is corrected and said."""
    hybrid = HYBRID.match(text.strip())
    found = CLUSTER_ID.match(hybrid["connected"] if hybrid else text.strip())
    known = KINDS.get(found["kind"].lower()) if found else None
    if not found or not known or PLACEHOLDER.search(text):
        return None, (C101.finding("--resource-id", _no_cluster(text, found), found=text, fix=_how_to_find(found)),)
    provider, kind = known
    ref = ClusterRef(found["subscription"], found["group"], kind, found["name"])
    if hybrid:
        message = (
            "A cluster on your own hardware is attached through its connectedClusters resource; the ID is corrected."
        )
    elif found["provider"].lower() != provider.lower():
        message = f"{kind} belong to {provider}, not to {found['provider']}; the ID is corrected."
    else:
        return ref, ()
    return ref, (C102.finding("--resource-id", message, required=provider, found=found["provider"], fix=ref.id),)


def _no_cluster(text: str, found: re.Match[str] | None) -> str:
    if PLACEHOLDER.search(text):
        return f"{text} still has a placeholder in it."
    message = f"{text} is not the resource ID of an AKS or Arc-connected cluster."
    if found and found["kind"].lower() == "provisionedclusters":
        return f"{message} For an AKS cluster on your own hardware, give the ID of its connectedClusters resource."
    return message


def _how_to_find(found: re.Match[str] | None) -> str:
    arc = found and ("kubernetes" in found["provider"].lower() or "hybrid" in found["provider"].lower())
    return f"az {'connectedk8s' if arc else 'aks'} show -g GROUP -n CLUSTER --query id -o tsv"


def read_identity(kind: str | None, identities: str | None) -> tuple[Mapping[str, Any] | None, tuple[Finding, ...]]:
    """The identity of a compute as ARM takes it, None for none.

    Several user-assigned identities may be given, separated by commas or spaces; the service uses the first. An id
    without its leading slash, as the documentation has it, is completed.
    """
    option = "--user-assigned-identities"
    words = [word for word in re.split(r"[,\s]+", identities or "") if word]
    find = "az identity show -g GROUP -n NAME --query id -o tsv"
    if words and (kind or "").lower() == "systemassigned":
        message = "A system-assigned identity excludes user-assigned ones."
        return None, (C131.finding(option, message, fix="--identity-type UserAssigned"),)
    if not words and (kind or "").lower() == "userassigned":
        message = "--identity-type UserAssigned needs --user-assigned-identities."
        return None, (C132.finding(option, message, fix=f"{option} $({find})"),)
    if not words:
        return ({"type": "SystemAssigned"} if kind else None), ()
    if not IDENTITY_ID.match(words[0]) or PLACEHOLDER.search(words[0]):
        return None, (C133.finding(option, f"{words[0]} is not the resource ID of an identity.", fix=find),)
    first, findings = "/" + words[0].strip("/"), []
    if not words[0].startswith("/"):
        message = "The ID of the identity lacks its leading slash; it is completed."
        findings.append(C103.finding(option, message, found=words[0], fix=first))
    if len(words) > 1:
        findings.append(C104.finding(option, f"Of several identities the service uses the first only: {first}"))
    return {"type": "UserAssigned", "userAssignedIdentities": {first: {}}}, tuple(findings)
