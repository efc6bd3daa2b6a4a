"""Fault injection: each fault reaches the request it names, and the request is processed or not as documented."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.contract.in_process import AKS, EXTENSION, sandbox

PATH = f"{AKS}/{EXTENSION}"
BODY = {
    "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "configurationSettings": {"enableTraining": "True"}}
}
EXISTING = {
    "name": "ext",
    "group": "ml-rg",
    "type": "Microsoft.KubernetesConfiguration/extensions",
    "scope": "Microsoft.ContainerService/managedClusters/aks",
    "properties": {
        "extensionType": "microsoft.azureml.kubernetes",
        "provisioningState": "Succeeded",
        "configurationSettings": {},
        "configurationProtectedSettings": {},
    },
}
RESPONSES = [
    ("throttled", {"retry_after": 600}, 429, "SubscriptionRequestsThrottled"),
    ("bad-gateway", {}, 502, "BadGatewayConnection"),
    ("gateway-timeout", {}, 504, "GatewayTimeout"),
    ("error", {"status": 503, "code": "ServerBusy"}, 503, "ServerBusy"),
    ("html", {}, 200, "<!DOCTYPE html>"),
    ("empty-body", {}, 200, ""),
    ("null-body", {}, 200, "null"),
    ("list-body", {}, 200, "[]"),
    ("provisioning-state", {"state": "Failed"}, 200, '"provisioningState": "Failed"'),
    ("retry-after", {}, 200, '"Succeeded"'),
]


@pytest.mark.parametrize(("kind", "fields", "status", "text"), RESPONSES, ids=[case[0] for case in RESPONSES])
def test_a_read_meets_a_fault_once(kind: str, fields: dict[str, Any], status: int, text: str, tmp_path: Path) -> None:
    with sandbox(
        tmp_path, resources=[EXISTING], faults=[{"kind": kind, "path": "extensions/ext$", "after": 1, **fields}]
    ) as box:
        before, during, after = (box.arm("GET", PATH) for _ in range(3))
    assert before.status == after.status == 200
    assert before.body == after.body
    assert during.status == status
    assert text in during.text if text else not during.text


def test_retry_after_is_a_header(tmp_path: Path) -> None:
    with sandbox(
        tmp_path, faults=[{"kind": "retry-after"}, {"kind": "throttled", "after": 1, "retry_after": 7}]
    ) as box:
        assert box.arm("GET", AKS).headers["Retry-After"] == "600"
        assert box.arm("GET", AKS).headers["Retry-After"] == "7"


def test_a_truncated_body_is_the_first_half(tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": "truncated-body"}]) as box:
        half, whole = box.arm("GET", AKS), box.arm("GET", AKS)
    assert whole.text.startswith(half.text)
    assert half.body is None


@pytest.mark.parametrize(("kind", "processed"), [("connection-reset", False), ("lost-response", True)])
def test_a_write_without_a_response(kind: str, processed: bool, tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": kind, "method": "PUT", "path": "extensions/ext$", "times": 9}]) as box:
        with pytest.raises(aiohttp.ClientError):
            box.arm("PUT", PATH, BODY)
        assert box.arm("GET", PATH).status == (200 if processed else 404)


def test_a_redirect_to_another_host_has_no_effect(tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": "redirect", "method": "PUT"}]) as box:
        response = box.arm("PUT", PATH, BODY)
        assert response.status == 307
        assert response.headers["Location"].startswith("https://foreign.sandbox.invalid/subscriptions/")
        assert box.arm("GET", PATH).status == 404


def test_urls_that_point_to_another_host(tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": "foreign-url", "times": 2}]) as box:
        put = box.arm("PUT", PATH, BODY)
        listed = box.arm("GET", PATH.rsplit("/", 1)[0])
    assert put.status == 201
    for name in ("Azure-AsyncOperation", "Location"):
        assert put.headers[name].startswith("https://foreign.sandbox.invalid/subscriptions/")
    assert listed.body["nextLink"].startswith("https://foreign.sandbox.invalid/")


def test_a_next_link_to_the_same_page(tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": "next-link-loop", "times": 9}]) as box:
        first = box.arm("GET", PATH.rsplit("/", 1)[0])
        second = box.arm("GET", first.body["nextLink"])
    assert second.body["nextLink"] == first.body["nextLink"]


def test_a_succeeded_operation_of_a_failed_resource(tmp_path: Path) -> None:
    faults = [{"kind": "operation-status", "path": "/operations/", "times": 99}]
    with sandbox(tmp_path, clusters=[{"name": "aks", "outbound": False}], faults=faults) as box:
        assert box.install()["status"] == "Succeeded"
        time.sleep(0.2)
        assert box.arm("GET", PATH).body["properties"]["provisioningState"] == "Failed"


def test_a_poll_fails_several_times(tmp_path: Path) -> None:
    faults = [{"kind": "error", "path": "/operations/", "times": 4}]
    with sandbox(tmp_path, faults=faults) as box:
        put = box.arm("PUT", PATH, BODY)
        statuses = [box.arm("GET", put.headers["Azure-AsyncOperation"]).status for _ in range(5)]
    assert statuses == [500, 500, 500, 500, 200]


@pytest.mark.parametrize("kind", ["slow", "slow-body"])
def test_a_slow_response(kind: str, tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": kind, "seconds": 0.5}]) as box:
        started = time.monotonic()
        slow = box.arm("GET", AKS)
        took = time.monotonic() - started
        assert slow.body == box.arm("GET", AKS).body
    assert took >= 0.5


def test_a_rejected_token_stays_rejected(tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": "expired-token"}]) as box:
        assert [box.arm("GET", AKS).status for _ in range(3)] == [401, 401, 401]
        box.token = box.new_token()
        assert box.arm("GET", AKS).status == 200


CLUSTER_FAULTS = [
    ("throttled", {"retry_after": 1}, 429, "TooManyRequests"),
    ("expired-token", {}, 401, "Unauthorized"),
    ("error", {"status": 410, "message": "too old resource version"}, 410, "Expired"),
    ("error", {"status": 503}, 503, "ServiceUnavailable"),
]


@pytest.mark.parametrize(
    ("kind", "fields", "status", "reason"), CLUSTER_FAULTS, ids=[case[3] for case in CLUSTER_FAULTS]
)
def test_faults_of_a_cluster(kind: str, fields: dict[str, Any], status: int, reason: str, tmp_path: Path) -> None:
    with sandbox(tmp_path, faults=[{"kind": kind, "cluster": "aks", "path": "/pods", **fields}]) as box:
        assert box.kube("GET", "/api/v1/pods", cluster="arc").status == 200
        response = box.kube("GET", "/api/v1/pods")
        assert (response.status, response.body["kind"], response.body["reason"]) == (status, "Status", reason)
        assert box.kube("GET", "/api/v1/pods").status == 200
