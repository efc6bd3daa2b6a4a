"""What the sandbox must do like Azure, each point requested over HTTP: headers, states, versions, errors, operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.raw_client import EXTENSION, RawClient, Response
from tests.contract.verified import count_verified

GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg/providers"
ARC = f"{GROUP}/Microsoft.Kubernetes/connectedClusters"
AKS = f"{GROUP}/Microsoft.ContainerService/managedClusters"
EXTENSIONS = "providers/Microsoft.KubernetesConfiguration/extensions"
COMPUTES = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes"
NEW, OLD = "api-version=2025-03-01", "api-version=2023-05-01"
ML = "api-version=2024-10-01"
PAIRS = [f"{AKS}/aks-poc", f"{ARC}/minikube"]


@pytest.fixture(scope="module")
def client(start: Callable[..., Any]) -> RawClient:
    """Sends requests to a sandbox of the default world."""
    return RawClient(start("--provisioning-seconds", "0.5").folder)


@pytest.fixture(scope="module")
def under(start: Callable[..., Any], tmp_path_factory: Any) -> Callable[..., RawClient]:
    """Sends requests to a sandbox of the default world with these keys added."""

    def begin(**keys: Any) -> RawClient:
        world = {**yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8")), **keys}
        file: Path = tmp_path_factory.mktemp("world") / "world.yaml"
        file.write_text(yaml.safe_dump(world), encoding="utf-8")
        return RawClient(start("--provisioning-seconds", "0.5", "--world", str(file)).folder)

    return begin


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest) -> Any:
    yield
    count_verified("responses", request.node.name)


def ended(client: RawClient, response: Response) -> dict[str, Any]:
    """The last body of an operation."""
    deadline = time.monotonic() + 20
    while True:
        body: dict[str, Any] = client.send("GET", response.headers["azure-asyncoperation"]).body
        if body["status"] in ("Succeeded", "Failed") or time.monotonic() > deadline:
            return body
        time.sleep(0.05)


@pytest.mark.parametrize("cluster", PAIRS, ids=["aks", "arc"])
def test_headers_of_an_installation(client: RawClient, cluster: str) -> None:
    """A signed URL of more than 3 kB in the service's own casing, and a Location that names the extension."""
    created = client.send("PUT", f"{cluster}/{EXTENSIONS}/one?{OLD}", EXTENSION)
    url, location = created.headers["azure-asyncoperation"], created.headers["location"]
    assert created.status == 201
    assert created.body["properties"]["provisioningState"] == "Creating"
    assert len(url) > 3000
    assert "api-Version=2023-05-01&t=" in url
    assert [part.split("=")[0] for part in url.split("&")[1:]] == ["t", "c", "s", "h"]
    assert ("/ManagedClusters/" if "managed" in cluster else "/ConnectedClusters/") in url
    assert location.endswith(f"{cluster}/{EXTENSIONS}/one?{OLD}")
    assert client.send("GET", url[:-1]).status == 403
    assert client.send("GET", url.split("&t=")[0]).status == 403
    assert ended(client, created)["status"] == "Succeeded"


@pytest.mark.parametrize("cluster", PAIRS, ids=["aks", "arc"])
def test_secrets_and_versions(client: RawClient, cluster: str) -> None:
    """Keys of secrets are returned without values; currentVersion is the installed version, and version is null."""
    path = f"{cluster}/{EXTENSIONS}/one"
    read = client.send("GET", f"{path}?{OLD}").body["properties"]
    assert read["configurationProtectedSettings"] == {"hidden": ""}
    assert read["version"] is None
    assert read["currentVersion"]
    unknown = client.send("GET", f"{path}?api-version=2019-01-01")
    assert (unknown.status, unknown.body["error"]["code"]) == (404, "InvalidResourceType")


def test_newer_api_versions_return_more_properties(client: RawClient) -> None:
    """autoUpgradeMode and the state in the cluster are in responses since 2025-03-01."""
    added = {"autoUpgradeMode", "extensionState"}
    path = f"{ARC}/minikube/{EXTENSIONS}/one"
    assert added <= set(client.send("GET", f"{path}?{NEW}").body["properties"])
    assert not added & set(client.send("GET", f"{path}?{OLD}").body["properties"])


