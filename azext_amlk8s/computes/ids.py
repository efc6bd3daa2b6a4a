"""Resource ids of clusters and identities, in the forms that people paste (field guide compute 5.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.findings import Finding, Severity

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace"
KINDS = {
    "managedclusters": ("Microsoft.ContainerService", "managedClusters"),
    "connectedclusters": ("Microsoft.Kubernetes", "connectedClusters"),
}
CLUSTER_ID = re.compile(
    r"^/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/"
    r"(?P<provider>[^/]+)/(?P<kind>[^/]+)/(?P<name>[^/]+)/?$",
    re.IGNORECASE,
)
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
    found = CLUSTER_ID.match(text.strip())
    known = KINDS.get(found["kind"].lower()) if found else None
    if not found or not known:
        hint = ""
        if found and found["kind"].lower() == "provisionedclusters":
            hint = " For an AKS cluster on your own hardware, give the id of its connectedClusters resource."
        message = f"{text} is not the resource ID of an AKS or Arc-connected cluster.{hint}"
        fix = "az aks show -g GROUP -n CLUSTER --query id -o tsv"
        return None, (Finding("C101", Severity.ERROR, "--resource-id", message, fix=fix, source=GUIDE),)
    provider, kind = known
    ref = ClusterRef(found["subscription"], found["group"], kind, found["name"])
    if found["provider"].lower() == provider.lower():
        return ref, ()
    message = f"{kind} belong to {provider}, not to {found['provider']}; the ID is corrected."
    return ref, (Finding("C102", Severity.WARNING, "--resource-id", message, fix=ref.id, source=GUIDE),)


def read_identity(kind: str | None, identities: str | None) -> tuple[Mapping[str, Any] | None, tuple[Finding, ...]]:
    """The identity of a compute as ARM takes it, None for none.

    Several user-assigned identities may be given, separated by commas or spaces; the service uses the first. An id
    without its leading slash, as the documentation has it, is completed.
    """
    words = [word for word in re.split(r"[,\s]+", identities or "") if word]
    findings: list[Finding] = []
    if words and (kind or "").lower() == "systemassigned":
        findings.append(
            _identity_error(
                "C131", "A system-assigned identity excludes user-assigned ones.", "--identity-type UserAssigned"
            )
        )
    if not words and (kind or "").lower() == "userassigned":
        fix = "--user-assigned-identities $(az identity show -g GROUP -n NAME --query id -o tsv)"
        findings.append(_identity_error("C132", "--identity-type UserAssigned needs --user-assigned-identities.", fix))
    if words and not IDENTITY_ID.match(words[0]):
        fix = "az identity show -g GROUP -n NAME --query id -o tsv"
        findings.append(_identity_error("C133", f"{words[0]} is not the resource ID of an identity.", fix))
    if findings:
        return None, tuple(findings)
    if not words:
        return ({"type": "SystemAssigned"} if kind else None), ()
    first = "/" + words[0].strip("/")
    if not words[0].startswith("/"):
        message = "The ID of the identity lacks its leading slash; it is completed."
        findings.append(
            Finding("C103", Severity.WARNING, "--user-assigned-identities", message, fix=first, source=GUIDE)
        )
    if len(words) > 1:
        message = f"Of several identities the service uses the first only: {first}"
        findings.append(Finding("C104", Severity.WARNING, "--user-assigned-identities", message, source=GUIDE))
    return {"type": "UserAssigned", "userAssignedIdentities": {first: {}}}, tuple(findings)


def _identity_error(rule: str, message: str, fix: str) -> Finding:
    return Finding(rule, Severity.ERROR, "--user-assigned-identities", message, fix=fix, source=GUIDE)
