"""Recorded exchanges of Azure: the sandbox returns similar responses, and the client handles the recorded ones."""

from __future__ import annotations

import json
import os
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.tls import Authority
from sandbox.world import DEFAULT_WORLD
from tests.contract.verified import count_verified

SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
HEADERS = ("x-ms-failure-cause", "cache-control", "strict-transport-security", "x-content-type-options")
REGISTRY = {"group": "ml-rg", "type": "Microsoft.ContainerRegistry/registries", "name": "registry", "properties": {}}
IN_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers"
ON_MINIKUBE = f"{IN_GROUP}/Microsoft.Kubernetes/connectedClusters/minikube"
ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
PRINCIPAL = "258f3716-99c3-40c2-a770-cfb7b639d594"
# Each recording, and the equivalent request to the sandbox.
SAME_REQUEST: dict[str, tuple[str, str, Any]] = {
    "ConnectedCluster.ResourceNotFound": ("GET", f"{IN_GROUP}/Microsoft.Kubernetes/connectedClusters/absent?api-version=2024-01-01", None),
    "Extension.ResourceNotFound": ("GET", f"{ON_MINIKUBE}/Providers/Microsoft.KubernetesConfiguration/extensions/absent?api-version=2022-11-01", None),
    "ResourceGroupNotFound": ("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/absent/providers/Microsoft.Kubernetes/connectedClusters/c?api-version=2024-01-01", None),
    "InvalidResourceType": ("GET", f"{IN_GROUP}/Microsoft.Insights/myWorkbooks?category=performance&api-version=2021-03-08", None),
    # Recorded for a deployment, requested for a compute: the gateway's response names only the provider.
    "BadGatewayConnection.502-on-delete": ("DELETE", f"{IN_GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes/gone?api-version=2024-10-01&underlyingResourceAction=Detach", None),
    "ExpiredAuthenticationToken.401-on-poll": ("GET", f"{IN_GROUP}/Microsoft.Resources/deployments/d/operationStatuses/1?api-version=2024-07-01", None),
    "MissingSubscriptionRegistration": ("PUT", f"{IN_GROUP}/Microsoft.ServiceBus/namespaces/n?api-version=2021-11-01", {"location": "eastus"}),
    "RoleAssignment.PUT.201": (
        "PUT",
        f"{IN_GROUP}/Microsoft.ContainerRegistry/registries/registry/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001?api-version=2022-04-01",
        {"properties": {"roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}", "principalId": PRINCIPAL, "principalType": "ServicePrincipal"}},
    ),
}  # fmt: skip

# The client does not use endpoints, and the sandbox has none.
NOT_REQUESTED = {"ML.asyncop-Failed"}
FAILED = "Extension.provisioningState-Failed.GET"


@pytest.fixture(scope="module")
def send_request(start: Callable[..., Any], tmp_path_factory: Any) -> Callable[..., tuple[int, dict[str, str], Any]]:
    """Sends a request to the sandbox like the recorded client."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    world["resources"] = [REGISTRY]
    world["faults"] = [
        {"kind": "bad-gateway", "method": "DELETE", "path": "computes/gone"},
        {"kind": "expired-token", "path": "operationStatuses"},
    ]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--provisioning-seconds", "0.5", "--world", str(file))
    context = ssl.create_default_context(cafile=str(box.folder / "ca.pem"))
    tenant = world["tenant"]
    base = json.loads((box.folder / "state.json").read_text())["azure"]

    def send(method: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        # A token that was rejected once stays rejected, so each request has its own.
        form = b"client_id=test&client_secret=x&scope=any/.default"
        issued = urllib.request.urlopen(f"{base}/{tenant}/oauth2/v2.0/token", form, context=context)
        token = json.loads(issued.read())["access_token"]
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
    content: dict[str, Any] = json.loads(
        (shared / "recordings" / "errors" / f"{name}.json").read_text(encoding="utf-8")
    )
    return content


@pytest.mark.parametrize("name", SAME_REQUEST)
def test_sandbox_responds_as_recorded(name: str, shared: Path, send_request: Callable[..., Any]) -> None:
    """Status, relevant headers, keys and types of the body, and messages without the names in them."""
    real = recording(shared, name)["response"]
    status, headers, body = send_request(*SAME_REQUEST[name])
    assert status == real["status"]["code"]
    assert {key: headers.get(key) for key in HEADERS} == {key: real["headers"].get(key) for key in HEADERS}
    assert re.findall(r'(\w+)="', headers.get("www-authenticate", "")) == re.findall(
        r'(\w+)="', real["headers"].get("www-authenticate", "")
    )
    assert shape(body) == shape(real["body"])
    if "error" in body:
        assert body["error"]["code"] == real["body"]["error"]["code"]
        assert pattern(body["error"]["message"]) == pattern(real["body"]["error"]["message"])
    count_verified("responses", name)


def test_failed_extension_has_the_recorded_shape(shared: Path, send_request: Callable[..., Any]) -> None:
    """Keys and types are those of the recording, except for settings."""
    real = recording(shared, FAILED)["response"]
    path = f"{ON_MINIKUBE}/providers/Microsoft.KubernetesConfiguration/extensions/broken?api-version=2022-11-01"
    properties = {
        "extensionType": "microsoft.azureml.kubernetes",
        "autoUpgradeMinorVersion": False,
        "version": "1.2.99",
        "releaseTrain": "stable",
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
        "configurationSettings": {
            "enableInference": "True",
            "inferenceRouterHA": "True",
            "allowInsecureConnections": "True",
        },
    }
    assert send_request("PUT", path, {"identity": {"type": "SystemAssigned"}, "properties": properties})[0] == 201
    deadline = time.monotonic() + 20
    while (response := send_request("GET", path, None))[2]["properties"]["provisioningState"] == "Creating":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    status, headers, body = response
    assert (status, headers.get("x-ms-failure-cause")) == (200, None)
    body["properties"]["configurationSettings"] = {}
    assert shape(body) == shape(real["body"])
    assert body["properties"]["statuses"][0]["code"] == real["body"]["properties"]["statuses"][0]["code"]
    count_verified("responses", FAILED)


def test_every_recording_is_compared() -> None:
    assert {*SAME_REQUEST, FAILED, *NOT_REQUESTED} >= set(every_recording()) - {os.devnull}


def shape(value: Any) -> Any:
    """Keys and types; null has no type."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def pattern(text: str) -> str:
    """A message without the names and numbers in it."""
    return re.sub(r"'[^']*'", "'…'", text)