def test_patch_of_an_extension(client: RawClient) -> None:
    """202 with the resource and both headers; 200 when nothing changes; 409 while it is busy."""
    path = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    change = {"properties": {"configurationSettings": {"a": "b"}}}
    changed = client.send("PATCH", path, change)
    assert (changed.status, changed.body["properties"]["provisioningState"]) == (202, "Updating")
    assert {"azure-asyncoperation", "location"} <= set(changed.headers)
    busy = client.send("PATCH", path, change)
    assert (busy.status, busy.body["error"]["code"], busy.body["error"]["additionalInfo"]) == (
        409,
        "ExtensionPatchFailed",
        [],
    )
    assert ended(client, changed)["status"] == "Succeeded"
    assert client.send("GET", path).body["properties"]["configurationSettings"] == {"enableTraining": "True", "a": "b"}
    assert client.send("PATCH", path, change).status == 200


def test_delete_of_an_extension(client: RawClient) -> None:
    """202 without a body or a Location; with forceDelete 200 at once, with the body of an HTTP client; then 204."""
    path = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    deleted = client.send("DELETE", path)
    assert (deleted.status, deleted.body, "location" in deleted.headers) == (202, None, False)
    assert ended(client, deleted)["status"] == "Succeeded"
    assert client.send("DELETE", path).status == 204
    forced = client.send("DELETE", f"{AKS}/aks-poc/{EXTENSIONS}/one?{OLD}&forceDelete=true")
    assert forced.status == 200
    assert "isSuccessStatusCode" in forced.body
    assert client.send("GET", f"{AKS}/aks-poc/{EXTENSIONS}?{OLD}").body == {"value": [], "nextLink": None}


def test_failed_installation(client: RawClient) -> None:
    """With HTTP 200 in the operation, and as a status of the extension that has no level."""
    path = f"{AKS}/aks-single/{EXTENSIONS}/one?{OLD}"
    settings = {"enableInference": "True", "allowInsecureConnections": "True", "inferenceRouterHA": "True"}
    body = {"properties": {**EXTENSION["properties"], "configurationSettings": settings}}
    end = ended(client, client.send("PUT", path, body))
    assert end["status"] == "Failed"
    assert end["error"]["code"] == "ExtensionOperationFailed"
    assert "following error:  Error" in end["error"]["message"]
    left = client.send("GET", path).body["properties"]
    assert left["provisioningState"] == "Failed"
    assert [(status["code"], status["level"]) for status in left["statuses"]] == [("InstallationFailed", None)]
    assert "errorInfo" not in left


def test_computes(under: Callable[..., RawClient]) -> None:
    """201 for an update too, a status with one key, and pages by $skip. RawClient.run checks the DELETE."""
    client = under(page_size=2, compute_updates=True)
    body = {"location": "eastus", "properties": {"computeType": "Kubernetes", "resourceId": f"{ARC}/minikube"}}
    for name in ("one", "two", "three", "one"):
        created = client.send("PUT", f"{COMPUTES}/{name}?{ML}", body)
        assert created.status == 201
    assert set(client.send("GET", created.headers["azure-asyncoperation"]).body) == {"status"}
    assert "/computeOperationsStatus/" in created.headers["azure-asyncoperation"]
    assert "&service=new&t=" in created.headers["azure-asyncoperation"]
    assert not {"location", "retry-after"} & set(created.headers)
    first = client.send("GET", f"{COMPUTES}?{ML}").body
    assert "$skip=" in first["nextLink"]
    second = client.send("GET", first["nextLink"]).body
    assert set(second) == {"value"}
    assert {item["name"] for item in first["value"] + second["value"]} == {"one", "two", "three"}


FAULTS = [
    ({"kind": "expired-token"}, 401, "ExpiredAuthenticationToken", "gateway", None),
    ({"kind": "throttled"}, 429, "SubscriptionRequestsThrottled", "gateway", None),
    ({"kind": "throttled", "retry_after": 17}, 429, "SubscriptionRequestsThrottled", "gateway", "17"),
    ({"kind": "bad-gateway"}, 502, "BadGatewayConnection", "service", None),
    ({"kind": "gateway-timeout"}, 504, "GatewayTimeout", "service", None),
]


