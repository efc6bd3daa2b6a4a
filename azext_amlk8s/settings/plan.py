"""The exact body that is sent, made of settings and of what Azure says of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import BLANK, EXTENSION_TYPE, Settings
from azext_amlk8s.settings.nodes import few_nodes
from azext_amlk8s.settings.schema import find

RELEASE_NAMESPACE = "azureml"
FOR_FEW_NODES = {"clusterPurpose": "DevTest", "inferenceRouterHA": "False"}
COPIES = {
    "relayServerConnectionString": "relayserver.relayConnectionString",
    "serviceBusConnectionString": "servicebus.connectionString",
}
CLUSTER_COPIES = ("clusterId", "prometheus.prometheusSpec.externalLabels.cluster_name")


def plan_create(
    settings: Settings,
    facts: ClusterFacts,
    *,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> dict[str, Any]:
    """The PUT body of the extension (field guide cluster-extension 2.1, 3c and 4).

    What is derived never overrides what was given, with one exception: an OpenShift cluster is told that it is one. A
    key never stands in both bags.
    """
    derived = {**defaults(settings, facts), **derived_of(settings)}
    config = {key: value for key, value in derived.items() if key not in settings.protected}
    config.update(settings.config)
    config.update({key: settings.get(key, "False") for key in ("enableTraining", "enableInference")})
    if (facts.distribution or "").lower() == "openshift":
        config["openshift"] = "True"
    for copy in CLUSTER_COPIES:
        config.setdefault(copy, config["cluster_name"])
    properties: dict[str, Any] = {
        "extensionType": EXTENSION_TYPE,
        "releaseTrain": release_train or "stable",
        "scope": {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}},
        "configurationSettings": config,
        "configurationProtectedSettings": with_copies(settings.protected),
    }
    properties.update(version_of(version, auto_upgrade))
    return (
        {"properties": properties}
        if facts.is_aks
        else {"identity": {"type": "SystemAssigned"}, "properties": properties}
    )


def version_of(version: str | None, auto_upgrade: bool | None) -> dict[str, Any]:
    """What is sent of version and automatic upgrades: a version switches them off (service rule, API 2023-05-01)."""
    if version:
        return {"version": version, "autoUpgradeMinorVersion": False}
    return {} if auto_upgrade is None else {"autoUpgradeMinorVersion": auto_upgrade}


def with_copies(protected: Mapping[str, str]) -> dict[str, str]:
    """Protected settings, each also under the name that the chart reads, unless that is given (2.1, step 12)."""
    return {**{copy: protected[key] for key, copy in COPIES.items() if key in protected}, **protected}


def blanked(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body that can be shown: every protected value, and every open one that is secret, is blanked."""
    properties = dict(body["properties"])
    if "configurationProtectedSettings" in properties:
        properties["configurationProtectedSettings"] = dict.fromkeys(
            properties["configurationProtectedSettings"], BLANK
        )
    if "configurationSettings" in properties:
        properties["configurationSettings"] = {
            key: BLANK if is_secret(key) else value for key, value in properties["configurationSettings"].items()
        }
    return {**body, "properties": properties}


def is_secret(key: str) -> bool:
    """Whether a value of this key may not be shown."""
    known = find(key)
    return known is not None and (known.secret or known.bag == "protected")


def defaults(settings: Settings, facts: ClusterFacts) -> Mapping[str, str]:
    """What is sent where nothing is given (2.1, steps 9 and 10)."""
    location = facts.location.replace(" ", "").lower()
    return {
        "cluster_name": facts.resource_id,
        "cluster_name_friendly": facts.name,
        "location": location,
        "jobSchedulerLocation": location,
        "domain": f"{location}.cloudapp.azure.com",
        "servicebus.enabled": "False",
        "relayserver.enabled": "False" if facts.is_aks else "True",
        "nginxIngress.enabled": "True" if facts.is_aks else "False",
        **(FOR_FEW_NODES if few_nodes(settings, facts) and not settings.on("inferenceRouterHA") else {}),
    }


def derived_of(settings: Settings) -> Mapping[str, str]:
    """The chart's own settings that follow from those of the documentation (2.1, steps 6 and 7)."""
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
