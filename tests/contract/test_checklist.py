"""What the sandbox must do like Azure, each point requested over HTTP: headers, states, versions, errors, operations."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.audit import EXTENSION, Audit, Reply
from tests.contract.tally import tally

GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg/providers"
ARC = f"{GROUP}/Microsoft.Kubernetes/connectedClusters"
AKS = f"{GROUP}/Microsoft.ContainerService/managedClusters"
EXTENSIONS = "providers/Microsoft.KubernetesConfiguration/extensions"
COMPUTES = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes"
NEW, OLD = "api-version=2025-03-01", "api-version=2023-05-01"
ML = "api-version=2024-10-01"
PAIRS = [f"{AKS}/aks-poc", f"{ARC}/minikube"]


@pytest.fixture(scope="module")
def audit(start: Callable[..., Any]) -> Audit:
    """Asks a sandbox of the default world."""
    return Audit(start("--provisioning-seconds", "0.5").folder)


@pytest.fixture(scope="module")
def under(start: Callable[..., Any], tmp_path_factory: Any) -> Callable[..., Audit]:
    """Asks a sandbox of the default world with these keys beside."""

    def begin(**keys: Any) -> Audit:
        world = {**yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8")), **keys}
        file: Path = tmp_path_factory.mktemp("world") / "world.yaml"
        file.write_text(yaml.safe_dump(world), encoding="utf-8")
        return Audit(start("--provisioning-seconds", "0.5", "--world", str(file)).folder)

    return begin


@pytest.fixture(autouse=True)
def _counted(request: pytest.FixtureRequest) -> Any:
    yield
    tally("answers", request.node.name)


def ended(audit: Audit, reply: Reply) -> dict[str, Any]:
    """The last body of an operation."""
    deadline = time.monotonic() + 20
    while True:
        body: dict[str, Any] = audit.ask("GET", reply.headers["azure-asyncoperation"]).body
        if body["status"] in ("Succeeded", "Failed") or time.monotonic() > deadline:
            return body
        time.sleep(0.05)


@pytest.mark.parametrize("cluster", PAIRS, ids=["aks", "arc"])
def test_headers_of_an_installation(audit: Audit, cluster: str) -> None:
    """A signed URL of more than 3 kB in the service's own casing, and a Location that names the extension."""
    made = audit.ask("PUT", f"{cluster}/{EXTENSIONS}/one?{OLD}", EXTENSION)
    url, location = made.headers["azure-asyncoperation"], made.headers["location"]
    assert made.status == 201
    assert made.body["properties"]["provisioningState"] == "Creating"
    assert len(url) > 3000
    assert "api-Version=2023-05-01&t=" in url
    assert [part.split("=")[0] for part in url.split("&")[1:]] == ["t", "c", "s", "h"]
    assert ("/ManagedClusters/" if "managed" in cluster else "/ConnectedClusters/") in url
    assert location.endswith(f"{cluster}/{EXTENSIONS}/one?{OLD}")
    assert audit.ask("GET", url[:-1]).status == 403
    assert audit.ask("GET", url.split("&t=")[0]).status == 403
    assert ended(audit, made)["status"] == "Succeeded"


@pytest.mark.parametrize("cluster", PAIRS, ids=["aks", "arc"])
def test_secrets_and_versions(audit: Audit, cluster: str) -> None:
    """Keys of secrets stay, their values do not; the installed version stands beside the wanted one, which is null."""
    one = f"{cluster}/{EXTENSIONS}/one"
    read = audit.ask("GET", f"{one}?{OLD}").body["properties"]
    assert read["configurationProtectedSettings"] == {"hidden": ""}
    assert read["version"] is None
    assert read["currentVersion"]
    unknown = audit.ask("GET", f"{one}?api-version=2019-01-01")
    assert (unknown.status, unknown.body["error"]["code"]) == (404, "InvalidResourceType")


def test_newer_api_versions_return_more_properties(audit: Audit) -> None:
    """autoUpgradeMode and the state in the cluster stand in answers since 2025-03-01, and not before."""
    came = {"autoUpgradeMode", "extensionState"}
    one = f"{ARC}/minikube/{EXTENSIONS}/one"
    assert came <= set(audit.ask("GET", f"{one}?{NEW}").body["properties"])
    assert not came & set(audit.ask("GET", f"{one}?{OLD}").body["properties"])


