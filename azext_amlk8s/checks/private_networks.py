"""Private API servers, private workspaces and managed networks, as Azure Resource Manager describes them."""

from __future__ import annotations

from azext_amlk8s.checks.facts import AKS, CLUSTER, WORKSPACE, Facts, Object, count, properties_of
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.shell import join
from azext_amlk8s.values import region_name

SECURE_AKS = "https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-inferencing-environment"


@rule(
    "K207",
    Severity.WARNING,
    title="Access to the API server",
    requires="Azure Machine Learning and your machine can reach the API server of the cluster.",
    source=SECURE_AKS,
    why="Pods of jobs and deployments cannot be created, and kubectl and this tool cannot read the cluster.",
    check=CheckSpec("azure", (CLUSTER,), (WORKSPACE,), clusters=AKS),
)
def api_server_access(facts: Facts) -> Results:
    """A private API server, its public name, and authorized IP ranges."""
    profile, name = properties_of(facts[CLUSTER]).get("apiServerAccessProfile") or {}, facts.cluster.name
    workspace = facts.get(WORKSPACE)
    ranges = [str(address_range) for address_range in profile.get("authorizedIPRanges") or ()]
    if profile.get("enablePrivateCluster"):
        if profile.get("enablePrivateClusterPublicFQDN"):
            message = (
                f"The private API server of '{name}' has a public name, which Azure Machine Learning does not support."
            )
            fix = f"az aks update {facts.cluster.az_args} --disable-public-fqdn"
            yield Problem(name, message, "no public name", "enablePrivateClusterPublicFQDN", fix)
        if workspace is not None and not approved_connections(workspace):
            message = (
                f"The API server of '{name}' is private, and workspace '{workspace.get('name')}' has no approved "
                "private endpoint; both must be reached through one virtual network or peered ones."
            )
            fix = (
                "Create a private endpoint of the workspace in the virtual network of the cluster, or in a peered one, "
                "and approve it."
            )
            yield Problem(name, message, "a private endpoint of the workspace", "none", fix)
        yield Observation("private: reachable from its virtual network only")
    elif ranges:
        if workspace is None:  # with one, the rule of attachments reports it
            message = (
                f"The API server of '{name}' accepts connections from {count(len(ranges), 'authorized IP range')} "
                "only; these must include the addresses of Azure Machine Learning and of your machine."
            )
            fix = f"az aks show {facts.cluster.az_args} --query apiServerAccessProfile.authorizedIpRanges"
            yield Problem(name, message, "the addresses of Azure Machine Learning", ", ".join(ranges), fix)
        yield Observation(count(len(ranges), "authorized IP range"))
    else:
        yield Observation("public")


@rule(
    "K608",
    Severity.WARNING,
    title="Network of the workspace",
    requires="The cluster can reach the workspace: over the internet, or through a private endpoint of its region.",
    source=SECURE_AKS,
    why="Jobs are not received, and endpoints get no models.",
    check=CheckSpec("compute", (WORKSPACE, CLUSTER)),
)
def workspace_network(facts: Facts) -> Results:
    """publicNetworkAccess, private endpoints, and the managed network, of which Kubernetes computes are no part."""
    workspace, cluster = facts[WORKSPACE], facts[CLUSTER]
    name, connections = str(workspace.get("name")), approved_connections(workspace)
    closed = str(properties_of(workspace).get("publicNetworkAccess") or "Enabled").lower() == "disabled"
    isolation = str((properties_of(workspace).get("managedNetwork") or {}).get("isolationMode") or "Disabled")
    if closed and not connections:
        message = f"Workspace '{name}' is closed to the internet and has no approved private endpoint."
        fix = "Create a private endpoint of the workspace in the virtual network of the cluster, and approve it."
        yield Problem(name, message, "a private endpoint", "none", fix, severity=Severity.ERROR)
    elif closed:
        message = (
            f"Workspace '{name}' is closed to the internet: its private endpoint must be in the virtual network of the "
            "cluster, or in a peered one, and the cluster must resolve its private name."
        )
        options = ["-g", facts.cluster.resource_group, "-c", facts.cluster.name, "-t", facts.cluster.type]
        fix = f"{join(['az', 'amlk8s', 'check', *options, '-w', name])} --only probe --probe"
        yield Problem(name, message, "Enabled", "Disabled", fix)
    places = [region_name(str(resource.get("location") or "")) for resource in (workspace, cluster)]
    if connections and facts.cluster.is_aks and all(places) and places[0] != places[1]:
        message = (
            f"Workspace '{name}' has a private endpoint and is in {places[0]}; the AKS cluster must be in the same "
            f"region, and is in {places[1]}."
        )
        fix = f"Use a cluster in {places[0]}."
        yield Problem(name, message, places[0], places[1], fix, severity=Severity.ERROR)
    words = ["closed to the internet" if closed else "open to the internet", count(connections, "private endpoint")]
    if isolation.lower() != "disabled":
        words.append(f"managed network {isolation}, which does not include this cluster")
    yield Observation(", ".join(words))


def approved_connections(workspace: Object) -> int:
    """The number of private endpoints that are connected to a workspace."""
    connections = properties_of(workspace).get("privateEndpointConnections") or ()
    states = [
        (properties_of(connection).get("privateLinkServiceConnectionState") or {}).get("status")
        for connection in connections
    ]
    return sum(str(state).lower() == "approved" for state in states)
