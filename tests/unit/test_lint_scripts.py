"""Command lines in shell scripts, PowerShell, GitHub workflows and Azure Pipelines, as people write them."""

from __future__ import annotations

import pytest

from azext_amlk8s.lint import SourceFile, lint

TYPE = "--extension-type Microsoft.AzureML.Kubernetes --cluster-type managedClusters --cluster-name c -g g"


def found(text: str, name: str) -> list[str]:
    """The ID of each finding on a file, and the word that is at its position."""
    findings = lint([SourceFile(name, text)]).findings
    lines = text.splitlines()
    return [f"{each.finding.id} {lines[each.mark.line - 1][each.mark.column - 1 :].split()[0]}" for each in findings]


def ids(text: str, name: str) -> set[str]:
    """The IDs of the findings on a file."""
    return {each.partition(" ")[0] for each in found(text, name)}


SHELL = {
    "one line": (f"az k8s-extension create -n a {TYPE} --config enableTrainin=True", ["S002 enableTrainin=True"]),
    "continued lines": (
        f"az k8s-extension create \\\n  -n a {TYPE} \\\n  --config enableTraining=True \\\n    installPromOp=no\n",
        ["S003 installPromOp=no"],
    ),
    "settings that are repeated options": (
        f"az k8s-extension create {TYPE} --config enableTraining=True --config installPromOp=no",
        ["S003 installPromOp=no"],
    ),
    "a variable": (f"T=maybe\naz k8s-extension create {TYPE} --config enableTraining=$T", ["S003 enableTraining=$T"]),
    "a variable with a default": (
        f'T="${{T:-maybe}}"\naz k8s-extension create {TYPE} --config "enableTraining=${{T}}"',
        ['S003 "enableTraining=${T}"'],
    ),
    "a variable that is defined elsewhere": (f"az k8s-extension create {TYPE} --config enableTraining=$1", []),
    "a variable that has several values": (
        f"T=True\nif x; then T=False; fi\naz k8s-extension create {TYPE} --config enableTraining=$T",
        [],
    ),
    "an array": (
        f'ARGS=(\n  --config enableTraining=True # c\n  installVolcano=no\n)\naz k8s-extension create {TYPE} "${{ARGS[@]}}"',
        ["S003 installVolcano=no"],
    ),
    "an array that others make longer": (
        f'ARGS=(--config enableInference=True)\nARGS+=(x=1)\naz k8s-extension create {TYPE} "${{ARGS[@]}}"',
        ["S002 x=1)"],
    ),
    "a former name": (
        f"az k8s-extension create {TYPE} --config enableTraining=True privateEndpointNodeport=True",
        ["L101 privateEndpointNodeport=True"],
    ),
    "a former name, which az amlk8s reads": (
        "az amlk8s extension create -g g -c c --config enableTraining=True volcanoScheduler.enable=False",
        ["S006 volcanoScheduler.enable=False"],
    ),
    "commas": (
        f"az k8s-extension create {TYPE} --config enableTraining=True,installVolcano=False",
        ["S016 enableTraining=True,installVolcano=False"],
    ),
    "neither training nor inference": (
        f"az k8s-extension create {TYPE} --config installPromOp=False",
        ["S101 --config", "S122 installPromOp=False"],
    ),
    "another extension": ("az k8s-extension create --extension-type microsoft.flux --config a=b", []),
    "an update": ("az k8s-extension update -n a --config inferenceRouterHA=no", ["S003 inferenceRouterHA=no"]),
    "an update of another extension": ("az k8s-extension update -n a --config foo=no", []),
    "an update with arguments of create": (
        f"az k8s-extension update {TYPE} --config sslSecret=s sslCname=a.b",
        ["L160 --extension-type"],
    ),
    "the scope of a namespace": (
        f"az k8s-extension create {TYPE} --scope namespace --config enableTraining=True",
        ["L161 --scope"],
    ),
    "certificate files without a host name": (
        f"az k8s-extension create {TYPE} --config enableInference=True inferenceRouterServiceType=nodePort "
        "--config-protected sslCertPemFile=a.pem sslKeyPemFile=b.pem",
        ["L162 --config"],
    ),
    "a secret": (
        f"az k8s-extension create {TYPE} --config enableTraining=True "
        "relayserver.hybridConnectionResourceID=/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g/providers/Microsoft.Relay/namespaces/r/hybridConnections/c relayserver.hybridConnectionName=c "
        "--config-protected 'relayServerConnectionString=Endpoint=sb://r.servicebus.windows.net/;"
        "SharedAccessKeyName=a;SharedAccessKey=x;EntityPath=c'",
        [
            "L104 'relayServerConnectionString=Endpoint=sb://r.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=x;EntityPath=c'"
        ],
    ),
    "a secret of a variable": (
        f"az k8s-extension create {TYPE} --config enableTraining=True "
        "relayserver.hybridConnectionResourceID=/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g/providers/Microsoft.Relay/namespaces/r/hybridConnections/c relayserver.hybridConnectionName=c "
        '--config-protected "relayServerConnectionString=$RELAY"',
        [],
    ),
    "text of help": (f'echo "az k8s-extension create {TYPE} --config a=b"\ncat <<EOF\naz k8s-extension\nEOF\n', []),
    "a command in a substitution": (
        f"x=$(az k8s-extension create {TYPE} --config enableTraining=x --query id -o tsv)",
        ["S003 enableTraining=x"],
    ),
    "a command below others": (
        f"if ! az k8s-extension show -n a; then\n  retry 3 az k8s-extension create {TYPE} --config enableTraining=x\nfi",
        ["S003 enableTraining=x"],
    ),
    "a placeholder": (
        f"az k8s-extension create {TYPE} --config enableTraining=<value>",
        ["S015 enableTraining=<value>"],
    ),
    "a compute": (
        'az ml compute attach -n my_compute --type Kubernetes --resource-id "$id" --namespace azureml -w w -g g',
        ["C105 my_compute", "C108 azureml"],
    ),
    "a role on the first relay": (
        "relay=$(az relay namespace list -g g --query '[0].id' -o tsv)\n"
        'az role assignment create --role "Azure Relay Owner" --assignee $p --scope "$relay"',
        ["L143 --scope"],
    ),
    "a role on a relay with a name": (
        "relay=$(az relay namespace list -g g --query \"[?name=='r'] | [0].id\" -o tsv)\n"
        'az role assignment create --role "Azure Relay Owner" --assignee $p --scope "$relay"',
        [],
    ),
    "the retired kind of attachment": ("az ml computetarget attach aks -n a -i $id -w w -g g", ["L156 az"]),
    "another kind of compute target": ("az ml computetarget create amlcompute -n a", []),
    "a compute of another type": ("az ml compute attach -n my_compute --type VirtualMachine --resource-id $id", []),
}


