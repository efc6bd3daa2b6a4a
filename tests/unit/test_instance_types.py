"""Instance types: documents, options, comparison of cluster and compute, changes; real files where they are available."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.instance_types import yaml_documents
from azext_amlk8s.instance_types.changes import applied_view, conflicts_of, is_managed_by, leftover_fields
from azext_amlk8s.instance_types.comparison import COMPARISON_RULES, Comparison, differences, size_of_default
from azext_amlk8s.instance_types.conversion import as_list, convert
from azext_amlk8s.instance_types.documents import Text, read_documents
from azext_amlk8s.instance_types.flags import Flags, from_flags
from azext_amlk8s.instance_types.model import InstanceType, types_of_compute
from azext_amlk8s.instance_types.resource_rules import correct_quantity
from azext_amlk8s.instance_types.rules import NAME, correct_name
from azext_amlk8s.instance_types.usage import users_of
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.scheduling.quantities import amount

SMALL = {"cpu": "1", "memory": "2Gi"}


def ids(findings: Any, *severities: Severity) -> list[str]:
    """The ids of errors and warnings, or of these severities."""
    wanted = severities or (Severity.ERROR, Severity.WARNING)
    return [finding.id for finding in findings if finding.severity in wanted]


def document(**over: Any) -> dict[str, Any]:
    spec = {
        "resources": {"requests": {**SMALL, **over.get("requests", {})}, "limits": {**SMALL, **over.get("limits", {})}}
    }
    spec |= {"nodeSelector": over["selector"]} if "selector" in over else {}
    return {
        "apiVersion": "amlarc.azureml.com/v1alpha1",
        "kind": "InstanceType",
        "metadata": {"name": over.get("name", "small")},
        "spec": spec,
    }


def read(told: Any) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    return read_documents(told if isinstance(told, str) else yaml.safe_dump(told), "t.yaml")


CORPUS = {
    # file: the types in it, the rules that speak against it, the remarks
    "aks-ib-cluster-default.yaml": (["defaultinstancetype"], ["I115"], ["I124"]),
    "arc-guide-gpuinstance.yaml": (["gpuinstance"], [], []),
    "docs-list.yaml": (["cpusmall", "defaultinstancetype"], [], ["I126", "I126", "I124", "I126", "I126"]),
    "docs-single.yaml": (["myinstancetypename"], [], ["I126", "I126"]),
    "federated-learning.yaml": (["computeinstancetype"], [], []),
    "mlnotebooks-issue-1900.yaml": (["standard-nc4", "standard-cpuproc"], ["I129"], ["I126"]),
    "physical-ai-example.yaml": (["defaultinstancetype", "gpuspot"], [], ["I124"]),
    "physical-ai-gpu-single.yaml": (["gpuinstancetype"], [], []),
    "physical-ai-multi-doc.yaml": (
        ["defaultinstancetype", "gpuspot", "gpu", "gpuspot2", "gpu2", "gpuspot4", "gpu4"],
        [],
        ["I124"],
    ),
    "platform-doc-cpu-large.yaml": (["cpu-large"], [], []),
    "robotics-script-flow-style-list.yaml": (["defaultinstancetype", "gpuspot"], [], ["I124"]),
    "script-tolerations-small.yaml": (["small-cpu-model"], ["I111", "I122"], []),
}
CONVERTED = {
    # attach configurations and ARM bodies: the types they become, what is said of them
    "aml-kubernetes-2021-attach.yaml": (["gpu-instance", "big-cpu-sku"], ["I109", "I109", "I109"]),
    "docs-2021-attach-config-default.json": (["defaultinstancetype"], ["I109"]),
    "docs-2021-attach-config.json": (["gpu-instance", "big-cpu-sku"], ["I109", "I109", "I109"]),
    "arm-put-kubernetes.json": (["defaultinstancetype"], ["I109"]),
}


class TestCorpus:
    """Public files."""

    @pytest.mark.parametrize("name", CORPUS)
    def test_findings_on_a_public_file(self, name: str, shared: Path) -> None:
        text = (shared / "corpus/instance-types" / name).read_text(encoding="utf-8")
        types, findings = read(text)
        assert ([kind.name for kind in types], ids(findings), ids(findings, Severity.INFO)) == CORPUS[name]

    def test_every_public_file_has_an_expectation(self, shared: Path) -> None:
        assert {file.name for file in (shared / "corpus/instance-types").iterdir()} == set(CORPUS)

    @pytest.mark.parametrize("name", CORPUS)
    def test_written_document_reads_the_same(self, name: str, shared: Path) -> None:
        types, _ = read((shared / "corpus/instance-types" / name).read_text(encoding="utf-8"))
        again, findings = read(json.dumps(as_list(types)))
        assert (again, [identifier for identifier in ids(findings) if identifier not in ("I115", "I129")]) == (
            types,
            [],
        )

    @pytest.mark.parametrize("name", CONVERTED)
    def test_old_formats_are_converted(self, name: str, shared: Path) -> None:
        types, findings = convert([Text(name, (shared / "corpus/computes" / name).read_text(encoding="utf-8"))])
        assert ([kind.name for kind in types], ids(findings)) == CONVERTED[name]
        assert ids(read(as_list(types))[1], Severity.ERROR) == []


class TestRules:
    """The rules on a document."""

    @pytest.mark.parametrize(
        ("told", "rules"),
        [
            (document(), []),
            (document(name=""), ["I110"]),
            (document(name="a_b"), ["I110"]),
            (document(name="a" * 254), ["I110"]),
            (document(name="a.b-c"), []),
            (document(name=7), ["I110"]),
            (document(requests={"cpu": ""}), ["I112"]),
            (document(requests={"cpu": None}), ["I112"]),
            (document(requests={"cpu": "0"}), ["I113"]),
            (document(requests={"cpu": "-1"}), ["I113"]),
            (document(requests={"cpu": True}), ["I113"]),
            (document(requests={"cpu": [1]}), ["I113"]),
            (document(requests={"cpu": 1}), ["I114"]),
            (document(requests={"cpu": 0.5}), ["I114"]),
            (document(requests={"cpu": "100m"}), []),
            (document(requests={"cpu": "1500u"}), []),
            (document(requests={"memory": "2gi"}), ["I113"]),
            (document(requests={"cpu": "1001m"}), ["I120"]),
            (document(requests={"memory": "2049Mi"}), ["I120"]),
            (document(requests={"memory": "2048Mi"}), []),
            (document(limits={"nvidia.com/gpu": 0}), []),
            (document(limits={"nvidia.com/gpu": None}), []),
            (document(limits={"nvidia.com/gpu": "1"}, selector={"a": "b"}), []),
            (document(limits={"nvidia.com/gpu": "500m"}, selector={"a": "b"}), ["I117"]),
            (document(limits={"nvidia.com/gpu": -1}, selector={"a": "b"}), ["I117"]),
            (document(limits={"nvidia.com/gpu": 1}), ["I119"]),
            (document(requests={"nvidia.com/gpu": 1}, selector={"a": "b"}), ["I118"]),
            (document(requests={"nvidia.com/gpu": 1}, limits={"nvidia.com/gpu": 2}, selector={"a": "b"}), ["I118"]),
            (document(requests={"nvidia.com/gpu": 1}, limits={"nvidia.com/gpu": 1}, selector={"a": "b"}), ["I128"]),
            (document(requests={"nvidia.com/gpu": 0}), []),
            (document(limits={"ephemeral-storage": "10Gi"}), ["I115"]),
            (document(limits={"amd.com/gpu": 1}), ["I115"]),
            (document(selector={"gpuNode": "true"}), ["I129"]),
            (document(selector={"gpuNode": "false"}), []),
            (document(selector={"node.kubernetes.io/instance-type": "Standard_NC6s_v3"}), ["I129"]),
            (document(selector={"agentpool": "gpu"}, limits={"nvidia.com/mig-1g.5gb": 1}), ["I115"]),
            (document(selector={"a": True}), ["I116"]),
            (document(selector={"a": 1}), ["I116"]),
            (document(selector={1: "a"}), ["I116"]),
            (document(selector=["a"]), ["I116"]),
            (document(selector={"a": "x y"}), ["I130"]),
            (document(selector={"a": "<pool>"}), ["I121"]),
            (document(requests={"cpu": "<cpu>"}), ["I121"]),
        ],
        ids=lambda value: (
            json.dumps(value.get("spec", {}), default=str)[:90] + str(value["metadata"]["name"])[:5]
            if isinstance(value, dict)
            else ""
        ),
    )
    def test_rule(self, told: dict[str, Any], rules: list[str]) -> None:
        found = read(told)[1]
        assert ids(found) == rules
        assert all(finding.subject.startswith("t.yaml:") and finding.source for finding in found)

    def test_labels_and_annotations_are_kept(self) -> None:
        told = document()
        told["metadata"] |= {"labels": {"team": "one"}, "annotations": {"why": "because"}}
        (item,), _ = read(told)
        assert item.to_object()["metadata"] == told["metadata"]

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [
            ("500MB", "500M"),
            ("4gb", "4G"),
            ("2gi", "2Gi"),
            ("16 GiB", "16Gi"),
            ("1kb", "1k"),
            ("1KiB", "1Ki"),
            ("a lot", ""),
        ],
    )
    def test_corrected_memory(self, wrong: str, right: str) -> None:
        assert correct_quantity("memory", wrong) == right

    @given(st.text(max_size=300))
    def test_corrected_name_is_valid(self, word: str) -> None:
        made = correct_name(word)
        assert NAME.match(made) or ".." in made or ".-" in made or "-." in made
        assert len(made) <= 253


class TestText:
    """Texts that are no documents, and positions in documents."""

    @given(st.text(alphabet=" :{}[]-&*!|>'\"%@`#,?\n\tab1\x00é", max_size=60))
    def test_any_text_is_read_without_exception(self, text: str) -> None:
        read(text)

    @pytest.mark.parametrize(
        "text",
        [
            "[" * 3000,
            "a: &a [*a]\n",
            "? [a]\n: b\n",
            "!!python/object:os.system {}\n",
            "a: 2024-13-45\n",
            "\x00",
            "<<: 1\n",
        ],
    )
    def test_unusual_yaml_is_a_finding(self, text: str) -> None:
        assert ids(read(text)[1], Severity.ERROR)

    def test_aliases_that_multiply_are_rejected(self) -> None:
        lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
        assert ids(read("\n".join(lines))[1]) == ["I101"]

    def test_positions_of_findings(self) -> None:
        (item,) = yaml_documents.read("a:\n  - b: {c: 1}\n", "f")
        assert item.place("a", 0, "b", "c") == "f:2:12 (a.0.b.c)"
        assert item.place("a", 0, "x") == "f:2:5 (a.0.x)"
        assert item.part("a", 0).place("b") == "f:2:5 (b)" or item.part("a", 0).place("b") == "f:2:8 (b)"


class TestQuantities:
    """The grammar; tests/contract compares it with a real API server."""

    @pytest.mark.parametrize(
        ("told", "number"),
        [
            *(
                ("1n", "0.001"),
                ("1u", "0.001"),
                ("1500u", "0.002"),
                ("100m", "0.1"),
                (".5", "0.5"),
                ("1.", "1"),
                ("1e3", "1000"),
            ),
            *(
                ("1E3", "1000"),
                ("1E", "1e18"),
                ("1Ki", "1024"),
                ("1.5Gi", "1610612736"),
                ("16Ei", "9223372036854775807"),
            ),
            *((1, "1"), (0.25, "0.25"), ("-1", "-1"), ("+1", "1"), ("0.0001", "0.001")),
        ],
    )
    def test_valid_quantity(self, told: Any, number: str) -> None:
        assert amount(told) == Decimal(number)

    @pytest.mark.parametrize(
        "told", ["", "1K", "1ki", "1MB", "1Zi", "1e", "1e3Ki", "1_0", "١", "NaN", "1 2", None, True, [1]]
    )
    def test_invalid_quantity(self, told: Any) -> None:
        assert amount(told) is None


class TestFlags:
    """Options."""

    def test_missing_request_is_the_limit_and_vice_versa(self) -> None:
        made, _ = from_flags("t", Flags(cpu_request="1", memory_limit="2Gi"))
        assert made is not None
        assert (made.requests, made.limits) == (SMALL, SMALL)

    def test_options_change_a_base(self) -> None:
        base = InstanceType("t", {"a": "b"}, SMALL, {**SMALL, "nvidia.com/gpu": 1}, {"team": "one"})
        made, _ = from_flags("t", Flags(cpu_limit="2", gpu=0), base)
        assert made == InstanceType("t", {"a": "b"}, SMALL, {**SMALL, "cpu": "2", "nvidia.com/gpu": 0}, {"team": "one"})


def sides(ours: dict[str, Any] | None, theirs: dict[str, Any] | None, version: str = "") -> Comparison:
    def types(told: dict[str, Any] | None) -> dict[str, InstanceType] | None:
        return None if told is None else {key: InstanceType(key, {}, value, value) for key, value in told.items()}

    return Comparison(types(ours), types(theirs), version)


class TestComparison:
    """Instance types of the cluster and of the compute."""

    @pytest.mark.parametrize(
        ("ours", "theirs", "where", "rules"),
        [
            (
                {"t": SMALL},
                {"t": {"cpu": "1000m", "memory": "2048Mi"}},
                {"t": "both", "defaultinstancetype": "built-in"},
                [],
            ),
            ({"t": SMALL}, {"t": {**SMALL, "cpu": "2"}}, {"t": "differs", "defaultinstancetype": "built-in"}, ["I142"]),
            ({"t": SMALL}, {}, {"t": "cluster only", "defaultinstancetype": "built-in"}, ["I140"]),
            ({}, {"t": SMALL}, {"t": "compute only", "defaultinstancetype": "built-in"}, ["I141"]),
            ({"t": SMALL}, None, {"t": "cluster", "defaultinstancetype": "built-in"}, []),
            (None, {"t": SMALL}, {"t": "compute", "defaultinstancetype": "built-in"}, []),
            ({}, {"defaultinstancetype": SMALL}, {"defaultinstancetype": "built-in"}, []),
            ({"defaultinstancetype": SMALL}, {"defaultinstancetype": SMALL}, {"defaultinstancetype": "both"}, []),
        ],
    )
    def test_source_of_a_type(self, ours: Any, theirs: Any, where: dict[str, str], rules: list[str]) -> None:
        made = sides(ours, theirs)
        assert {view["name"]: view["where"] for view in made.views()} == where
        assert ids([item for each in COMPARISON_RULES for item in each(made, "k8s", "")]) == rules

    @pytest.mark.parametrize(
        ("ours", "theirs", "version", "name", "expected"),
        [
            ({"t": SMALL}, None, "", "t", {"requests": SMALL, "where": "cluster", "valuesFrom": "cluster"}),
            (None, {"t": SMALL}, "", "t", {"limits": SMALL, "where": "compute", "valuesFrom": "compute"}),
            ({"t": SMALL}, {"t": SMALL}, "", "t", {"where": "both", "valuesFrom": "cluster", "differences": []}),
            ({"t": SMALL}, {}, "", "t", {"builtIn": False, "differences": []}),
            (
                {"t": SMALL},
                {"t": {**SMALL, "cpu": "2"}},
                "",
                "t",
                {
                    "differences": [
                        {"field": "resources.requests.cpu", "cluster": "1", "compute": "2"},
                        {"field": "resources.limits.cpu", "cluster": "1", "compute": "2"},
                    ]
                },
            ),
            ({}, None, "", "defaultinstancetype", {"builtIn": True, "valuesFrom": "unknown", "requests": {}}),
            (
                {},
                None,
                "1.1.71",
                "defaultinstancetype",
                {
                    "valuesFrom": "documentation",
                    "requests": {"cpu": "100m", "memory": "2Gi"},
                    "limits": {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": None},
                },
            ),
        ],
    )
    def test_view(self, ours: Any, theirs: Any, version: str, name: str, expected: dict[str, Any]) -> None:
        view = sides(ours, theirs, version).view(name)
        assert {key: view[key] for key in expected} == expected
        assert ("differences" in view) == (ours is not None and theirs is not None)

    @pytest.mark.parametrize(
        ("before", "after", "found"),
        [
            ("x", "x", []),
            ("x", "y", [("resources.limits.cpu", "x", "y")]),
            (None, "y", [("resources.limits.cpu", None, "y")]),
            ("1", "y", [("resources.limits.cpu", "1", "y")]),
            ("1", "1000m", []),
            ("0", None, []),
        ],
    )
    def test_differences_of_amounts(self, before: Any, after: Any, found: list[tuple[str, Any, Any]]) -> None:
        types = (InstanceType("t", {"a": "1"}, {}, {"cpu": value}) for value in (before, after))
        assert list(differences(*types)) == found

    def test_differences_of_node_selectors(self) -> None:
        ours, arm = InstanceType("t", {"a": "1"}, {}, {}), InstanceType("t", {"a": "01"}, {}, {})
        assert list(differences(ours, arm)) == [("nodeSelector.a", "1", "01")]

    @pytest.mark.parametrize("nothing", [{"nvidia.com/gpu": 0}, {"nvidia.com/gpu": None}, {"nvidia.com/gpu": "0"}])
    def test_absent_gpu_is_no_difference(self, nothing: dict[str, Any]) -> None:
        assert not list(
            differences(InstanceType("t", {}, SMALL, SMALL), InstanceType("t", {}, SMALL, {**SMALL, **nothing}))
        )

    @pytest.mark.parametrize(
        ("version", "cpu"),
        [
            ("1.1.71", "2"),
            ("1.1.19", "2"),
            ("1.1.18", "2"),
            ("1.1.16", "2"),
            ("1.1.15", "0.6"),
            ("", None),
            ("new", None),
            ("0.9.1", None),
        ],
    )
    def test_size_of_the_default_type(self, version: str, cpu: str | None) -> None:
        assert (size_of_default(version).get("limits") or {}).get("cpu") == cpu

    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"properties": None},
            {"properties": {"properties": None}},
            {"properties": {"properties": {"instanceTypes": {"a": None}}}},
        ],
    )
    def test_missing_parts_of_a_compute_are_empty(self, told: dict[str, Any]) -> None:
        assert all(not item.limits for item in types_of_compute(told).values())


class TestChanges:
    """Changes of an apply."""

    def test_created_changed_unchanged(self) -> None:
        before, after = document(), document(limits={"cpu": "2"})
        assert applied_view(None, after)["action"] == "created"
        assert applied_view(after, after)["action"] == "unchanged"
        made = applied_view(before, after)
        assert (made["action"], made["changes"]) == (
            "changed",
            [{"field": "spec.resources.limits.cpu", "before": "1", "after": "2"}],
        )

    def test_managers_of_a_conflict(self) -> None:
        causes = (('conflict with "kubectl" using v1', ".spec.nodeSelector"), ("strange", ".spec"))
        assert conflicts_of(causes) == [("kubectl", "spec.nodeSelector"), ("strange", "spec")]

    def test_is_managed_by(self) -> None:
        entries = [{"manager": "a", "operation": "Update"}, {"manager": "b", "operation": "Apply"}]
        obj = {"metadata": {"managedFields": entries}}
        assert (is_managed_by(obj, "a"), is_managed_by(obj, "b"), is_managed_by({}, "b")) == (False, True, False)

    def test_fields_of_other_managers_are_reported(self) -> None:
        instance_type = InstanceType("small", {}, SMALL, SMALL)
        assert ids(leftover_fields(instance_type, document(selector={"a": "b"}))) == ["I145"]
        assert ids(leftover_fields(instance_type, document())) == []


class TestUsage:
    """Objects that name a type and have not ended."""

    @pytest.mark.parametrize(
        ("obj", "uses"),
        [
            ({"spec": {"instanceType": "t"}}, True),
            ({"spec": {"roles": [{"template": {"instance_type": "t"}}]}}, True),
            ({"spec": {"instanceTypeName": "t"}}, True),
            ({"spec": {"instanceType": "u"}}, False),
            ({"spec": {"name": "t"}}, False),
            ({"spec": {"instanceType": "t"}, "status": {"state": "Failed"}}, False),
            ({"spec": {"instanceType": "t"}, "status": {"phase": "Running"}}, True),
            ({"spec": None}, False),
        ],
    )
    def test_object_uses_a_type(self, obj: dict[str, Any], uses: bool) -> None:
        told = {"kind": "AMLJob", "metadata": {"namespace": "n", "name": "j"}, **obj}
        assert users_of("t", [told]) == (["AMLJob n/j"] if uses else [])
