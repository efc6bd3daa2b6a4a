"""Parameters, variables, functions, modules and parameter files of each language, and rules that one of them has."""

from __future__ import annotations

import json

import pytest

from azext_amlk8s.lint import SourceFile, lint
from tests.unit.lint_languages import CLUSTER, INJECTED, SCHEMA

BICEP = """
param clusterName string
{parameters}
resource aks 'Microsoft.ContainerService/managedClusters@2024-09-01' existing = {{
  name: clusterName
}}
resource ext 'Microsoft.KubernetesConfiguration/extensions@2024-11-01' = {{
  name: 'azureml'
  scope: aks
  properties: {{
    extensionType: 'Microsoft.AzureML.Kubernetes'
    configurationSettings: union({{
{injected}
    }}, {settings})
    configurationProtectedSettings: {protected}
  }}
}}
"""
TERRAFORM = """
{parameters}
resource "azurerm_kubernetes_cluster_extension" "ml" {{
  name           = "azureml"
  cluster_id     = {cluster}
  extension_type = "Microsoft.AzureML.Kubernetes"
  configuration_settings = merge({injected}, {settings})
  configuration_protected_settings = {protected}
{more}
}}
"""
TRAINING = "{ enableTraining: 'True' }"


def found(**texts: str) -> list[tuple[str, int]]:
    """The IDs and lines of the findings on files; a name's last part is its suffix: main_bicep."""
    files = [SourceFile(name.replace("__", "/").replace("_", "."), text) for name, text in texts.items()]
    return [(each.finding.id, each.mark.line) for each in lint(files).findings]


def ids(**texts: str) -> set[str]:
    """The IDs of the findings on files."""
    return {rule for rule, _ in found(**texts)}


def bicep(settings: str = TRAINING, parameters: str = "", protected: str = "{}") -> str:
    """A Bicep file with an extension."""
    injected = "\n".join(f"      '{key}': '{value}'" for key, value in INJECTED.items())
    return BICEP.format(settings=settings, parameters=parameters, protected=protected, injected=injected)


def terraform(
    settings: str = '{ enableTraining = "True" }',
    parameters: str = "",
    protected: str = "{}",
    more: str = "",
    cluster: str = f'"{CLUSTER}"',
) -> str:
    """A Terraform file with an extension of azurerm."""
    return TERRAFORM.format(
        settings=settings,
        parameters=parameters,
        protected=protected,
        injected=json.dumps(INJECTED),
        more=more,
        cluster=cluster,
    )


SECRET = "{{ relayserver.relayConnectionString: {} }}"
PROTECTED = "{ 'relayserver.relayConnectionString': relay }"
BICEP_CASES = {
    "a value of a parameter": (bicep("{ enableTraining: t }", "param t string = 'yes'"), {"S003"}),
    "a value of a parameter without default is not known": (bicep("{ enableTraining: t }", "param t string"), set()),
    "a Boolean in a text": (bicep("{ enableTraining: '${t}' }", "param t bool = true"), set()),
    "a Boolean": (bicep("{ enableTraining: t }", "param t bool = true"), {"L102"}),
    "a function": (bicep("{ enableTraining: toUpper('true') }"), set()),
    "a format": (bicep("{ enableTraining: format('{0}{1}', 'tr', 'ee') }"), {"S003"}),
    "a condition that is known": (bicep("{ enableTraining: t ? 'True' : 'maybe' }", "param t bool = false"), {"S003"}),
    "a choice that is wrong": (bicep("{ enableTraining: t ? 'True' : 'maybe' }", "param t bool"), {"S003"}),
    "choices that are right": (bicep("{ enableTraining: t ? 'True' : 'False' }", "param t bool"), set()),
    "a spread": (bicep("{ ...base }", "var base = { enableTraining: 'maybe' }"), {"S003"}),
    "more settings of an object parameter": (bicep("extra", "param extra object = {}"), set()),
    "settings under a condition": (
        bicep("t ? { enableInference: 'True' } : { enableTraining: 'True' }", "param t bool"),
        set(),
    ),
    "an unknown key under a condition": (bicep("t ? { enableTrainin: 'True' } : {}", "param t bool"), {"S002"}),
    "a loop": (bicep("toObject(map(range(0, 3), i => 'x'), k => k)"), set()),
    "a secret of a plain parameter": (bicep(TRAINING, "param relay string", PROTECTED), {"L104"}),
    "a secret of a secure parameter": (bicep(TRAINING, "@secure()\nparam relay string", PROTECTED), set()),
    "a secret of Key Vault": (
        bicep(TRAINING, "", "{ 'relayserver.relayConnectionString': vault.getSecret('relay') }"),
        set(),
    ),
    "the keys of a resource": (
        bicep(TRAINING, "", "{ 'relayserver.relayConnectionString': rule.listKeys().primaryConnectionString }"),
        set(),
    ),
    "a secret that is written in the file": (
        bicep(
            TRAINING,
            "",
            "{ 'relayserver.relayConnectionString': 'Endpoint=sb://r.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=x;EntityPath=y' }",
        ),
        {"L104", "S111"},
    ),
    "the defaults of parameters enable nothing": (bicep("{ enableTraining: t }", "param t string = 'False'"), {"S101"}),
}


