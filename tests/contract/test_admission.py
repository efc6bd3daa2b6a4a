"""Admission in the cluster stand-in, in the words of kube-apiserver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.in_process import InProcess, sandbox

PODS = "/api/v1/namespaces/work/pods"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "work"}}
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(resources: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", **({"resources": resources} if resources else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container], **spec}}


def namespaced(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "bounds", "namespace": "work"}, "spec": spec}


def labelled(level: str) -> dict[str, Any]:
    return {**NAMESPACE, "metadata": {"name": "work", "labels": {"pod-security.kubernetes.io/enforce": level}}}


def webhook(
    name: str = "policy.example.com", annotations: dict[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    service = {"name": "policy", "namespace": "policies", "path": "/check"}
    hook = {"name": name, "rules": [rule], "clientConfig": {"service": service}, "sideEffects": "None", **fields}
    metadata = {"name": "policy", **({"annotations": annotations} if annotations else {})}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": [hook],
    }


def quota(**hard: str) -> dict[str, Any]:
    return namespaced("ResourceQuota", {"hard": {key.replace("_", "."): value for key, value in hard.items()}})


def limit_range(**item: Any) -> dict[str, Any]:
    return namespaced("LimitRange", {"limits": [{"type": "Container", **item}]})


BIG = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "4", "memory": "2Gi"}}
FORBIDDEN = 'pods "p" is forbidden: '
CALL = 'Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.policies.svc:443/check?timeout=10s": '
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "policy", "namespace": "policies"},
    "spec": {"selector": {"app": "policy"}},
}
POLICIES = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "policies"}}
BACKEND = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "policy", "namespace": "policies", "labels": {"app": "policy"}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
    "status": {"phase": "Running"},
}
CASES: list[tuple[str, list[dict[str, Any]], dict[str, Any], int, str]] = [
    ("no rule", [NAMESPACE], pod(), 201, ""),
    ("no namespace", [], pod(), 404, 'namespaces "work" not found'),
    ("a quota of pods", [NAMESPACE, quota(pods="0")], pod(), 403, f"{FORBIDDEN}exceeded quota: bounds, requested: pods=1, used: pods=0, limited: pods=0"),
    ("a quota of CPU", [NAMESPACE, quota(requests_cpu="1500m")], pod(BIG), 403, f"{FORBIDDEN}exceeded quota: bounds, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1500m"),
    ("a quota that requires limits", [NAMESPACE, quota(limits_cpu="10", limits_memory="10Gi")], pod(), 403, f"{FORBIDDEN}failed quota: bounds: must specify limits.cpu for: c; limits.memory for: c"),
    ("a quota that is large enough", [NAMESPACE, quota(limits_cpu="4", pods="1")], pod(BIG), 201, ""),
    ("a maximum", [NAMESPACE, limit_range(max={"memory": "1Gi"})], pod(BIG), 403, f"{FORBIDDEN}maximum memory usage per Container is 1Gi, but limit is 2Gi"),
    ("a minimum", [NAMESPACE, limit_range(min={"cpu": "3"})], pod(BIG), 403, f"{FORBIDDEN}minimum cpu usage per Container is 3, but request is 2"),
    ("defaults within the bounds", [NAMESPACE, limit_range(max={"cpu": "1"}, default={"cpu": "500m"})], pod(), 201, ""),
    ("baseline and a host path", [labelled("baseline")], pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]), 403, f'{FORBIDDEN}violates PodSecurity "baseline:latest": hostPath volumes (volume "v")'),
    ("baseline and an ordinary pod", [labelled("baseline")], pod(), 201, ""),
    ("restricted and an ordinary pod", [labelled("restricted")], pod(), 403, f'{FORBIDDEN}violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'),
    ("restricted and a safe pod", [labelled("restricted")], pod(containers=[{"name": "c", "image": "i", "securityContext": SAFE}]), 201, ""),
    ("a webhook without a service", [NAMESPACE, webhook()], pod(), 500, f'{CALL}service "policy" not found'),
    ("a webhook without pods", [NAMESPACE, POLICIES, SERVICE, webhook()], pod(), 500, f'{CALL}no endpoints available for service "policy"'),
    ("a webhook that runs", [NAMESPACE, POLICIES, SERVICE, BACKEND, webhook()], pod(), 201, ""),
    ("a failing webhook that is ignored", [NAMESPACE, webhook(failurePolicy="Ignore")], pod(), 201, ""),
    ("a webhook for another namespace", [NAMESPACE, webhook(namespaceSelector={"matchLabels": {"team": "a"}})], pod(), 201, ""),
    ("a webhook that skips a namespace", [NAMESPACE, webhook(namespaceSelector={"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["work"]}]})], pod(), 201, ""),
    ("a denial", [NAMESPACE, webhook(annotations={"sandbox/denies": "[allowed-repos] image i"})], pod(), 403, 'admission webhook "policy.example.com" denied the request: [allowed-repos] image i'),
    ("a call that times out", [NAMESPACE, webhook(annotations={"sandbox/fails": "context deadline exceeded"})], pod(), 500, f"{CALL}context deadline exceeded"),
]  # fmt: skip


def create(box: InProcess, obj: dict[str, Any], **query: str) -> tuple[int, str]:
    response = box.kube("POST", PODS, obj, **query)
    return response.status, response.body["message"] if response.status >= 400 else ""


@pytest.mark.parametrize(("name", "objects", "obj", "status", "message"), CASES, ids=[case[0] for case in CASES])
def test_admission(
    name: str, objects: list[dict[str, Any]], obj: dict[str, Any], status: int, message: str, tmp_path: Path
) -> None:
    with sandbox(tmp_path, clusters=[{"name": "aks", "objects": objects}]) as box:
        dry = create(box, obj, dryRun="All")
        stored = box.kube("GET", f"{PODS}/p").status
        assert create(box, obj) == dry == (status, message)
    assert stored == 404, "a dry run stores nothing"


def test_a_webhook_without_dry_run_support(tmp_path: Path) -> None:
    objects = [NAMESPACE, POLICIES, SERVICE, BACKEND, webhook(sideEffects="Some")]
    with sandbox(tmp_path, clusters=[{"name": "aks", "objects": objects}]) as box:
        text = 'admission webhook "policy.example.com" does not support dry run'
        assert create(box, pod(), dryRun="All") == (400, text)
        assert create(box, pod()) == (201, "")


def test_the_usage_of_a_quota(tmp_path: Path) -> None:
    with sandbox(
        tmp_path, clusters=[{"name": "aks", "objects": [NAMESPACE, quota(pods="2", requests_memory="4Gi")]}]
    ) as box:
        create(box, pod(BIG))
        status = box.kube("GET", "/api/v1/namespaces/work/resourcequotas/bounds").body["status"]
    assert status == {"hard": {"pods": "2", "requests.memory": "4Gi"}, "used": {"pods": "1", "requests.memory": "1Gi"}}


def test_defaults_of_a_limit_range_are_filled_in(tmp_path: Path) -> None:
    defaults = limit_range(default={"cpu": "1"}, defaultRequest={"cpu": "100m"})
    with sandbox(tmp_path, clusters=[{"name": "aks", "objects": [NAMESPACE, defaults]}]) as box:
        shown = box.kube("POST", PODS, pod(), dryRun="All").body
    assert shown["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}}


UNUSABLE = [
    ("a kind that is not served", {"apiVersion": "v1", "kind": "Odd", "metadata": {"name": "o"}}, "object 1 (Odd/o): the cluster does not serve the kind Odd of v1"),
    ("a namespace that does not exist", {**pod(), "metadata": {"name": "p", "namespace": "none"}}, 'object 1 (Pod/p): namespaces "none" not found'),
    ("an invalid name", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "A_B"}}, 'object 1 (Namespace/A_B): Namespace "A_B" is invalid'),
    ("no name", {"apiVersion": "v1", "kind": "Namespace", "metadata": {}}, "object 1 (Namespace/None): missing key 'name'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "obj", "message"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_a_world_that_cannot_start_names_the_entry(
    name: str, obj: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError) as error, sandbox(tmp_path, clusters=[{"name": "aks", "objects": [obj]}]):
        pass
    assert f"cluster 'aks', {message}" in str(error.value)
