"""YAML documents, steps with scripts, instance types in templates, comments that suppress findings, broken files."""

from __future__ import annotations

import pytest

from azext_amlk8s.lint import SourceFile, has_signs, lint
from tests.unit.lint_languages import compute, write

TYPE = "--extension-type Microsoft.AzureML.Kubernetes --cluster-type managedClusters --cluster-name c -g g"
INSTANCE_TYPE = """apiVersion: amlarc.azureml.com/v1alpha1
kind: InstanceType
metadata: {name: cpu}
spec:
  nodeSelector: {pool: true}
  resources: {limits: {cpu: "1", memory: 1Gi}, requests: {cpu: "1", memory: 1Gi}}
"""
SETUP = """name: retail
clusters:
  - {name: aks, type: managedClusters, resource_group: g}
extension:
  settings:
    enableTraining: true
    installPromOp: no
compute: {name: 1k8s, namespace: ml}
workspace: {name: ws, resource_group: g}
"""
WORKFLOW = f"""on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          az k8s-extension create {TYPE} \\
            --config enableTraining=True installPromOp=no
      - name: PowerShell
        shell: pwsh
        run: |
          az k8s-extension create {TYPE} `
            --config enableTraining=${{{{ inputs.train }}}} installVolcano=no
"""
PIPELINE = f"""steps:
  - task: AzureCLI@2
    inputs:
      scriptType: ps
      scriptLocation: inlineScript
      inlineScript: |
        az k8s-extension create `
          {TYPE.replace(" c ", " $(AKS) ")} `
          --configuration-settings enableInference=True inferenceRouterServiceType=loadBalancer sslCname=a.b.com
  - bash: az k8s-extension create {TYPE} --config enableTraining=maybe
"""


def found(text: str, name: str) -> list[str]:
    """ID and line of each finding on a file."""
    return [f"{each.finding.id} {each.mark.line}" for each in lint([SourceFile(name, text)]).findings]