def test_patch_of_an_extension(audit: Audit) -> None:
    """202 with the resource and both headers; 200 when nothing changes; 409 while it is busy."""
    one = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    change = {"properties": {"configurationSettings": {"a": "b"}}}
    changed = audit.ask("PATCH", one, change)
    assert (changed.status, changed.body["properties"]["provisioningState"]) == (202, "Updating")
    assert {"azure-asyncoperation", "location"} <= set(changed.headers)
    busy = audit.ask("PATCH", one, change)
    assert (busy.status, busy.body["error"]["code"], busy.body["error"]["additionalInfo"]) == (
        409,
        "ExtensionPatchFailed",
        [],
    )
    assert ended(audit, changed)["status"] == "Succeeded"
    assert audit.ask("GET", one).body["properties"]["configurationSettings"] == {"enableTraining": "True", "a": "b"}
    assert audit.ask("PATCH", one, change).status == 200


def test_delete_of_an_extension(audit: Audit) -> None:
    """202 without a body or a Location; by force 200 at once, with a body that is none of the service's; then 204."""
    one = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    gone = audit.ask("DELETE", one)
    assert (gone.status, gone.body, "location" in gone.headers) == (202, None, False)
    assert ended(audit, gone)["status"] == "Succeeded"
    assert audit.ask("DELETE", one).status == 204
    forced = audit.ask("DELETE", f"{AKS}/aks-poc/{EXTENSIONS}/one?{OLD}&forceDelete=true")
    assert forced.status == 200
    assert "isSuccessStatusCode" in forced.body
    assert audit.ask("GET", f"{AKS}/aks-poc/{EXTENSIONS}?{OLD}").body == {"value": [], "nextLink": None}


def test_failed_installation(audit: Audit) -> None:
    """With HTTP 200 in the operation, and as a status of the extension that has no level."""
    one = f"{AKS}/aks-single/{EXTENSIONS}/one?{OLD}"
    settings = {"enableInference": "True", "allowInsecureConnections": "True", "inferenceRouterHA": "True"}
    body = {"properties": {**EXTENSION["properties"], "configurationSettings": settings}}
    end = ended(audit, audit.ask("PUT", one, body))
    assert end["status"] == "Failed"
    assert end["error"]["code"] == "ExtensionOperationFailed"
    assert "following error:  Error" in end["error"]["message"]
    left = audit.ask("GET", one).body["properties"]
    assert left["provisioningState"] == "Failed"
    assert [(status["code"], status["level"]) for status in left["statuses"]] == [("InstallationFailed", None)]
    assert "errorInfo" not in left


def test_computes(under: Callable[..., Audit]) -> None:
    """201 for an update too, a status that says no more than its word, and pages by $skip.

    What a removal must say, and the long envelope of its refusal, the audit of test_mutations asks for.
    """
    audit = under(page_size=2, compute_updates=True)
    body = {"location": "eastus", "properties": {"computeType": "Kubernetes", "resourceId": f"{ARC}/minikube"}}
    for name in ("one", "two", "three", "one"):
        made = audit.ask("PUT", f"{COMPUTES}/{name}?{ML}", body)
        assert made.status == 201
    assert set(audit.ask("GET", made.headers["azure-asyncoperation"]).body) == {"status"}
    assert "/computeOperationsStatus/" in made.headers["azure-asyncoperation"]
    assert "&service=new&t=" in made.headers["azure-asyncoperation"]
    assert not {"location", "retry-after"} & set(made.headers)
    first = audit.ask("GET", f"{COMPUTES}?{ML}").body
    assert "$skip=" in first["nextLink"]
    second = audit.ask("GET", first["nextLink"]).body
    assert set(second) == {"value"}
    assert {one["name"] for one in first["value"] + second["value"]} == {"one", "two", "three"}


WEATHER = [
    ({"kind": "expired-token"}, 401, "ExpiredAuthenticationToken", "gateway", None),
    ({"kind": "throttled"}, 429, "SubscriptionRequestsThrottled", "gateway", None),
    ({"kind": "throttled", "retry_after": 17}, 429, "SubscriptionRequestsThrottled", "gateway", "17"),
    ({"kind": "bad-gateway"}, 502, "BadGatewayConnection", "service", None),
    ({"kind": "gateway-timeout"}, 504, "GatewayTimeout", "service", None),
]


