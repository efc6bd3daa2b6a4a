"""The request body of an extension, and the Azure resources that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.settings import (
    BLANK,
    ClusterFacts,
    Settings,
    all_resources,
    build_create_body,
    merge_settings,
    needed_resources,
    redact_body,
)
from azext_amlk8s.settings.dependencies import resource_for_cluster, resource_name

GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg"
AKS = ClusterFacts(
    "managedClusters", f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks", "aks", "East US", 3
)
ARC = ClusterFacts(
    "connectedClusters", f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/arc", "arc", "westeurope", 3
)
TRAINING = {"enableTraining": "True"}
INFERENCE = {"enableInference": "True", "allowInsecureConnections": "True"}


@dataclass(frozen=True)
class Case:
    """Settings on a cluster, and the expected configurationSettings; None for a key that must be absent."""

    name: str
    config: dict[str, str]
    expected: dict[str, str | None]
    facts: ClusterFacts = AKS
    protected: dict[str, str] = field(default_factory=dict)


CASES = [
    Case("both workloads are always sent", TRAINING, {"enableTraining": "True", "enableInference": "False"}),
    Case(
        "ID, name and location of the cluster are sent",
        TRAINING,
        {
            "cluster_name": AKS.resource_id,
            "clusterId": AKS.resource_id,
            "prometheus.prometheusSpec.externalLabels.cluster_name": AKS.resource_id,
            "cluster_name_friendly": "aks",
            "location": "eastus",
            "jobSchedulerLocation": "eastus",
            "domain": "eastus.cloudapp.azure.com",
        },
    ),
    Case("a custom domain is kept", {**TRAINING, "domain": "ml.contoso.com"}, {"domain": "ml.contoso.com"}),
    Case("a custom clusterId is kept", {**TRAINING, "clusterId": "mine"}, {"clusterId": "mine"}),
    Case(
        "AKS", TRAINING, {"relayserver.enabled": "False", "nginxIngress.enabled": "True", "servicebus.enabled": "False"}
    ),
    Case("Arc", TRAINING, {"relayserver.enabled": "True", "nginxIngress.enabled": "False"}, ARC),
    Case("three nodes are enough for high availability", TRAINING, {"clusterPurpose": None, "inferenceRouterHA": None}),
    Case(
        "two nodes are DevTest",
        TRAINING,
        {"clusterPurpose": "DevTest", "inferenceRouterHA": "False"},
        replace(AKS, node_count=2),
    ),
    Case("an unknown number of nodes", TRAINING, {"clusterPurpose": None}, replace(AKS, node_count=None)),
    Case(
        "a given setting overrides the default for few nodes",
        {**TRAINING, "inferenceRouterHA": "True"},
        {"inferenceRouterHA": "True"},
        replace(AKS, node_count=2),
    ),
    Case(
        "a key is never in both sections",
        TRAINING,
        {"inferenceRouterHA": None},
        replace(AKS, node_count=2),
        {"inferenceRouterHA": "False"},
    ),
    Case(
        "OpenShift sets openshift",
        {**TRAINING, "openshift": "False"},
        {"openshift": "True"},
        replace(ARC, distribution="openshift"),
    ),
    Case(
        "another distribution does not set openshift", TRAINING, {"openshift": None}, replace(ARC, distribution="k3s")
    ),
    Case(
        "node ports",
        {**INFERENCE, "inferenceRouterServiceType": "nodePort"},
        {"scoringFe.serviceType.nodePort": "True", "scoringFe.serviceType.internalLoadBalancer": None},
    ),
    Case(
        "internal load balancer",
        {**INFERENCE, "inferenceRouterServiceType": "loadBalancer", "internalLoadBalancerProvider": "azure"},
        {"scoringFe.serviceType.nodePort": None, "scoringFe.serviceType.internalLoadBalancer": "True"},
    ),
    Case(
        "secret with the certificate",
        {"enableInference": "True", "inferenceRouterServiceType": "clusterIP", "sslSecret": "tls", "sslCname": "a.b"},
        {"scoringFe.sslSecret": "tls"},
    ),
    Case("plain HTTP needs no secret", {**INFERENCE, "sslSecret": "tls"}, {"scoringFe.sslSecret": None}),
    Case("training has no router", {**TRAINING, "sslSecret": "tls"}, {"scoringFe.sslSecret": None}),
    Case("a migration from AKS", {**INFERENCE, "isAKSMigration": "True"}, {"scoringFe.namespace": "default"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_configuration_settings(case: Case) -> None:
    body = build_create_body(Settings(case.config, case.protected), case.facts)
    config = body["properties"]["configurationSettings"]
    assert {key: config.get(key) for key in case.expected} == case.expected
    assert not config.keys() & body["properties"]["configurationProtectedSettings"].keys()


def test_properties_of_the_body() -> None:
    """Type, train and scope; an identity for Arc only; automatic upgrades only if requested."""
    body = build_create_body(Settings(TRAINING), ARC)
    properties = body["properties"]
    assert body["identity"] == {"type": "SystemAssigned"}
    assert "identity" not in build_create_body(Settings(TRAINING), AKS)
    assert properties["extensionType"] == "microsoft.azureml.kubernetes"
    assert properties["releaseTrain"] == "stable"
    assert properties["scope"] == {"cluster": {"releaseNamespace": "azureml"}}
    assert "autoUpgradeMinorVersion" not in properties and "version" not in properties


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"version": "1.1.70"}, {"version": "1.1.70", "autoUpgradeMinorVersion": False}),
        ({"auto_upgrade": True}, {"autoUpgradeMinorVersion": True}),
        ({"auto_upgrade": False}, {"autoUpgradeMinorVersion": False}),
        ({"release_train": "preview"}, {"releaseTrain": "preview"}),
    ],
)
def test_version_and_upgrades(options: dict[str, object], sent: dict[str, object]) -> None:
    """A version switches automatic upgrades off, since the service refuses both together."""
    properties = build_create_body(Settings(TRAINING), AKS, **options)["properties"]  # type: ignore[arg-type]
    assert {key: properties[key] for key in sent} == sent


def test_connection_strings_are_sent_under_both_names() -> None:
    """Under the documented name and the one that the chart reads; a given value is kept."""
    protected = {"relayServerConnectionString": "one", "serviceBusConnectionString": "two"}
    sent = build_create_body(Settings(TRAINING, protected), ARC)["properties"]["configurationProtectedSettings"]
    assert sent == {**protected, "relayserver.relayConnectionString": "one", "servicebus.connectionString": "two"}
    both = {"relayServerConnectionString": "one", "relayserver.relayConnectionString": "other"}
    assert build_create_body(Settings({}, both), ARC)["properties"]["configurationProtectedSettings"] == both


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=4).filter(lambda value: value not in BLANK)))
def test_redacted_body_has_no_secret(protected: dict[str, str]) -> None:
    shown = redact_body(build_create_body(Settings(TRAINING, protected), AKS))["properties"][
        "configurationProtectedSettings"
    ]
    assert set(shown) >= set(protected)
    assert set(shown.values()) <= {BLANK}


NEEDS = [
    ("AKS needs nothing", TRAINING, {}, AKS, []),
    ("Arc needs a relay", TRAINING, {}, ARC, ["relay"]),
    ("a custom relay", TRAINING, {"relayServerConnectionString": "Endpoint=x"}, ARC, []),
    ("a relay that is switched off", {"relayserver.enabled": "False"}, {}, ARC, []),
    ("a relay on AKS", {"relayserver.enabled": "True"}, {}, AKS, ["relay"]),
    ("logs", {"logAnalyticsWS": "True"}, {}, AKS, ["logAnalytics"]),
    ("custom logs", {"logAnalyticsWS": "True"}, {"azure_log_analytics.connection_string": "key"}, AKS, []),
    ("a bus", {"servicebus.enabled": "True"}, {}, ARC, ["relay", "serviceBus"]),
]


@pytest.mark.parametrize(("name", "config", "protected", "facts", "kinds"), NEEDS, ids=[need[0] for need in NEEDS])
def test_needed_resources(
    name: str, config: dict[str, str], protected: dict[str, str], facts: ClusterFacts, kinds: list[str]
) -> None:
    assert [resource.kind for resource in needed_resources(Settings(config, protected), facts)] == kinds


def test_relay_has_connection_and_rule() -> None:
    """Namespace, hybrid connection and rule, in this order; the settings name the connection."""
    (relay,) = needed_resources(Settings(TRAINING), ARC)
    namespace = f"{GROUP}/providers/Microsoft.Relay/namespaces/{relay.name}"
    assert relay.id == namespace
    assert relay.body["location"] == "westeurope"
    assert [part.removeprefix(namespace) for part, _ in relay.parts] == [
        "/hybridConnections/arc",
        "/hybridConnections/arc/authorizationRules/azureml_rw",
    ]
    assert relay.parts[1][1] == {"properties": {"rights": ["Manage", "Send", "Listen"]}}
    assert relay.keys_id == f"{relay.parts[1][0]}/listKeys"
    created = relay.settings({}, "secret")
    assert created.config == {
        "relayserver.hybridConnectionResourceID": f"{namespace}/hybridConnections/arc",
        "relayserver.hybridConnectionName": "arc",
    }
    assert created.protected == {"relayServerConnectionString": "secret", "relayserver.relayConnectionString": "secret"}


def test_custom_relay_returns_its_own_keys() -> None:
    """The relay that the settings name, in another resource group."""
    pointer = "/subscriptions/s/resourceGroups/other/providers/Microsoft.Relay/namespaces/mine/hybridConnections/hc"
    relay = resource_for_cluster("relay", ARC, pointer)
    assert relay.id == pointer.rsplit("/", 2)[0]
    assert relay.keys_id == f"{pointer}/authorizationRules/azureml_rw/listKeys"


def test_log_workspace_has_its_customer_id() -> None:
    """The customer ID is known after Azure has created the workspace."""
    (logs,) = needed_resources(Settings({"logAnalyticsWS": "True"}), AKS)
    config = logs.settings({"properties": {"customerId": "1234"}}, "key").config
    assert config == {"azure_log_analytics.enabled": "True", "azure_log_analytics.customer_id": "1234"}


def test_every_resource_has_a_price() -> None:
    assert all("https://azure.microsoft.com/pricing/" in resource.costs for resource in all_resources(ARC))


NAMES = [
    ("short", "aks-sub-rg-relay", 50, "akssubrgrelay"),
    ("a leading digit", "9aks-sub-rg", 50, "k9akssubrg"),
    ("letters of other scripts", "ü-aks", 50, "aks"),
    # echo -n minikube-33333333-dddd-4eee-8fff-444444444444-machine-learning-relay | md5sum
    (
        "long",
        "minikube-33333333-dddd-4eee-8fff-444444444444-machine-learning-relay",
        50,
        "minikube33333333dddd4eee8fff444444444444mach" + "7dcd62",
    ),
]


@pytest.mark.parametrize(("name", "words", "longest", "expected"), NAMES, ids=[case[0] for case in NAMES])
def test_resource_name(name: str, words: str, longest: int, expected: str) -> None:
    """The names of az k8s-extension, so that its resources are found and reused."""
    assert resource_name(words, longest) == expected


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True), st.sampled_from((50, 63)))
def test_resource_name_is_valid(cluster: str, longest: int) -> None:
    """Letters and digits, a letter first, not longer than the limit."""
    words = f"{cluster}-33333333-dddd-4eee-8fff-444444444444-ml-rg-relay"
    name = resource_name(words, longest)
    assert name.isalnum() and name[0].isalpha() and len(name) <= longest
    assert name == resource_name(words, longest)


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_merged_settings_keep_all_keys(config: dict[str, str], extra: dict[str, str]) -> None:
    """Given values are kept, and no key is lost."""
    settings = Settings(config, {"secret": "mine"})
    both = merge_settings(settings, Settings(extra, {**extra, "secret": "theirs"}))
    assert both.get("secret") == config.get("secret", "mine")
    assert {key: both.config[key] for key in config} == config
    assert {*both.config, *both.protected} >= {*config, *extra}