@pytest.mark.parametrize(("text", "expected"), BICEP_CASES.values(), ids=BICEP_CASES)
def test_bicep(text: str, expected: set[str]) -> None:
    assert ids(main_bicep=text) - {"S111"} == expected - {"S111"}


TRAIN = '{ enableTraining = "True" }'
TERRAFORM_CASES = {
    "a value of a variable": (terraform("{ enableTraining = var.t }", 'variable "t" { default = "yes" }'), {"S003"}),
    "a Boolean, which azurerm converts": (terraform("{ enableTraining = true }"), set()),
    "a local": (terraform("{ enableTraining = local.t }", 'locals { t = lower("Maybe") }'), {"S003"}),
    "a secret of a plain variable": (
        terraform(TRAIN, 'variable "r" {}', '{ "relayserver.relayConnectionString" = var.r }'),
        {"L104"},
    ),
    "a secret of a sensitive variable": (
        terraform(TRAIN, 'variable "r" { sensitive = true }', '{ "relayserver.relayConnectionString" = var.r }'),
        set(),
    ),
    "an attribute of a resource": (
        terraform(TRAIN, "", '{ "relayserver.relayConnectionString" = azurerm_x.y.primary_connection_string }'),
        set(),
    ),
    "a version": (terraform(more='version = "1.1.61"'), {"L150"}),
    "a version whose changes are ignored": (
        terraform(more='version = "1.1.61"\nlifecycle { ignore_changes = [version] }'),
        set(),
    ),
    "a version and a release train": (
        terraform(more='version = "1.1.61"\nrelease_train = "stable"'),
        {"L150", "L151"},
    ),
    "an empty value": (terraform('{ enableTraining = "True", sslSecret = "" }'), {"L152"}),
    "the resource of another type of cluster": (
        terraform(cluster="azurerm_arc_kubernetes_cluster.a.id"),
        {"L153", "L122", "L114"},
    ),
    "the retired kind of attachment": ('resource "azurerm_machine_learning_inference_cluster" "x" {}', {"L156"}),
    "another namespace of the release": (terraform(more='release_namespace = "ml"'), {"L121"}),
    "settings of a loop": (terraform('{ for k, v in var.x : "nodeSelector.${k}" => v }'), set()),
    "a relay rule of the namespace": (
        terraform() + 'resource "azurerm_relay_namespace_authorization_rule" "r" {\n manage = true\n}\n',
        {"L140"},
    ),
    "a relay rule without a right": (
        terraform()
        + 'resource "azurerm_relay_hybrid_connection_authorization_rule" "r" {\n listen = true\n send = true\n}\n',
        {"L141"},
    ),
    "a role on the first relay": (
        terraform()
        + 'data "azapi_resource_list" "relays" {\n type = "Microsoft.Relay/namespaces@2021-11-01"\n}\n'
        + 'resource "azurerm_role_assignment" "r" {\n'
        + "  scope = try(data.azapi_resource_list.relays.output.items[0].id, null)\n}\n",
        {"L143"},
    ),
    "a role on the first relay of azurerm_resources": (
        terraform()
        + 'data "azurerm_resources" "relays" {\n type = "Microsoft.Relay/namespaces"\n}\n'
        + 'resource "azurerm_role_assignment" "r" {\n scope = data.azurerm_resources.relays.resources[0].id\n}\n',
        {"L143"},
    ),
    "a role on the relay of the file": (
        terraform()
        + 'resource "azurerm_relay_namespace" "relay" {\n name = "r"\n}\n'
        + 'resource "azurerm_role_assignment" "r" {\n scope = azurerm_relay_namespace.relay.id\n}\n',
        set(),
    ),
    "a body in JSON": (
        'resource "azapi_resource" "e" {\n  type = "Microsoft.KubernetesConfiguration/extensions@2024-11-01"\n'
        f'  parent_id = "{CLUSTER}"\n  body = jsonencode({{ properties = {{\n'
        '    extensionType = "microsoft.azureml.kubernetes"\n'
        f"    configurationSettings = merge({json.dumps(INJECTED)}, {{ enableTraining = true }})\n  }} }})\n}}\n",
        {"L102"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), TERRAFORM_CASES.values(), ids=TERRAFORM_CASES)
def test_terraform(text: str, expected: set[str]) -> None:
    assert ids(main_tf=text) - {"S111"} == expected


def module(path: str, parameters: str) -> str:
    """A Bicep file with a module."""
    return f"module m 'br/public:{path}:0.1.0' = {{\n  name: 'm'\n  params: {{\n{parameters}\n  }}\n}}\n"


COMPUTE = "avm/res/machine-learning-services/workspace/compute"
EXTENSION = "avm/res/kubernetes-configuration/extension"
TYPE = "extensionType: 'microsoft.azureml.kubernetes'\nconfigurationSettings: { enableTraining: 'True' }"
MODULE_CASES = {
    "an extension": (
        module(
            "avm/res/kubernetes-configuration/extension",
            "extensionType: 'microsoft.azureml.kubernetes'\nconfigurationSettings: { enableTrainin: 'True' }",
        ),
        {"S002", "L111"},
    ),
    "an extension for another type of cluster": (
        "resource arc 'Microsoft.Kubernetes/connectedClusters@2024-01-01' existing = {\n  name: 'arc'\n}\n"
        + module(EXTENSION, f"clusterName: arc.name\n{TYPE}"),
        {"L153", "L111"},
    ),
    "an extension for the type of its cluster": (
        "resource arc 'Microsoft.Kubernetes/connectedClusters@2024-01-01' existing = {\n  name: 'arc'\n}\n"
        + module(EXTENSION, f"clusterName: arc.name\nclusterType: 'connectedCluster'\n{TYPE}"),
        {"L111", "L114"},
    ),
    "a compute of the retired kind": (
        module(COMPUTE, "name: 'k8s'\ncomputeType: 'AKS'\nresourceId: id\ndeployCompute: false"),
        {"L156"},
    ),
    "a compute without an identity": (
        module(COMPUTE, "name: 'k8s'\ncomputeType: 'Kubernetes'\nresourceId: id\ndeployCompute: false"),
        set(),
    ),
    "a relay with a long name": (
        bicep() + module("avm/res/relay/namespace", "name: 'relay'\nhybridConnections: [{ name: 'store-001' }]"),
        set(),
    ),
    "a compute with an identity": (
        module(
            COMPUTE,
            "name: 'k8s'\ncomputeType: 'Kubernetes'\nresourceId: id\ndeployCompute: false\n"
            "managedIdentities: { systemAssigned: true }",
        ),
        {"L154"},
    ),
    "a compute without a guard": (
        module(COMPUTE, "name: 'k8s'\ncomputeType: 'Kubernetes'\nresourceId: id"),
        {"L130"},
    ),
    "a relay with a short name": (
        bicep() + module("avm/res/relay/namespace", "name: 'relay'\nhybridConnections: [{ name: 'arc' }]"),
        {"L155"},
    ),
}


@pytest.mark.parametrize(("text", "expected"), MODULE_CASES.values(), ids=MODULE_CASES)
def test_verified_modules(text: str, expected: set[str]) -> None:
    assert ids(main_bicep=text) == expected


def test_parameter_files_of_bicep() -> None:
    text = bicep("{ enableTraining: t }", "param t string")
    assert found(main_bicep=text, main_bicepparam="using './main.bicep'\n\nparam t = 'yes'\n") == [("S003", 3)]
    parameters = {"$schema": SCHEMA.replace("Template", "Parameters"), "parameters": {"t": {"value": "yes"}}}
    files = [SourceFile("a/main.bicep", text), SourceFile("a/main.parameters.prod.json", json.dumps(parameters))]
    assert [(each.finding.id, each.mark.source) for each in lint(files).findings] == [
        ("S003", "a/main.parameters.prod.json")
    ]


def test_local_modules_get_what_the_caller_gives() -> None:
    inner = bicep("{ enableTraining: t }", "param t string")
    caller = "module m './modules/ext.bicep' = {\n  name: 'm'\n  params: { clusterName: 'c', t: 'yes' }\n}\n"
    assert found(**{"main_bicep": caller, "modules__ext_bicep": inner}) == [("S003", 3)]
    inner = terraform("{ enableTraining = var.t }", 'variable "t" {}')
    caller = 'module "m" {\n  source = "./modules/ext"\n  t = "yes"\n}\n'
    assert found(**{"main_tf": caller, "modules__ext__main_tf": inner}) == [("S003", 3)]


def test_variable_files_of_terraform() -> None:
    text = terraform("{ enableTraining = var.t }", 'variable "t" {}')
    assert found(main_tf=text, terraform_tfvars='t = "yes"\n') == [("S003", 1)]
    assert found(main_tf=text, prod_tfvars='t = "True"\n', dev_tfvars='t = "no"\n') == [("S003", 1)]


def test_nested_deployments_and_user_functions() -> None:
    settings = {**INJECTED, "enableTraining": "[own.text(parameters('on'))]"}
    function = {
        "namespace": "own",
        "members": {
            "text": {
                "parameters": [{"name": "on", "type": "bool"}],
                "output": {"type": "string", "value": "[if(parameters('on'), 'True', 'never')]"},
            }
        },
    }
    inner = {
        "$schema": SCHEMA,
        "parameters": {"on": {"type": "bool"}},
        "functions": [function],
        "resources": [
            {
                "type": "Microsoft.KubernetesConfiguration/extensions",
                "name": "azureml",
                "scope": CLUSTER,
                "properties": {"extensionType": "microsoft.azureml.kubernetes", "configurationSettings": settings},
            }
        ],
    }
    deployment = {
        "type": "Microsoft.Resources/deployments",
        "name": "d",
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"on": {"value": "[variables('off')]"}},
            "template": inner,
        },
    }
    outer = {"$schema": SCHEMA, "contentVersion": "1", "variables": {"off": "[not(true())]"}, "resources": [deployment]}
    assert ids(main_json=json.dumps(outer)) == {"S003"}
    policy = {"properties": {"policyRule": {"then": {"details": {"deployment": {"properties": {"template": outer}}}}}}}
    assert ids(policy_json=json.dumps(policy)) == {"S003"}
