"""Checks: selection, evaluation of facts, suppression of consequences, suggested commands, and the console."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s import knowledge, rules
from azext_amlk8s.checks import (
    CHECKS,
    CheckTarget,
    Facts,
    Result,
    Status,
    UnknownCheck,
    build_report,
    complete_fix,
    evaluate,
    select_checks,
)
from azext_amlk8s.checks import facts as keys
from azext_amlk8s.checks.subscription import grants
from azext_amlk8s.console.check_console import CheckConsole
from azext_amlk8s.knowledge.clouds import find_cloud
from azext_amlk8s.refs import ClusterRef, WorkspaceRef
from azext_amlk8s.rules import Fact, Finding, Severity, Unavailable
from tests.conftest import ROOT

WORKSPACE = WorkspaceRef("s", "g", "w")
AKS = CheckTarget(ClusterRef("s", "g", "managedClusters", "c"), WORKSPACE)
ARC = CheckTarget(ClusterRef("s", "g", "connectedClusters", "c"), WORKSPACE)
BY_ID = {rule.id: rule for rule in CHECKS}
CLUSTER = {"id": AKS.cluster.id, "name": "c", "location": "eastus", "properties": {}}
EXTENSION = {"name": "ext", "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "configurationSettings": {"enableTraining": "true", "enableInference": "TRUE"}}}  # fmt: skip


def messages(check: str, values: dict[Fact[Any], Any], target: CheckTarget = AKS) -> list[str]:
    """The messages of a check on these facts."""
    return [finding.message for finding in evaluate(BY_ID[check], Facts(target, values)).findings]


CLI_VERSIONS: list[tuple[str, list[str]]] = [
    ("2.75.0", []),
    ("2.91.0", []),
    ("3.0", []),
    ("2.75.0rc1", []),
    ("2.51.0", ["The Azure CLI has version 2.51.0; 2.75.0 or newer is required."]),
    ("2.9.9", ["The Azure CLI has version 2.9.9; 2.75.0 or newer is required."]),
]


@pytest.mark.parametrize(("version", "expected"), CLI_VERSIONS, ids=[cli_version[0] for cli_version in CLI_VERSIONS])
def test_cli_version(version: str, expected: list[str]) -> None:
    assert messages("K101", {keys.CLI: version}) == expected


def test_required_cli_version_is_that_of_the_metadata() -> None:
    metadata = json.loads((ROOT / "azext_amlk8s/azext_metadata.json").read_text())
    assert knowledge.load("checks")["cli"]["oldest"] == metadata["azext.minCliCoreVersion"]


WRITE = "Microsoft.KubernetesConfiguration/extensions/write"
PERMISSIONS: list[tuple[str, Any, bool]] = [
    ("everything", [{"actions": ["*"], "notActions": []}], True),
    ("nothing", [], False),
    ("no list", None, False),
    ("by name in upper case", [{"actions": [WRITE.upper()]}], True),
    ("by pattern", [{"actions": ["Microsoft.KubernetesConfiguration/*"]}], True),
    ("read only", [{"actions": ["*/read"]}], False),
    ("everything but this", [{"actions": ["*"], "notActions": ["Microsoft.KubernetesConfiguration/extensions/*"]}], False),
    ("another role grants what one excludes", [{"actions": ["*"], "notActions": [WRITE]}, {"actions": [WRITE], "notActions": []}], True),
    ("a dot matches a dot alone", [{"actions": ["MicrosoftXKubernetesConfiguration/*"]}], False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "permissions", "allowed"), PERMISSIONS, ids=[permission[0] for permission in PERMISSIONS]
)
def test_permissions(name: str, permissions: Any, allowed: bool) -> None:
    assert grants(permissions, WRITE) is allowed


def test_instance_types_that_a_compute_does_not_list() -> None:
    compute = {"name": "k8s", "properties": {"computeType": "Kubernetes", "resourceId": CLUSTER["id"], "provisioningState": "Succeeded", "properties": {"instanceTypes": {"old": {}}}}}  # fmt: skip
    types = [{"metadata": {"name": "old"}}, {"metadata": {"name": "new"}}]
    values = {keys.CLUSTER: CLUSTER, keys.WORKSPACE: {}, keys.COMPUTES: [compute], keys.INSTANCE_TYPES: types}
    assert messages("K607", values) == ["The compute 'k8s' does not list the instance type new of the cluster."]


# Skipping.


def test_check_with_unavailable_facts_is_skipped() -> None:
    outcome = evaluate(BY_ID["K303"], Facts(AKS, {keys.NODES: Unavailable("access denied")}))
    assert (outcome.status, outcome.note, outcome.findings) == (Status.SKIPPED, "access denied", ())


def test_check_whose_unavailable_fact_was_reported_names_the_report() -> None:
    reported = Finding("K301", Severity.ERROR, "c", "The cluster does not respond.")
    outcome = evaluate(BY_ID["K303"], Facts(AKS, {keys.NODES: Unavailable("no route")}), [reported])
    assert (outcome.status, outcome.note) == (Status.SKIPPED, "see K301")


def pod(name: str, reason: str, message: str) -> dict[str, Any]:
    waiting = {"name": "main", "ready": False, "restartCount": 0, "state": {"waiting": {"reason": reason, "message": message}}}  # fmt: skip
    return {"metadata": {"name": f"{name}-1", "namespace": "azureml"}, "spec": {"nodeName": "n1"}, "status": {"phase": "Pending", "containerStatuses": [waiting]}}  # fmt: skip


def component_facts(reason: str, count: int = 4) -> dict[Fact[Any], Any]:
    """The facts of an extension of which this many components wait for this reason, and the others are ready."""
    from azext_amlk8s.checks.component_states import expected_components
    from azext_amlk8s.checks.installation import settings_of

    known = expected_components(settings_of(Facts(AKS, {keys.EXTENSIONS: [EXTENSION]})), "managedClusters", "ext")
    controllers, pods = [], []
    for number, obj in enumerate(known):
        ready = int(number >= count)
        controllers.append({"kind": obj["kind"], "metadata": {"name": obj["name"], "namespace": "azureml"}, "status": {"replicas": 1, "readyReplicas": ready, "desiredNumberScheduled": 1, "numberReady": ready}})  # fmt: skip
        if not ready:
            pods.append(pod(obj["name"], reason, f"image mcr.microsoft.com/azureml/{obj['name']} denied"))
    return {keys.EXTENSIONS: [EXTENSION], keys.CONTROLLERS: controllers, keys.PODS: pods, keys.EVENTS: []}


def run(ids: list[str], values: dict[Fact[Any], Any]) -> list[Any]:
    """The outcomes of checks in order, each with the findings of those before it."""
    facts, outcomes = Facts(AKS, values), []
    for id in ids:
        outcomes.append(evaluate(BY_ID[id], facts, [finding for outcome in outcomes for finding in outcome.findings]))
    return outcomes


def test_one_image_pull_cause_is_one_finding_and_readiness_is_skipped() -> None:
    pull, ready = run(["K503", "K504"], component_facts("ImagePullBackOff"))
    assert len(pull.findings) == 1
    assert pull.findings[0].message.startswith("4 components (")
    assert " and 2 more) cannot pull their images on n1" in pull.findings[0].message
    assert (ready.status, ready.note) == (Status.SKIPPED, "see K503")


def test_components_that_crash_are_reported_beside_those_without_image() -> None:
    values = component_facts("ImagePullBackOff", 2)
    values[keys.PODS][1] = pod(values[keys.CONTROLLERS][1]["metadata"]["name"], "CrashLoopBackOff", "back-off")
    pull, ready = run(["K503", "K504"], values)
    assert (pull.status, ready.status) == (Status.FAILED, Status.FAILED)
    assert [finding.subject for finding in ready.findings] == [values[keys.CONTROLLERS][1]["metadata"]["name"]]


# The catalogue.


def test_every_check_has_a_topic_and_a_source() -> None:
    assert len(BY_ID) == len(CHECKS)
    known = {value for value in vars(keys).values() if isinstance(value, Fact)}
    for check in CHECKS:
        assert not check.title.endswith("."), check.id
        assert len(check.title) <= 40, check.id
        assert set(check.facts) <= known


def test_every_rule_that_declares_a_check_is_in_the_catalogue() -> None:
    declared = {rule.id for rule in rules.all_rules() if rule.check}
    assert declared <= set(BY_ID)


@pytest.mark.parametrize("target", [AKS, ARC], ids=["AKS", "Arc"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "installed"])
def test_empty_facts_break_no_check(target: CheckTarget, before: bool) -> None:
    target = replace(target, before=before)
    objects = {keys.WORKSPACE, keys.HEALTH, keys.ARC_AGENTS, keys.CONSTRAINTS, keys.FEATURE, keys.RELAY, keys.VOLCANO, keys.ROUTER_ROLE, keys.ASSIGNMENTS, keys.AVAILABLE_TYPE, keys.KUBERNETES_VERSIONS}  # fmt: skip
    for select_check in select_checks(target):
        values: dict[Fact[Any], Any] = {fact: {} if fact in objects else [] for fact in select_check.facts}
        values |= {
            keys.CLUSTER: CLUSTER,
            keys.CLI: "2.80.0",
            keys.KUBERNETES: "https://c",
            keys.TLS_SECRET: None,
            keys.CLOUD: find_cloud(),
        }
        evaluate(select_check, Facts(target, values))


NAMES = st.sampled_from(["gateway", "gateway-1", "azureml-fe", "nmi", "ext-kube-state-metrics", "x"])
OBJECT = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": NAMES}, optional={"namespace": st.sampled_from(["azureml", "azure-arc", "x"]), "labels": st.none()})},
    optional={"spec": st.none() | st.dictionaries(st.sampled_from(["replicas", "nodeName"]), st.none() | st.integers(0, 3)), "status": st.none() | st.dictionaries(st.sampled_from(["phase", "readyReplicas", "replicas"]), st.none() | st.integers(0, 3)), "kind": st.sampled_from(["Deployment", "DaemonSet"])},
)  # fmt: skip


@given(st.lists(OBJECT, max_size=4), st.lists(OBJECT, max_size=3), st.lists(OBJECT, max_size=2))
def test_odd_objects_break_no_check(controllers: list[Any], pods: list[Any], nodes: list[Any]) -> None:
    values: dict[Fact[Any], Any] = {keys.CONTROLLERS: controllers, keys.PODS: pods, keys.NODES: nodes, keys.EXTENSIONS: [EXTENSION], keys.EVENTS: [], keys.CLUSTER: CLUSTER}  # fmt: skip
    for check in CHECKS:
        if set(check.facts) <= set(values):
            evaluate(check, Facts(AKS, values))


UNKNOWN: list[tuple[str, str]] = [
    ("componets", "components"),
    ("k404x", "K404"),
    ("extnsion", "extension"),
    ("zzzzz", ""),
]


@pytest.mark.parametrize(("word", "nearest"), UNKNOWN, ids=[case[0] for case in UNKNOWN])
def test_unknown_check(word: str, nearest: str) -> None:
    with pytest.raises(UnknownCheck) as raised:
        select_checks(AKS, only=[word])
    assert raised.value.nearest == nearest


# Suggested commands.

CREDENTIALS = "az aks get-credentials -g g -n c"
FIXES: list[tuple[str, CheckTarget, str, str]] = [
    ("AKS fetches credentials first", AKS, "kubectl get pods", f"{CREDENTIALS}\nkubectl --context c get pods"),
    ("Arc uses the context of its name", ARC, "kubectl get pods", "kubectl --context c get pods"),
    ("the user's context", replace(AKS, context="my ctx"), "kubectl get pods", "kubectl --context 'my ctx' get pods"),
    ("the user's kubeconfig", replace(AKS, kubeconfig="/k"), "kubectl get pods", "kubectl --kubeconfig /k get pods"),
    ("helm has another option", ARC, "helm list -n azureml", "helm --kube-context c list -n azureml"),
    ("oc has the option of kubectl", ARC, "oc adm policy", "oc --context c adm policy"),
    ("a context is kept", AKS, "kubectl --context x get pods", f"{CREDENTIALS}\nkubectl --context x get pods"),
    ("known names", AKS, "az amlk8s extension show -g GROUP -c CLUSTER -t TYPE -n NAME", "az amlk8s extension show -g g -c c -t managedClusters -n ext"),
    ("a name of another command", AKS, "az aks nodepool show -n NAME", "az aks nodepool show -n NAME"),
    ("a sentence", AKS, "Add nodes.", "Add nodes."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "target", "fix", "expected"), FIXES, ids=[case[0] for case in FIXES])
def test_suggested_commands_lead_to_the_cluster_that_was_checked(
    name: str, target: CheckTarget, fix: str, expected: str
) -> None:
    finding = Finding("K999", Severity.ERROR, "c", "message", fix=fix)
    assert complete_fix(finding, target, "ext").fix == expected


# The console.


class Stream(io.TextIOWrapper):
    """A stream of an encoding, and what was written on it."""

    def __init__(self, encoding: str) -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding)

    def text(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


def printed(encoding: str = "utf-8", **options: Any) -> str:
    """A run of a check that passes, one that warns, one that fails and one that is skipped."""
    stream = Stream(encoding)
    console = CheckConsole(stream, AKS, **options)
    nodes = [{"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}]
    values: dict[Fact[Any], Any] = {keys.CLI: "2.91.0", keys.NODES: nodes, keys.EXTENSIONS: [], keys.INSTANCE_TYPES: []}
    outcomes = run(["K101", "K303", "K401", "K404"], values)
    for outcome in outcomes:
        console.begin(outcome.check)
        console.note(outcome)
    console.end(Result(tuple(outcomes)))
    return stream.text()


def test_console() -> None:
    assert printed().splitlines() == [
        "You and your subscription",
        f"✓ {'Azure CLI version':36} 2.91.0",
        "",
        "The cluster itself",
        f"! {'Node readiness':36} 1 node is not Ready: n.  [K303]",
        "    Try: kubectl describe node n",
        "",
        "The extension",
        f"✗ {'Extension':36} The extension is not installed on c.  [K401]",
        "    Try: az amlk8s extension create -g g -c c -t managedClusters -n azureml --config enableTraining=True enableInference=True",
        f"– {'Definition of InstanceType':36} skipped: the extension is not installed",
        "",
        "✗ c is not healthy: 1 error and 1 warning, 1 skipped.",
    ]  # fmt: skip


def test_console_without_unicode() -> None:
    text = printed("ascii")
    assert f"ok {'Azure CLI version':36}" in text
    assert "!! Node readiness" in text and "XX Extension" in text


def test_console_on_a_terminal_shows_the_running_check_and_wraps() -> None:
    text = printed(width=80, colour=True)
    assert "  Node readiness ...\r\x1b[K\x1b[33m!\x1b[0m Node readiness" in text
    assert all(len(line) <= 80 for line in text.splitlines() if "Try:" not in line and "\x1b" not in line)


def test_console_with_errors_only() -> None:
    lines = printed(brief=True).splitlines()
    assert lines[0].startswith("✗ Extension ")
    assert not any("Node readiness" in line for line in lines)


def test_report_has_errors_first() -> None:
    nodes = [{"metadata": {"name": "n"}, "spec": {"unschedulable": True}}]
    report = build_report(AKS, Result(tuple(run(["K303", "K401"], {keys.NODES: nodes, keys.EXTENSIONS: []}))))
    assert [finding["severity"] for finding in report["findings"]] == ["error", "warning"]
    assert report["summary"]["verdict"] == "c is not healthy: 1 error and 1 warning."
    assert [category["id"] for category in report["categories"]] == ["cluster", "extension"]
