"""Resource IDs of clusters, in the forms that people paste."""

from __future__ import annotations

import re

from azext_amlk8s.computes.model import ATTACH_GUIDE
from azext_amlk8s.refs import PROVIDERS, ClusterRef, canonical_type
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule

OPTION = "--resource-id"
CLUSTER_ID = re.compile(
    r"^/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/"
    r"(?P<provider>[^/]+)/(?P<type>[^/]+)/(?P<name>[^/]+)/?$",
    re.IGNORECASE,
)
# AKS on Azure Local is a child of its connectedClusters resource.
HYBRID = re.compile(
    r"^(?P<connected>.*/connectedClusters/[^/]+)/providers/Microsoft\.HybridContainerService/[^/]+/[^/]+/?$",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"[<>{}]")
LIST_AKS = "az aks list --query '[].id' -o tsv"
LIST_ARC = "az resource list --resource-type Microsoft.Kubernetes/connectedClusters --query '[].id' -o tsv"


def parse_cluster_id(text: str) -> tuple[ClusterRef | None, tuple[Finding, ...]]:
    """The cluster of a resource ID, or None, and findings.

    The segment before the name decides; the wrong provider before it is corrected with a warning.
    """
    hybrid = HYBRID.match(text.strip())
    match = CLUSTER_ID.match(hybrid["connected"] if hybrid else text.strip())
    try:
        cluster_type = canonical_type(match["type"] if match else "")
    except ValueError:
        match = match if match and not PLACEHOLDER.search(text) else None
        return None, invalid_cluster_id(text, match)
    if not match or PLACEHOLDER.search(text):
        return None, invalid_cluster_id(text, None)
    ref = ClusterRef(match["subscription"], match["group"], cluster_type, match["name"])
    if hybrid or match["provider"].lower() != PROVIDERS[cluster_type].lower():
        return ref, corrected_cluster_id(ref, match["provider"], hybrid=bool(hybrid))
    return ref, ()


@rule(
    "C101",
    Severity.ERROR,
    title="Cluster resource ID",
    requires="The cluster must be given by the resource ID of an AKS or Arc-connected cluster.",
    source=ATTACH_GUIDE,
)
def invalid_cluster_id(text: str, found: re.Match[str] | None) -> Problems:
    """found is the match of an ID that has the shape of a cluster's but is of another type."""
    provider = found["provider"].lower() if found else ""
    if PLACEHOLDER.search(text):
        message = f"Invalid cluster ID '{text}': it still contains a placeholder."
    elif found and found["type"].lower() == "provisionedclusters":
        message = f"Invalid cluster ID '{text}'; expected the ID of its connectedClusters resource."
    else:
        message = f"Invalid cluster ID '{text}'; expected the resource ID of an AKS or Arc-connected cluster."
    fix = LIST_ARC if "kubernetes" in provider or "hybrid" in provider else f"{LIST_AKS}\n{LIST_ARC}"
    yield Problem(OPTION, message, found=text, fix=fix)


@rule(
    "C102",
    Severity.WARNING,
    title="Resource provider of the cluster",
    requires="The resource ID of a cluster must name the provider of its type.",
    source=ATTACH_GUIDE,
)
def corrected_cluster_id(ref: ClusterRef, provider: str, *, hybrid: bool = False) -> Problems:
    """ref is the cluster after the correction, provider the one that was given."""
    expected = PROVIDERS[ref.type]
    message = f"The provider of {ref.type} is {expected}, not '{provider}'. The ID was corrected to {ref.id}."
    if hybrid:
        message = (
            f"AKS on Azure Local is attached through its connectedClusters resource. The ID was corrected to {ref.id}."
        )
    yield Problem(OPTION, message, expected=expected, found=provider, fix=f"{OPTION} {ref.id}")
