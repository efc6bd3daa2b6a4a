"""Every documented code and kind of message is explained: the cause first, wrappers after it, the unknown kept."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.diagnosis import (
    Explanation,
    compute_errors,
    entries,
    errors_in_text,
    explain,
    explain_failure,
    extension_errors,
    group_pods_by_cause,
    read_helm,
    read_reports,
    unfold_error,
)
from azext_amlk8s.diagnosis.azure_errors import CodedMessage
from azext_amlk8s.diagnosis.knowledge_base import SCOPES, required_literals
from azext_amlk8s.diagnosis.pod_failures import Failure
from tests.unit.diagnosis_cases import COMPUTE, HEALTH, JOB, REPORTS, TEXTS, WRAPPERS, new
from tests.unit.message_cases import MESSAGES


def codes(found: tuple[Explanation, ...]) -> list[str]:
    return [explanation.code for explanation in found]


@pytest.mark.parametrize(
    ("code", "scope", "text"), TEXTS, ids=[f"{explanation[0]}-{index}" for index, explanation in enumerate(TEXTS)]
)
def test_text_is_explained_by_its_cause(code: str, scope: str, text: str) -> None:
    first = explain(text)[0]
    assert (first.code, first.scope, first.known) == (code, scope, True)
    assert first.meaning and first.cause and first.fix and first.source
    assert first.parts["message"]


def test_every_entry_has_a_case() -> None:
    tried = {(code, scope) for code, scope, *_ in (*TEXTS, *MESSAGES)}
    tried |= {(code, explanation.scope) for code in WRAPPERS for explanation in explain(code)}
    assert {(entry.code, entry.scope) for entry in entries()} - tried == set()


@pytest.mark.parametrize(
    ("code", "scope", "name", "text"), MESSAGES, ids=[f"{message[0]}-{index}" for index, message in enumerate(MESSAGES)]
)
def test_message_is_explained_by_its_most_specific_kind(code: str, scope: str, name: str, text: str) -> None:
    first = explain(text)[0]
    assert (first.code, first.scope, first.name) == (code, scope, name)


# The plugins of kube-scheduler that can reject a pod, and the names of their messages.
# https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
PLUGINS = [
    "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit",
    "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "PodTopologySpread", "InterPodAffinity",
    "SchedulingGates", "DefaultPreemption", "DynamicResources",
]  # fmt: skip


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_of_the_scheduler_has_an_entry(plugin: str) -> None:
    assert [explanation.scope for explanation in explain(plugin)] == ["scheduler"] * len(explain(plugin))
    assert explain(plugin)[0].known


# https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints
# https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute
DOCUMENTED = [
    "ImageBuildFailure", "OutOfQuota", "BadArgument", "ResourceNotReady", "ResourceNotFound",
    "WorkspaceManagedNetworkNotReady", "OperationCanceled", "SecretsInjectionError", "InternalServerError",
    "ACRSecretError", "TokenRefreshFailed", "GetAADTokenFailed", "ACRAuthenticationChallengeFailed",
    "ACRTokenExchangeFailed", "ACRTokenExchangeForbidden", "KubernetesUnaccessible", "ImagePullLoopBackOff",
    "DeploymentCrashLoopBackOff", "KubernetesCrashLoopBackOff", "UserScriptInitFailed", "UserScriptImportError",
    "UserScriptFunctionNotFound", "NamespaceNotFound", "EndpointNotFound", "EndpointAlreadyExists",
    "ScoringFeUnhealthy", "ValidateScoringFailed", "InvalidDeploymentSpec", "PodUnschedulable", "PodOutOfMemory",
    "InferencingClientCallFailed", "GenericComputeError", "ComputeNotFound", "ComputeNotAccessible",
    "InvalidComputeInformation", "InvalidComputeNoKubernetesConfiguration", "GenericClusterError",
    "ClusterNotReachable", "ClusterNotFound", "ClusterServiceNotFound", "ClusterUnauthorized",
    "RefreshExtensionIdentityNotSet", "ContainerTerminated", "CrashLoopBackOff", "409", "424", "137", "E45004",
    "Code 9", "9", "503", "504",
]  # fmt: skip


@pytest.mark.parametrize("code", DOCUMENTED)
def test_every_documented_code_is_known(code: str) -> None:
    assert all(explanation.known for explanation in explain(code))


WAITS: dict[str, tuple[str, str]] = {
    "Helm": ("release blue failed: context deadline exceeded", "HelmTimeout"),
    "webhook": (
        'failed calling webhook "a.b.c": Post "https://x.y.svc/z": context deadline exceeded',
        "WebhookTimeout",
    ),
    "volume": (
        "Unable to attach or mount volumes: unmounted volumes=[a]: timed out waiting for the condition",
        "MountTimeout",
    ),
    "image": ('Failed to pull image "r.io/a:1": rpc error: context deadline exceeded', "ImagePullTimeout"),
    "kubectl wait": ("error: timed out waiting for the condition on jobs/blue", "WaitTimeout"),
    "lease": ("failed to renew lease a/b: timed out waiting for the condition", "LeaseLost"),
    "request": ('Get "https://host.example/x": context deadline exceeded', "ConnectionTimeout"),
    "probe": ('Readiness probe failed: Get "http://10.0.0.1/": context deadline exceeded', "ReadinessProbeFailed"),
    "unknown": ("context deadline exceeded", "Timeout"),
}


@pytest.mark.parametrize(("text", "code"), WAITS.values(), ids=WAITS)
def test_timeout_is_explained_by_what_waited_for_what(text: str, code: str) -> None:
    assert explain(text)[0].code == code


CONFLICTS: dict[str, tuple[str, str]] = {
    "endpoint": ("HTTP 409: an operation on the endpoint is in progress", "ENDPOINT_BUSY"),
    "extension": ("(Conflict) 409 for the extension blue", "EXTENSION_BUSY"),
    "other": ("HTTP 409 for /providers/Microsoft.Relay/namespaces/blue", ""),
}


@pytest.mark.parametrize(("text", "name"), CONFLICTS.values(), ids=CONFLICTS)
def test_conflict_is_explained_by_its_resource(text: str, name: str) -> None:
    assert [explanation.name for explanation in explain(text) if explanation.code == "Conflict"] == [name]


def test_names_of_a_message_fill_its_fix() -> None:
    (explanation,) = explain('MountVolume.SetUp failed for volume "v" : configmap "blue-settings" not found')
    assert explanation.parts["names"] == {"config_map": "blue-settings"}
    assert explanation.fix[1] == "Create the config map blue-settings, or remove it from the pod."


LITERALS: dict[str, tuple[tuple[str, ...], ...]] = {
    "no such host": (("no such host",),),
    "one (two|three)": (("one ",), ("two", "three")),
    "first|second": (("first", "second"),),
    "a?b*[xyz]+": (),
    "(?!not)(?P<name>inner)": (("inner",),),
    r"escaped\.dot": (("escaped.dot",),),
}


@pytest.mark.parametrize(("pattern", "literals"), LITERALS.items())
def test_literals_that_a_pattern_requires(pattern: str, literals: tuple[tuple[str, ...], ...]) -> None:
    assert required_literals(pattern) == literals


@pytest.mark.parametrize(
    "entry", entries(), ids=lambda explanation: f"{explanation.scope}-{explanation.code}-{explanation.name}"
)
def test_code_alone_is_known(entry: Any) -> None:
    """In any case, by its name and by its aliases too."""
    for word in (entry.code, entry.code.lower(), *entry.aliases, *([entry.name] if entry.name else [])):
        assert entry.meaning in [explanation.meaning for explanation in explain(word)]


@pytest.mark.parametrize(
    "entry", entries(), ids=lambda explanation: f"{explanation.scope}-{explanation.code}-{explanation.name}"
)
def test_entry_is_complete(entry: Any) -> None:
    """Full sentences, something to do, a page to read; and other entries of its code are distinguished by signs."""
    assert entry.meaning.endswith(".") and entry.cause.endswith(".")
    assert entry.fix and all(entry.fix)
    assert entry.source.startswith("https://")
    assert entry.scope in SCOPES
    others = [
        explanation
        for explanation in entries()
        if explanation.code == entry.code and explanation.scope == entry.scope and explanation is not entry
    ]
    assert not others or entry.signs or all(other.signs for other in others)


@pytest.mark.parametrize("code", WRAPPERS)
def test_wrapper_follows_its_cause(code: str) -> None:
    (alone,) = explain(code)
    assert alone.wrapper
    found = explain(f"({code}) {new('cannot re-use a name that is still in use')}")
    assert found[0].code == "ReleaseNameInUse"


@pytest.mark.parametrize(("report", "text", "code"), REPORTS, ids=[explanation[0] for explanation in REPORTS])
def test_public_reports_are_explained(report: str, text: str, code: str) -> None:
    assert explain(text)[0].code == code


E45004: list[tuple[str, str, list[str]]] = [
    ("alone", "E45004", ["health", "job"]),
    ("in a job", 'Kubernetes job failed. E45004: "x"', ["job"]),
    ("in the health report", "Status: Failed Name: clusterresource ErrorCode: E45004 ErrorMessage: x", ["health"]),
    (
        "in the health report, its message speaking of a job",
        "Status: Failed Name: info ErrorCode: E45004 ErrorMessage: job",
        ["health"],
    ),
    ("with the words of the role", "E45004: AzureML fe role conflict", ["health"]),
    ("with the words of the training", "E45004: Training feature is not enabled", ["job"]),
    ("without surroundings", "error code=E45004 seen", ["health", "job"]),
]


@pytest.mark.parametrize(("name", "text", "scopes"), E45004, ids=[explanation[0] for explanation in E45004])
def test_e45004_by_its_context(name: str, text: str, scopes: list[str]) -> None:
    assert [explanation.scope for explanation in explain(text)] == scopes


def test_e45004_of_a_scope() -> None:
    assert [explanation.meaning for explanation in explain("E45004", "job")] == [
        "The cluster does not run training jobs."
    ]


def test_unknown_text_keeps_its_parts() -> None:
    (explanation,) = explain(
        "Error: [ InnerError: [Something new : of a kind : InnerError [never seen]]] occurred while doing the operation : [Create]"
    )
    assert not explanation.known
    assert explanation.parts["helm"]["step"] == "Something new"
    assert explanation.parts["helm"]["text"] == "never seen"
    (other,) = explain("(BrandNewCode) what nobody knows")
    assert (other.code, other.known, other.parts["message"]) == ("BrandNewCode", False, "what nobody knows")
    assert explain("")[0].known is False


def test_several_causes_in_one_text() -> None:
    """A log contains more than one failure; each is explained once."""
    text = "\n".join([HEALTH[1][2], HEALTH[1][2], COMPUTE[0][2], JOB[1][2]])
    assert sorted(codes(explain(text))) == ["BadRequest", "E40001", "GenericComputeError", "RegularJobUnsupported"]


def test_health_report_precedes_messages_of_azure() -> None:
    reports = read_reports({"data": {"reports-pre-install": HEALTH[1][2]}})
    found = explain_failure(
        [CodedMessage("ExtensionOperationFailed", new("failed pre-install: pod healthcheck failed"))], reports
    )
    assert codes(found) == ["E40001", "HealthcheckFailed", "ExtensionOperationFailed"]
    assert (found[0].title, found[0].parts["subject"]) == ("E40001 LOAD_BALANCER_NOT_SUPPORT", "health check service")
    assert found[0].fix and found[0].source


def test_every_failing_pod_is_named() -> None:
    pods = [
        Failure("Pod", name, "Unschedulable", "0/1 nodes are available: 1 Insufficient cpu.") for name in ("a", "b")
    ]
    found = explain_failure(failures=pods)
    assert [explanation.parts["subject"] for explanation in found] == ["Pod a", "Pod b"]
    assert codes(found) == ["InsufficientResources"] * 2


def test_public_examples_and_recordings(shared: Path) -> None:
    """Texts from public pages and threads, answers recorded from Azure."""
    expected = {
        "deployment-kubernetesunaccessible-docs.txt": "KubernetesUnaccessible",
        "extension-failed-5477.txt": "HealthcheckFailed",
        "healthcheck-line-293.txt": "E45005",
        "helm-ownership-docs.txt": "OwnershipConflict",
        "job-e45004-docs.txt": "E45004",
        "BadGatewayConnection.502-on-delete.json": "BadGatewayConnection",
        "ConnectedCluster.ResourceNotFound.json": "ResourceNotFound",
        "ExpiredAuthenticationToken.401-on-poll.json": "ExpiredAuthenticationToken",
        "Extension.ResourceNotFound.json": "ResourceNotFound",
        "Extension.provisioningState-Failed.GET.json": "VersionNotResolved",
        "InvalidResourceType.json": "InvalidResourceType",
        "ML.asyncop-Failed.json": "InferencingClientCallFailed",
        "MissingSubscriptionRegistration.json": "MissingSubscriptionRegistration",
        "ResourceGroupNotFound.json": "ResourceGroupNotFound",
        "RoleAssignment.PUT.201.json": "",
    }
    files = [*(shared / "corpus/errors").iterdir(), *(shared / "recordings/errors").iterdir()]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    for name, text in texts.items():
        if name.endswith(".json"):
            texts[name] = json.dumps(json.loads(text)["response"]["body"])
    assert {name: explain(text)[0].code for name, text in texts.items()} == expected


PIECES = st.sampled_from(
    [
        "E45004",
        "(Code) ",
        "{",
        "}",
        "[",
        "]",
        "InnerError [",
        "err [",
        '"error":',
        "Status: Failed Name: ",
        "\n",
        "409",
        "for release [",
    ]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)))
def test_any_text_is_explained(text: str) -> None:
    found = explain(text)
    assert found
    assert all(explanation.known or not explanation.meaning for explanation in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "code", "message", "details", "innererror", "additionalInfo", "info", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_explained(value: Any) -> None:
    assert explain(json.dumps(value))


@given(
    st.lists(st.fixed_dictionaries({}, optional={"metadata": JSON, "status": JSON, "spec": JSON}), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(["type", "reason", "message", "involvedObject"]), JSON), max_size=3),
)
def test_any_pods_are_explained(pods: list[Any], events: list[Any]) -> None:
    from azext_amlk8s.diagnosis import find_failures

    explain_failure(failures=find_failures(pods, events))


REPEATED = [
    "{", '{"a":', "[", "InnerError [", "InnerError: [ ", "err [", "for release [", "{ ", "Status: Failed Name: ", "\n",
    '"', " ", "a", "A", "0f", "aB", "A_", "Code: ", '(Code) ', 'Code="abc" Message="', "duration:", "release ",
    "pre-install: pod ", "occurred while doing the operation : [", 'K "n" in namespace "', "E40001 ", "TooManyRequests ",
    "Failed to pull image ", 'failed calling webhook "a" ', "MountVolume ", "CSI ", "instance type ", "endpoint 409 ",
    "0/1 nodes are available: 1 Insufficient cpu. ", "admission webhook ", "proxy ", "lookup a.b.", "x.azmk8s.io ",
    "helm ", "taint {", 'Get "https://a', "is forbidden: ", "job failed ", "exec: ", "extension ",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_long_texts_are_explained_within_a_second(piece: str) -> None:
    """Braces, brackets and the beginnings of messages by the ten thousand, with and without the end of a message."""
    for ending in ("", " x509: no such host, context deadline exceeded, unauthorized"):
        text = piece * (200_000 // len(piece)) + ending
        start = time.process_time()
        assert explain(text)
        assert explain_failure([CodedMessage("Strange", text)], text=text)
        assert time.process_time() - start < 2.0


@pytest.mark.parametrize("piece", REPEATED)
def test_long_reports_and_messages_are_read_in_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        start = time.process_time()
        read_reports({"data": {"reports-test": text}})
        read_helm(text)
        errors_in_text(text)
        return time.process_time() - start

    small, large = seconds(8_000), seconds(64_000)
    assert large < 0.3 or large < small * 24


SHAPES = JSON | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["conditions", "containerStatuses", "state", "waiting", "terminated", "lastState", "reason", "message",
                 "restartCount", "name", "namespace", "type", "status", "exitCode", "phase", "involvedObject", "data",
                 "reports-test", "properties", "provisioningErrors", "statuses", "errorInfo", "nodeName"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(SHAPES, SHAPES, SHAPES)
def test_wrong_types_raise_nothing(pod: Any, event: Any, resource: Any) -> None:
    """Pods, events, config maps and resources in which anything may have any type."""
    pods = [pod, {"metadata": pod, "spec": event, "status": resource}, {"status": {"containerStatuses": [pod, event]}}]
    events = [event, {"type": "Warning", "reason": "FailedCreate", "involvedObject": pod, "message": event}]
    groups = group_pods_by_cause(pods, events)
    assert all(group.summary and group.failures for group in groups)
    assert read_reports(resource) is not None
    assert explain_failure([*compute_errors(resource), *extension_errors(resource), *unfold_error(resource)])


def pending(name: str, message: str, namespace: str = "jobs") -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "status": {"phase": "Pending", "conditions": [condition]},
    }


def test_pods_are_grouped_by_cause() -> None:
    """The largest group first, unknown causes last, each with the names of its pods."""
    cpu, taint = (
        "0/2 nodes are available: 2 Insufficient cpu.",
        "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.",
    )
    pods = [pending("t", taint), *(pending(f"p{number}", cpu) for number in range(4)), pending("u", "never seen")]
    groups = group_pods_by_cause(pods)
    assert [(group.explanation.code, group.summary) for group in groups] == [
        ("InsufficientResources", "4 pods (jobs/p0, jobs/p1 and 2 more)"),
        ("UntoleratedTaint", "pod jobs/t"),
        ("PodUnschedulable", "pod jobs/u"),
    ]


def test_harmless_text_matches_no_pattern() -> None:
    """An innocent text shows none of them."""
    innocent = "The extension was installed on the cluster in 90 seconds; all pods run and every node is Ready."
    assert [entry.code for entry in entries() if entry.match(innocent)] == []
    assert not re.search("E4", explain(innocent)[0].code)
