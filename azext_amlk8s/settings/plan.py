"""The request body that is sent, made of settings and of what Azure reports about the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.nodes import has_few_nodes
from azext_amlk8s.settings.schema import is_secret
from azext_amlk8s.values import region_name

Body = dict[str, Any]  # an extension in ARM's JSON
RELEASE_NAMESPACE = "azureml"
FOR_FEW_NODES = {"clusterPurpose": "DevTest", "inferenceRouterHA": "False"}
COPIES = {
    "relayServerConnectionString": "relayserver.relayConnectionString",
    "serviceBusConnectionString": "servicebus.connectionString",
}
CLUSTER_COPIES = ("clusterId", "prometheus.prometheusSpec.externalLabels.cluster_name")


def build_create_body(
    settings: Settings,
    facts: ClusterFacts,
    *,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> Body:
    """The PUT body of the extension.

    Derived settings never override given ones, except that openshift is True on an OpenShift cluster. A key is in one
    section only. Resets (empty values) are left out: a new extension has the chart's defaults.
    https://learn.microsoft.com/rest/api/kubernetesconfiguration/extensions/extensions/create
    """
    settings = settings.without_resets()
    derived = {**default_settings(settings, facts), **derived_settings(settings)}
    config = {key: value for key, value in derived.items() if key not in settings.protected}
    config.update(settings.config)
    config.update({key: settings.get(key, "False") for key in ("enableTraining", "enableInference")})
    if (facts.distribution or "").lower() == "openshift":
        config["openshift"] = "True"
    for copy in CLUSTER_COPIES:
        config.setdefault(copy, config["cluster_name"])
    properties: Body = {
        "extensionType": EXTENSION_TYPE,
        "releaseTrain": release_train or "stable",
        "scope": {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}},
        "configurationSettings": config,
        "configurationProtectedSettings": with_copies(settings.protected),
        **version_properties(version, auto_upgrade),
    }
    if facts.is_aks:
        return {"properties": properties}
    return {"identity": {"type": "SystemAssigned"}, "properties": properties}


def version_properties(version: str | None, auto_upgrade: bool | None) -> Body:
    """The properties for version and automatic upgrades; the service rejects a version with automatic upgrades."""
    if version:
        return {"version": version, "autoUpgradeMinorVersion": False}
    return {} if auto_upgrade is None else {"autoUpgradeMinorVersion": auto_upgrade}


def with_copies(protected: Mapping[str, str]) -> dict[str, str]:
    """Protected settings, each also under the name that the chart reads, unless that is given."""
    return {**{copy: protected[key] for key, copy in COPIES.items() if key in protected}, **protected}


def redact_body(body: Mapping[str, Any]) -> Body:
    """A body that can be shown: protected values and other secrets are blanked."""
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


def default_settings(settings: Settings, facts: ClusterFacts) -> Mapping[str, str]:
    """The settings that are sent where none is given."""
    location = region_name(facts.location)
    # az k8s-extension sends the domain of the public cloud everywhere; that is kept for clouds that are not known.
    domain = facts.cloud.domain
    return {
        "cluster_name": facts.resource_id,
        "cluster_name_friendly": facts.name,
        "location": location,
        "jobSchedulerLocation": location,
        "domain": f"{location}.{domain}",
        "servicebus.enabled": "False",
        "relayserver.enabled": "False" if facts.is_aks else "True",
        "nginxIngress.enabled": "True" if facts.is_aks else "False",
        **(FOR_FEW_NODES if has_few_nodes(settings, facts) and not settings.is_enabled("inferenceRouterHA") else {}),
    }


def derived_settings(settings: Settings) -> Mapping[str, str]:
    """The chart's own settings that follow from the documented ones."""
    if not settings.is_enabled("enableInference"):
        return {}
    derived = {}
    if settings.get("inferenceRouterServiceType") == "nodePort":
        derived["scoringFe.serviceType.nodePort"] = "True"
    elif settings.get("internalLoadBalancerProvider") == "azure":
        derived["scoringFe.serviceType.internalLoadBalancer"] = "True"
    if settings.get("sslSecret") and not settings.is_enabled("allowInsecureConnections"):
        derived["scoringFe.sslSecret"] = settings.get("sslSecret")
    if settings.is_enabled("isAKSMigration"):
        derived["scoringFe.namespace"] = "default"
    return derived
