"""The parts of a check: words, the picture, the judgement of facts that no sandbox can be brought to."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.checks import CHECKS, Facts, Place, Result, Status, UnknownWord, Unseen, chosen, judged, report
from azext_amlk8s.checks.subscription import allows
from azext_amlk8s.console.check_console import Picture

AKS = Place("s", "g", "managedClusters", "c", workspace="w", workspace_group="g")
ARC = Place("s", "g", "connectedClusters", "c", workspace="w", workspace_group="g")
BY_ID = {one.id: one for one in CHECKS}
CLUSTER = {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c", "name": "c", "location": "eastus", "properties": {}}  # fmt: skip


def found(check: str, place: Place = AKS, **facts: Any) -> list[str]:
    """The messages of a check on these facts."""
    one = judged(BY_ID[check], Facts(place, **facts), {})
    return [finding.message for finding in one.findings]


VERSIONS: list[tuple[str, list[str]]] = [
    ("2.75.0", []),
    ("2.91.0", []),
    ("3.0", []),
    ("2.75.0rc1", []),
    ("2.51.0", ["The Azure CLI has version 2.51.0, and 2.75.0 is needed."]),
    ("2.9.9", ["The Azure CLI has version 2.9.9, and 2.75.0 is needed."]),
]


@pytest.mark.parametrize(("version", "messages"), VERSIONS, ids=[one[0] for one in VERSIONS])
def test_the_version_of_the_cli(version: str, messages: list[str]) -> None:
    assert found("K101", cli=version) == messages


def test_the_version_is_the_one_that_az_itself_asks_of_us() -> None:
    import json

    from azext_amlk8s import knowledge
    from tests.conftest import ROOT

    metadata = json.loads((ROOT / "azext_amlk8s/azext_metadata.json").read_text())
    assert knowledge.load("checks")["cli"]["oldest"] == metadata["azext.minCliCoreVersion"]


WRITE = "Microsoft.KubernetesConfiguration/extensions/write"
PERMISSIONS: list[tuple[str, Any, bool]] = [
    ("everything", [{"actions": ["*"], "notActions": []}], True),
    ("nothing", [], False),
    ("no list at all", None, False),
    ("by name, in other letters", [{"actions": [WRITE.upper()]}], True),
    ("by a pattern", [{"actions": ["Microsoft.KubernetesConfiguration/*"]}], True),
    ("reading alone", [{"actions": ["*/read"]}], False),
    ("everything but this", [{"actions": ["*"], "notActions": ["Microsoft.KubernetesConfiguration/extensions/*"]}], False),
    ("another role grants what one excepts", [{"actions": ["*"], "notActions": [WRITE]}, {"actions": [WRITE], "notActions": []}], True),
    ("a dot is a dot", [{"actions": ["MicrosoftXKubernetesConfiguration/*"]}], False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "permissions", "allowed"), PERMISSIONS, ids=[one[0] for one in PERMISSIONS])
def test_permissions(name: str, permissions: Any, allowed: bool) -> None:
    assert allows(permissions, WRITE) is allowed


def test_types_that_a_compute_does_not_know_yet() -> None:
    compute = {"name": "k8s", "properties": {"computeType": "Kubernetes", "resourceId": CLUSTER["id"], "provisioningState": "Succeeded", "properties": {"instanceTypes": {"old": {}}}}}  # fmt: skip
    types = [{"metadata": {"name": "old"}}, {"metadata": {"name": "new"}}]
    assert found("K607", cluster=CLUSTER, workspace={}, computes=[compute], instance_types=types) == [
        "The compute k8s does not know the instance types new of the cluster."
    ]


def test_what_rests_on_the_unseen_is_left_out() -> None:
    one = judged(BY_ID["K303"], Facts(AKS, nodes=Unseen("nobody may")), {"nodes": Unseen("nobody may")})
    assert (one.status, one.note, one.findings) == (Status.SKIPPED, "nobody may", ())


def test_ids_are_unique_and_every_check_says_what_it_requires() -> None:
    assert len(BY_ID) == len(CHECKS)
    for one in CHECKS:
        assert one.rule.what.endswith(".") and one.rule.source.startswith("https://")
        assert set(one.facts) <= set(Facts.__dataclass_fields__)


@pytest.mark.parametrize("place", [AKS, ARC], ids=["AKS", "Arc"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "installed"])
def test_facts_that_are_empty_are_judged(place: Place, before: bool) -> None:
    """No fact that Azure or the cluster leaves out breaks a check."""
    from dataclasses import replace

    place = replace(place, before=before)
    for one in chosen(place):
        empty: dict[str, Any] = dict.fromkeys(one.facts, [])
        empty |= {name: {} for name in ("workspace", "health", "agents", "constraints", "feature", "relay") if name in empty}  # fmt: skip
        empty |= {"cluster": CLUSTER} if "cluster" in empty else {}
        judged(one, Facts(place, **empty), {})


THING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=6),
    lambda more: st.lists(more, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["gateway", "gateway-1", "azureml-fe", "nmi", "ext-kube-state-metrics", "x"])
OBJECT = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"name": NAMES}, optional={"namespace": st.sampled_from(["azureml", "azure-arc", "x"]), "labels": st.none()})},
    optional={"spec": st.none() | st.dictionaries(st.sampled_from(["replicas", "nodeName"]), st.none() | st.integers(0, 3)), "status": st.none() | st.dictionaries(st.sampled_from(["phase", "readyReplicas", "replicas"]), st.none() | st.integers(0, 3)), "kind": st.sampled_from(["Deployment", "DaemonSet"])},
)  # fmt: skip


@given(st.lists(OBJECT, max_size=4), st.lists(OBJECT, max_size=3), st.lists(OBJECT, max_size=2))
def test_whatever_the_cluster_answers_is_judged(controllers: list[Any], pods: list[Any], nodes: list[Any]) -> None:
    extension = {"name": "ext", "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "configurationSettings": {"enableTraining": "true", "enableInference": "TRUE"}}}  # fmt: skip
    told = {"controllers": controllers, "pods": pods, "nodes": nodes, "extensions": [extension], "events": [], "cluster": CLUSTER}  # fmt: skip
    for one in CHECKS:
        if set(one.facts) <= set(told):
            judged(one, Facts(AKS, **{name: told[name] for name in one.facts}), {})


WORDS: list[tuple[str, str]] = [
    ("componets", "components"),
    ("k404x", "K404"),
    ("extnsion", "extension"),
    ("zzzzz", ""),
]


@pytest.mark.parametrize(("word", "nearest"), WORDS, ids=[one[0] for one in WORDS])
def test_a_word_that_is_none(word: str, nearest: str) -> None:
    with pytest.raises(UnknownWord) as raised:
        chosen(AKS, only=[word])
    assert raised.value.nearest == nearest


# The picture.


class Paper(io.TextIOWrapper):
    """A stream of an encoding, and what was written on it."""

    def __init__(self, encoding: str) -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding)

    def text(self) -> str:
        self.flush()
        return self.raw_bytes.getvalue().decode(self.encoding)


def drawn(encoding: str = "utf-8", **how: Any) -> str:
    """A run of one check that passes, one that warns, one that fails and one that is left out."""
    paper = Paper(encoding)
    picture = Picture(paper, AKS, **{"terminal": False, "colour": False, "brief": False, **how})
    nodes = [{"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}]
    outcomes = (
        judged(BY_ID["K101"], Facts(AKS, cli="2.91.0"), {}),
        judged(BY_ID["K303"], Facts(AKS, nodes=nodes), {}),
        judged(BY_ID["K401"], Facts(AKS, extensions=[]), {}),
        judged(BY_ID["K404"], Facts(AKS, extensions=[]), {}),
    )
    for one in outcomes:
        picture.begin(one.check)
        picture.note(one)
    picture.end(Result(outcomes))
    return paper.text()


def test_the_picture() -> None:
    assert drawn().splitlines()[:12] == [
        "You and your subscription",
        "-------------------------",
        "√ The Azure CLI is recent enough.",
        "",
        "The cluster itself",
        "------------------",
        "‼ Every node is Ready.",
        "    ‼ The node n is not Ready. [K303]",
        "      expected: Ready; found: is not Ready",
        "      > kubectl describe node n",
        "      see https://kubernetes.io/docs/concepts/architecture/nodes/",
        "",
    ]
    assert "- The cluster knows instance types. (not checked: the extension is not there)" in drawn()
    assert drawn().splitlines()[-1] == "× c is not healthy: 1 error and 1 warning. 1 check could not be made."


def test_the_picture_where_marks_cannot_be_written() -> None:
    text = drawn("ascii")
    assert "ok The Azure CLI is recent enough." in text
    assert "!! Every node is Ready." in text and "XX The cluster has the extension." in text


def test_the_picture_on_a_terminal() -> None:
    """What is being looked at stands there until it is known; marks have colours."""
    text = drawn(terminal=True, colour=True)
    assert "  Every node is Ready.\r\x1b[K\x1b[33m‼\x1b[0m Every node is Ready." in text


def test_the_picture_of_errors_alone() -> None:
    lines = drawn(brief=True).splitlines()
    assert lines[0] == "× The cluster has the extension."
    assert not any("Ready" in line for line in lines)


def test_the_report_has_the_errors_first() -> None:
    outcomes = (
        judged(BY_ID["K303"], Facts(AKS, nodes=[{"metadata": {"name": "n"}, "spec": {"unschedulable": True}}]), {}),
        judged(BY_ID["K401"], Facts(AKS, extensions=[]), {}),
    )
    told = report(AKS, Result(outcomes))
    assert [one["severity"] for one in told["findings"]] == ["error", "warning"]
    assert told["summary"]["verdict"] == "c is not healthy: 1 error and 1 warning."
    assert [one["id"] for one in told["categories"]] == ["cluster", "extension"]
