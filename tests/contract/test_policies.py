"""Rendered policies in the sandbox's Azure Policy, created by az's own commands and by the rendered script."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.test_az import NAMES, SUBSCRIPTION, check, fill_in
from tests.support import Sandbox

CASES = yaml.safe_load((Path(__file__).parent / "az-policy.yaml").read_text(encoding="utf-8"))
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/edge"
SETUP = {
    "name": "edge",
    "clusters": [
        {"name": "aks-poc", "resource_group": "ml-rg", "type": "managedClusters"},
        {"name": "minikube", "resource_group": "ml-rg", "type": "connectedClusters"},
    ],
    "extension": {"settings": {"enableTraining": True}},
}
LIMIT = 60.0


@pytest.fixture(scope="module")
def policies(start: Callable[..., Sandbox], tmp_path_factory: pytest.TempPathFactory) -> tuple[Sandbox, Path]:
    """A sandbox, and the folder of a rendered policy."""
    folder = tmp_path_factory.mktemp("policy")
    return rendered(start("--provisioning-seconds", "1"), folder), folder


def rendered(box: Sandbox, folder: Path) -> Sandbox:
    (folder / "azureml.yaml").write_text(yaml.safe_dump(SETUP), encoding="utf-8")
    output = box.az("amlk8s", "render", "-f", str(folder / "azureml.yaml"), "--to", "policy", "--out", str(folder))
    assert output.code == 0, output.err
    definition = json.loads((folder / "azureml-aks.policy.json").read_text(encoding="utf-8"))["properties"]
    (folder / "rules.json").write_text(json.dumps(definition["policyRule"]), encoding="utf-8")
    (folder / "parameters.json").write_text(json.dumps(definition["parameters"]), encoding="utf-8")
    return box


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES, ids=[case["az"] for case in CASES])
def test_az_policy(policies: tuple[Sandbox, Path], case: dict[str, Any]) -> None:
    """The commands for Azure Policy."""
    box, folder = policies
    words = case["az"].replace("{D}", str(folder)).replace("{A}", ASSIGNMENT)
    if "{principal}" in words:
        shown = box.az("policy", "assignment", "show", "-n", "edge", "-g", "ml-rg", "--query", "identity.principalId")
        words = words.replace("{principal}", shown.json)
    if case.get("repeat"):
        wait_for(box, words, case)
    check(box, {**case, "az": words})


def wait_for(box: Sandbox, words: str, case: dict[str, Any]) -> None:
    """Repeat a command until it prints what is expected, or the time is up."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        output = box.az(*fill_in(words).split(), "--query", fill_in(case["query"]), "-o", "json")
        if output.code == 0 and output.json == case["output"]:
            return
        time.sleep(0.5)


@pytest.mark.timeout(300)
def test_the_rendered_script_installs_the_extension(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    """assign.sh with bash and az: afterwards clusters of both types have the extension; it can be repeated."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({**world, "polls": {"retry_after": 1}}), encoding="utf-8")
    box = rendered(start("--world", str(file), "--provisioning-seconds", "1"), tmp_path)
    for _ in range(2):
        output = box.run("bash", str(tmp_path / "assign.sh"), GROUP)
        assert output.code == 0, output.err
    shown = "[].{state: provisioningState, failed: deploymentStatus.failedDeployments}"
    wait_for(
        box,
        "policy remediation list -g ml-rg",
        {"query": shown, "output": [{"state": "Succeeded", "failed": 0}] * 4},
    )
    clusters = (NAMES["{AKS}"], f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/minikube")
    for cluster in clusters:
        words = ("resource", "show", "--api-version", "2023-05-01", "--query", "properties.provisioningState")
        extension = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azureml"
        assert box.az(*words, "--ids", extension, "-o", "json").json == "Succeeded"
