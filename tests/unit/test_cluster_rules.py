"""The findings of settings rules on the state of a cluster: subject, found value and fix of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from azext_amlk8s.scheduling.pools import pools_from_profiles
from azext_amlk8s.settings import ClusterFacts, Settings, evaluate_cluster_rules, evaluate_version_rules
from azext_amlk8s.settings.cluster_rules import needed_providers
from azext_amlk8s.settings.evaluate import evaluate_cluster_rules_after_update
from azext_amlk8s.settings.facts import InstalledExtension, cluster_facts_from_resources
from azext_amlk8s.settings.nodes import describe_nodes, has_few_nodes
from azext_amlk8s.settings.option_rules import extension_name

GROUP = "/subscriptions/s/resourceGroups/ml-rg/providers"
AKS = ClusterFacts(
    "managedClusters", f"{GROUP}/Microsoft.ContainerService/managedClusters/aks", "aks", "eastus", node_count=3
)
ARC = ClusterFacts(
    "connectedClusters", f"{GROUP}/Microsoft.Kubernetes/connectedClusters/arc", "arc", "eastus", node_count=3
)
TRAINING = {"enableTraining": "True"}
INTERNAL = {"internalLoadBalancerProvider": "azure"}
BALANCED = {"enableInference": "True", "inferenceRouterServiceType": "loadBalancer"}
OURS = "microsoft.azureml.kubernetes"


def installed(state: str, type: str = OURS) -> ClusterFacts:
    return replace(AKS, extensions=(InstalledExtension("ext", type, state),))


def provider(name: str, state: str, facts: ClusterFacts = AKS) -> ClusterFacts:
    return replace(facts, providers={name: state})


# Name, plain settings, cluster; ID and severity, subject, found value and fix of each finding.
Expected = list[tuple[str, str, str, str]]
CASES: list[tuple[str, dict[str, str], ClusterFacts, Expected]] = [
    ("internal load balancer on AKS", INTERNAL, AKS, []),
    ("internal load balancer on Arc", INTERNAL, ARC, [("F103 error", "internalLoadBalancerProvider", "connectedClusters", "Leave out internalLoadBalancerProvider.")]),
    ("load balancer on AKS", BALANCED, replace(AKS, distribution="generic"), []),
    ("load balancer of an unknown distribution", BALANCED, ARC, []),
    ("load balancer of a distribution that has one", BALANCED, replace(ARC, distribution="gke"), []),
    ("load balancer of a distribution without", BALANCED, replace(ARC, distribution="Generic"), [("F104 warning", "inferenceRouterServiceType", "generic", "--config inferenceRouterServiceType=nodePort")]),
    ("load balancer of a distribution in a cloud", BALANCED, replace(ARC, distribution="generic", infrastructure="AWS"), []),
    ("load balancer of a distribution outside a cloud", BALANCED, replace(ARC, distribution="generic", infrastructure="vsphere"), [("F104 warning", "inferenceRouterServiceType", "generic", "--config inferenceRouterServiceType=nodePort")]),
    ("node ports of a distribution without load balancers", {**BALANCED, "inferenceRouterServiceType": "nodePort"}, replace(ARC, distribution="generic"), []),
    ("connected", TRAINING, replace(ARC, connectivity="connected"), []),
    ("offline", TRAINING, replace(ARC, connectivity="Offline"), [("F105 error", "arc", "Offline", "az connectedk8s show -n arc -g ml-rg")]),
    ("the oldest agents", TRAINING, replace(ARC, agent_version="1.6.0"), []),
    ("agents older than the oldest", TRAINING, replace(ARC, agent_version="1.5.99"), [("F106 warning", "arc", "1.5.99", "az connectedk8s upgrade -n arc -g ml-rg")]),
    ("a preview of recent agents", TRAINING, replace(ARC, agent_version="1.10.0-preview"), []),
    ("running", TRAINING, replace(AKS, power_state="running"), []),
    ("stopped", TRAINING, replace(AKS, power_state="Stopped"), [("F107 error", "aks", "Stopped", "az aks start -n aks -g ml-rg")]),
    ("succeeded", TRAINING, replace(AKS, provisioning_state="succeeded"), []),
    ("accepted", TRAINING, replace(AKS, provisioning_state="Accepted"), []),
    ("failed", TRAINING, replace(AKS, provisioning_state="Failed"), [("F108 warning", "aks", "Failed", "az aks show -n aks -g ml-rg --query provisioningState")]),
    ("deleting on Arc", TRAINING, replace(ARC, provisioning_state="deleting"), [("F108 error", "arc", "deleting", "az connectedk8s show -n arc -g ml-rg --query provisioningState")]),
    ("a service principal on AKS", TRAINING, replace(AKS, service_principal=True), [("F109 error", "aks", "a service principal", "az aks update -n aks -g ml-rg --enable-managed-identity")]),
    ("a service principal on Arc", TRAINING, replace(ARC, service_principal=True), []),
    ("a registered provider", TRAINING, provider("microsoft.containerservice", "registered"), []),
    ("a provider that is not registered", TRAINING, provider("microsoft.containerservice", "NotRegistered"), [("F110 error", "Microsoft.ContainerService", "NotRegistered", "az provider register --namespace Microsoft.ContainerService --wait")]),
    ("a provider that is not needed", TRAINING, provider("microsoft.relay", "NotRegistered"), []),
    ("the provider of the relay on Arc", TRAINING, provider("microsoft.relay", "NotRegistered", ARC), [("F110 error", "Microsoft.Relay", "NotRegistered", "az provider register --namespace Microsoft.Relay --wait")]),
    ("an installed extension", TRAINING, installed("Succeeded"), []),
    ("an extension that is updating", TRAINING, installed("Updating"), [("F112 error", "ext", "Updating", "az amlk8s extension wait -g ml-rg -c aks -t managedClusters -n ext --created")]),
    ("an extension that is being deleted", TRAINING, installed("Deleting"), [("F112 error", "ext", "Deleting", "az amlk8s extension wait -g ml-rg -c aks -t managedClusters -n ext --deleted")]),
    ("an extension that has failed", TRAINING, installed("Failed"), [("F113 warning", "ext", "Failed", "az amlk8s extension show -g ml-rg -c aks -t managedClusters -n ext")]),
    ("an extension that was canceled", TRAINING, installed("Canceled"), [("F113 warning", "ext", "Canceled", "az amlk8s extension show -g ml-rg -c aks -t managedClusters -n ext")]),
    ("another extension that is updating", TRAINING, installed("Updating", "microsoft.flux"), []),
    ("another extension that has failed", TRAINING, installed("Failed", "microsoft.flux"), []),
    ("OpenShift", TRAINING, replace(ARC, distribution="OpenShift"), [("F115 warning", "arc", "openshift", "oc adm policy add-scc-to-group privileged system:serviceaccounts:azureml")]),
    ("openshift=True on AKS", {"openshift": "True"}, AKS, [("F120 warning", "openshift", "True", "Leave out openshift.")]),
    ("openshift=False on AKS", {"openshift": "False"}, AKS, []),
    ("openshift=True on an unknown distribution", {"openshift": "True"}, ARC, []),
    ("openshift=True on another distribution", {"openshift": "True"}, replace(ARC, distribution="k3s"), [("F120 warning", "openshift", "True", "Leave out openshift.")]),
    ("openshift=False on OpenShift", {"openshift": "False"}, replace(ARC, distribution="openshift"), [("F115 warning", "arc", "openshift", "oc adm policy add-scc-to-group privileged system:serviceaccounts:azureml"), ("F120 warning", "openshift", "False", "Leave out openshift.")]),
    ("no relay on AKS", {"relayserver.enabled": "False"}, AKS, []),
    ("no relay on Arc", {"relayserver.enabled": "False"}, ARC, [("F116 error", "relayserver.enabled", "False", "Leave out relayserver.enabled.")]),
    ("a relay on Arc", {"relayserver.enabled": "True"}, ARC, []),
    ("a migration on AKS", {"isAKSMigration": "True"}, AKS, []),
    ("a migration on Arc", {"isAKSMigration": "True"}, ARC, [("F117 error", "isAKSMigration", "", "Leave out isAKSMigration.")]),
    ("a migration on Arc that is off", {"isAKSMigration": "False"}, ARC, []),
]  # fmt: skip


@pytest.mark.parametrize(("config", "facts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_finding_on_a_cluster(config: dict[str, str], facts: ClusterFacts, expected: Expected) -> None:
    findings = evaluate_cluster_rules(Settings(config), facts)
    assert [
        (f"{finding.id} {finding.severity.value}", finding.subject, finding.found, finding.fix) for finding in findings
    ] == expected


RELAY, LOGS, BUS = "Microsoft.Relay", "Microsoft.OperationalInsights", "Microsoft.ServiceBus"
PROVIDERS: list[tuple[str, dict[str, str], dict[str, str], str, set[str]]] = [
    ("AKS", {}, {}, "managedClusters", set()),
    ("AKS with a relay", {"relayserver.enabled": "True"}, {}, "ManagedClusters", {RELAY}),
    ("Arc", {}, {}, "connectedClusters", {RELAY}),
    ("Arc without a relay", {"relayserver.enabled": "False"}, {}, "connectedClusters", set()),
    ("Arc with a custom relay", {}, {"relayServerConnectionString": "x"}, "connectedClusters", set()),
    ("logs", {"logAnalyticsWS": "True"}, {}, "managedClusters", {LOGS}),
    ("logs that are off", {"logAnalyticsWS": "False"}, {}, "managedClusters", set()),
    ("custom logs", {"logAnalyticsWS": "True"}, {"azure_log_analytics.connection_string": "x"}, "managedClusters", set()),
    ("Service Bus", {"servicebus.enabled": "True"}, {}, "managedClusters", {BUS}),
    ("Service Bus that is off", {"servicebus.enabled": "False"}, {}, "managedClusters", set()),
    ("a custom Service Bus", {"servicebus.enabled": "True"}, {"serviceBusConnectionString": "x"}, "managedClusters", set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "protected", "cluster_type", "expected"),
    [provider[1:] for provider in PROVIDERS],
    ids=[provider[0] for provider in PROVIDERS],
)
def test_needed_providers(
    config: dict[str, str], protected: dict[str, str], cluster_type: str, expected: set[str]
) -> None:
    providers = needed_providers(Settings(config, protected), cluster_type)
    own = "Microsoft.ContainerService" if "managed" in cluster_type.lower() else "Microsoft.Kubernetes"
    assert set(providers) == {"Microsoft.KubernetesConfiguration", own, *expected}


def pools(*profiles: dict[str, object]) -> ClusterFacts:
    """An AKS cluster with pools of one Standard_D4s_v5 unless a profile says otherwise."""
    usual = {"count": 1, "vmSize": "Standard_D4s_v5", "osType": "Linux"}
    found = tuple(
        pools_from_profiles([{"name": f"pool{number}", **usual, **profile} for number, profile in enumerate(profiles)])
    )
    return replace(AKS, pools=found, node_count=sum(pool.count for pool in found))


INFERENCE = {"enableInference": "True"}
# Name, plain settings, cluster; the subject, expected and found values, fix and related subjects of a rule.
Detail = tuple[str, str, str, str, tuple[str, ...]]
NODES: list[tuple[str, dict[str, str], ClusterFacts, str, list[Detail]]] = [
    ("no pool for the extension", TRAINING, pools({"osType": "Windows"}), "F119", [("aks", "", "", "az aks nodepool add --cluster-name aks -g ml-rg -n mlpool --node-count 3", ())]),
    ("no pool, and the name mlpool exists", TRAINING, pools({"osType": "Windows", "name": "mlpool"}, {"osType": "Windows", "name": "mlpool2"}), "F119", [("aks", "", "", "az aks nodepool add --cluster-name aks -g ml-rg -n mlpool3 --node-count 3", ())]),
    ("no node on Arc", TRAINING, replace(ARC, nodes=(), node_count=0), "F119", [("arc", "", "", "Add Linux nodes with amd64 and without taints.", ())]),
    ("a pool name that does not exist", {**TRAINING, "nodeSelector.agentpool": "x"}, pools({}), "F119", [("nodeSelector", "", "", "az aks nodepool list --cluster-name aks -g ml-rg -o table", ())]),
    ("two nodes for three routers", {**INFERENCE, "inferenceRouterHA": "True"}, pools({"count": 2}), "F101", [("inferenceRouterHA", "3", "2", "--config inferenceRouterHA=False", ())]),
    ("a selector of two nodes for three routers", {**INFERENCE, "inferenceRouterHA": "True", "nodeSelector.a": "b"}, pools({"count": 2, "nodeLabels": {"a": "b"}}, {"count": 3}), "F101", [("inferenceRouterHA", "3", "2", "--config inferenceRouterHA=False", ("nodeSelector",))]),
    ("three nodes with an autoscaler", {**INFERENCE, "inferenceRouterHA": "True"}, pools({"count": 3, "enableAutoScaling": True, "maxCount": 5}), "F121", []),
    ("two nodes with an autoscaler", {**INFERENCE, "inferenceRouterHA": "True"}, pools({"count": 2, "enableAutoScaling": True, "maxCount": 5}), "F121", [("inferenceRouterHA", "3", "2", "--config inferenceRouterHA=False", ())]),
    ("two nodes with a small autoscaler", {**INFERENCE, "inferenceRouterHA": "True"}, pools({"count": 1, "enableAutoScaling": True, "maxCount": 2}), "F121", []),
    ("two nodes without a choice", INFERENCE, pools({"count": 2}), "F102", [("inferenceRouterHA", "3", "2", "--config inferenceRouterHA=False", ())]),
    ("two nodes for one router", {**INFERENCE, "inferenceRouterHA": "False"}, pools({"count": 2}), "F102", []),
    ("an unknown number of nodes", INFERENCE, replace(AKS, node_count=None), "F102", []),
    ("an unknown number of nodes for three routers", {**INFERENCE, "inferenceRouterHA": "True"}, replace(AKS, node_count=None), "F101", []),
    ("an unknown number of nodes for three routers later", {**INFERENCE, "inferenceRouterHA": "True"}, replace(AKS, node_count=None, adds_nodes=True), "F121", []),
    ("exactly enough cores", INFERENCE, replace(ARC, node_count=3, cores=4), "F114", []),
    ("too few cores", INFERENCE, replace(ARC, node_count=3, cores=3), "F114", [("arc", "3600m", "3000m", "--config inferenceRouterHA=False", ())]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "facts", "rule", "expected"), [node[1:] for node in NODES], ids=[node[0] for node in NODES]
)
def test_finding_on_nodes(config: dict[str, str], facts: ClusterFacts, rule: str, expected: list[Detail]) -> None:
    findings = [finding for finding in evaluate_cluster_rules(Settings(config), facts) if finding.id == rule]
    assert [
        (finding.subject, finding.expected, finding.found, finding.fix, finding.related) for finding in findings
    ] == expected


OPENSHIFT = replace(ARC, distribution="openshift")
# Name, plain settings, cluster; the rule, its expected and found values, and a part of its message.
VALUES: list[tuple[str, dict[str, str], ClusterFacts, tuple[str, str, str, str]]] = [
    ("offline", TRAINING, replace(ARC, connectivity="Offline"), ("F105", "Connected", "Offline", "'arc'")),
    ("stopped", TRAINING, replace(AKS, power_state="Stopped"), ("F107", "Running", "Stopped", "'aks'")),
    ("failed", TRAINING, replace(AKS, provisioning_state="Failed"), ("F108", "Succeeded", "Failed", "'aks'")),
    ("no relay", {"relayserver.enabled": "False"}, ARC, ("F116", "True", "False", "the Arc-connected cluster 'arc'")),
    ("OpenShift on another cluster", {"openshift": "True"}, AKS, ("F120", "False", "True", "cluster 'aks' is not OpenShift.")),
    ("another cluster on OpenShift", {"openshift": "False"}, OPENSHIFT, ("F120", "True", "False", "cluster 'arc' is OpenShift.")),
    ("a provider", TRAINING, provider("microsoft.relay", "NotRegistered", ARC), ("F110", "Registered", "NotRegistered", "'Microsoft.Relay'")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "facts", "expected"), [case[1:] for case in VALUES], ids=[case[0] for case in VALUES]
)
def test_expected_and_found_values(config: dict[str, str], facts: ClusterFacts, expected: tuple[str, ...]) -> None:
    (finding,) = [found for found in evaluate_cluster_rules(Settings(config), facts) if found.id == expected[0]]
    assert (finding.expected, finding.found) == expected[1:3]
    assert expected[3] in finding.message


def test_findings_after_an_update() -> None:
    """What the deployed settings violate already is reported again only where the health check examines it again."""
    before, offline = Settings({"relayserver.enabled": "False"}), replace(ARC, connectivity="Offline")
    same = evaluate_cluster_rules_after_update(before, before, offline)
    assert [finding.id for finding in same] == ["F105"]
    changed = Settings({"relayserver.enabled": "False", "isAKSMigration": "True"})
    assert [finding.id for finding in evaluate_cluster_rules_after_update(changed, before, offline)] == ["F105", "F117"]


NOTHING = {"id": AKS.resource_id, "name": "aks", "location": "eastus"}
POOLS = [{"name": "a", "count": 2, "vmSize": "Standard_D4s_v5"}, {"name": "b", "count": 3, "vmSize": "Standard_D4s_v5"}]
# Case, the properties of a cluster as ARM returns them, the facts that differ from those of a cluster without any.
REPORTED: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    ("no properties", None, {}),
    ("empty properties", {}, {}),
    ("nodes of an Arc-connected cluster", {"totalNodeCount": 4, "totalCoreCount": 16}, {"node_count": 4, "cores": 16}),
    ("distribution and infrastructure", {"distribution": "k3s", "infrastructure": "aws"}, {"distribution": "k3s", "infrastructure": "aws"}),
    ("states", {"provisioningState": "Failed", "powerState": {"code": "Stopped"}, "connectivityStatus": "Offline", "agentVersion": "1.2"}, {"provisioning_state": "Failed", "power_state": "Stopped", "connectivity": "Offline", "agent_version": "1.2"}),
    ("power state null", {"powerState": None}, {}),
    ("a service principal", {"servicePrincipalProfile": {"clientId": "guid"}}, {"service_principal": True}),
    ("a managed identity", {"servicePrincipalProfile": {"clientId": "MSI"}}, {}),
    ("service principal null", {"servicePrincipalProfile": None}, {}),
    ("node pools count their nodes", {"agentPoolProfiles": POOLS, "totalNodeCount": 9, "totalCoreCount": 9}, {"node_count": 5, "cores": None}),
    ("no node pools", {"agentPoolProfiles": []}, {"node_count": 0, "pools": ()}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "expected"), [case[1:] for case in REPORTED], ids=[case[0] for case in REPORTED]
)
def test_facts_of_a_cluster(properties: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    facts = cluster_facts_from_resources({**NOTHING, "properties": properties}, "managedClusters")
    plain = ClusterFacts("managedClusters", AKS.resource_id, "aks", "eastus")
    actual = {key: value for key, value in vars(facts).items() if value != getattr(plain, key)}
    if "agentPoolProfiles" in (properties or {}) and expected.get("pools") is None:
        assert [pool.name for pool in actual.pop("pools")] == ["a", "b"]
    assert actual == {key: value for key, value in expected.items() if value is not None}


def test_facts_of_extensions_and_providers() -> None:
    extensions = [
        {"name": "ext", "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "provisioningState": "Failed"}},
        {"name": "odd", "properties": None},
    ]
    providers = [{"namespace": "Microsoft.Relay", "registrationState": "Registered"}]
    facts = cluster_facts_from_resources(NOTHING, "managedClusters", extensions, providers)
    assert facts.extensions == (InstalledExtension("ext", OURS, "Failed"), InstalledExtension("odd", "", ""))
    assert facts.providers == {"microsoft.relay": "Registered"}
    assert (facts.group, facts.is_aks) == ("ml-rg", True)
    assert replace(facts, resource_id="aks").group == ""


DESCRIBED: list[tuple[str, dict[str, str], ClusterFacts, str]] = [
    ("one node", {}, pools({}), "1 of 1 node usable"),
    ("two nodes", {}, pools({"count": 2}), "2 of 2 nodes usable"),
    ("an unusable pool", {}, pools({"count": 2}, {"osType": "Windows", "name": "win"}), "2 of 3 nodes usable (pool win runs Windows, Linux required)"),
    ("an autoscaler", {}, pools({"count": 2, "enableAutoScaling": True, "maxCount": 5}), "2 of 2 nodes usable, up to 5 with the autoscaler"),
    ("an autoscaler at its maximum", {}, pools({"count": 2, "enableAutoScaling": True, "maxCount": 2}), "2 of 2 nodes usable"),
    ("node auto-provisioning", {}, replace(pools({}), adds_nodes=True), "1 of 1 node usable, more with node auto-provisioning"),
    ("a label of one of two pools", {"nodeSelector.a": "b"}, pools({"nodeLabels": {"a": "b"}}, {}), "1 of 2 nodes usable (pool pool1 lacks the label a=b)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "facts", "text"), [case[1:] for case in DESCRIBED], ids=[case[0] for case in DESCRIBED]
)
def test_description_of_nodes(config: dict[str, str], facts: ClusterFacts, text: str) -> None:
    assert describe_nodes(Settings(config), facts) == text


FEW: list[tuple[str, dict[str, str], ClusterFacts, bool]] = [
    ("two nodes", {}, pools({"count": 2}), True),
    ("three nodes", {}, pools({"count": 3}), False),
    ("two of three nodes are usable", {}, pools({"count": 2}, {"osType": "Windows"}), True),
    ("a label that Azure does not know, on three nodes", {"nodeSelector.a": "b"}, pools({"count": 3}), False),
    ("a label that Azure does not know, on two nodes", {"nodeSelector.a": "b"}, pools({"count": 2}), True),
    ("a label that no node has", {"nodeSelector.a": "b"}, replace(pools({"count": 3}), nodes=()), True),
    ("an unknown number of nodes", {}, replace(AKS, node_count=None), False),
]


@pytest.mark.parametrize(("config", "facts", "few"), [case[1:] for case in FEW], ids=[case[0] for case in FEW])
def test_few_nodes(config: dict[str, str], facts: ClusterFacts, few: bool) -> None:
    assert has_few_nodes(Settings(config), facts) is few


UPDATE_HINT = "\nTo change its settings, use az amlk8s extension update."
NAMES: list[tuple[str, str, ClusterFacts, str]] = [
    ("the same name in other capitals", "EXT", installed("Succeeded"), ""),
    ("another name", "other", installed("Succeeded"), "--name ext"),
    ("no name", "", installed("Succeeded"), f"--name ext{UPDATE_HINT}"),
    ("an extension of another type", "other", installed("Succeeded", "microsoft.flux"), ""),
    ("no extension", "other", AKS, ""),
]


@pytest.mark.parametrize(("name", "facts", "fix"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_name_of_the_extension(name: str, facts: ClusterFacts, fix: str) -> None:
    findings = extension_name(name, facts)
    assert [(finding.id, finding.subject, finding.found, finding.fix) for finding in findings] == [
        ("F111", "ext", "ext", fix)
    ] * bool(fix)


VERSIONS: list[tuple[str, str | None, bool | None, str | None, list[tuple[str, str, str]]]] = [
    ("nothing", None, None, None, []),
    ("a version", "1.1.70", None, None, []),
    ("a preview version", "1.1.70-rc.1", None, None, []),
    ("a version without upgrades", "1.1.70", False, None, []),
    ("a version with upgrades", "1.1.70", True, None, [("V101", "--version", "--auto-upgrade false")]),
    ("upgrades", None, True, "preview", []),
    ("two numbers", "1.1", None, None, [("V102", "--version", "Leave out --version to get the newest version.")]),
    ("text before a version", "v1.1.70", None, None, [("V102", "--version", "Leave out --version to get the newest version.")]),
    ("a version and a train", "1.1.70", None, "preview", [("V103", "--release-train", "Leave out --release-train or --version.")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "upgrade", "train", "expected"), [case[1:] for case in VERSIONS], ids=[case[0] for case in VERSIONS]
)
def test_version_and_release_train(
    version: str | None, upgrade: bool | None, train: str | None, expected: list[tuple[str, str, str]]
) -> None:
    findings = evaluate_version_rules(version, upgrade, train)
    assert [(finding.id, finding.subject, finding.fix) for finding in findings] == expected