def every_recording() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "recordings" / "errors"
    return sorted(file.stem for file in folder.glob("*.json")) if folder.is_dir() else [os.devnull]


BEGIN = "/begin"


class ReplayServer(ThreadingHTTPServer):
    """Returns one recorded response to every request."""

    recorded: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    server: ReplayServer

    def log_message(self, *_: Any) -> None:
        """Do not log."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        recorded = self.server.recorded
        if self.path.startswith(BEGIN):
            url = f"https://localhost:{self.server.server_port}/operation"
            recorded = {"status": {"code": 202}, "headers": {"Azure-AsyncOperation": url}, "body": None}
        data = b"" if recorded["body"] is None else json.dumps(recorded["body"]).encode()
        kept = {
            name: value
            for name, value in recorded["headers"].items()
            if name not in ("content-length", "connection", "transfer-encoding")
        }
        self.send_response(recorded["status"]["code"])
        for header, value in {**kept, "Content-Length": str(len(data))}.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(data)

    do_PUT = do_DELETE = do_GET


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Starts a server that returns a recorded response. Returns a client for it, without retries."""
    from azure.core.credentials import AccessToken

    from azext_amlk8s.azure.rest_client import RestClient

    class StaticCredential:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("token", int(time.time()) + 3600)

    authority = Authority(tmp_path)
    server = ReplayServer(("127.0.0.1", 0), Handler)
    server.socket = authority.server_context().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def start(recorded: dict[str, Any]) -> Any:
        server.recorded = recorded
        url = f"https://localhost:{server.server_port}"
        return RestClient(StaticCredential(), url, connection_verify=str(authority.ca_file), retry_total=0)

    yield start
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", every_recording())
def test_client_returns_or_reports_the_recorded_response(name: str, shared: Path, replay: Callable[..., Any]) -> None:
    """A recorded response is returned unchanged, or reported with its code and message."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.operations.failure_context import operation_failed

    exchange = recording(shared, name)
    request, response = exchange["request"], exchange["response"]
    path = request["uri"].removeprefix("https://management.azure.com")
    client = replay(response)
    error = (response["body"] or {}).get("error")
    if response["status"]["code"] < 400 and not error:
        result = (
            client.begin(request["method"], path, "").result()
            if request["method"] == "PUT"
            else client.send("GET", path).json()
        )
        assert result == response["body"]
    else:
        with pytest.raises(HttpResponseError) as raised:
            if response["status"]["code"] < 400:  # the state of an operation
                client.begin("DELETE", BEGIN, "2024-10-01").result()
            client.send(request["method"], path)
        message = " ".join(str(operation_failed("It", raised.value, (), [])).split())
        assert error["code"] in message
        assert " ".join(error["message"].split()) in message
    count_verified("responses", f"{name} replayed")