CASES = {
    "an instance type": ("types.yaml", INSTANCE_TYPE, ["I116 5"]),
    "an instance type of a Helm chart": ("t.yaml", INSTANCE_TYPE.replace("true", "{{ .Values.pool }}"), []),
    "an instance type among other objects": (
        "all.yaml",
        f"kind: Service\napiVersion: v1\nspec: {{type: ClusterIP}}\n---\n{INSTANCE_TYPE}",
        ["I116 9"],
    ),
    "a setup file": ("setup.yaml", SETUP, ["S003 7", "C105 8"]),
    "a setup file with an unknown key": (
        "s.yaml",
        SETUP.replace("workspace:", "workspce:"),
        ["S003 7", "C105 8", "D103 9"],
    ),
    "a file of settings": ("settings.json", '{"enableTraining": "True", "installPromOpp": "no"}', ["S002 1"]),
    "a file of settings with nested ones": (
        "s.yaml",
        "enableInference: true\nnginxIngress:\n  enabled: maybe\n",
        ["S003 3"],
    ),
    "a file of settings that a script completes": ("s.json", '{"enableTraining": "${TRAIN}"}', []),
    "a deployment": (
        "blue.yml",
        "name: blue\ntype: kubernetes\nendpoint_name: e\nmodel: azureml:m:1\ninstance_type: a\nresources: {limits: {cpu: 1}}\n",
        ["W116 6", "W116 6", "W114 6"],
    ),
    "a job on another compute": ("job.yml", "command: x\ncompute: azureml:cpu-cluster\nresources: {cpu: 2}\n", []),
    "a job on a serverless compute": ("j.yml", "command: x\nresources: {instance_type: Standard_E4s_v3}\n", []),
    "a managed deployment": (
        "m.yml",
        "name: blue\nendpoint_name: e\nmodel: azureml:m:1\ninstance_type: Standard_F4s\n",
        [],
    ),
    "a compute": (
        "compute.yml",
        "name: my_k8s\ntype: kubernetes\nresource_id: /subscriptions/s\nnamespace: ml\n",
        ["C105 1"],
    ),
    "a workflow of GitHub": (".github/workflows/x.yml", WORKFLOW, ["S003 9", "S003 14"]),
    "a pipeline of Azure": ("azure-pipelines.yml", PIPELINE, ["S103 9", "S003 10"]),
    "a kubeconfig": ("config.yaml", "apiVersion: v1\nkind: Config\nname: x\nclusters:\n- {name: a}\n", []),
    "an ARM template of a compute": (
        "main.json",
        write(
            "arm",
            compute(
                condition=True,
                properties={
                    "computeType": "Kubernetes",
                    "resourceId": "[parameters('id')]",
                    "properties": {"instanceTypes": {"Big_One": {"resources": {"limits": {"cpu": "1"}}}}},
                },
            ),
        ),
        ["I110 15", "I112 16", "I112 17"],
    ),
    "a manifest in Terraform": (
        "main.tf",
        'resource "kubernetes_manifest" "t" {\n  manifest = {\n    apiVersion = "amlarc.azureml.com/v1alpha1"\n'
        '    kind = "InstanceType"\n    metadata = { name = "Big_One" }\n'
        '    spec = { resources = { limits = { cpu = "1", memory = "1Gi" }, requests = { cpu = "1", memory = var.m } } }\n'
        "  }\n}\n",
        ["I110 5"],
    ),
    "a manifest in Terraform as YAML": (
        "main.tf",
        f'resource "kubectl_manifest" "t" {{\n  yaml_body = <<-EOT\n{INSTANCE_TYPE}EOT\n}}\n',
        ["I116 7"],
    ),
    "a command of Terraform": (
        "main.tf",
        'resource "null_resource" "x" {\n  provisioner "local-exec" {\n    command = <<EOT\n'
        f"az k8s-extension create {TYPE} --config enableTraining=no\nEOT\n  }}\n}}\n",
        ["S003 4"],
    ),
    "a comment that suppresses a finding": (
        "a.sh",
        f"# amlk8s:ignore=S003 the value is replaced\naz k8s-extension create {TYPE} \\\n  --config enableTraining=x\n",
        [],
    ),
    "a comment behind a line": (
        "s.yaml",
        "enableInference: true\ninstallPromOp: no # amlk8s:ignore=S003 replaced before it is used\n",
        [],
    ),
    "a comment without a reason": (
        "s.yaml",
        "enableInference: true\ninstallPromOp: no # amlk8s:ignore=S003\n",
        ["S003 2", "L170 2"],
    ),
    "a comment without rules": ("s.yaml", "enableInference: true # amlk8s:ignore because\n", ["L170 1"]),
    "a comment that suppresses nothing": (
        "s.yaml",
        "enableInference: true # amlk8s:ignore=S003,S108 a reason\n",
        ["L171 1", "L171 1"],
    ),
    "a comment above a block of Bicep": (
        "main.bicep",
        "// amlk8s:ignore=L130,L131 it is deployed once\n"
        + write("bicep", compute(properties={"computeType": "Kubernetes"})),
        [],
    ),
    "a broken template": (
        "main.bicep",
        "resource e 'Microsoft.KubernetesConfiguration/extensions@2024-11-01' = {\n  name: \n}\n",
        ["L100 3"],
    ),
    "a broken Terraform file": (
        "main.tf",
        'resource "azurerm_kubernetes_cluster_extension" "x" {\n  name = "azureml"\n',
        ["L100 3"],
    ),
    "a broken file that has nothing to do with the extension": ("a.json", '{"azureml": [}', []),
    "broken YAML": ("t.yaml", "apiVersion: amlarc.azureml.com/v1alpha1\nkind: [\n", ["L100 3"]),
}


@pytest.mark.parametrize(("name", "text", "expected"), CASES.values(), ids=CASES)
def test_documents(name: str, text: str, expected: list[str]) -> None:
    assert found(text, name) == expected


def test_files_that_have_nothing_to_check_are_not_parsed() -> None:
    assert not has_signs(b"resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {")
    assert has_signs(b"az k8s-extension create")


@pytest.mark.parametrize(
    "text", ["", "{", "[", "a: *b", "\x00", "{" * 5000, "a:\n" * 3000, "(" * 3000, "${" * 2000, "'" * 99]
)
@pytest.mark.parametrize("name", ["a.json", "a.bicep", "a.bicepparam", "a.tf", "a.tfvars", "a.yaml", "a.sh", "a.ps1"])
def test_odd_files(name: str, text: str) -> None:
    """Nothing is raised, whatever a file contains."""
    signs = "# Microsoft.AzureML.Kubernetes az k8s-extension enableTraining kubernetes\n"
    for content in (text, signs + text, text + "\n" + signs):
        lint([SourceFile(name, content, is_named=True)])
