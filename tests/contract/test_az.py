"""az's own commands work against the sandbox as against Azure."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.verified import count_verified

CASES = yaml.safe_load((Path(__file__).parent / "az.yaml").read_text(encoding="utf-8"))
FLEET_CASES = yaml.safe_load((Path(__file__).parent / "az-fleet.yaml").read_text(encoding="utf-8"))
TAG_CASES = yaml.safe_load((Path(__file__).parent / "az-tags.yaml").read_text(encoding="utf-8"))
TEMPLATES = Path(__file__).parent / "templates"
DEPLOYMENT_CASES = yaml.safe_load((Path(__file__).parent / "az-deployments.yaml").read_text(encoding="utf-8"))
VAULT_CASES = yaml.safe_load((Path(__file__).parent / "az-vault.yaml").read_text(encoding="utf-8"))
VAULTS = [
    {"name": "store-kv", "group": "ml-rg", "tags": {"team": "edge"}, "secrets": {"relay": "text"}}
    | {"certificates": [{"name": "fe", "cname": "fe.contoso.com", "versions": 2}]},
    {"name": "closed-kv", "group": "ml-rg", "denied": ["secrets/get"], "secrets": {"relay": "text"}},
]
FLEETS = [
    {
        "name": "store-{number:04}",
        "count": 1000,
        "group": "ml-rg",
        "type": "connectedClusters",
        "location": "westeurope",
    }
    | {"tags": {"ring": "broad", "store": "{number}"}, "pools": [{"name": "node", "count": 3}]},
    {"name": "aks-{number:03}", "count": 150, "group": "ml-rg", "type": "managedClusters"}
    | {"tags": {"ring": "canary", "owner": "{number}"}, "pools": [{"name": "pool", "count": 3}]},
]
SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
NAMES = {
    "{S}": SUBSCRIPTION,
    "{P}": "258f3716-99c3-40c2-a770-cfb7b639d594",
    "{AKS}": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.ContainerService/managedClusters/aks-poc",
    "{R}": "-g ml-rg --namespace-name relay-ns",
    "{H}": "-g ml-rg --namespace-name relay-ns --hybrid-connection-name hyco",
    "{B}": "-g ml-rg --namespace-name bus-namespace",
    "{T}": str(TEMPLATES),
}


@pytest.fixture(scope="module")
def quick(start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """A sandbox that asks for a poll every second; without Retry-After az polls every 30 seconds."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    file: Path = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump({**world, "polls": {"retry_after": 1}}), encoding="utf-8")
    return start("--provisioning-seconds", "1", "--world", str(file))


@pytest.fixture(scope="module")
def fleet(start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """A sandbox of the default world with more than a thousand clusters beside."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    groups = [*world["groups"], {"name": "tagged-rg", "tags": {"ring": "canary"}}]
    file: Path = tmp_path_factory.mktemp("fleet") / "world.yaml"
    file.write_text(yaml.safe_dump({**world, "groups": groups, "fleets": FLEETS}), encoding="utf-8")
    return start("--world", str(file))


@pytest.fixture(scope="module")
def engine(start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """A quick sandbox for deployments."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    file: Path = tmp_path_factory.mktemp("engine") / "world.yaml"
    file.write_text(yaml.safe_dump({**world, "polls": {"retry_after": 1}}), encoding="utf-8")
    return start("--provisioning-seconds", "0.2", "--world", str(file))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", DEPLOYMENT_CASES, ids=[case["az"] for case in DEPLOYMENT_CASES])
def test_az_deployment(engine: Any, case: dict[str, Any]) -> None:
    """The commands for deployments."""
    check(engine, case)


@pytest.fixture(scope="module")
def tagged(start: Callable[..., Any]) -> Any:
    """A sandbox of the default world whose tags change."""
    return start("--provisioning-seconds", "0.2")


def fill_in(value: Any) -> Any:
    """A text, or a list of texts, with the names of NAMES filled in."""
    if isinstance(value, list):
        return [fill_in(item) for item in value]
    for name, text in NAMES.items():
        value = value.replace(name, text) if isinstance(value, str) else value
    return value


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES, ids=[case["az"] for case in CASES])
def test_az_command(quick: Any, case: dict[str, Any]) -> None:
    """The exit code and the output are those expected of Azure."""
    check(quick, case)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", FLEET_CASES, ids=[case["az"] for case in FLEET_CASES])
def test_az_command_with_a_fleet(fleet: Any, case: dict[str, Any]) -> None:
    """The same with a fleet of clusters."""
    check(fleet, case)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", TAG_CASES, ids=[case["az"] for case in TAG_CASES])