def test_injected_faults(under: Callable[..., Audit]) -> None:
    """Each kind comes once, after the requests that pass, and goes again."""
    weather = [
        {**told, "path": f"connectedClusters/c{number}$", "after": 1} for number, (told, *_) in enumerate(WEATHER)
    ]
    audit = under(weather=weather)
    for number, (_, status, code, cause, wait) in enumerate(WEATHER):
        url = f"{ARC}/c{number}?api-version=2024-01-01"
        asked = [audit.ask("GET", url) for _ in range(2)]
        audit.sign_in()  # a rejected token stays rejected
        asked.append(audit.ask("GET", url))
        assert [one.status for one in asked] == [404, status, 404]
        met = asked[1]
        assert met.body["error"]["code"] == code
        assert (met.headers["x-ms-failure-cause"], met.headers.get("retry-after")) == (cause, wait)


def test_operations_of_the_tenant(audit: Audit) -> None:
    """A removal of an Arc-connected cluster is followed at a URL without a subscription, and with HTTP 202."""
    gone = audit.ask("DELETE", f"{ARC}/onprem?api-version=2024-01-01")
    url = gone.headers["azure-asyncoperation"]
    assert "/providers/Microsoft.Kubernetes/locations/EASTUS/operationStatuses/" in url
    assert "/subscriptions/" not in url
    poll = audit.ask("GET", url)
    assert (poll.status, poll.body["status"]) == (202, "Deleting")
    assert ended(audit, gone)["status"] == "Succeeded"
    assert audit.ask("GET", url).status == 200
    assert audit.ask("GET", f"{ARC}/onprem?api-version=2024-01-01").status == 404


def test_failure_cause_header(audit: Audit) -> None:
    """ARM says so of its own refusals; a provider's own say nothing."""
    parent = audit.ask("PUT", f"{ARC}/absent/{EXTENSIONS}/one?{OLD}", EXTENSION)
    group = audit.ask("GET", f"{ARC.replace('ml-rg', 'no-rg')}/c?api-version=2024-01-01")
    kind = audit.ask("GET", f"{ARC}/minikube?api-version=2024-01-01&x=1".replace("connectedClusters", "nothings"))
    own = audit.ask("GET", f"{ARC}/minikube/{EXTENSIONS}/absent?{OLD}")
    assert [one.headers.get("x-ms-failure-cause") for one in (parent, group, kind, own)] == ["gateway"] * 3 + [None]
    assert parent.body["error"]["code"] == "ParentResourceNotFound"


def test_provider_registration(under: Callable[..., Audit]) -> None:
    """A write is refused, the provider registered at the version that azure-core asks at, and the write goes through."""
    audit = under(
        providers={"Microsoft.Kubernetes": "Registered", "Microsoft.KubernetesConfiguration": "NotRegistered"}
    )
    one = f"{ARC}/minikube/{EXTENSIONS}/one?{OLD}"
    refused = audit.ask("PUT", one, EXTENSION)
    assert (refused.status, refused.body["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    provider = f"{GROUP.split('/resourceGroups')[0]}/providers/Microsoft.KubernetesConfiguration"
    assert audit.ask("POST", f"{provider}/register?api-version=2016-02-01").body["registrationState"] == "Registering"
    states = [audit.ask("GET", f"{provider}?api-version=2016-02-01").body["registrationState"] for _ in range(2)]
    assert states == ["Registering", "Registered"]
    assert audit.ask("PUT", one, EXTENSION).status == 201


def test_case_of_resource_ids(audit: Audit) -> None:
    """Ids are found in any case; an extension's id echoes the caller's, a cluster's does not."""
    shouted = audit.ask("GET", f"{ARC}/minikube?api-version=2024-01-01".replace(ARC, ARC.upper()))
    assert shouted.status == 200
    assert shouted.body["id"] == f"{ARC}/minikube"
    assert shouted.body["type"] == "microsoft.kubernetes/connectedclusters"
    aks = audit.ask("GET", f"{AKS}/aks-poc?API-VERSION=2024-09-01")
    assert "/resourcegroups/" in aks.body["id"]
    assert aks.body["type"] == "Microsoft.ContainerService/ManagedClusters"


def test_correlation_headers(audit: Audit) -> None:
    """Three headers on every answer, good or bad, that name the same request."""
    for path in (f"{ARC}/minikube?api-version=2024-01-01", f"{ARC}/absent?api-version=2024-01-01", f"{ARC}/minikube"):
        headers = audit.ask("GET", path).headers
        assert headers["x-ms-request-id"] == headers["x-ms-correlation-request-id"]
        assert headers["x-ms-routing-request-id"].endswith(f":{headers['x-ms-request-id']}")
