"""The exact body that is sent, made of settings and of what Azure says of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.settings.model import EXTENSION_TYPE, ClusterFacts, Settings

RELEASE_NAMESPACE = "azureml"
FEW_NODES = 3
COPIES = {
    "relayServerConnectionString": "relayserver.relayConnectionString",
    "serviceBusConnectionString": "servicebus.connectionString",
}


def plan_create(
    settings: Settings,
    facts: ClusterFacts,
    *,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> dict[str, Any]:
    """The PUT body of the extension (field guide cluster-extension 2.1, 3c and 4).

    What is derived never overrides what was given, with one exception: an OpenShift cluster is told that it is one.
    """
    config = {**_defaults(settings, facts), **_derived(settings), **settings.config}
    config.update({key: settings.get(key, "False") for key in ("enableTraining", "enableInference")})
    if (facts.distribution or "").lower() == "openshift":
        config["openshift"] = "True"
    config["clusterId"] = config["cluster_name"]
    config["prometheus.prometheusSpec.externalLabels.cluster_name"] = config["cluster_name"]
    protected = dict(settings.protected)
    protected.update({copy: settings.get(key) for key, copy in COPIES.items() if settings.get(key)})
    properties: dict[str, Any] = {
        "extensionType": EXTENSION_TYPE,
        "releaseTrain": release_train or "stable",
        "scope": {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}},
        "configurationSettings": config,
        "configurationProtectedSettings": protected,
    }
    if version:
        properties.update(version=version, autoUpgradeMinorVersion=False)
    elif auto_upgrade is not None:
        properties["autoUpgradeMinorVersion"] = auto_upgrade
    return (
        {"properties": properties}
        if facts.is_aks
        else {"identity": {"type": "SystemAssigned"}, "properties": properties}
    )


def _defaults(settings: Settings, facts: ClusterFacts) -> Mapping[str, str]:
    location = facts.location.replace(" ", "").lower()
    few = facts.node_count is not None and facts.node_count < FEW_NODES
    return {
        "cluster_name": facts.resource_id,
        "cluster_name_friendly": facts.name,
        "location": location,
        "jobSchedulerLocation": location,
        "domain": f"{location}.cloudapp.azure.com",
        "servicebus.enabled": "False",
        "relayserver.enabled": "False" if facts.is_aks else "True",
        "nginxIngress.enabled": "True" if facts.is_aks else "False",
        **(
            {"clusterPurpose": "DevTest", "inferenceRouterHA": settings.get("inferenceRouterHA", "False")}
            if few
            else {}
        ),
    }


def _derived(settings: Settings) -> Mapping[str, str]:
    if not settings.on("enableInference"):
        return {}
    derived = {}
    if settings.get("inferenceRouterServiceType") == "nodePort":
        derived["scoringFe.serviceType.nodePort"] = "True"
    elif settings.get("internalLoadBalancerProvider") == "azure":
        derived["scoringFe.serviceType.internalLoadBalancer"] = "True"
    if settings.get("sslSecret") and not settings.on("allowInsecureConnections"):
        derived["scoringFe.sslSecret"] = settings.get("sslSecret")
    if settings.on("isAKSMigration"):
        derived["scoringFe.namespace"] = "default"
    return derived