def test_az_command_with_tags(tagged: Any, case: dict[str, Any]) -> None:
    """The commands for tags."""
    check(tagged, case)


@pytest.fixture(scope="module")
def vaults(start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """A sandbox of the default world with key vaults, and a certificate in a file."""
    from sandbox.key_vault.certificates import issue
    from sandbox.key_vault.entries import VaultCertificate

    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    folder: Path = tmp_path_factory.mktemp("vaults")
    (folder / "world.yaml").write_text(yaml.safe_dump({**world, "vaults": VAULTS}), encoding="utf-8")
    (folder / "imported.pem").write_text(issue(VaultCertificate("imported", "fe.contoso.com")).text, encoding="utf-8")
    return start("--world", str(folder / "world.yaml")), str(folder / "imported.pem")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", VAULT_CASES, ids=[case["az"] for case in VAULT_CASES])
def test_az_with_key_vaults(vaults: Any, case: dict[str, Any]) -> None:
    """The commands for key vaults."""
    box, file = vaults
    check(box, {**case, "az": case["az"].replace("{PEM}", file)})


def check(box: Any, case: dict[str, Any]) -> None:
    """Run a command and compare its end and what it prints."""
    query = ("--query", fill_in(case["query"])) if "query" in case else ()
    output = box.az(*shlex.split(fill_in(case["az"])), *query, "-o", "json")
    assert output.code == case.get("exit", 0), output.err
    assert case.get("stderr", "") in output.err
    if "output" in case:
        assert output.json == fill_in(case["output"])
    count_verified("responses", f"az {case['az']}")
    count_verified("clients", f"az {' '.join(word for word in case['az'].split(' -')[0].split() if '/' not in word)}")


def test_az_waits_when_it_is_throttled(start: Callable[..., Any], tmp_path: Path) -> None:
    """az repeats a throttled request after the time of Retry-After."""
    from tools.demo import sandbox

    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    file = tmp_path / "world.yaml"
    file.write_text(yaml.safe_dump({**world, "throttling": {"reads": {"size": 1, "rate": 0.5}}}), encoding="utf-8")
    box = start("--world", str(file))
    output = box.az("resource", "show", "--ids", NAMES["{AKS}"], "--query", "name", "-o", "json")
    assert (output.code, output.json) == (0, "aks-poc"), output.err
    statuses = [json.loads(line)["status"] for line in sandbox("log", "--dir", str(box.folder)).splitlines()]
    assert 429 in statuses


def test_credentials_of_aks_open_the_cluster(box: Any, tmp_path: Any, kubectl: str) -> None:
    """kubectl reads nodes with the credentials that az fetches."""
    file = tmp_path / "config"
    output = box.az("aks", "get-credentials", "-g", "ml-rg", "-n", "aks-poc", "--file", str(file))
    assert output.code == 0, output.err
    nodes = box.run(kubectl, "get", "nodes", "-o", "name", KUBECONFIG=str(file))
    assert len(nodes.out.split()) == 3, nodes.err


@pytest.mark.parametrize(("context", "count"), [("aks-poc", 3), ("aks-single", 1), ("minikube", 1), ("onprem", 4)])
def test_every_cluster_is_a_context(box: Any, kubectl: str, context: str, count: int) -> None:
    nodes = box.run(kubectl, "--context", context, "get", "nodes", "-o", "name")
    assert len(nodes.out.split()) == count, nodes.err


def test_two_sandboxes_are_independent(start: Callable[..., Any], box: Any) -> None:
    """A second sandbox has its own endpoints, does not change the first, and is ready within a minute."""
    began = time.monotonic()
    other = start()
    assert time.monotonic() - began < 60
    first = box.az("cloud", "show", "--query", "endpoints.resourceManager").json
    second = other.az("cloud", "show", "--query", "endpoints.resourceManager").json
    assert first != second
    assert box.az("group", "show", "-n", "ml-rg").code == other.az("group", "show", "-n", "ml-rg").code == 0


def test_log_contains_no_token(box: Any) -> None:
    """Every line is JSON with the request, and no line has a token."""
    from tools.demo import sandbox

    assert box.az("group", "list").code == 0
    lines = [json.loads(line) for line in sandbox("log", "--dir", str(box.folder)).splitlines()]
    assert lines
    assert all({"method", "path", "query", "status", "who"} <= set(line) for line in lines)
    tokens = json.loads(box.az("account", "get-access-token").out)
    text = json.dumps(lines)
    assert tokens["accessToken"] not in text
