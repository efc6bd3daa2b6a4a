"""What varies between clusters, as values of parameters of a module; clusters with the same parameters share one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.computes.request_bodies import build_attach_body
from azext_amlk8s.computes.roles import RoleNeeded
from azext_amlk8s.refs import CONNECTED_CLUSTERS, MANAGED_CLUSTERS, PROVIDERS, WorkspaceRef
from azext_amlk8s.rendering.inputs import ClusterInput, SecretReference
from azext_amlk8s.settings.plan import CLUSTER_COPIES, COPIES
from azext_amlk8s.values import region_name

BACKING_NAMES = {"relay": "relayName", "logAnalytics": "logAnalyticsName", "serviceBus": "serviceBusName"}
# Settings that identify the cluster; a module computes them.
IDENTITY = ("cluster_name", *CLUSTER_COPIES)
LOCATION = ("location", "jobSchedulerLocation")
# Settings that do not come from the user, and that every installation by az has.
FIXED = ("servicebus.enabled", "relayserver.enabled", "nginxIngress.enabled")

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """Clusters that one module can set up. name is its prefix: aks, arc, or these with a number.

    fields are the values of the module's parameters for each cluster; fixed are the settings of FIXED.
    """

    name: str
    clusters: tuple[ClusterInput, ...]
    fields: tuple[Fields, ...]
    fixed: Mapping[str, str]

    @property
    def first(self) -> ClusterInput:
        """A cluster that has what all of them have."""
        return self.clusters[0]

    @property
    def is_aks(self) -> bool:
        """Whether these are AKS clusters."""
        return self.first.facts.is_aks

    @property
    def cluster_type(self) -> str:
        """The resource type of the clusters, with its provider."""
        kind = MANAGED_CLUSTERS if self.is_aks else CONNECTED_CLUSTERS
        return f"{PROVIDERS[kind]}/{kind}"

    @property
    def roles(self) -> tuple[RoleNeeded, ...]:
        """The roles that every identity of the workspace needs, each once."""
        return tuple({role.role_id: role for role in self.first.roles}.values())

    def is_on_cluster(self, role: RoleNeeded) -> bool:
        """Whether the scope of a role is the cluster itself, not its resource group."""
        return role.scope.lower() == self.first.facts.resource_id.lower()

    @property
    def secrets(self) -> tuple[SecretReference, ...]:
        """The secrets that each of the clusters gets."""
        return self.first.secrets


def group_by_shape(clusters: Sequence[ClusterInput], *, subscription: str, computes: bool = True) -> list[Shape]:
    """The clusters by what a module for them looks like, in their order.

    subscription is that of the deployment: where there is another one, each cluster names its own. Without computes,
    nothing is attached.
    """
    groups: dict[Any, list[tuple[ClusterInput, dict[str, Any]]]] = {}
    several = any(other.lower() != subscription.lower() for other in _subscriptions(clusters, computes=computes))
    for cluster in clusters:
        fields = cluster_fields(cluster, subscriptions=several, computes=computes)
        groups.setdefault(_key(cluster, fields), []).append((cluster, fields))
    numbers: dict[str, int] = {}
    shapes = []
    for members in groups.values():
        prefix = "aks" if members[0][0].facts.is_aks else "arc"
        numbers[prefix] = numbers.get(prefix, 0) + 1
        name = prefix if numbers[prefix] == 1 else f"{prefix}{numbers[prefix]}"
        inputs, fields_of = zip(*members, strict=True)
        shapes.append(Shape(name, inputs, fields_of, _fixed(inputs[0])))
    return shapes


def cluster_fields(cluster: ClusterInput, *, subscriptions: bool, computes: bool = True) -> dict[str, Any]:
    """The values of the parameters of the module for a cluster; with the IDs of subscriptions where they are wanted."""
    facts = cluster.facts
    fields: dict[str, Any] = {"clusterName": facts.name}
    if subscriptions:
        fields["subscriptionId"] = cluster.subscription
    fields["resourceGroup"] = facts.group
    if cluster.extension is not None:
        fields |= _extension_fields(cluster)
    if cluster.roles:
        fields["workspacePrincipalIds"] = cluster.principal_ids
    if computes and cluster.compute and cluster.workspace:
        fields |= _compute_fields(cluster, subscriptions)
    return fields


def protected_keys(cluster: ClusterInput) -> dict[str, SecretReference]:
    """The protected settings that come from secrets, with the copies under the names that the chart reads."""
    keys: dict[str, SecretReference] = {}
    given = {secret.key for secret in cluster.secrets}
    for secret in cluster.secrets:
        keys[secret.key] = secret
        copy = COPIES.get(secret.key)
        if copy and copy not in given:
            keys[copy] = secret
    return keys


def common_fields(members: Sequence[Fields]) -> dict[str, Any]:
    """The fields that have the same value for each of the clusters."""
    first = members[0]
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in members)}


def common_settings(shape: Shape) -> dict[str, str]:
    """The settings that all clusters of a shape have with the same value; none without an extension."""
    return common_fields([fields.get("settings") or {} for fields in shape.fields])


def _subscriptions(clusters: Iterable[ClusterInput], *, computes: bool) -> Iterator[str]:
    for cluster in clusters:
        yield cluster.subscription
        if computes and cluster.compute:
            yield cluster.compute.workspace.subscription


def _extension_fields(cluster: ClusterInput) -> dict[str, Any]:
    assert cluster.extension is not None
    properties = cluster.extension["properties"]
    fields: dict[str, Any] = {
        "location": region_name(cluster.facts.location),
        "extensionName": cluster.extension_name,
    }
    # A release train has no effect beside a version.
    if "version" in properties:
        fields["extensionVersion"] = properties["version"]
    else:
        fields["releaseTrain"] = properties["releaseTrain"]
        if "autoUpgradeMinorVersion" in properties:
            fields["autoUpgradeMinorVersion"] = properties["autoUpgradeMinorVersion"]
    fields |= {BACKING_NAMES[need.kind]: need.name for need in cluster.backing}
    fields["settings"] = _settings(cluster)
    return fields


def _settings(cluster: ClusterInput) -> dict[str, str]:
    """The settings that the module does not compute, those that enable workloads first."""
    assert cluster.extension is not None
    config = cluster.extension["properties"]["configurationSettings"]
    computed = {*computed_settings(cluster), *_fixed(cluster)}
    for need in cluster.backing:
        made = need.settings(None, "").config
        computed |= {key for key, value in made.items() if config.get(key) == value}
    chosen = {key: str(value) for key, value in config.items() if key not in computed}
    workloads = {key: chosen[key] for key in ("enableTraining", "enableInference") if key in chosen}
    return {**workloads, **chosen}


def computed_settings(cluster: ClusterInput) -> dict[str, str]:
    """The settings that follow from the cluster, with what each is: its id, its name, its location or its domain."""
    assert cluster.extension is not None
    facts, config = cluster.facts, cluster.extension["properties"]["configurationSettings"]
    location = region_name(facts.location)
    expected = {
        **dict.fromkeys(IDENTITY, ("id", facts.resource_id)),
        "cluster_name_friendly": ("name", facts.name),
        **dict.fromkeys(LOCATION, ("location", location)),
        "domain": ("domain", f"{location}.{facts.cloud.domain}"),
    }
    return {key: kind for key, (kind, value) in expected.items() if config.get(key) == value}


def _fixed(cluster: ClusterInput) -> dict[str, str]:
    if cluster.extension is None:
        return {}
    config = cluster.extension["properties"]["configurationSettings"]
    return {key: config[key] for key in FIXED if key in config}


def _compute_fields(cluster: ClusterInput, subscriptions: bool) -> dict[str, Any]:
    assert cluster.compute is not None and cluster.workspace is not None
    workspace: WorkspaceRef = cluster.compute.workspace
    body = build_attach_body(cluster.compute, cluster.workspace)
    fields: dict[str, Any] = {"computeName": cluster.compute.compute.name}
    if subscriptions:
        fields["workspaceSubscriptionId"] = workspace.subscription
    fields |= {
        "workspaceResourceGroup": workspace.resource_group,
        "workspaceName": workspace.name,
        "workspaceLocation": body["location"],
        "computeNamespace": cluster.compute.namespace,
    }
    optional = {
        "computeIdentity": body.get("identity"),
        "computeTags": body.get("tags"),
        "computeDescription": body["properties"].get("description"),
    }
    return {**fields, **{key: value for key, value in optional.items() if value}}


def _key(cluster: ClusterInput, fields: Fields) -> Any:
    secrets = tuple((secret.key, secret.kind, secret.source, secret.vault_id) for secret in cluster.secrets)
    roles = tuple(dict.fromkeys(role.role_id for role in cluster.roles))
    computed = tuple(computed_settings(cluster)) if cluster.extension is not None else ()
    fixed = tuple(_fixed(cluster).items())
    return (cluster.facts.is_aks, tuple(sorted(fields)), secrets, roles, fixed, computed)
