"""Documents inside scripts, files that commands name, requests of az rest, and batch files."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timezone

import pytest

from azext_amlk8s.lint import SourceFile, lint
from tests.scenarios import certificates
from tests.unit.lint_languages import CLUSTER, INJECTED, SUFFIXES, compute, extension, write

TYPE = "--extension-type Microsoft.AzureML.Kubernetes --cluster-type managedClusters -c c -g g"
CREATE = f"az k8s-extension create -n a {TYPE}"
WORKSPACE = CLUSTER.replace("ContainerService/managedClusters/aks", "MachineLearningServices/workspaces/w")
EXTENSION_URL = f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions/azureml?api-version=2023-05-01"
COMPUTE_URL = f"{WORKSPACE}/computes/k8s?api-version=2024-10-01"


def found(**texts: str) -> list[str]:
    """The ID, file and line of each finding; the last _ of a name stands for its dot."""
    files = [SourceFile(".".join(name.rsplit("_", 1)), text) for name, text in texts.items()]
    return [f"{each.finding.id} {each.mark.source}:{each.mark.line}" for each in lint(files).findings]


def heredoc(text: str, before: str = "cat > settings.json <<EOF") -> str:
    return f"{before}\n{text}\nEOF\n"


SETTINGS = '{\n  "enableTraining": "maybe"\n}'
FILES = {
    "settings in a file": (
        {"install_sh": f"{CREATE} --config-file settings.json", "settings_json": SETTINGS},
        ["S003 settings.json:2"],
    ),
    "settings in a file and as arguments": (
        {
            "install_sh": f"{CREATE} --config-settings-file settings.json --config installPromOp=no",
            "settings_json": '{"enableTraining": "True"}',
        },
        ["L163 install.sh:1", "S003 install.sh:1"],
    ),
    "settings in a file and protected ones as arguments": (
        {
            "install_sh": f"{CREATE} --config-settings-file settings.json --config-protected foo=$X",
            "settings_json": '{"enableTraining": "True"}',
        },
        ["S002 install.sh:1"],
    ),
    "az amlk8s reads both": (
        {
            "install_sh": "az amlk8s extension create -g g -c c --config-file settings.json --config installPromOp=False",
            "settings_json": '{"enableTraining": "True"}',
        },
        ["S122 install.sh:1"],
    ),
    "a name that only az amlk8s knows": (
        {
            "install_sh": f"{CREATE} --config-file settings.json",
            "settings_json": '{"enableTraining": "True", "volcanoScheduler.enable": "False"}',
        },
        ["L101 settings.json:1"],
    ),
    "the same name with az amlk8s": (
        {
            "install_sh": "az amlk8s extension create -g g -c c --config-file settings.json",
            "settings_json": '{"enableTraining": "True", "volcanoScheduler.enable": "False"}',
        },
        ["S006 settings.json:1"],
    ),
    "nothing is enabled by both files": (
        {
            "install_sh": f"{CREATE} --config-file settings.json --config-protected-file secrets.json",
            "settings_json": '{"enableTraining": "False"}',
            "secrets_json": '{"relayserver.relayConnectionString": "$R"}',
        },
        ["S101 settings.json:1"],
    ),
    "a file that is not at hand": ({"install_sh": f"{CREATE} --config-file other.json"}, []),
    "a file whose name is not known": ({"install_sh": f"{CREATE} --config-file $FILE"}, []),
    "a heredoc": ({"install_sh": heredoc(SETTINGS) + f"{CREATE} --config-file ./settings.json"}, ["S003 install.sh:3"]),
    "a heredoc of tee": (
        {
            "install_sh": heredoc(SETTINGS, "tee settings.json > /dev/null <<'EOF'")
            + f"{CREATE} --config-file settings.json"
        },
        ["S003 install.sh:3"],
    ),
    "variables in a heredoc": (
        {
            "install_sh": heredoc('{"enableTraining": "$T", "installPromOp": "${P}"}')
            + f"{CREATE} --config-file settings.json"
        },
        [],
    ),
    "an instance type for kubectl": (
        {
            "install_sh": heredoc(
                "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType\nmetadata:\n  name: My_Type\nspec:\n"
                "  resources:\n    requests: {cpu: $CPU, memory: 1Gi}\n    limits: {cpu: 1, memory: 1Gi}",
                "cat <<EOF | kubectl apply -f -",
            )
        },
        ["I110 install.sh:5"],
    ),
    "another object for kubectl": (
        {
            "install_sh": "# az k8s-extension\n"
            + heredoc("kind: Namespace\nmetadata:\n  name: My_Type", "kubectl apply -f - <<EOF")
        },
        [],
    ),
}


@pytest.mark.parametrize(("texts", "expected"), FILES.values(), ids=FILES)
def test_files_and_heredocs(texts: dict[str, str], expected: list[str]) -> None:
    assert sorted(found(**texts)) == sorted(expected)


GOOD = json.dumps(extension({**INJECTED, "enableTraining": "True"})["properties"], indent=1)
BAD = GOOD.replace('"enableTraining": "True"', '"enableTraining": true')
BAD_LINE = next(number for number, line in enumerate(BAD.splitlines(), 1) if "enableTraining" in line)
REQUESTS = {
    "a body in quotes": (
        f"az rest --method put --url '{EXTENSION_URL}' --body '{{\"properties\": {BAD}}}'",
        [f"L102 a.sh:{BAD_LINE}"],
    ),
    "a correct body": (f"az rest --method put --url '{EXTENSION_URL}' --body '{{\"properties\": {GOOD}}}'", []),
    "a body in a heredoc": (
        f'BODY=$(cat <<EOF\n{{"properties":\n{BAD}}}\nEOF\n)\naz rest -m PUT -u "{EXTENSION_URL}" -b "$BODY"',
        [f"L102 a.sh:{BAD_LINE + 2}"],
    ),
    "a body in a variable": (
        f'BODY=\'{{"properties": {BAD}}}\'\naz rest --method put --uri {EXTENSION_URL} --body "$BODY"',
        [f"L102 a.sh:{BAD.count(chr(10)) + 2}"],
    ),
    "a body in double quotes": (
        f'az rest --method put --url "{EXTENSION_URL}" --body "{{\\"properties\\":{{\\"releaseNamespace\\":\\"${{ns}}\\",'
        '\\"extensionType\\":\\"microsoft.azureml.kubernetes\\",\\"configurationSettings\\":{\\"enableTraining\\":\\"yes\\"}}}"',
        ["S003 a.sh:1", "L111 a.sh:1"],
    ),
    "a body of a function": (f"az rest --method put --url '{EXTENSION_URL}' --body \"$(make_body)\"", []),
    "a request that reads": (f"az rest --method get --url '{EXTENSION_URL}' --body '{{\"properties\": {BAD}}}'", []),
    "a change of some settings": (
        f"az rest --method patch --url '{EXTENSION_URL}' --body "
        '\'{"properties": {"extensionType": "microsoft.azureml.kubernetes", "configurationSettings": {"installPromOp": "no"}}}\'',
        ["S003 a.sh:1"],
    ),
    "another extension": (
        f'az rest --method put --url \'{EXTENSION_URL}\' --body \'{{"properties": {{"extensionType": "microsoft.flux"}}}}\'',
        [],
    ),
    "a compute": (f"az rest --method put --url '{COMPUTE_URL}' --body '{json.dumps(compute())}'", []),
    "a compute without its cluster": (
        f"az rest --method put --url '{COMPUTE_URL}' --body "
        '\'{"location": "eastus", "properties": {"computeType": "Kubernetes"}}\'',
        ["L131 a.sh:1"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_requests(text: str, expected: list[str]) -> None:
    assert found(a_sh=text) == expected


BATCH = {
    "continued lines": (
        f"call az k8s-extension create -n a {TYPE} ^\n  --config enableTraining=maybe\n",
        ["S003 a.cmd:2"],
    ),
    "variables": (
        f'set ON=maybe\nset "OFF=never"\n{CREATE} --config enableTraining=%ON% installPromOp=!OFF!',
        ["S003 a.cmd:3", "S003 a.cmd:3"],
    ),
    "a variable that is asked for": (f"set /p ON=On?\n{CREATE} --config enableTraining=%ON%", []),
    "an argument": (f"{CREATE} --config enableTraining=%1 installPromOp=%~2", []),
    "comments and output": (f"REM {CREATE} --config a=b\n:: {CREATE} --config a=b\n@echo {CREATE} --config a=b", []),
    "conditions": (f"if errorlevel 1 (\n  {CREATE} --config enableTraining=no\n) else exit /b", ["S003 a.cmd:2"]),
    "quotes": (f'{CREATE} --config "enableTraining=no" > out.txt 2>&1 && echo done', ["S003 a.cmd:1"]),
}


@pytest.mark.parametrize(("text", "expected"), BATCH.values(), ids=BATCH)
def test_batch_files(text: str, expected: list[str]) -> None:
    assert found(a_cmd=text) == expected


def test_steps_for_the_command_prompt() -> None:
    text = f"jobs:\n  a:\n    steps:\n      - shell: cmd\n        run: |\n          set ON=maybe\n          {CREATE} --config enableTraining=%ON%\n"
    assert found(workflow_yml=text) == ["S003 workflow.yml:7"]


def test_named_files_are_read_where_they_are_not_part_of_the_run() -> None:
    result = lint([SourceFile("ci/a.sh", f"{CREATE} --config-file ../s.json")], {"s.json": SETTINGS}.get)
    assert [(each.finding.id, each.mark.source) for each in result.findings] == [("S003", "s.json")]


def test_what_is_not_at_hand_is_listed() -> None:
    text = f"{CREATE} --config-file other.json\naz rest --method put --url '{EXTENSION_URL}' --body @body.json"
    reasons = [reason for _, reason in lint([SourceFile("a.sh", text)]).skipped]
    assert "file 'other.json' is not evaluated: it is not at hand" in reasons
    assert any("the body of a request is not evaluated" in reason for reason in reasons)


def pem(name: str, host: str = "fe.contoso.com") -> tuple[str, str]:
    """A certificate and its key."""
    return certificates.certificate(name, [host]).decode(), certificates.key(name).decode()


HTTPS = f"{CREATE} --config enableInference=True inferenceRouterServiceType=loadBalancer sslCname=fe.contoso.com"
PEM_FILES = "--config-protected sslCertPemFile=certs/cert.pem sslKeyPemFile=certs/key.pem"


def certificate_ids(text: str, name: str = "a.sh", **files: str) -> list[str]:
    """The IDs of the findings on certificates."""
    read = {f"certs/{key}.pem": content for key, content in files.items()}
    result = lint([SourceFile(name, text)], read.get, datetime.now(timezone.utc))
    return [each.finding.id for each in result.findings if each.finding.id[0] == "T"]


def test_certificate_files_of_commands() -> None:
    (certificate, key), (_, other_key) = pem("one"), pem("two")
    assert certificate_ids(f"{HTTPS} {PEM_FILES}", cert=certificate, key=key) == []
    assert certificate_ids(f"{HTTPS} {PEM_FILES}", cert=certificate, key=other_key) == ["T104"]
    assert certificate_ids(f"{HTTPS} {PEM_FILES}", cert=key, key=key)[0] == "T101"
    assert certificate_ids(f"{HTTPS} {PEM_FILES}") == [], "files that are not at hand are not known"
    elsewhere = HTTPS.replace("fe.contoso.com", "other.contoso.com")
    assert certificate_ids(f"{elsewhere} {PEM_FILES}", cert=certificate, key=key) == ["T110"]


@pytest.mark.parametrize("language", SUFFIXES)
def test_certificates_in_templates(language: str) -> None:
    (certificate, key), (_, other_key) = pem("one"), pem("two")
    settings = {
        **INJECTED,
        "enableInference": "True",
        "inferenceRouterServiceType": "loadBalancer",
        "sslCname": "fe.contoso.com",
    }

    def template(key_text: str) -> str:
        texts = {"scoringFe.sslCert": certificate, "scoringFe.sslKey": key_text}
        protected = {name: b64encode(text.encode()).decode() for name, text in texts.items()}
        return write(language, extension(settings, protected))

    assert certificate_ids(template(key), f"main{SUFFIXES[language]}") == []
    assert certificate_ids(template(other_key), f"main{SUFFIXES[language]}") == ["T104"]
