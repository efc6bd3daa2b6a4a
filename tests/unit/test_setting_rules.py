"""The findings of single rules of settings: whether there is one, its subject and its fix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from azext_amlk8s.rules import Report
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.scheduling.pools import pools_from_profiles
from azext_amlk8s.settings import (
    BLANK,
    ClusterFacts,
    Settings,
    evaluate_cluster_rules,
    evaluate_rules,
    read_settings,
)

INFERENCE = {"enableInference": "True", "inferenceRouterServiceType": "nodePort"}
HTTP = {**INFERENCE, "allowInsecureConnections": "True"}
TRAINING = {"enableTraining": "True"}
RELAY = "Endpoint=sb://a/;SharedAccessKeyName=k;SharedAccessKey=s"
CONTENTS = {"scoringFe.sslCert": "QQ==", "scoringFe.sslKey": "QQ=="}
LOOSE = "--config 'workLoadToleration[0].operator=Exists'"

# Name, plain settings, protected settings, rule, and the fix of each of its findings by subject.
RULES: list[tuple[str, dict[str, str], dict[str, str], str, dict[str, str]]] = [
    ("scheme and port of a host name", {"sslCname": "https://ml.contoso.com:443/x"}, {}, "S100", {"sslCname": "--config sslCname=ml.contoso.com"}),
    ("scheme elsewhere", {"location": "", "scoringFe.sslSecret": "a://b"}, {}, "S100", {"scoringFe.sslSecret": "Correct the value of scoringFe.sslSecret."}),
    ("host name with a blank", {"sslCname": "a b"}, {}, "S100", {"sslCname": "Correct the value of sslCname."}),
    ("service type for an internal load balancer", {"enableInference": "True", "internalLoadBalancerProvider": "azure"}, {}, "S102", {"inferenceRouterServiceType": "--config inferenceRouterServiceType=loadBalancer"}),
    ("service type without one", {"enableInference": "True"}, {}, "S102", {"inferenceRouterServiceType": "--config inferenceRouterServiceType=nodePort"}),
    ("contents of the certificate alone", INFERENCE, {"scoringFe.sslCert": "QQ=="}, "S104", {"scoringFe.sslKey": "Add scoringFe.sslKey to --config-protected."}),
    ("contents of both", INFERENCE, CONTENTS, "S104", {}),
    ("secret and the path of a certificate", {**INFERENCE, "sslSecret": "tls"}, {"sslCertPemFile": "cert.pem"}, "S105", {"sslSecret": "Leave out sslSecret."}),
    ("secret without inference needs no host", {**TRAINING, "sslSecret": "tls"}, {}, "S106", {}),
    ("plain HTTP without inference", {**TRAINING, "allowInsecureConnections": "True"}, {}, "S108", {}),
    ("setting of training with inference only", {**HTTP, "installVolcano": "True", "volcanoScheduler.schedulerConfigMap": "mine"}, {}, "S110", {"volcanoScheduler.schedulerConfigMap": "--config enableTraining=True"}),
    ("setting of inference with training only", {**TRAINING, "sslCname": "a.b"}, {}, "S110", {"sslCname": "--config enableInference=True"}),
    ("no workload at all", {"sslCname": "a.b"}, {}, "S110", {}),
    ("an unknown key", {**TRAINING, "mine": "x"}, {}, "S110", {}),
    ("False, reset and default values", {**TRAINING, "isAKSMigration": "False", "sslCname": "", "inferenceRouterHA": "True"}, {}, "S110", {}),
    ("a derived setting of inference", {**TRAINING, "scoringFe.namespace": "x"}, {}, "S110", {}),
    ("the switch of the other workload", {**TRAINING, "enableInference": "False"}, {}, "S110", {}),
    ("a complete custom relay", {**TRAINING, "relayserver.hybridConnectionResourceID": "x", "relayserver.hybridConnectionName": "hc"}, {"relayServerConnectionString": f"{RELAY};EntityPath=hc"}, "S111", {}),
    ("a custom relay without the resource ID", {**TRAINING, "relayserver.hybridConnectionName": "hc"}, {"relayServerConnectionString": RELAY}, "S111", {"relayserver.hybridConnectionResourceID": "Add relayserver.hybridConnectionResourceID to --config."}),
    ("EntityPath of a named hybrid connection", {**TRAINING, "relayserver.hybridConnectionName": "hc"}, {"relayServerConnectionString": RELAY}, "S112", {"relayServerConnectionString": "Append ';EntityPath=hc' to the connection string."}),
    ("EntityPath of an unknown hybrid connection", TRAINING, {"relayServerConnectionString": RELAY}, "S112", {"relayServerConnectionString": "Copy the connection string of the hybrid connection itself."}),
    ("EntityPath of a deployed relay", TRAINING, {"relayServerConnectionString": BLANK}, "S112", {}),
    ("toleration without a value", {"workLoadToleration[0].key": "sku"}, {}, "S114", {"workLoadToleration[0]": LOOSE}),
    ("toleration without a key", {"workLoadToleration[0].value": "gpu"}, {}, "S114", {"workLoadToleration[0]": LOOSE}),
    ("toleration with Exists and a value", {"workLoadToleration[0].operator": "Exists", "workLoadToleration[0].value": "x"}, {}, "S114", {"workLoadToleration[0]": "Leave out workLoadToleration[0].value."}),
    ("toleration that is reset", {"workLoadToleration[0].key": "", "workLoadToleration[0].value": ""}, {}, "S114", {}),
    ("gap between tolerations", {"workLoadToleration[0].operator": "Exists", "workLoadToleration[2].operator": "Exists"}, {}, "S114", {"workLoadToleration[1]": "Number the tolerations 0 to 1."}),
    ("high availability for tests", {"inferenceRouterHA": "True", "clusterPurpose": "DevTest"}, {}, "S117", {"clusterPurpose": "--config clusterPurpose=FastProd"}),
    ("one router for production", {"inferenceRouterHA": "False", "clusterPurpose": "FastProd"}, {}, "S117", {"clusterPurpose": "--config clusterPurpose=DevTest"}),
    ("one router for tests", {"inferenceRouterHA": "False", "clusterPurpose": "DevTest"}, {}, "S117", {}),
    ("node port given as derived", {**INFERENCE, "scoringFe.serviceType.nodePort": "True"}, {}, "S118", {}),
    ("internal load balancer not as derived", {"internalLoadBalancerProvider": "azure", "scoringFe.serviceType.internalLoadBalancer": "False"}, {}, "S118", {"scoringFe.serviceType.internalLoadBalancer": "Leave out scoringFe.serviceType.internalLoadBalancer."}),
    ("internal load balancer with a service alone", {**INFERENCE, "scoringFe.serviceType.internalLoadBalancer": "True"}, {}, "S118", {"scoringFe.serviceType.internalLoadBalancer": "Leave out scoringFe.serviceType.internalLoadBalancer."}),
    ("internal load balancer as derived", {"internalLoadBalancerProvider": "azure", "scoringFe.serviceType.internalLoadBalancer": "True"}, {}, "S118", {}),
    ("derived settings without their sources", {"scoringFe.serviceType.nodePort": "True", "scoringFe.serviceType.internalLoadBalancer": "True", "scoringFe.namespace": "x", "scoringFe.sslSecret": "x"}, {}, "S118", {}),
    ("namespace of a migration", {"isAKSMigration": "True", "scoringFe.namespace": "x"}, {}, "S118", {"scoringFe.namespace": "Leave out scoringFe.namespace."}),
    ("key of logs without the workspace", TRAINING, {"azure_log_analytics.connection_string": "k"}, "S119", {"azure_log_analytics.customer_id": "Add azure_log_analytics.customer_id to --config."}),
    ("workspace and key of logs", {"azure_log_analytics.customer_id": "x"}, {"azure_log_analytics.connection_string": "k"}, "S119", {}),
    ("workspace of logs without the key", {"azure_log_analytics.customer_id": "x"}, {}, "S119", {"azure_log_analytics.connection_string": "Add azure_log_analytics.connection_string to --config-protected."}),
    ("no custom relay", {"relayserver.hybridConnectionName": "hc"}, {}, "S111", {}),
    ("a custom relay without both settings", TRAINING, {"relayServerConnectionString": RELAY}, "S111", {"relayserver.hybridConnectionResourceID": "Add relayserver.hybridConnectionResourceID and relayserver.hybridConnectionName to --config."}),
    ("EntityPath in other capitals", TRAINING, {"relayServerConnectionString": f"{RELAY};ENTITYPATH=hc"}, "S112", {}),
    ("a network interface and its switch", {"amloperator.custom_ip_interface_enabled": "True", "amloperator.custom_ip_interface": "eth1"}, {}, "S113", {}),
    ("the switch without a network interface", {"amloperator.custom_ip_interface_enabled": "True"}, {}, "S113", {"amloperator.custom_ip_interface": "Add amloperator.custom_ip_interface to --config."}),
    ("a network interface without the switch", {"amloperator.custom_ip_interface": "eth1"}, {}, "S113", {"amloperator.custom_ip_interface_enabled": "--config amloperator.custom_ip_interface_enabled=True"}),
    ("a network interface that is switched off", {"amloperator.custom_ip_interface_enabled": "False"}, {}, "S113", {}),
    ("a complete toleration", {"workLoadToleration[0].key": "sku", "workLoadToleration[0].value": "gpu"}, {}, "S114", {}),
    ("a toleration of every taint", {"workLoadToleration[0].operator": "Exists"}, {}, "S114", {}),
    ("a toleration of every value of a key", {"workLoadToleration[0].key": "sku", "workLoadToleration[0].operator": "Exists"}, {}, "S114", {}),
    ("an effect alone", {"workLoadToleration[0].effect": "NoSchedule"}, {}, "S114", {"workLoadToleration[0]": LOOSE}),
    ("the second of two tolerations", {"workLoadToleration[0].operator": "Exists", "workLoadToleration[1].key": "sku"}, {}, "S114", {"workLoadToleration[1]": "--config 'workLoadToleration[1].operator=Exists'"}),
    ("a part of a toleration that is reset", {"workLoadToleration[0].key": ""}, {}, "S114", {}),
    ("tolerations from 1", {"workLoadToleration[1].operator": "Exists"}, {}, "S114", {"workLoadToleration[0]": "Number the tolerations 0 to 0."}),
    ("a label with an escaped dot", {"nodeSelector.x\\.io/a": "b"}, {}, "S115", {}),
    ("a label with a bare dot", {"nodeSelector.x.io/a": "b c"}, {}, "S115", {"nodeSelector.x.io/a": "--config 'nodeSelector.x\\.io/a=b c'"}),
    ("an invalid label before another key", {"nodeSelector.a b": "c", "sslCname": "a.b"}, {}, "S115", {"nodeSelector.a b": "Correct the label of nodeSelector."}),
    ("a config map without Volcano", {"volcanoScheduler.schedulerConfigMap": "m", "installVolcano": "False"}, {}, "S116", {"volcanoScheduler.schedulerConfigMap": "--config installVolcano=True"}),
    ("a config map with Volcano", {"volcanoScheduler.schedulerConfigMap": "m", "installVolcano": "True"}, {}, "S116", {}),
    ("a config map with the default of Volcano", {"volcanoScheduler.schedulerConfigMap": "m"}, {}, "S116", {}),
    ("no Volcano without a config map", {"installVolcano": "False"}, {}, "S116", {}),
    ("node port not as derived", {**INFERENCE, "scoringFe.serviceType.nodePort": "False"}, {}, "S118", {"scoringFe.serviceType.nodePort": "Leave out scoringFe.serviceType.nodePort."}),
    ("node port of another service", {"inferenceRouterServiceType": "clusterIP", "scoringFe.serviceType.nodePort": "True"}, {}, "S118", {"scoringFe.serviceType.nodePort": "Leave out scoringFe.serviceType.nodePort."}),
    ("secret not as derived", {"sslSecret": "tls", "scoringFe.sslSecret": "other"}, {}, "S118", {"scoringFe.sslSecret": "Leave out scoringFe.sslSecret."}),
    ("secret as derived", {"sslSecret": "tls", "scoringFe.sslSecret": "tls"}, {}, "S118", {}),
    ("HTTPS from a secret", {**INFERENCE, "sslSecret": "my tls"}, {}, "S121", {"sslSecret": "kubectl create namespace azureml\nkubectl create secret generic 'my tls' -n azureml --from-file=cert.pem --from-file=key.pem"}),
    ("plain HTTP beside a secret", {**HTTP, "sslSecret": "tls"}, {}, "S121", {}),
    ("a secret without inference", {**TRAINING, "sslSecret": "tls"}, {}, "S121", {}),
    ("HTTPS without a secret", INFERENCE, {}, "S121", {}),
    ("an existing Prometheus operator", {"installPromOp": "False"}, {}, "S122", {"installPromOp": "Add a ServiceMonitor, or set installPromOp=True."}),
    ("the Prometheus operator of the extension", {"installPromOp": "True"}, {}, "S122", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "protected", "rule", "fixes"), [case[1:] for case in RULES], ids=[case[0] for case in RULES]
)
def test_rule(config: dict[str, str], protected: dict[str, str], rule: str, fixes: dict[str, str]) -> None:
    """The rule reports these subjects, each with its fix."""
    findings = evaluate_rules(Settings(config, protected))
    assert {finding.subject: finding.fix for finding in findings if finding.id == rule} == fixes


# Name, words of --config, words of --config-protected, rule, message, fix.
READING: list[tuple[str, list[str], list[str], str, str, str]] = [
    ("unknown key without =", ["brandNew"], [], "S001", "brandNew: no value; expected key=value.", ""),
    ("nothing before =", ["=x"], [], "S001", "--config: no value; expected key=value.", ""),
    ("protected key without =", [], ["sslCname"], "S001", "sslCname: no value; expected key=value with one host name such as ml.contoso.com, without scheme, port, wildcard or IP address.", ""),
    ("protected text without =", [], ["secret"], "S001", "--config-protected: an argument is not in the form key=value.", ""),
    ("misspelt key with any value", ["sslCnam=a.b"], [], "S002", "sslCnam: unknown setting. Did you mean 'sslCname'?", "--config sslCname=a.b"),
    ("misspelt key with an invalid value", ["enableTrainin=yes"], [], "S002", "enableTrainin: unknown setting. Did you mean 'enableTraining'?", "--config enableTraining=True"),
    ("misspelt secret", [], ["relayServerConnectionStrin=s3cr3t"], "S002", "relayServerConnectionStrin: unknown setting. Did you mean 'relayServerConnectionString'?", ""),
    ("misspelt secret among plain settings", ["relayServerConnectionStrin=s3cr3t"], [], "S002", "relayServerConnectionStrin: unknown setting. Did you mean 'relayServerConnectionString'?", ""),
    ("unlike any key", ["zzz=1"], [], "S002", "zzz: unknown setting.", "--allow-unknown-settings"),
    ("protected and unlike any key", [], ["zzz=1"], "S002", "--config-protected: unknown setting.", "--allow-unknown-settings"),
    ("a secret in both sections", ["relayServerConnectionString=a"], ["relayServerConnectionString=a"], "S004", "relayServerConnectionString: given to both --config and --config-protected.", "Give relayServerConnectionString to --config-protected only."),
    ("a setting for either section in both", ["sslCname=a.b"], ["sslCname=a.b"], "S004", "sslCname: given to both --config and --config-protected.", "Give sslCname to --config only."),
    ("inverted former name", ["reuseExistingPromOp=true"], [], "S006", "reuseExistingPromOp: a former name; read as 'installPromOp' with the opposite value.", "--config installPromOp=False"),
    ("former name of a secret", [], ["relayConnectionString=s3cr3t"], "S006", "relayConnectionString: a former name; read as 'relayServerConnectionString'.", ""),
    ("template name", ["sslSecretName=tls"], [], "S006", "sslSecretName: the name in ARM templates; read as 'sslSecret'.", "--config sslSecret=tls"),
    ("repeat", ["sslCname=a.b", "sslCname=c.d"], [], "S008", "sslCname: given more than once; the last value 'c.d' is used.", "Give sslCname once."),
    ("repeated secret", [], ["serviceBusConnectionString=a", "serviceBusConnectionString=b"], "S008", "serviceBusConnectionString: given more than once; the last value is used.", "Give serviceBusConnectionString once."),
    ("placeholder for a listed value", ["enableTraining=<value>"], [], "S015", "enableTraining: placeholder '<value>' instead of a value; expected True or False.", "--config enableTraining=True"),
    ("placeholder for any value", ["sslSecret=<name>"], [], "S015", "sslSecret: placeholder '<name>' instead of a value; expected the name of a Kubernetes object: lower-case letters, digits, - and dots.", "Replace the placeholder of sslSecret."),
    ("comma between plain settings", ["ENABLETRAINING=True,sslCname=a.b"], [], "S016", "enableTraining: followed by a comma; settings are separated with spaces.", "--config ENABLETRAINING=True sslCname=a.b"),
    ("comma before a secret", ["sslCname=a.b,relayServerConnectionString=x"], [], "S016", "sslCname: followed by a comma; settings are separated with spaces.", "Separate the settings with spaces instead of commas."),
    ("comma between protected settings", [], ["sslCname=a.b,sslSecret=x"], "S016", "sslCname: followed by a comma; settings are separated with spaces.", "Separate the settings with spaces instead of commas."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "protected", "rule", "message", "fix"), [case[1:] for case in READING], ids=[case[0] for case in READING]
)
def test_reading(config: list[str], protected: list[str], rule: str, message: str, fix: str) -> None:
    """One finding of the rule, with this message and this fix."""
    _, findings = read_settings(config, protected)
    assert [(finding.message, finding.fix) for finding in findings if finding.id == rule] == [(message, fix)]


PASSED_ON = [
    ("like a key", ["sslCnam=a.b"], [], "sslCnam: unknown setting, passed on unchanged. Did you mean 'sslCname'?", "--config sslCname=a.b"),
    ("unlike any key", ["zzz=1"], [], "zzz: unknown setting, passed on unchanged.", ""),
    ("protected and like a key", [], ["sslCnam=a.b"], "sslCnam: unknown setting, passed on unchanged. Did you mean 'sslCname'?", ""),
    ("protected", [], ["zzz=1"], "--config-protected: unknown setting, passed on unchanged.", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "protected", "message", "fix"), [case[1:] for case in PASSED_ON], ids=[case[0] for case in PASSED_ON]
)
def test_unknown_setting_that_is_passed_on(config: list[str], protected: list[str], message: str, fix: str) -> None:
    """With --allow-unknown-settings."""
    _, findings = read_settings(config, protected, allow_unknown=True)
    assert [(finding.id, finding.message, finding.fix) for finding in findings] == [("S010", message, fix)]


AKS = ClusterFacts("managedClusters", "/subscriptions/s/resourceGroups/ml-rg/providers/x/y/aks", "aks", "eastus")
ARC = replace(AKS, cluster_type="connectedClusters", name="arc", node_count=3, distribution="generic")
THREE = {**HTTP, "inferenceRouterHA": "True"}


def pools(*profiles: dict[str, Any], adds_nodes: bool = False) -> ClusterFacts:
    """An AKS cluster with these agent pools."""
    full = [
        {"name": f"p{number}", "count": 1, "vmSize": "Standard_D8s_v5", **profile}
        for number, profile in enumerate(profiles)
    ]
    return replace(
        AKS,
        pools=tuple(pools_from_profiles(full)),
        node_count=sum(item["count"] for item in full),
        adds_nodes=adds_nodes,
    )


def nodes(*kinds: str) -> ClusterFacts:
    """A cluster whose nodes have been read: ready, notready, cordoned, arm64, windows or tainted."""
    objects = [
        {
            "metadata": {
                "name": f"n{number}",
                "labels": {
                    "kubernetes.io/os": "windows" if kind == "windows" else "linux",
                    "kubernetes.io/arch": "arm64" if kind == "arm64" else "amd64",
                },
            },
            "spec": {
                "unschedulable": kind == "cordoned",
                "taints": [{"key": "sku", "effect": "NoSchedule"}] if kind == "tainted" else [],
            },
            "status": {
                "conditions": [{"type": "Ready", "status": "False" if kind == "notready" else "True"}],
                "allocatable": {"cpu": "8"},
            },
        }
        for number, kind in enumerate(kinds)
    ]
    return replace(AKS, nodes=tuple(nodes_from_objects(objects)), node_count=len(kinds))


# Name, settings, cluster, the ids of its findings with their weight.
CLUSTER: list[tuple[str, dict[str, str], ClusterFacts, set[str]]] = [
    ("three ready nodes", THREE, nodes("ready", "ready", "ready"), set()),
    ("three nodes, one of them not ready", THREE, nodes("ready", "ready", "notready"), {"F101 error"}),
    ("three nodes, one of them cordoned", THREE, nodes("ready", "ready", "cordoned"), {"F101 error"}),
    ("three nodes, one of them arm64", THREE, nodes("ready", "ready", "arm64"), {"F101 error"}),
    ("three nodes, one of them Windows", THREE, nodes("ready", "ready", "windows"), {"F101 error"}),
    ("three nodes, one of them tainted", THREE, nodes("ready", "ready", "tainted"), {"F101 error"}),
    ("no usable node", THREE, nodes("notready", "tainted"), {"F119 error"}),
    ("one router by default", HTTP, nodes("ready", "notready"), {"F102 warning"}),
    ("one router by choice", {**HTTP, "inferenceRouterHA": "False"}, nodes("ready"), set()),
    ("a label that no node has", {**TRAINING, "nodeSelector.a": "b"}, nodes("ready"), {"F119 error"}),
    ("a label that is reset", {**TRAINING, "nodeSelector.a": ""}, nodes("ready"), set()),
    ("pool that scales to three", THREE, pools({"enableAutoScaling": True, "maxCount": 3}), {"F121 warning"}),
    ("pool that scales to two", THREE, pools({"enableAutoScaling": True, "maxCount": 2}), {"F101 error"}),
    ("maximum without autoscaler", THREE, pools({"maxCount": 5}), {"F101 error"}),
    ("arm64 pool beside two nodes", THREE, pools({"count": 2}, {"count": 2, "vmSize": "Standard_D8ps_v5"}), {"F101 error"}),
    ("node auto-provisioning", THREE, pools({}, adds_nodes=True), {"F121 warning"}),
    ("node auto-provisioning and three nodes", THREE, pools({"count": 3}, adds_nodes=True), set()),
    ("one small node", TRAINING, pools({"vmSize": "Standard_B1ms"}), set()),
    ("a small node for both workloads", {**TRAINING, **HTTP, "inferenceRouterHA": "False"}, pools({"vmSize": "Standard_B1ms"}), {"F114 error"}),
    ("a small node that may get company", {**TRAINING, **HTTP, "inferenceRouterHA": "False"}, pools({"vmSize": "Standard_B1ms"}, adds_nodes=True), {"F114 warning"}),
    ("a size that names no cores", {**TRAINING, **HTTP, "inferenceRouterHA": "False"}, pools({"vmSize": "odd"}), set()),
    ("a cluster that is updating", TRAINING, replace(ARC, provisioning_state="Updating"), {"F108 warning"}),
    ("a cluster that is being deleted", TRAINING, replace(ARC, provisioning_state="Deleting"), {"F108 error"}),
    ("an Arc cluster that is accepted", TRAINING, replace(ARC, provisioning_state="Accepted"), set()),
    ("a managed identity", TRAINING, replace(pools({}), service_principal=False, power_state="Running"), set()),
    ("agents of today", TRAINING, replace(ARC, agent_version="1.20.3"), set()),
    ("agents that are too old", TRAINING, replace(ARC, agent_version="1.5.9"), {"F106 warning"}),
    ("three routers without inference", {**TRAINING, "inferenceRouterHA": "True"}, nodes("ready"), set()),
    ("three routers without inference and an autoscaler", {**TRAINING, "inferenceRouterHA": "True"}, pools({"enableAutoScaling": True, "maxCount": 3}), set()),
    ("three nodes without a choice", HTTP, pools({"count": 3}), set()),
    ("no usable node without a choice", HTTP, nodes("tainted"), {"F119 error"}),
    ("tainted nodes and node auto-provisioning", TRAINING, pools({"nodeTaints": ["sku=gpu:NoSchedule"]}, adds_nodes=True), {"F119 warning"}),
    ("a label of no pool with three routers", {**THREE, "nodeSelector.a": "b"}, pools({"count": 3}), {"F101 error"}),
    ("a label of no pool with one router", {**HTTP, "inferenceRouterHA": "False", "nodeSelector.a": "b"}, pools({"count": 3}), {"F118 warning"}),
    ("a small pool without workloads", {}, pools({"vmSize": "Standard_B1ms"}), set()),
    ("three small nodes for three routers", THREE, pools({"count": 3, "vmSize": "Standard_B1ms"}), {"F114 error"}),
    ("three small nodes for three routers by default", HTTP, pools({"count": 3, "vmSize": "Standard_B1ms"}), {"F114 error"}),
    ("three small nodes for one router", {**HTTP, "inferenceRouterHA": "False"}, pools({"count": 3, "vmSize": "Standard_B1ms"}), set()),
    ("nodes that Azure does not count", THREE, replace(ARC, node_count=None), set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "facts", "expected"), [case[1:] for case in CLUSTER], ids=[case[0] for case in CLUSTER]
)
def test_cluster_rule(config: dict[str, str], facts: ClusterFacts, expected: set[str]) -> None:
    """What is reported after consequences are left out."""
    report = Report.of(evaluate_cluster_rules(Settings(config), facts))
    assert {f"{finding.id} {finding.severity.value}" for finding in report.findings} == expected


CPU = [
    ("three routers", {**THREE}, pools({"count": 3, "vmSize": "Standard_B1ms"}), "3600m", "--config inferenceRouterHA=False"),
    ("one router", {**HTTP, "inferenceRouterHA": "False"}, pools({"vmSize": "Standard_B1ms"}), "1780m", "Add nodes, or larger ones."),
    ("both workloads", {**TRAINING, **HTTP, "inferenceRouterHA": "False"}, pools({"vmSize": "Standard_B1ms"}), "1910m", "Add nodes, or larger ones."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "facts", "expected", "fix"), [case[1:] for case in CPU], ids=[case[0] for case in CPU]
)
def test_cpu_for_extension(config: dict[str, str], facts: ClusterFacts, expected: str, fix: str) -> None:
    """The published footprint of the scenario, and what reduces it."""
    findings = [finding for finding in evaluate_cluster_rules(Settings(config), facts) if finding.id == "F114"]
    assert [(finding.expected, finding.fix) for finding in findings] == [(expected, fix)]
