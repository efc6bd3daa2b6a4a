"""The parts of a failure, each read on its own: ARM's shapes, Helm's grammars, the health report, pods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from azext_amlk8s.diagnosis import (
    CodedMessage,
    HelmFailure,
    compute_errors,
    errors_in_text,
    explain_failure,
    extension_errors,
    find_failures,
    read_helm,
    read_pod_progress,
    read_reports,
    reports_for,
    unfold_error,
)
from tests.unit.diagnosis_cases import ROLLED_BACK, new, old

LEAF = {"code": "KubernetesUnaccessible", "message": "Kubernetes error"}
SHAPES: list[tuple[str, Any, list[str]]] = [
    ("envelope", {"error": LEAF}, ["KubernetesUnaccessible"]),
    ("flat", LEAF, ["KubernetesUnaccessible"]),
    ("details", {"error": {"code": "BadRequest", "message": "x", "details": [LEAF]}}, ["KubernetesUnaccessible", "BadRequest"]),
    ("details two deep", {"error": {"code": "A", "details": [{"code": "B", "details": [LEAF]}]}}, ["KubernetesUnaccessible", "B", "A"]),
    ("several details", {"code": "A", "message": "x", "details": [LEAF, {"code": "B", "message": "y"}]}, ["KubernetesUnaccessible", "B", "A"]),
    ("innererror", {"error": {"code": "A", "message": "x", "innererror": LEAF}}, ["KubernetesUnaccessible", "A"]),
    ("innerError", {"error": {"code": "A", "message": "x", "innerError": {"code": "B", "innerError": LEAF}}}, ["KubernetesUnaccessible", "B", "A"]),
    ("InnerError", {"Error": {"Code": "A", "Message": "x", "InnerError": LEAF}}, ["KubernetesUnaccessible", "A"]),
    ("innererror as text in JSON", {"error": {"code": "A", "message": "x", "innererror": json.dumps(LEAF)}}, ["KubernetesUnaccessible", "A"]),
    ("additionalInfo with an error", {"code": "A", "message": "x", "additionalInfo": [{"type": "MmsOperation", "info": {"error": LEAF}}]}, ["KubernetesUnaccessible", "A"]),
    ("additionalInfo empty", {"error": {**LEAF, "additionalInfo": []}}, ["KubernetesUnaccessible"]),
    ("additionalInfo of another kind", {"error": {**LEAF, "additionalInfo": [{"type": "Policy", "info": "x"}, None]}}, ["KubernetesUnaccessible"]),
    ("status of an operation", {"status": "Failed", "error": {"code": "A", "message": "x", "details": [LEAF]}}, ["KubernetesUnaccessible", "A"]),
    ("data plane without envelope", {"code": "BadRequest", "statusCode": 400, "message": "x", "details": [LEAF], "correlation": {}}, ["KubernetesUnaccessible", "BadRequest"]),
    ("a message that is JSON", {"error": {"code": "A", "message": json.dumps({"status": "Failed", "error": LEAF})}}, ["KubernetesUnaccessible", "A"]),
    ("the long envelope of machine learning", {"error": {**LEAF, "severity": None, "innerError": None, "debugInfo": None, "details": []}, "environment": "eastus", "time": "x"}, ["KubernetesUnaccessible"]),
    ("a list", [{"error": LEAF}, {"error": {"code": "B", "message": "y"}}], ["KubernetesUnaccessible", "B"]),
    ("the same twice, wrapped and flat", {**LEAF, "error": LEAF}, ["KubernetesUnaccessible"]),
    ("null", None, []),
    ("no error", {"error": None}, []),
    ("details null", {"error": {**LEAF, "details": None}}, ["KubernetesUnaccessible"]),
    ("a message alone", {"message": "x"}, [""]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "codes"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_error_is_unfolded_deepest_first(name: str, body: Any, codes: list[str]) -> None:
    assert [explanation.code for explanation in unfold_error(body)] == codes


COMPUTES: list[tuple[str, Any, list[str]]] = [
    ("null", None, []),
    ("empty", [], []),
    ("wrapped", [{"error": LEAF}], ["KubernetesUnaccessible"]),
    ("flat", [LEAF], ["KubernetesUnaccessible"]),
    ("code and message beside the error", [{**LEAF, "error": LEAF}], ["KubernetesUnaccessible"]),
    (
        "nested",
        [{"error": {"code": "BadRequest", "message": "x", "details": [LEAF]}}],
        ["KubernetesUnaccessible", "BadRequest"],
    ),
    ("several", [{"error": LEAF}, {"error": {"code": "B", "message": "y"}}], ["KubernetesUnaccessible", "B"]),
]


@pytest.mark.parametrize(("name", "errors", "codes"), COMPUTES, ids=[compute[0] for compute in COMPUTES])
def test_provisioning_errors_of_a_compute(name: str, errors: Any, codes: list[str]) -> None:
    assert [
        compute_error.code for compute_error in compute_errors({"properties": {"provisioningErrors": errors}})
    ] == codes


def test_statuses_and_error_info_of_an_extension() -> None:
    properties = {
        "errorInfo": {"code": "InstallationFailed", "message": "outer", "details": [LEAF]},
        "statuses": [
            None,
            {"code": "InstallationFailed", "displayStatus": None, "level": None, "message": "a  b", "time": None},
        ],
    }
    assert extension_errors({"properties": properties}) == (
        CodedMessage("KubernetesUnaccessible", "Kubernetes error", "", 2),
        CodedMessage("InstallationFailed", "outer", "", 1),
        CodedMessage("InstallationFailed", "a b", "", 1),
    )
    assert extension_errors({"properties": None}) == compute_errors({}) == ()


LINES: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("az", "(BadThing) it broke\nCode: BadThing\nMessage: it broke", [("BadThing", "it broke")]),
    ("az with its prefix", "ERROR: (BadThing) it broke", [("BadThing", "it broke")]),
    ("a code line alone", "Code: BadThing", [("BadThing", "")]),
    ("Terraform", 'unexpected status: Code="BadThing" Message="it broke"', [("BadThing", "it broke")]),
    (
        "JSON behind words",
        'Response: {"error": {"code": "BadThing", "message": "it broke"}} end',
        [("BadThing", "it broke")],
    ),
    (
        "a code with two messages",
        '{"code": "BadThing", "message": "it broke"} {"code": "BadThing", "message": "it burnt"}',
        [("BadThing", "it broke"), ("BadThing", "it burnt")],
    ),
    ("braces that are not JSON", "{Helm} {step {", []),
    ("words in parentheses", "it broke (really)", []),
]


@pytest.mark.parametrize(("name", "text", "pairs"), LINES, ids=[line[0] for line in LINES])
def test_codes_in_a_text(name: str, text: str, pairs: list[tuple[str, str]]) -> None:
    assert [(explanation.code, explanation.message) for explanation in errors_in_text(text)] == pairs


GENERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "since 2023",
        new(ROLLED_BACK + "failed pre-install: pod healthcheck failed"),
        {
            "generation": 2023,
            "step": "Helm installation failed",
            "reason": "Unable to create/update Kubernetes resources for the extension",
            "recommendation": "Please check that there are no policies blocking the resource creation/update for the extension",
            "release": "azureml-extension",
            "operation": "Create",
            "hook": "pre-install",
            "failed": "healthcheck",
            "guides": ("https://aka.ms/k8s-extensions-TSG", "https://aka.ms/arcmltsg"),
        },
    ),
    (
        "since 2023, without reason and hint",
        "Error: [ InnerError: [Helm installation failed :  :  : InnerError [boom [a] b]]] occurred while doing the operation : [Update] on the config",
        {"step": "Helm installation failed", "reason": "", "recommendation": "", "text": "boom [a] b", "operation": "Update"},
    ),
    (
        "since 2023, without an inner one",
        "Error: [ InnerError: [Chart could not be rendered : bad value]] occurred while doing the operation : [Create] on the config",
        {"step": "Chart could not be rendered", "reason": "bad value", "operation": "Create"},
    ),
    (
        "since 2023, cut off",
        "Error: [ InnerError: [Helm installation failed : x : InnerError [release a failed",
        {"step": "Helm installation failed", "release": "a", "text": "release a failed"},
    ),
    (
        "2021 and 2022",
        old(ROLLED_BACK + "failed pre-install: pod healthcheck failed"),
        {
            "generation": 2021,
            "step": "Helm installation",
            "release": "amlarc-extension",
            "operation": "Installing the extension",
            "hook": "pre-install",
            "failed": "healthcheck",
        },
    ),
    (
        "2021, upgrade",
        "Error: {Helm upgrade for release [r] failed: err [pre-upgrade hooks failed: pod healthcheck failed]} occurred while doing the operation : {Updating the extension} on the config",
        {"release": "r", "hook": "pre-upgrade", "operation": "Updating the extension"},
    ),
    (
        "object of another owner",
        'CustomResourceDefinition "jobs.batch.volcano.sh" in namespace "" exists and cannot be imported into the current release',
        {"conflict": "CustomResourceDefinition jobs.batch.volcano.sh"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "parts"), GENERATIONS, ids=[generation[0] for generation in GENERATIONS])
def test_helm_text_of_both_generations(name: str, text: str, parts: dict[str, Any]) -> None:
    found = read_helm(text)
    assert isinstance(found, HelmFailure)
    assert {key: getattr(found, key) for key in parts} == parts


def test_text_without_helm() -> None:
    assert read_helm("The subscription is not registered.") is None


REPORT = """\
Duration: 12.3s
Date: 2024-05-01 08:00:00
K8sDistribution: aks
K8sInfrastructure: azure
CorrelationId: 4f0c2a5e
TroubleShootingGuide: https://aka.ms/arcmltsg
Status: Passed Name: service
Status: Failed Name: clusterresource ErrorCode: E40002 ErrorMessage: Insufficient  node, 2 of 3
Status: Failed Name: info
"""


def test_health_report() -> None:
    (report,) = read_reports({"data": {"reports-pre-install": REPORT, "other": "x", "reports-test": None}})
    assert (report.hook, report.correlation_id, report.distribution) == ("pre-install", "4f0c2a5e", "aks")
    assert (report.duration, report.infrastructure, report.guide) == ("12.3s", "azure", "https://aka.ms/arcmltsg")
    assert [(check.name, check.passed) for check in report.checks] == [
        ("service", True),
        ("clusterresource", False),
        ("info", False),
    ]
    assert report.failed[0].code == "E40002"
    assert report.failed[0].message == "Insufficient node, 2 of 3"


def test_failed_health_checks_are_explained_by_code_or_message() -> None:
    """A check without a code is explained by its message; one with an unknown code is still reported."""
    text = (
        "CorrelationId: 4f0c2a5e\n"
        "Status: Failed Name: new-check ErrorCode: E99999 ErrorMessage: no such thing\n"
        "Status: Failed Name: pull-check ErrorMessage: Back-off pulling image x: ErrImagePull\n"
    )
    explanations = explain_failure(reports=read_reports({"data": {"reports-pre-install": text}}))
    assert [(each.code, each.known, each.parts["check"]) for each in explanations] == [
        ("ImagePullBackOff", True, "pull-check"),
        ("E99999", False, "new-check"),
    ]
    assert {(each.parts["hook"], each.parts["correlationId"]) for each in explanations} == {("pre-install", "4f0c2a5e")}


@pytest.mark.parametrize(
    "config_map", [None, {}, {"data": None}, {"data": {}}, {"data": []}, {"data": {"reports-": "x"}}]
)
def test_missing_report(config_map: Any) -> None:
    assert [report.checks for report in read_reports(config_map)] in ([], [()])


WHICH: list[tuple[str, list[str]]] = [
    ("create", ["pre-install", "pre-delete"]),
    ("update", ["pre-upgrade", "pre-rollback"]),
    ("delete", ["pre-delete"]),
    ("", ["pre-delete", "pre-install", "pre-rollback", "pre-upgrade", "test"]),
]


@pytest.mark.parametrize(("operation", "hooks"), WHICH, ids=[case[0] or "any" for case in WHICH])
def test_reports_of_an_operation(operation: str, hooks: list[str]) -> None:
    keys = [f"reports-{hook}" for hook in ("pre-delete", "pre-install", "pre-rollback", "pre-upgrade", "test")]
    assert [item.hook for item in reports_for(read_reports({"data": dict.fromkeys(keys, REPORT)}), operation)] == hooks


def pod(name: str = "p", node: str = "n", phase: str = "Pending", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"nodeName": node}, "status": {"phase": phase, **status}}


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {
        "containerStatuses": [
            {"name": "c", "restartCount": 7, "state": {"waiting": {"reason": reason, "message": message}}, **more}
        ]
    }


UNPLACED = [
    {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient cpu.",
    }
]
PULL = {
    "type": "Warning",
    "reason": "Failed",
    "message": "Failed to pull image",
    "involvedObject": {"kind": "Pod", "name": "p"},
}
QUOTA = {
    "type": "Warning",
    "reason": "FailedCreate",
    "message": "exceeded quota: q",
    "involvedObject": {"kind": "ReplicaSet", "name": "r"},
}
PODS: list[tuple[str, dict[str, Any], list[dict[str, Any]], list[tuple[str, str, str]]]] = [
    ("running", pod(phase="Running", containerStatuses=[{"name": "c", "state": {"running": {}}}]), [], []),
    ("starting", pod(**waiting("ContainerCreating")), [], []),
    ("not placed", pod(conditions=UNPLACED), [], [("p", "Unschedulable", UNPLACED[0]["message"])]),
    ("image", pod(**waiting("ImagePullBackOff", "Back-off pulling image")), [PULL], [("p", "ImagePullBackOff", "Back-off pulling image")]),
    ("image, message of the event", pod(**waiting("ErrImagePull")), [PULL], [("p", "ErrImagePull", "Failed to pull image")]),
    ("waiting, message of the event", pod(**waiting("ContainerCreating")), [PULL], [("p", "ContainerCreating", "Failed to pull image")]),
    ("crashing", pod(phase="Running", **waiting("CrashLoopBackOff", "back-off 5m0s")), [], [("p", "CrashLoopBackOff", "back-off 5m0s")]),
    ("killed for memory", pod(phase="Running", **waiting("CrashLoopBackOff", "x", lastState={"terminated": {"reason": "OOMKilled"}})), [], [("p", "OOMKilled", "x")]),
    ("restarting", pod(phase="Running", containerStatuses=[{"name": "c", "restartCount": 5, "state": {"running": {}}, "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]), [], [("p", "Error", "exit code 1")]),
    ("in its first container", pod(initContainerStatuses=[{"name": "i", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]), [], [("p", "CrashLoopBackOff", "")]),
    ("evicted", pod(phase="Failed", reason="Evicted", message="low on memory"), [], [("p", "Evicted", "low on memory")]),
    ("done", pod(phase="Succeeded", containerStatuses=[{"state": {"terminated": {"reason": "OOMKilled"}}}]), [], []),
    ("never made", pod(phase="Running"), [QUOTA], [("r", "FailedCreate", "exceeded quota: q")]),
    ("nothing known", {}, [], []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pod", "events", "found"), PODS, ids=[case[0] for case in PODS])
def test_failures_of_pods(
    name: str, pod: dict[str, Any], events: list[dict[str, Any]], found: list[tuple[str, str, str]]
) -> None:
    assert [(failure.name, failure.reason, failure.message) for failure in find_failures([pod], events)] == found


def test_failure_names_node_and_container() -> None:
    (failure,) = find_failures([pod(node="node-3", **waiting("ImagePullBackOff", "x"))])
    assert (failure.node, failure.container, failure.restarts, failure.text) == (
        "node-3",
        "c",
        7,
        "ImagePullBackOff: x",
    )


def test_failure_is_explained_with_its_place_and_a_complete_fix() -> None:
    crashing = pod(node="node-3", phase="Running", **waiting("CrashLoopBackOff", "back-off 5m0s"))
    (failure,) = find_failures([{**crashing, "metadata": {"name": "p", "namespace": "azureml"}}])
    (explanation,) = explain_failure(failures=[failure])
    parts = ("subject", "namespace", "node", "message")
    assert [explanation.parts[part] for part in parts] == [
        "Pod p",
        "azureml",
        "node-3",
        "CrashLoopBackOff: back-off 5m0s",
    ]
    assert explanation.fix == ("kubectl logs p -n azureml --previous",)


def _pod(name: str, phase: str = "Running", *, ready: bool = False, waiting: str = "", deleted: bool = False) -> Any:
    state = {"waiting": {"reason": waiting, "message": "m"}} if waiting else {"running": {}}
    return {
        "metadata": {"name": name, "namespace": "azureml", **({"deletionTimestamp": "2025"} if deleted else {})},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "c", "state": state}],
        },
    }


PROGRESS: list[tuple[str, list[Any], str]] = [
    ("no pods", [], ""),
    ("all ready", [_pod("a", ready=True), _pod("b", ready=True)], "pods ready 2 of 2"),
    ("one that has finished", [_pod("a", ready=True), _pod("healthcheck", "Succeeded")], "pods ready 1 of 1"),
    ("one that is being deleted", [_pod("a", ready=True), _pod("old", deleted=True)], "pods ready 1 of 1"),
    ("one that is being created", [_pod("a", "Pending", waiting="ContainerCreating")], "pods ready 0 of 1"),
    (
        "image pulls first",
        [_pod("a", waiting="CrashLoopBackOff"), _pod("b", "Pending", waiting="ImagePullBackOff")],
        "pods ready 0 of 2, b: ImagePullBackOff: m",
    ),
]


@pytest.mark.parametrize(("pods", "text"), [case[1:] for case in PROGRESS], ids=[case[0] for case in PROGRESS])
def test_progress_of_pods(pods: list[Any], text: str) -> None:
    assert read_pod_progress(pods).text == text
