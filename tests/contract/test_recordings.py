"""Recorded exchanges of real Azure: the sandbox answers alike, and our printer understands what was answered."""

from __future__ import annotations

import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.tally import tally

SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
HEADERS = ("x-ms-failure-cause", "cache-control", "strict-transport-security", "x-content-type-options")
REGISTRY = {"group": "ml-rg", "type": "Microsoft.ContainerRegistry/registries", "name": "registry", "properties": {}}
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers"
ON_MINIKUBE = f"{IN_GROUP}/Microsoft.Kubernetes/connectedClusters/minikube"
ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
PRINCIPAL = "258f3716-99c3-40c2-a770-cfb7b639d594"
# Each recording, and the same question put to the sandbox's world.
SAME_QUESTION: dict[str, tuple[str, str, Any]] = {
    "ConnectedCluster.ResourceNotFound": ("GET", f"{IN_GROUP}/Microsoft.Kubernetes/connectedClusters/absent?api-version=2024-01-01", None),
    "Extension.ResourceNotFound": ("GET", f"{ON_MINIKUBE}/Providers/Microsoft.KubernetesConfiguration/extensions/absent?api-version=2022-11-01", None),
    "ResourceGroupNotFound": ("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/absent/providers/Microsoft.Kubernetes/connectedClusters/c?api-version=2024-01-01", None),
    "InvalidResourceType": ("GET", f"{IN_GROUP}/Microsoft.Insights/myWorkbooks?category=performance&api-version=2021-03-08", None),
    "MissingSubscriptionRegistration": ("PUT", f"{IN_GROUP}/Microsoft.ServiceBus/namespaces/n?api-version=2021-11-01", {"location": "eastus"}),
    "RoleAssignment.PUT.201": (
        "PUT",
        f"{IN_GROUP}/Microsoft.ContainerRegistry/registries/registry/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001?api-version=2022-04-01",
        {"properties": {"roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}", "principalId": PRINCIPAL, "principalType": "ServicePrincipal"}},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ask(start: Callable[..., Any], tmp_path_factory: Any) -> Callable[..., tuple[int, dict[str, str], Any]]:
    """Sends a request to the sandbox as the recorded client did."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    world["resources"] = [REGISTRY]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--world", str(file))
    context = ssl.create_default_context(cafile=str(box.folder / "ca.pem"))
    token = box.az("account", "get-access-token").json["accessToken"]
    base = json.loads((box.folder / "state.json").read_text())["azure"]

    def send(method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=context) as response:
                return response.status, lowered(response.headers), json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, lowered(error.headers), json.loads(error.read())

    return send


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def recording(shared: Path, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((shared / "recordings" / "errors" / f"{name}.json").read_text(encoding="utf-8"))
    return told


@pytest.mark.parametrize("name", SAME_QUESTION)
def test_the_sandbox_answers_as_azure_did(name: str, shared: Path, ask: Callable[..., Any]) -> None:
    """Status, headers that matter, keys and types of the body; texts but for the names in them."""
    real = recording(shared, name)["response"]
    status, headers, body = ask(*SAME_QUESTION[name])
    assert status == real["status"]["code"]
    assert {key: headers.get(key) for key in HEADERS} == {key: real["headers"].get(key) for key in HEADERS}
    assert shape(body) == shape(real["body"])
    if "error" in body:
        assert body["error"]["code"] == real["body"]["error"]["code"]
        assert pattern(body["error"]["message"]) == pattern(real["body"]["error"]["message"])
    tally("answers", name)


def shape(value: Any) -> Any:
    """Keys and types; a null says nothing of its type."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def pattern(text: str) -> str:
    """A message without the names and numbers in it."""
    return re.sub(r"'[^']*'", "'…'", text)


def every_recording() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "recordings" / "errors"
    return sorted(file.stem for file in folder.glob("*.json")) if folder.is_dir() else [os.devnull]


@pytest.mark.parametrize("name", every_recording())
def test_our_client_understands_what_azure_answered(name: str, shared: Path) -> None:
    """Of every recorded refusal the deepest code and message come out, in whatever envelope."""
    from azext_amlk8s.diagnosis import unfold

    body = recording(shared, name)["response"]["body"]
    error = (body or {}).get("error")
    if not error:
        statuses = (body.get("properties") or {}).get("statuses") or []
        assert body.get("id") and all(one.get("code") for one in statuses)
        tally("answers", f"{name} read")
        return
    pairs = [(one.code, " ".join(one.message.split())) for one in unfold(body)]
    assert pairs
    assert all(message for _, message in pairs)
    assert (error["code"], " ".join(error["message"].split())) in pairs
    tally("answers", f"{name} read")