@pytest.mark.parametrize(("text", "expected"), SHELL.values(), ids=SHELL)
def test_shell(text: str, expected: list[str]) -> None:
    assert found(text, "install.sh") == expected


POWERSHELL = {
    "backticks": (f"az k8s-extension create `\n  {TYPE} `\n  --config enableTraining=maybe\n", {"S003"}),
    "an array": (
        f"$config = @('enableTraining=True',\n  \"installPromOp=no\")\naz k8s-extension create {TYPE} --config $config",
        {"S003"},
    ),
    "splatting": (
        "$arguments = @(\n  '--extension-type', 'Microsoft.AzureML.Kubernetes'\n  '--config', 'enableTraining=no'\n)\n"
        "az k8s-extension create @arguments",
        {"S003"},
    ),
    "a variable": (f"$on = 'maybe'\naz k8s-extension create {TYPE} --config \"enableTraining=$on\"", {"S003"}),
    "an environment variable": (f'az k8s-extension create {TYPE} --config "enableTraining=$env:ON"', set()),
    "a comment": (f"<# az k8s-extension create {TYPE} --config a=b #>\n# az k8s-extension create", set()),
    "output": (f"Write-Host 'az k8s-extension create {TYPE} --config a=b'", set()),
}


@pytest.mark.parametrize(("text", "expected"), POWERSHELL.values(), ids=POWERSHELL)
def test_powershell(text: str, expected: set[str]) -> None:
    assert ids(text, "install.ps1") == expected
