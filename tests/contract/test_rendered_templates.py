"""Rendered ARM templates reach the state that `az amlk8s apply` reaches."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import certificates
from tests.scenarios.certificates import write_files
from tests.scenarios.runner import Scenario, read
from tests.scenarios.stage import Scene, Stage

SCENARIOS = Path(__file__).parent.parent / "scenarios"
APPLIED = ("az amlk8s apply -f ", "az amlk8s plan -f ")
# What differs with the moment and the way of creation; the names of role assignments are chosen by who creates them.
VOLATILE = {
    "keys",
    "principalId",
    "systemData",
    "createdDate",
    "modifiedDate",
    "createdAt",
    "updatedAt",
    "createdOn",
    "modifiedOn",
    "etag",
}
DEPLOYMENT = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/providers/Microsoft.Resources/deployments/azureml"
PROTECTED = "configurationProtectedSettings"
IGNORED = "microsoft.resources/deployments"


def setups() -> Iterator[Any]:
    """Every setup file of the scenarios that can be applied to a cluster without anything, each once."""
    seen = set()
    for file in sorted(SCENARIOS.glob("setup-*.yaml")):
        for scenario in read(file):
            key = json.dumps([scenario.files, scenario.world], sort_keys=True, default=str)
            runs = scenario.run.startswith(APPLIED) and scenario.exit in (0, 4) and not scenario.setup
            # A template replaces the settings of an extension that exists; apply changes what the setup names.
            runs = runs and not scenario.world.get("resources")
            if runs and "azureml.yaml" in scenario.run and key not in seen and not scenario.stdin:
                seen.add(key)
                yield pytest.param(scenario, id=f"{file.stem}: {scenario.name}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    running = Stage(tmp_path_factory.mktemp("stage"))
    yield running
    running.end()


@pytest.mark.parametrize("scenario", list(setups()))
def test_template_reaches_the_state_of_apply(scenario: Scenario, stage: Stage, tmp_path: Path) -> None:
    with world_of(scenario, stage, tmp_path / "apply") as (scene, folder):
        output = scene.az(["amlk8s", "apply", "-f", "azureml.yaml", "--yes"], folder)
        if output.code:
            return  # Nothing to compare: apply fails in the world of this scenario.
        applied = normalized(scene.resources())
    with world_of(scenario, stage, tmp_path / "render") as (scene, folder):
        create_namespaces(scene, folder)
        output = scene.az(["amlk8s", "render", "-f", "azureml.yaml", "--to", "arm", "--out", "infra"], folder)
        assert output.code == 0, output.err
        deploy(scene, folder / "infra")
        deployed = normalized(scene.resources())
        if any("/computes/" in resource_id for resource_id in deployed):
            deploy(scene, folder / "infra", attachedComputes=computes_of(deployed))
            assert normalized(scene.resources()) == deployed, "a second deployment changes something"
    assert list(differences("", applied, deployed)) == []


def differences(path: str, expected: Any, actual: Any) -> Iterator[str]:
    """Where two values differ."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted({*expected, *actual}):
            yield from differences(f"{path} {key}", expected.get(key), actual.get(key))
    elif expected != actual:
        yield f"{path}: {actual!r} in place of {expected!r}"


@contextmanager
def world_of(scenario: Scenario, stage: Stage, folder: Path) -> Iterator[tuple[Scene, Path]]:
    """The world and the files of a scenario."""
    folder.mkdir()
    write_files(folder, scenario.files)
    with stage.scene(scenario.world, folder, 0) as scene:
        yield scene, folder


def deploy(scene: Scene, folder: Path, **values: Any) -> None:
    """Deploy a rendered template with its parameters and with values for others, secrets with values of their own."""
    template = json.loads((folder / "main.json").read_text(encoding="utf-8"))
    parameters = json.loads((folder / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    secure = [name for name, declared in template["parameters"].items() if declared["type"] == "securestring"]
    given = {
        name: {"value": value} for name, value in {**{name: secret_for(name) for name in secure}, **values}.items()
    }
    properties = {"mode": "Incremental", "template": template, "parameters": {**parameters, **given}}
    path = f"{DEPLOYMENT}?api-version=2024-07-01"
    scene.arm("PUT", path, {"location": "eastus", "properties": properties})
    for _ in range(1000):
        state = scene.arm("GET", path)["properties"]
        if state["provisioningState"] in ("Succeeded", "Failed", "Canceled"):
            break
        time.sleep(0.05)
    assert state["provisioningState"] == "Succeeded", json.dumps(state.get("error"))


def secret_for(parameter: str) -> str:
    """A value for a secure parameter: the certificate or the key of one pair, or any text."""
    made = {
        "sslcert": lambda: certificates.certificate("pair", ["ml.contoso.com"]),
        "sslkey": lambda: certificates.key("pair"),
    }
    return next((make().decode() for end, make in made.items() if parameter.lower().endswith(end)), "x")


def computes_of(resources: Mapping[str, Any]) -> list[str]:
    return [resource["name"] for resource_id, resource in resources.items() if "/computes/" in resource_id]


def create_namespaces(scene: Scene, folder: Path) -> None:
    """Create the namespaces that the setup names, as GitOps would."""
    output = scene.az(shlex.split("amlk8s plan -f azureml.yaml -o json"), folder)
    for cluster in json.loads(output.out)["clusters"]:
        for resource in cluster["resources"]:
            if resource["kind"] == "namespace" and resource["action"] == "create":
                file = folder / "namespace.yaml"
                file.write_text(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {resource['name']}}}\n")
                command = ["--context", cluster["cluster"], "apply", "--server-side", "-f", file.name]
                done = scene.kubectl(command, folder)
                assert done.code == 0, done.err


def normalized(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Resources without what is volatile, role assignments by what they grant."""
    result = {}
    for resource_id, resource in resources.items():
        if IGNORED in resource_id:
            continue
        key = resource_id
        if str(resource.get("type")).lower() == "microsoft.authorization/roleassignments":
            properties = resource["properties"]
            role = str(properties["roleDefinitionId"]).rsplit("/", 1)[-1]
            key = f"{properties['scope']} {properties['principalId']} {role}".lower()
            resource = {}
        result[key] = without_volatile(resource)
    return result


def without_volatile(value: Any) -> Any:
    """A value without what is volatile; of protected settings the names alone, and IDs in lower case."""
    if isinstance(value, dict):
        return {
            key: sorted(inner) if key == PROTECTED and inner else without_volatile(inner)
            for key, inner in value.items()
            if key not in VOLATILE
        }
    if isinstance(value, list):
        return [without_volatile(inner) for inner in value]
    return value.lower() if isinstance(value, str) and value.lower().startswith("/subscriptions/") else value
