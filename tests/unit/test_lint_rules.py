"""Each rule over templates, in its wrong and its right form, in ARM, Bicep and Terraform."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.lint import SourceFile, lint
from azext_amlk8s.lint.languages import ARM, BICEP, TERRAFORM
from azext_amlk8s.rules import all_rules
from tests.unit.lint_languages import ARC, CLUSTER, INJECTED, SUFFIXES, compute, extension, write

TRAINING = {**INJECTED, "enableTraining": "True"}
HTTP = {
    **INJECTED,
    "enableInference": "True",
    "inferenceRouterServiceType": "loadBalancer",
    "allowInsecureConnections": "True",
}
HTTPS = {**HTTP, "allowInsecureConnections": "False", "sslCname": "fe.contoso.com"}
RELAY = {
    "relayserver.enabled": "True",
    "relayserver.hybridConnectionResourceID": "/subscriptions/s/x",
    "relayserver.hybridConnectionName": "arc",
}
OF_ARC = {key: ARC if value == CLUSTER else value for key, value in TRAINING.items()} | RELAY
IDS = ("cluster_name", "clusterId")

Resources = list[dict[str, Any]]


def without(settings: dict[str, str], *keys: str) -> dict[str, str]:
    """Settings without some of them."""
    return {key: value for key, value in settings.items() if key not in keys}


def rule_with(rights: list[str], kind: str = "hybridConnections/authorizationRules") -> dict[str, Any]:
    """An authorization rule of a relay."""
    return {
        "type": f"Microsoft.Relay/namespaces/{kind}",
        "apiVersion": "2021-11-01",
        "name": "relay/arc/azureml_rw",
        "properties": {"rights": rights},
    }


def connection(requires: bool) -> dict[str, Any]:
    """A hybrid connection."""
    return {
        "type": "Microsoft.Relay/namespaces/hybridConnections",
        "apiVersion": "2021-11-01",
        "name": "relay/arc",
        "properties": {"requiresClientAuthorization": requires},
    }


PLAIN = extension(TRAINING)
# Rule, what violates it, what does not.
CASES: list[tuple[str, Resources, Resources]] = [
    ("L101", [extension({**TRAINING, "InstallPromOp": "True"})], [extension({**TRAINING, "installPromOp": "True"})]),
    (
        "L101",
        [extension({**HTTP, "inferenceLoadBalancerHA": "True"})],
        [extension({**HTTP, "inferenceRouterHA": "True"})],
    ),
    ("L102", [extension({**TRAINING, "installVolcano": False})], [extension({**TRAINING, "installVolcano": "False"})]),
    (
        "L103",
        [extension({**OF_ARC, "relayserver.relayConnectionString": "Endpoint=sb://x;EntityPath=arc"}, cluster=ARC)],
        [PLAIN],
    ),
    ("L104", [extension(HTTPS, {"scoringFe.sslCert": "QUJD", "scoringFe.sslKey": "QUJD"})], [PLAIN]),
    ("L105", [extension(TRAINING, {"installPromOp": "True"})], [extension({**TRAINING, "installPromOp": "True"})]),
    ("L110", [extension(HTTPS, {"sslCertPemFile": "a.pem", "sslKeyPemFile": "b.pem"})], [PLAIN]),
    ("L111", [extension(without(TRAINING, "domain"))], [extension(without(TRAINING, "nginxIngress.enabled"))]),
    ("L111", [extension(without(HTTP, "nginxIngress.enabled"))], [extension(HTTP)]),
    ("L112", [extension({**TRAINING, "domain": "westeurope"})], [PLAIN]),
    ("L112", [extension({**TRAINING, "clusterId": f"{CLUSTER}2"})], [PLAIN]),
    (
        "L113",
        [extension({**HTTPS, "sslSecret": "tls"})],
        [extension({**HTTPS, "sslSecret": "tls", "scoringFe.sslSecret": "tls"})],
    ),
    (
        "L113",
        [extension({**HTTP, "inferenceRouterServiceType": "nodePort"})],
        [extension({**HTTP, "inferenceRouterServiceType": "nodePort", "scoringFe.serviceType.nodePort": "True"})],
    ),
    (
        "L113",
        [extension({**HTTP, "internalLoadBalancerProvider": "azure"})],
        [
            extension(
                {
                    **HTTP,
                    "internalLoadBalancerProvider": "azure",
                    "scoringFe.serviceType.internalLoadBalancer": "True",
                }
            )
        ],
    ),
    ("L114", [extension(OF_ARC, cluster=ARC)], [PLAIN]),
    ("L114", [extension({**OF_ARC, "relayserver.enabled": "False"}, cluster=ARC)], [PLAIN]),
    ("L120", [extension(TRAINING, scope="/subscriptions/s/resourceGroups/g")], [PLAIN]),
    ("L121", [extension(TRAINING, properties__scope={"namespace": {"targetNamespace": "ml"}})], [PLAIN]),
    ("L121", [extension(TRAINING, properties__scope={"cluster": {"releaseNamespace": "ml"}})], [PLAIN]),
    ("L122", [extension(OF_ARC, cluster=ARC, identity=None)], [extension(TRAINING)]),
    ("L130", [compute()], [compute(condition=True)]),
    ("L131", [compute(condition=True, properties={"computeType": "Kubernetes"})], [compute(condition=True)]),
    (
        "L140",
        [PLAIN, rule_with(["Manage", "Send", "Listen"], "authorizationRules")],
        [PLAIN, rule_with(["Manage", "Send", "Listen"])],
    ),
    ("L141", [PLAIN, rule_with(["Listen", "Send"])], [PLAIN, rule_with(["Listen", "Manage", "Send"])]),
    ("L142", [PLAIN, connection(False)], [PLAIN, connection(True)]),
    (
        "L156",
        [compute(condition=True, properties={"computeType": "AKS", "resourceId": CLUSTER})],
        [compute(condition=True)],
    ),
    (
        "L162",
        [extension(without(HTTPS, "sslCname"), {"scoringFe.sslCert": "QUJD", "scoringFe.sslKey": "QUJD"})],
        [extension(HTTPS, {"scoringFe.sslCert": "QUJD", "scoringFe.sslKey": "QUJD"})],
    ),
    ("C105", [compute("1-compute-with-too-many-characters", condition=True)], [compute(condition=True)]),
    ("S002", [extension({**TRAINING, "enableTrainin": "True"})], [PLAIN]),
    ("S003", [extension({**TRAINING, "enableTraining": "yes"})], [PLAIN]),
    ("S103", [extension(without(HTTP, "allowInsecureConnections"))], [extension(HTTP)]),
    ("V101", [extension(TRAINING, properties__version="1.1.61", properties__autoUpgradeMinorVersion=True)], [PLAIN]),
]


def ids(text: str, language: str) -> set[str]:
    """The IDs of the findings on a file."""
    return {found.finding.id for found in lint([SourceFile(f"main{SUFFIXES[language]}", text)]).findings}


@pytest.mark.parametrize("language", SUFFIXES)
@pytest.mark.parametrize(
    ("rule", "wrong", "right"), CASES, ids=[f"{rule}-{number}" for number, (rule, _, _) in enumerate(CASES)]
)
def test_wrong_and_right_forms(language: str, rule: str, wrong: Resources, right: Resources) -> None:
    assert rule in ids(write(language, *wrong), language)
    assert rule not in ids(write(language, *right), language)


def test_every_rule_for_templates_has_a_wrong_and_a_right_form() -> None:
    of_templates = {rule.id for rule in all_rules() if {ARM, BICEP, TERRAFORM} <= set(rule.languages)}
    assert of_templates - {rule for rule, _, _ in CASES} == set()


def test_every_rule_over_content_says_for_which_languages_it_is() -> None:
    of_files = {"L100", "L170", "L171"}
    assert {rule.id for rule in all_rules() if rule.id[0] == "L" and not rule.languages} == of_files


@pytest.mark.parametrize("language", SUFFIXES)
def test_a_complete_template_has_no_findings(language: str) -> None:
    resources = [extension(TRAINING), compute(condition=True)]
    assert ids(write(language, *resources), language) == set()