def test_injected_faults(under: Callable[..., RawClient]) -> None:
    """Each fault occurs once, after the requests that pass."""
    faults = [
        {**fault, "path": f"connectedClusters/c{number}$", "after": 1} for number, (fault, *_) in enumerate(FAULTS)
    ]
    client = under(faults=faults)
    for number, (_, status, code, cause, wait) in enumerate(FAULTS):
        url = f"{ARC}/c{number}?api-version=2024-01-01"
        responses = [client.send("GET", url) for _ in range(2)]
        client.sign_in()  # a rejected token stays rejected
        responses.append(client.send("GET", url))
        assert [response.status for response in responses] == [404, status, 404]
        failed = responses[1]
        assert failed.body["error"]["code"] == code
        assert (failed.headers["x-ms-failure-cause"], failed.headers.get("retry-after")) == (cause, wait)


def test_operations_of_the_tenant(client: RawClient) -> None:
    """The deletion of an Arc-connected cluster is polled at a URL without a subscription, with HTTP 202."""
    deleted = client.send("DELETE", f"{ARC}/onprem?api-version=2024-01-01")
    url = deleted.headers["azure-asyncoperation"]
    assert "/providers/Microsoft.Kubernetes/locations/EASTUS/operationStatuses/" in url
    assert "/subscriptions/" not in url
    poll = client.send("GET", url)
    assert (poll.status, poll.body["status"]) == (202, "Deleting")
    assert ended(client, deleted)["status"] == "Succeeded"
    assert client.send("GET", url).status == 200
    assert client.send("GET", f"{ARC}/onprem?api-version=2024-01-01").status == 404


def test_failure_cause_header(client: RawClient) -> None:
    """Errors of ARM itself have the header, those of a resource provider do not."""
    parent = client.send("PUT", f"{ARC}/absent/{EXTENSIONS}/one?{OLD}", EXTENSION)
    group = client.send("GET", f"{ARC.replace('ml-rg', 'no-rg')}/c?api-version=2024-01-01")
    kind = client.send("GET", f"{ARC}/minikube?api-version=2024-01-01&x=1".replace("connectedClusters", "nothings"))
    own = client.send("GET", f"{ARC}/minikube/{EXTENSIONS}/absent?{OLD}")
    assert [response.headers.get("x-ms-failure-cause") for response in (parent, group, kind, own)] == [
        "gateway"
    ] * 3 + [None]
    assert parent.body["error"]["code"] == "ParentResourceNotFound"


def test_provider_registration(under: Callable[..., RawClient]) -> None:
    """A write is rejected, the provider registered with the API version of azure-core, and the write succeeds."""
    client = under(
        providers={"Microsoft.Kubernetes": "Registered", "Microsoft.KubernetesConfiguration": "NotRegistered"}
    )
    path = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    refused = client.send("PUT", path, EXTENSION)
    assert (refused.status, refused.body["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    provider = f"{GROUP.split('/resourceGroups')[0]}/providers/Microsoft.KubernetesConfiguration"
    assert client.send("POST", f"{provider}/register?api-version=2016-02-01").body["registrationState"] == "Registering"
    states = [client.send("GET", f"{provider}?api-version=2016-02-01").body["registrationState"] for _ in range(2)]
    assert states == ["Registering", "Registered"]
    assert client.send("PUT", path, EXTENSION).status == 201


def test_case_of_resource_ids(client: RawClient) -> None:
    """Ids are found in any case; an extension's id echoes the caller's, a cluster's does not."""
    upper_case = client.send("GET", f"{ARC}/minikube?api-version=2024-01-01".replace(ARC, ARC.upper()))
    assert upper_case.status == 200
    assert upper_case.body["id"] == f"{ARC}/minikube"
    assert upper_case.body["type"] == "microsoft.kubernetes/connectedclusters"
    aks = client.send("GET", f"{AKS}/aks-poc?API-VERSION=2024-09-01")
    assert "/resourcegroups/" in aks.body["id"]
    assert aks.body["type"] == "Microsoft.ContainerService/ManagedClusters"


def test_correlation_headers(client: RawClient) -> None:
    """Three headers of every response, also of errors, identify the same request."""
    for path in (f"{ARC}/minikube?api-version=2024-01-01", f"{ARC}/absent?api-version=2024-01-01", f"{ARC}/minikube"):
        headers = client.send("GET", path).headers
        assert headers["x-ms-request-id"] == headers["x-ms-correlation-request-id"]
        assert headers["x-ms-routing-request-id"].endswith(f":{headers['x-ms-request-id']}")
