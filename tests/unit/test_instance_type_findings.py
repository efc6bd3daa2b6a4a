"""The findings on where instance types fit and who uses them, and what is proposed: messages, severities and fixes."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.instance_types.documents import read_documents
from azext_amlk8s.instance_types.fit import POSSIBLE, REFUSED, PlaceFit, TypeFit
from azext_amlk8s.instance_types.fit_findings import (
    Commands,
    contradicting_selectors,
    evaluate_fit,
    fit_views,
    pools_left_out,
    unknown_pods,
)
from azext_amlk8s.instance_types.flags import Flags, from_flags, selector_form
from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.instance_types.proposal import propose
from azext_amlk8s.instance_types.usage import in_use, users_of
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.scheduling.nodes import Taint, nodes_from_objects
from azext_amlk8s.scheduling.placement import workload_placement
from azext_amlk8s.scheduling.reasons import Obstacle, Shortage

COMMANDS = Commands("-g g -c aks", "-g g -c aks -t managedClusters -n e", "--context aks")
ANYWHERE = workload_placement({})
UNCHECKED = workload_placement({"amloperator.skipResourceValidation": "True"})
UPDATE = "az amlk8s extension update -g g -c aks -t managedClusters -n e --config"
SMALLER = "az amlk8s instance-type create --from-nodes --dry-run -g g -c aks"
DEVICE_PLUGIN = f"If the nodes have GPUs, install the device plugin:\n{UPDATE} installNvidiaDevicePlugin=True"
SHOW_LABELS = "az amlk8s instance-type show -n t -g g -c aks --query nodeSelector\nkubectl --context aks get nodes --show-labels"  # fmt: skip
CPU_SHORTAGE, GPU_SHORTAGE = Shortage("cpu", 2900, 4000), Shortage(GPU, 0, 1000)


def fits(*places: PlaceFit, **fields: Any) -> TypeFit:
    return TypeFit("t", {"cpu": 1000}, places, **fields)


def obstacle(kind: str, taint: Taint | None = None) -> Obstacle:
    return Obstacle(kind, f"has {kind}", taint)


def tainted(value: str) -> Obstacle:
    return obstacle("taint", Taint("sku", value, "NoSchedule"))


FULL = PlaceFit("pool a", ("n1",), pods=2, free=1)
NEAREST = {"nearest": "n1"}
Expected = list[tuple[str, str]]
# Case, where the type fits; ID with severity and fix of each finding but N103, which has a test of its own.
FITS: list[tuple[str, TypeFit, Expected]] = [
    ("room now", fits(FULL), []),
    ("no nodes", fits(), [("N101 warning", "kubectl --context aks get nodes")]),
    ("a selector", fits(obstacles=(obstacle("selector"),), **NEAREST), [("N101 warning", SHOW_LABELS)]),
    ("a taint with a value", fits(obstacles=(tainted("gpu"),), **NEAREST), [("N101 warning", f"{UPDATE} 'workLoadToleration[0].key=sku' 'workLoadToleration[0].operator=Equal' 'workLoadToleration[0].effect=NoSchedule' 'workLoadToleration[0].value=gpu'")]),
    ("a taint without a value", fits(obstacles=(tainted(""),), **NEAREST), [("N101 warning", f"{UPDATE} 'workLoadToleration[0].key=sku' 'workLoadToleration[0].operator=Exists' 'workLoadToleration[0].effect=NoSchedule'")]),
    ("a node that is not ready", fits(obstacles=(obstacle("state"),), **NEAREST), [("N101 warning", "")]),
    ("a GPU", fits(obstacles=(GPU_SHORTAGE,), **NEAREST), [("N101 warning", DEVICE_PLUGIN)]),
    ("CPU", fits(obstacles=(CPU_SHORTAGE,), **NEAREST), [("N101 warning", SMALLER)]),
    ("selector, GPU and CPU", fits(obstacles=(obstacle("selector"), GPU_SHORTAGE, CPU_SHORTAGE), **NEAREST), [("N101 warning", f"{SHOW_LABELS}\n{DEVICE_PLUGIN}\n{SMALLER}")]),
    ("no room now", fits(PlaceFit("pool a", pods=1)), [("N108 warning", "")]),
    ("no room now, with an autoscaler", fits(PlaceFit("pool a", pods=1, added=2)), [("N108 info", "")]),
    ("refused", fits(FULL, refused=REFUSED), [("N102 warning", SMALLER)]),
    ("perhaps refused", fits(FULL, refused=POSSIBLE), [("N102 warning", SMALLER)]),
    ("refused, with an autoscaler", fits(PlaceFit("pool a", ("n1",), 1, 1, 1), refused=REFUSED), [("N102 warning", f"{UPDATE} amloperator.skipResourceValidation=True")]),
]  # fmt: skip


@pytest.mark.parametrize(("type_fit", "expected"), [case[1:] for case in FITS], ids=[case[0] for case in FITS])
def test_finding_on_where_a_type_fits(type_fit: TypeFit, expected: Expected) -> None:
    findings = evaluate_fit([type_fit], ANYWHERE, COMMANDS)
    assert [(f"{finding.id} {finding.severity.value}", finding.fix) for finding in findings] == expected
    assert all(finding.subject == "t" for finding in findings)


def test_sizes_that_are_not_checked_refuse_nothing() -> None:
    refused = fits(FULL, refused=REFUSED)
    assert evaluate_fit([refused], UNCHECKED, COMMANDS) == []
    assert [fit_views([refused], item)[0]["refused"] for item in (ANYWHERE, UNCHECKED)] == [REFUSED, None]
    assert fit_views([fits(FULL)], ANYWHERE)[0]["refused"] is None


@pytest.mark.parametrize(
    ("refused", "added", "verb", "hint"),
    [(REFUSED, 0, "will", False), (POSSIBLE, 0, "may", False), (REFUSED, 1, "will", True)],
    ids=["refused", "perhaps refused", "with an autoscaler"],
)
def test_message_of_refused_jobs(refused: str, added: int, verb: str, hint: bool) -> None:
    (finding,) = evaluate_fit([fits(PlaceFit("a", ("n1",), 1, 1, added), refused=refused)], ANYWHERE, COMMANDS)
    assert f"Jobs of 't' {verb} be refused" in finding.message
    assert finding.message.endswith("if the size check were disabled.") is hint


def test_type_that_waits_for_new_nodes() -> None:
    places = (PlaceFit("pool a"), PlaceFit("pool b", added=2), PlaceFit("pool c", added=1))
    (finding,) = evaluate_fit([fits(*places)], ANYWHERE, COMMANDS)
    assert (finding.id, finding.severity.value) == ("N103", "info")
    assert "waits for new nodes of pool b or pool c." in finding.message
    lines = finding.fix.split("\n")
    assert lines[:2] == ["Save this as volcano-scheduler.yaml:", "  apiVersion: v1"]
    assert lines[-2:] == [
        "kubectl --context aks apply -f volcano-scheduler.yaml",
        f"{UPDATE} volcanoScheduler.schedulerConfigMap=volcano-scheduler-scale-out",
    ]


WAITING = [
    ("no place says why", (PlaceFit("pool a", pods=1),), "no node has enough free resources."),
    ("one resource", (PlaceFit("pool a", pods=1, waiting=(CPU_SHORTAGE,)),), "needs 4 CPU, at most 2.9 free on pool a."),
    ("the closest place", (PlaceFit("pool a", pods=1, waiting=(GPU_SHORTAGE, CPU_SHORTAGE)), PlaceFit("pool b", pods=1, waiting=(CPU_SHORTAGE,))), "needs 4 CPU, at most 2.9 free on pool b."),
]  # fmt: skip


@pytest.mark.parametrize(("places", "text"), [case[1:] for case in WAITING], ids=[case[0] for case in WAITING])
def test_message_of_a_type_that_waits(places: tuple[PlaceFit, ...], text: str) -> None:
    (finding,) = evaluate_fit([fits(*places)], ANYWHERE, COMMANDS)
    assert (finding.id, finding.found, finding.message) == ("N108", "0", f"No pod of 't' can run now: {text}")


def test_views_have_the_reason_of_each_place() -> None:
    places = (PlaceFit("a", obstacles=(obstacle("os"),)), PlaceFit("b", pods=1, waiting=(CPU_SHORTAGE,)))
    view = fit_views([fits(*places, obstacles=(obstacle("os"),), **NEAREST)], ANYWHERE)[0]
    assert view["nearestNode"] == "n1"
    assert view["reasons"] == [{"kind": "os", "message": "It has os."}]
    assert [[reason["kind"] for reason in place["reasons"]] for place in view["places"]] == [["os"], ["cpu"]]


SELECTORS = [
    ("the same value", {"a": "b"}, {"nodeSelector.a": "b"}, []),
    ("another label", {"a": "b"}, {"nodeSelector.c": "d"}, []),
    ("another value", {"a": "b"}, {"nodeSelector.a": "c"}, [("a=c", "a=b", f"{UPDATE} nodeSelector.a=b")]),
    ("a label with dots", {"x.io/a": "b"}, {"nodeSelector.x\\.io/a": "c"}, [("x.io/a=c", "x.io/a=b", f"{UPDATE} 'nodeSelector.x\\.io/a=b'")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("selector", "config", "expected"), [case[1:] for case in SELECTORS], ids=[case[0] for case in SELECTORS]
)
def test_contradicting_selectors(
    selector: dict[str, str], config: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    findings = contradicting_selectors([InstanceType("t", selector, {}, {})], workload_placement(config), COMMANDS)
    assert [(finding.expected, finding.found, finding.fix) for finding in findings] == expected


def test_fixes_without_a_known_cluster() -> None:
    unknown = Commands()
    assert unknown.update("a=b") == "Update the extension with: --config a=b"
    assert unknown.smaller() == "az amlk8s instance-type create --from-nodes --dry-run"
    assert unknown.kubectl("get nodes") == "kubectl get nodes"
    assert Commands(credentials="login").kubectl("get nodes") == "login\nkubectl get nodes"
    (left_out,) = pools_left_out([("pool a", (obstacle("os"), tainted("gpu")))], unknown)
    assert left_out.message == "No instance type is proposed for pool a: each node has os; has taint."
    assert left_out.fix.startswith("Update the extension with: --config 'workLoadToleration[0].key=sku'")
    (pods,) = unknown_pods("why", unknown)
    assert (pods.subject, pods.fix) == ("pods", "kubectl auth can-i list pods --all-namespaces")


def texts(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.subject, finding.message) for finding in findings]


USES = [
    ("nothing", "t", 0, [], []),
    ("one user", "t", 1, [], ["'t' is used by u0; their new pods will not start."]),
    ("eight users", "t", 8, [], ["'t' is used by u0, u1, u2, u3, u4, u5, u6, u7; their new pods will not start."]),
    ("nine users", "t", 9, [], ["'t' is used by u0, u1, u2, u3, u4, u5, u6, u7 and 1 more; their new pods will not start."]),
    ("the default of a compute", "t", 0, ["k8s"], ["'t' is the default instance type of compute 'k8s'."]),
    ("the built-in default", "defaultinstancetype", 0, [], ["Without 'defaultinstancetype' the built-in default applies again to workloads that name no instance type."]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "count", "computes", "expected"), [case[1:] for case in USES], ids=[case[0] for case in USES]
)
def test_instance_type_in_use(name: str, count: int, computes: list[str], expected: list[str]) -> None:
    findings = in_use(name, [f"u{number}" for number in range(count)], computes)
    assert texts(findings) == [(name, message) for message in expected]


def user(spec: Any, name: str = "j", namespace: str = "ns", **status: str) -> dict[str, Any]:
    return {
        "kind": "AmlJob",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "spec": spec,
        "status": status,
    }


USERS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("by name", user({"instanceType": "t"}), ["AmlJob ns/j"]),
    ("by another spelling, deep in a list", user({"a": [{"instance_type-name": "t"}]}), ["AmlJob ns/j"]),
    ("without a namespace", user({"instanceType": "t"}, namespace=""), ["AmlJob j"]),
    ("another type", user({"instanceType": "u"}), []),
    ("another key", user({"name": "t"}), []),
    ("a value that is no text", user({"instanceType": ["t"]}), []),
    ("no spec", user(None), []),
    ("ended by phase", user({"instanceType": "t"}, phase="Succeeded"), []),
    ("ended by state", user({"instanceType": "t"}, state="FAILED"), []),
    ("running", user({"instanceType": "t"}, phase="Running"), ["AmlJob ns/j"]),
]


@pytest.mark.parametrize(("obj", "expected"), [case[1:] for case in USERS], ids=[case[0] for case in USERS])
def test_users_of_an_instance_type(obj: dict[str, Any], expected: list[str]) -> None:
    assert users_of("t", [obj]) == expected


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("a=b", None),
        ("a=", None),
        ("gpu", "--node-selector agentpool=gpu"),
        ("=gpu", "--node-selector agentpool=gpu"),
        ("=x", "--node-selector agentpool=gpu"),
        ("x", "--node-selector agentpool=x"),
    ],
)
def test_form_of_node_selector(word: str, fix: str | None) -> None:
    findings = selector_form([word])
    assert [(finding.subject, finding.found, finding.fix) for finding in findings] == (
        [("--node-selector", word, fix)] if fix else []
    )


SIZES = [
    ("nothing", Flags(), False, False),
    ("limits", Flags(cpu_limit="1", memory_limit="1Gi"), True, True),
    ("requests", Flags(cpu_request="1", memory_request="1Gi"), True, True),
    ("CPU alone", Flags(cpu_limit="1"), True, False),
    ("memory alone", Flags(memory_request="1Gi"), True, False),
    ("no GPU", Flags(gpu=0), True, False),
]


@pytest.mark.parametrize(("flags", "given", "sized"), [case[1:] for case in SIZES], ids=[case[0] for case in SIZES])
def test_given_sizes(flags: Flags, given: bool, sized: bool) -> None:
    assert (flags.any, flags.sized) == (given, sized)


BASE = InstanceType("t", {"a": "b"}, {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"}, labels={"l": "v"})
CHANGES: list[tuple[str, Flags, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ("a request", Flags(cpu_request="500m"), {"cpu": "500m", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"}, {"a": "b"}),
    ("a limit", Flags(memory_limit="4Gi"), {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "4Gi"}, {"a": "b"}),
    ("a GPU", Flags(gpu=1), {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi", GPU: 1}, {"a": "b"}),
    ("other labels", Flags(node_selector=["c=d"]), {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"}, {"c": "d"}),
    ("no labels", Flags(node_selector=[]), {"cpu": "1", "memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "requests", "limits", "selector"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_options_change_only_what_is_given(
    flags: Flags, requests: dict[str, Any], limits: dict[str, Any], selector: dict[str, str]
) -> None:
    changed, _ = from_flags("t", flags, BASE)
    assert changed
    assert (changed.requests, changed.limits, changed.node_selector) == (requests, limits, selector)
    assert changed.labels == {"l": "v"}


def pool_node(name: str, *, cpu: str = "8", memory: str = "16Gi", gpu: int = 0, **labels: str) -> dict[str, Any]:
    size = {"cpu": cpu, "memory": memory, "pods": "30", **({GPU: str(gpu)} if gpu else {})}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", **labels}},
        "status": {"allocatable": size, "conditions": [{"type": "Ready", "status": "True"}]},
    }


PROPOSALS: list[tuple[str, list[dict[str, Any]], tuple[str, ...], dict[str, dict[str, Any]]]] = [
    ("the whole node", [pool_node("n", agentpool="a")], ("whole",), {"a": {"cpu": "8", "memory": "16384Mi"}}),
    ("half and quarter", [pool_node("n", agentpool="a")], ("half", "quarter"), {"a-half": {"cpu": "4", "memory": "8192Mi"}, "a-quarter": {"cpu": "2", "memory": "4096Mi"}}),
    ("half of an odd number of GPUs", [pool_node("n", gpu=3, agentpool="a")], ("half",), {}),
    ("half of two GPUs", [pool_node("n", gpu=2, agentpool="a")], ("half",), {"a-half": {"cpu": "4", "memory": "8192Mi", GPU: 1}}),
    ("one of four GPUs", [pool_node("n", gpu=4, agentpool="a")], ("gpu",), {"a-gpu": {"cpu": "2", "memory": "4096Mi", GPU: 1}}),
    ("a share for each GPU without GPUs", [pool_node("n", agentpool="a")], ("gpu",), {}),
    ("rounded down", [pool_node("n", cpu="1950m", memory="1000Mi", agentpool="a")], ("whole",), {"a": {"cpu": "1900m", "memory": "896Mi"}}),
    ("less than the smallest step", [pool_node("n", cpu="99m", agentpool="a")], ("whole",), {}),
    ("two pools with one name", [pool_node("n", agentpool="a_b"), pool_node("m", agentpool="a.b")], ("whole",), {"a-b": {"cpu": "8", "memory": "16384Mi"}, "a-b-2": {"cpu": "8", "memory": "16384Mi"}}),
    ("a label without letters", [pool_node("n", agentpool="__")], ("whole",), {"node": {"cpu": "8", "memory": "16384Mi"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("objects", "shares", "expected"), [case[1:] for case in PROPOSALS], ids=[case[0] for case in PROPOSALS]
)
def test_proposed_types(
    objects: list[dict[str, Any]], shares: tuple[str, ...], expected: dict[str, dict[str, Any]]
) -> None:
    proposed = propose(nodes_from_objects(objects), ANYWHERE, shares)
    assert {item.name: dict(item.limits) for item in proposed} == expected


HEAD = "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType\nmetadata: {name: NAME}\nspec:\n"
SIZE = "  resources: {requests: {cpu: '1', memory: 1Gi}, limits: {cpu: '1', memory: 1Gi}}\n"
TOLERATIONS = "[{key: sku, operator: Equal, value: gpu, effect: NoSchedule}, {key: x, operator: Exists}]"


def named(name: str) -> str:
    return HEAD.replace("NAME", name) + SIZE


def with_spec(spec: str) -> str:
    return f"{HEAD.replace('NAME', 't')}  {spec}\n{SIZE}"


def limited(limits: str, requests: str = "cpu: '1', memory: 1Gi") -> str:
    return f"{HEAD.replace('NAME', 't')}  resources: {{requests: {{{requests}}}, limits: {{{limits}}}}}\n"


# Case, document; ID, path, found value and fix of each finding but infos.
DOCUMENTS: list[tuple[str, str, list[tuple[str, str, str, str]]]] = [
    ("a name that is a number", named("123"), [("I110", "metadata.name", "123", 'name: "123"')]),
    ("a name that YAML reads as a Boolean", named("yes"), [("I110", "metadata.name", "yes", 'name: "yes"')]),
    ("a name with capitals", named("My_Type"), [("I110", "metadata.name", "My_Type", "name: my-type")]),
    ("no name", named("null"), [("I110", "metadata.name", "", "metadata:\n  name: cpu-small")]),
    ("the longest name", named("a" * 253), []),
    ("a longer name", named("a" * 254), [("I110", "metadata.name", "a" * 57 + "...", f"name: {'a' * 253}")]),
    ("a selector that is a list", with_spec("nodeSelector: [a]"), [("I116", "spec.nodeSelector", "", "nodeSelector: {agentpool: gpu}")]),
    ("a label value that is a number", with_spec("nodeSelector: {a: 010}"), [("I116", "spec.nodeSelector.a", "010", 'a: "010"')]),
    ("a label key that is a number", with_spec("nodeSelector: {010: a}"), [("I116", "spec.nodeSelector.8", "a", '"010": "a"')]),
    ("a label key that YAML reads as a Boolean", with_spec("nodeSelector: {yes: 1}"), [("I116", "spec.nodeSelector.True", "1", '"yes": "1"')]),
    ("a label value that is a mapping", with_spec("nodeSelector: {a: {b: c}}"), [("I116", "spec.nodeSelector.a", "a mapping", 'a: "VALUE"')]),
    ("a label value of 63 characters", with_spec(f"nodeSelector: {{a: {'b' * 63}}}"), []),
    ("tolerations", with_spec(f"tolerations: {TOLERATIONS}"), [("I122", "spec.tolerations", "", "Update the extension with: --config 'workLoadToleration[0].key=sku' 'workLoadToleration[0].operator=Equal' 'workLoadToleration[0].value=gpu' 'workLoadToleration[0].effect=NoSchedule' 'workLoadToleration[1].key=x' 'workLoadToleration[1].operator=Exists'")]),
    ("tolerations that are no list", with_spec("tolerations: x"), [("I122", "spec.tolerations", "", "Remove tolerations.")]),
    ("a misspelt key", with_spec("node_selector: {a: b}"), [("I123", "spec.node_selector", "node_selector", "nodeSelector:")]),
    ("an unknown key", with_spec("zzz: 1"), [("I123", "spec.zzz", "zzz", "")]),
    ("a placeholder", with_spec("nodeSelector: {a: <label>}"), [("I121", "spec.nodeSelector.a", "<label>", "")]),
    ("memory in MB", limited("cpu: '1', memory: 1500MB"), [("I113", "spec.resources.limits.memory", "1500MB", 'memory: "1500M"')]),
    ("CPU that is a number", limited("cpu: '1', memory: 1Gi", "cpu: 1, memory: 1Gi"), [("I114", "spec.resources.requests.cpu", "1", 'cpu: "1"')]),
    ("a request above its limit", limited("cpu: '1', memory: 1Gi", "cpu: '2', memory: 1Gi"), [("I120", "spec.resources.requests.cpu", "", 'requests:\n  cpu: "1"')]),
    ("half a GPU", limited("cpu: '1', memory: 1Gi, nvidia.com/gpu: 0.5"), [("I117", "spec.resources.limits.nvidia.com/gpu", "0.5", "nvidia.com/gpu: 1"), ("I119", "spec", "", "Add a nodeSelector with the label of the GPU pool.")]),
    ("a GPU request that differs", limited("cpu: '1', memory: 1Gi, nvidia.com/gpu: 1", "cpu: '1', memory: 1Gi, nvidia.com/gpu: 2"), [("I118", "spec.resources.requests.nvidia.com/gpu", "", "limits:\n  nvidia.com/gpu: 2"), ("I119", "spec", "", "Add a nodeSelector with the label of the GPU pool.")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in DOCUMENTS], ids=[case[0] for case in DOCUMENTS])
def test_finding_on_a_document(text: str, expected: list[tuple[str, str, str, str]]) -> None:
    _, findings = read_documents(text, "t.yaml")
    reported = [finding for finding in findings if finding.severity is not Severity.INFO]
    assert [
        (finding.id, finding.subject.split("(")[-1].rstrip(")"), finding.found, finding.fix) for finding in reported
    ] == expected
