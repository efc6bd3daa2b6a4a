"""Which nodes run which instance types: named cases, and a comparison with a calculation pod by pod."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_amlk8s.instance_types.fit import fit
from azext_amlk8s.instance_types.fit_findings import Commands, contradicting_selectors, evaluate_fit, fit_views
from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.instance_types.proposal import propose
from azext_amlk8s.rules import Severity
from azext_amlk8s.scheduling.nodes import Node, Taint, nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement, Toleration, workload_placement
from azext_amlk8s.scheduling.pools import Size, nodes_from_pools

SPOT = {"key": "kubernetes.azure.com/scalesetpriority", "value": "spot", "effect": "NoSchedule"}


def node(
    name: str = "n1", *, cpu: str = "4", memory: str = "16Gi", gpu: int = 0, ready: str = "True", **more: Any
) -> dict[str, Any]:
    """A Node object as a cluster serves it."""
    size = {"cpu": cpu, "memory": memory, "pods": "30", **({"nvidia.com/gpu": str(gpu)} if gpu else {})}
    spec = {key: more[key] for key in ("taints", "unschedulable") if key in more}
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": more.get("os", "linux"), **more.get("labels", {})}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": size, "conditions": [{"type": "Ready", "status": ready}]},
    }


def pod(on: str, *, cpu: str = "0", memory: str = "0", owner: str = "ReplicaSet", **more: Any) -> dict[str, Any]:
    """A Pod object with one container."""
    return {
        "metadata": {"ownerReferences": [{"kind": owner}]},
        "spec": {
            "nodeName": on,
            "containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}],
            **more.get("spec", {}),
        },
        "status": {"phase": more.get("phase", "Running")},
    }


def one_type(cpu: str = "1", memory: str = "1Gi", gpu: int | None = None, **selector: str) -> InstanceType:
    size = {"cpu": cpu, "memory": memory}
    return InstanceType(
        "t", {key.replace("_", "."): value for key, value in selector.items()}, size, {**size, "nvidia.com/gpu": gpu}
    )


def measured(
    instance_type: InstanceType, *objects: dict[str, Any], pods: tuple[dict[str, Any], ...] = (), **told: str
) -> Any:
    (found,) = fit([instance_type], nodes_from_objects(objects, pods), workload_placement(told))
    return found


class TestNumberOfPods:
    """Pods at once on nodes with enough resources."""

    @pytest.mark.parametrize(
        ("why", "instance_type", "objects", "pods"),
        [
            ("cpu is the tightest", one_type("1", "1Gi"), [node()], 4),
            ("memory is the tightest", one_type("100m", "5Gi"), [node()], 3),
            ("gpu is the tightest", one_type("100m", "1Gi", 1), [node(gpu=2)], 2),
            ("the number of pods is the tightest", one_type("1m", "1Mi"), [node()], 30),
            ("several nodes add up", one_type("1", "1Gi"), [node("a"), node("b", cpu="2")], 6),
            ("a millicore too much", one_type("2001m", "1Gi"), [node()], 1),
            ("exactly the node", one_type("4", "16Gi"), [node()], 1),
            ("decimal and binary units", one_type("1", "1G"), [node(memory="1Gi")], 1),
            ("GPU null is none", one_type("1", "1Gi", None), [node()], 4),
            ("GPU 0 is none", one_type("1", "1Gi", 0), [node()], 4),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_pods(self, why: str, instance_type: InstanceType, objects: list[dict[str, Any]], pods: int) -> None:
        assert measured(instance_type, *objects).pods == pods

    def test_daemon_sets_reduce_the_capacity_and_other_pods_the_free_capacity(self) -> None:
        taken = (pod("n1", cpu="500m", owner="DaemonSet"), pod("n1", cpu="500m", owner="Node"), pod("n1", cpu="2"))
        found = measured(one_type(), node(), pods=taken)
        assert (found.pods, found.free) == (3, 1)

    def test_pods_that_have_ended_use_nothing(self) -> None:
        found = measured(
            one_type(), node(), pods=(pod("n1", cpu="4", phase="Succeeded"), pod("n1", cpu="4", phase="Failed"))
        )
        assert found.free == 4

    def test_largest_init_container_counts_and_sidecars_are_added(self) -> None:
        init = [{"resources": {"requests": {"cpu": "3"}}}, {"resources": {"requests": {"cpu": "2"}}}]
        assert measured(one_type(), node(), pods=(pod("n1", cpu="1", spec={"initContainers": init}),)).free == 1
        stays = [{"restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}}]
        assert measured(one_type(), node(), pods=(pod("n1", cpu="1", spec={"initContainers": stays}),)).free == 2

    def test_limit_without_a_request_is_the_request(self) -> None:
        assert measured(InstanceType("t", {}, {"memory": "1Gi"}, {"cpu": "2", "memory": "2Gi"}), node()).pods == 2


class TestObstacles:
    """Obstacles, and the nearest node."""

    @pytest.mark.parametrize(
        ("instance_type", "objects", "kinds", "says"),
        [
            (one_type("8"), [node()], ["cpu"], "has 4 CPU, 8 requested"),
            (one_type("1", "32Gi"), [node()], ["memory"], "has 16Gi memory, 32Gi requested"),
            (one_type("8", "32Gi"), [node()], ["cpu", "memory"], "has 4 CPU"),
            (one_type(gpu=1), [node()], ["nvidia.com/gpu"], "has no GPU, 1 requested"),
            (one_type(gpu=4), [node(gpu=2)], ["nvidia.com/gpu"], "has 2 GPU"),
            (one_type(agentpool="gpu"), [node()], ["selector"], "lacks the label agentpool=gpu"),
            (one_type(a="1"), [node(labels={"a": "2"})], ["selector"], "(it has a=2)"),
            (one_type(), [node(taints=[SPOT])], ["taint"], "scalesetpriority=spot:NoSchedule"),
            (one_type(), [node(taints=[{"key": "x", "effect": "NoExecute"}])], ["taint"], "the taint x:NoExecute,"),
            (one_type(), [node(os="windows")], ["os"], "runs Windows"),
            (one_type(), [node(ready="Unknown")], ["state"], "is not Ready"),
            (one_type(), [node(unschedulable=True)], ["state"], "is cordoned"),
        ],
    )
    def test_obstacle(
        self, instance_type: InstanceType, objects: list[dict[str, Any]], kinds: list[str], says: str
    ) -> None:
        found = measured(instance_type, *objects)
        assert (found.pods, found.nearest) == (0, "n1")
        assert [obstacle.kind for obstacle in found.obstacles] == kinds
        assert says in found.obstacles[0].phrase

    @pytest.mark.parametrize(
        "taint",
        [
            {"key": "ml.azure.com/amlarc", "value": "any", "effect": "NoSchedule"},
            {"key": "ml.azure.com/amlarc-workload", "effect": "NoExecute"},
            {"key": "ml.azure.com/workspace", "value": "ws", "effect": "NoSchedule"},
            {"key": "x", "effect": "PreferNoSchedule"},
        ],
    )
    def test_taint_that_workloads_tolerate(self, taint: dict[str, str]) -> None:
        assert measured(one_type(), node(taints=[taint])).pods == 4

    def test_taint_of_another_workspace_is_an_obstacle(self) -> None:
        taint = Taint("ml.azure.com/workspace", "theirs", "NoSchedule")
        assert not workload_placement({}, {"workspace": "mine"}).tolerates(taint)
        assert workload_placement({}, {"workspace": "theirs"}).tolerates(taint)

    def test_toleration_of_the_extension_removes_the_obstacle(self) -> None:
        told = {
            "workLoadToleration[0].key": SPOT["key"],
            "workLoadToleration[0].operator": "Equal",
            "workLoadToleration[0].value": "spot",
            "workLoadToleration[0].effect": "NoSchedule",
        }
        assert measured(one_type(), node(taints=[SPOT]), **told).pods == 4

    def test_selector_of_the_extension_is_applied(self) -> None:
        told = {r"nodeSelector.example\.com/ml": "yes"}
        found = measured(one_type(agentpool="a"), node(labels={"agentpool": "a"}), **told)
        assert [obstacle.phrase for obstacle in found.obstacles] == ["lacks the label example.com/ml=yes"]
        labelled = node(labels={"agentpool": "a", "example.com/ml": "yes"})
        assert measured(one_type(agentpool="a"), labelled, **told).pods == 4

    @pytest.mark.parametrize(
        ("instance_type", "nearest"),
        [
            (one_type("6"), "big"),  # too small, but by the least
            (one_type("4", "10Gi", pool="x"), "labelled"),  # a node that is too small in one thing beats two things
            (one_type("1", "1Gi", agentpool="none"), "labelled"),
        ],
    )
    def test_nearest_node(self, instance_type: InstanceType, nearest: str) -> None:
        objects = [
            node("small", cpu="1", memory="2Gi"),
            node("labelled", cpu="2", memory="16Gi", labels={"pool": "x"}),
            node("big", cpu="4", memory="8Gi", labels={"pool": "y"}),
        ]
        expected = {"small", "labelled", "big"} if "agentpool" in instance_type.node_selector else {nearest}
        assert measured(instance_type, *objects).nearest in expected


PROFILE = {
    "name": "gpu",
    "vmSize": "Standard_NC24ads_A100_v4",
    "count": 0,
    "minCount": 0,
    "maxCount": 3,
    "enableAutoScaling": True,
    "osType": "Linux",
    "nodeLabels": {"team": "a"},
    "maxPods": 30,
}


class TestPools:
    """Agent pools with an autoscaler."""

    def sized(self, **more: Any) -> list[Node]:
        return nodes_from_pools([{**PROFILE, **more}], [], {"standard_nc24ads_a100_v4": Size(24, 220 * 1024**3, 1)})

    def test_empty_pool_has_the_capacity_of_its_vm_size(self) -> None:
        (found,) = fit([one_type("8", "64Gi", 1, agentpool="gpu", team="a")], self.sized(), workload_placement())
        assert (found.pods, found.added, found.refused) == (0, 3, "yes")
        assert self.sized()[0].allocatable["cpu"] == 24000 - 260

    def test_refused_jobs_get_the_setting_that_avoids_it_with_an_autoscaler(self) -> None:
        fits = fit([one_type("8", "64Gi", 1)], [*self.sized(), *nodes_from_objects([node()])], workload_placement())
        found = {finding.id: finding for finding in evaluate_fit(fits, workload_placement())}
        assert "Code 9" in found["N102"].message
        assert "amloperator.skipResourceValidation=True" in found["N102"].fix

    def test_sizes_that_are_not_checked_refuse_no_jobs(self) -> None:
        told = workload_placement({"amloperator.skipResourceValidation": "true"})
        assert "N102" not in {
            finding.id for finding in evaluate_fit(fit([one_type("8", "64Gi", 1)], self.sized(), told), told)
        }

    def test_refused_jobs_get_no_setting_without_an_autoscaler(self) -> None:
        found = evaluate_fit([measured(one_type("8"), node())], workload_placement())
        assert [finding.id for finding in found] == ["N101", "N102"]
        assert "skipResourceValidation" not in found[1].fix

    @pytest.mark.parametrize(
        ("more", "state"),
        [
            ({}, ""),
            ({"enableAutoScaling": False}, "has no nodes and no autoscaler"),
            ({"maxCount": 0}, "is at its maximum size"),
            ({"powerState": {"code": "Stopped"}}, "is stopped"),
            ({"vmSize": "Standard_Unheard_v9"}, "has the unknown VM size 'Standard_Unheard_v9'"),
        ],
    )
    def test_state(self, more: dict[str, Any], state: str) -> None:
        assert [item.state for item in self.sized(**more)] == [state]

    def test_taints_and_labels_of_a_spot_pool(self) -> None:
        (made,) = self.sized(
            scaleSetPriority="Spot", nodeTaints=["kubernetes.azure.com/scalesetpriority=spot:NoSchedule"]
        )
        assert made.taints == (Taint("kubernetes.azure.com/scalesetpriority", "spot", "NoSchedule"),)
        assert made.labels["kubernetes.azure.com/scalesetpriority"] == "spot"
        assert made.labels["team"] == "a"

    def test_capacity_of_added_nodes_is_that_of_existing_nodes_of_the_pool(self) -> None:
        there = nodes_from_objects(
            [node("a", cpu="23", labels={"agentpool": "gpu"})], [pod("a", cpu="1", owner="DaemonSet")]
        )
        (made,) = nodes_from_pools([PROFILE], there)
        assert (made.count, made.capacity["cpu"], made.exists) == (2, 22000, False)

    def test_capacity_of_a_vm_size_is_that_of_a_node_of_another_pool(self) -> None:
        like = node(
            "a", cpu="23", labels={"agentpool": "other", "node.kubernetes.io/instance-type": "Standard_NC24ads_A100_v4"}
        )
        (made,) = nodes_from_pools([PROFILE], nodes_from_objects([like]))
        assert (made.allocatable["cpu"], made.labels["agentpool"], made.count) == (23000, "gpu", 3)

    def test_limits_above_every_node_may_be_refused(self) -> None:
        instance_type = InstanceType("t", {}, {"cpu": "1", "memory": "1Gi"}, {"cpu": "8", "memory": "1Gi"})
        assert measured(instance_type, node()).refused == "possible"


class TestFindings:
    """Findings and what fit returns."""

    def test_fix_of_a_taint_has_the_settings(self) -> None:
        (found,) = evaluate_fit([measured(one_type(), node(taints=[SPOT]))], workload_placement())
        assert "'workLoadToleration[0].key=kubernetes.azure.com/scalesetpriority'" in found.fix
        assert "'workLoadToleration[0].value=spot'" in found.fix

    def test_contradicting_selectors(self) -> None:
        (found,) = contradicting_selectors([one_type(agentpool="a")], Placement({"agentpool": "b"}), Commands())
        assert (found.id, found.severity) == ("N104", Severity.ERROR)

    def test_view_of_a_type(self) -> None:
        fits = measured(one_type(), node("a", labels={"agentpool": "p"}), node("b", labels={"agentpool": "p"}))
        (item,) = fit_views([fits], workload_placement())
        assert (item["fits"], item["pods"], item["nearestNode"]) == (True, 8, None)
        assert item["places"] == [
            {"place": "p", "nodes": ["a", "b"], "pods": 8, "podsFreeNow": 8, "podsAfterScaleOut": 8, "reasons": []}
        ]

    def test_cluster_without_nodes(self) -> None:
        found = measured(one_type())
        assert (found.pods, found.nearest) == (0, "")
        assert evaluate_fit([found], workload_placement())[0].message.endswith("the cluster has no nodes.")


class TestProposal:
    """Types proposed from nodes."""

    def test_type_of_a_pool_has_the_size_of_its_smallest_node(self) -> None:
        objects = [
            node("a", cpu="3860m", memory="13Gi", labels={"agentpool": "general"}),
            node("b", cpu="3800m", memory="12700Mi", labels={"agentpool": "general"}),
            node("c", cpu="24", memory="200Gi", gpu=2, labels={"agentpool": "gpu"}),
        ]
        general, gpu = propose(
            nodes_from_objects(objects, [pod("b", cpu="150m", owner="DaemonSet")]), workload_placement()
        )
        assert general == InstanceType(
            "general", {"agentpool": "general"}, *[{"cpu": "3600m", "memory": "12672Mi"}] * 2
        )
        assert (gpu.requests["cpu"], gpu.limits["nvidia.com/gpu"]) == ("24", 2)
        assert "nvidia.com/gpu" not in gpu.requests

    @pytest.mark.parametrize(
        "unusable", [{"taints": [SPOT]}, {"os": "windows"}, {"unschedulable": True}, {"ready": "False"}]
    )
    def test_unusable_nodes_get_no_type(self, unusable: dict[str, Any]) -> None:
        assert propose(nodes_from_objects([node(**unusable)]), workload_placement()) == []

    def test_names_are_valid_in_kubernetes(self) -> None:
        (made,) = propose(
            nodes_from_objects([node(labels={"node.kubernetes.io/instance-type": "Standard_D4s_v5"})]),
            workload_placement(),
        )
        assert made.name == "standard-d4s-v5"

    def test_nodes_without_labels_get_one_type_without_selector(self) -> None:
        (made,) = propose(nodes_from_objects([node()]), workload_placement())
        assert (made.name, made.node_selector) == ("node", {})

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(150, 9000), st.integers(200, 40000), st.integers(0, 3), st.sampled_from("abc")),
            min_size=1,
            max_size=6,
        )
    )
    def test_proposed_type_fits_every_node_of_its_pool(self, told: list[tuple[int, int, int, str]]) -> None:
        objects = [
            node(f"n{i}", cpu=f"{cpu}m", memory=f"{memory}Mi", gpu=gpu, labels={"agentpool": name})
            for i, (cpu, memory, gpu, name) in enumerate(told)
        ]
        nodes = nodes_from_objects(objects)
        for found in fit(propose(nodes, workload_placement()), nodes, workload_placement()):
            assert len([name for place in found.places for name in place.nodes]) == sum(
                item.pool == found.name for item in nodes
            )
            assert not found.refused


QUANTITY = st.integers(0, 9).map(lambda number: f"{number * 500}m")
NODES = st.builds(
    lambda name, cpu, memory, gpu, labels, tainted, ready: node(
        name, cpu=cpu, memory=memory, gpu=gpu, labels=labels, ready=ready, **({"taints": [SPOT]} if tainted else {})
    ),
    st.uuids().map(str),
    QUANTITY,
    st.integers(0, 8).map(lambda number: f"{number}Gi"),
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(["agentpool", "x"]), st.sampled_from("ab")),
    st.booleans(),
    st.sampled_from(["True", "True", "False"]),
)
TYPES = st.builds(
    one_type,
    st.sampled_from(["1m", "1", "2500m"]),
    st.sampled_from(["1Mi", "1Gi", "3G"]),
    st.sampled_from([None, 0, 1]),
    agentpool=st.sampled_from("ab"),
) | st.builds(one_type, st.sampled_from(["700m", "3"]), st.sampled_from(["500Mi", "2Gi"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(TYPES, min_size=1, max_size=4), st.lists(NODES, max_size=12), st.booleans())
def test_counts_equal_those_of_placing_pods_one_by_one(
    types: list[InstanceType], objects: list[dict[str, Any]], tolerant: bool
) -> None:
    told = Placement(tolerations=(Toleration(operator="Exists"),) if tolerant else ())
    for kind, found in zip(types, fit(types, nodes_from_objects(objects), told), strict=True):
        able = {
            obj["metadata"]["name"]: placed for obj in objects if (placed := _placed_one_by_one(kind, obj, tolerant))
        }
        assert found.pods == found.free == sum(able.values())
        assert {name for place in found.places for name in place.nodes} == set(able)
        assert bool(found.nearest) == (not able and bool(objects))


def _placed_one_by_one(instance_type: InstanceType, obj: dict[str, Any], tolerant: bool) -> int:
    units = {"m": Decimal("0.001"), "Mi": 1024**2, "Gi": 1024**3, "G": 10**9}

    def number(text: Any) -> Decimal:
        for unit in ("Mi", "Gi", "G", "m"):
            if str(text).endswith(unit):
                return Decimal(str(text)[: -len(unit)]) * units[unit]
        return Decimal(str(text))

    if obj["status"]["conditions"][0]["status"] != "True" or (obj["spec"].get("taints") and not tolerant):
        return 0
    if not instance_type.node_selector.items() <= obj["metadata"]["labels"].items():
        return 0
    left = {key: number(value) for key, value in obj["status"]["allocatable"].items()}
    need = {
        "pods": Decimal(1),
        **{key: number(value) for key, value in {**instance_type.limits, **instance_type.requests}.items() if value},
    }
    placed = 0
    while all(left.get(key, Decimal(0)) >= value for key, value in need.items()):
        left = {key: value - need.get(key, Decimal(0)) for key, value in left.items()}
        placed += 1
    return placed
