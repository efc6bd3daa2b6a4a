"""Which nodes take a pod: from Kubernetes objects and from AKS agentPoolProfiles, one row for each case."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.scheduling.nodes import Node, Taint, nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement, system_placement, workload_placement
from azext_amlk8s.scheduling.pools import Size, adds_nodes, nodes_from_pools, pools_from_profiles
from azext_amlk8s.scheduling.reasons import PodRequest, obstacles, takes_pods

SIZE = {"cpu": "4", "memory": "16Gi", "pods": "30"}


def node_object(**overrides: Any) -> dict[str, Any]:
    labels = {"kubernetes.io/os": "linux", **overrides.get("labels", {})}
    ready = {"type": "Ready", "status": overrides.get("ready", "True")}
    return {
        "metadata": {"name": "n1", "labels": labels},
        "spec": overrides.get("spec", {}),
        "status": {"allocatable": SIZE, "conditions": [ready], "nodeInfo": overrides.get("info", {})},
    }


def taint(key: str, value: str = "", effect: str = "NoSchedule") -> dict[str, Any]:
    return {"spec": {"taints": [{"key": key, "value": value, "effect": effect}]}}


@pytest.mark.parametrize(
    ("overrides", "system", "workload"),
    [
        pytest.param({}, True, True, id="a plain node"),
        pytest.param({"ready": "False"}, False, False, id="not Ready"),
        pytest.param({"ready": "Unknown"}, False, False, id="unknown"),
        pytest.param({"spec": {"unschedulable": True}}, False, False, id="cordoned"),
        pytest.param({"labels": {"kubernetes.io/os": "windows"}}, False, False, id="Windows"),
        pytest.param({"labels": {"kubernetes.io/arch": "arm64"}}, False, False, id="arm64 by label"),
        pytest.param({"info": {"architecture": "arm64"}}, False, False, id="arm64 by nodeInfo"),
        pytest.param(taint("sku", "gpu"), False, False, id="an unknown taint"),
        pytest.param(taint("sku", "gpu", "PreferNoSchedule"), True, True, id="a taint that only prefers"),
        pytest.param(taint("ml.azure.com/amlarc", "x"), True, True, id="tolerated by all"),
        pytest.param(taint("ml.azure.com/amlarc-system"), True, False, id="tolerated by the extension's pods"),
        pytest.param(taint("ml.azure.com/workspace", "ws"), False, True, id="tolerated by workloads"),
    ],
)
def test_node_takes_pods(overrides: dict[str, Any], system: bool, workload: bool) -> None:
    (node,) = nodes_from_objects([node_object(**overrides)])
    assert takes_pods(node, system_placement()) is system
    assert takes_pods(node, workload_placement()) is workload


def test_work_load_toleration_is_for_workloads_only() -> None:
    settings = {"workLoadToleration[0].key": "sku", "workLoadToleration[0].operator": "Exists"}
    (node,) = nodes_from_objects([node_object(**taint("sku", "gpu"))])
    assert not takes_pods(node, system_placement(settings))
    assert takes_pods(node, workload_placement(settings))


def test_amounts_next_to_pods_that_stay_and_next_to_all_pods() -> None:
    def pod(namespace: str, cpu: str, owner: str) -> dict[str, Any]:
        return {
            "metadata": {"namespace": namespace, "ownerReferences": [{"kind": owner}]},
            "spec": {"nodeName": "n1", "containers": [{"resources": {"requests": {"cpu": cpu}}}]},
        }

    pods = [pod("monitoring", "100m", "DaemonSet"), pod("azureml", "900m", "ReplicaSet"), pod("jobs", "1", "Job")]
    (node,) = nodes_from_objects([node_object()], pods)
    assert [amounts.get("cpu", 0) for amounts in (node.overhead, node.resident, node.used)] == [100, 1000, 2000]
    assert (node.capacity["cpu"], node.free["cpu"]) == (3000, 2000)


def test_all_obstacles_are_named() -> None:
    node = Node(
        "n", taints=(Taint("a", "", "NoSchedule"),), allocatable={"cpu": 4000}, used={"cpu": 1000}, arch="arm64"
    )
    pod = PodRequest({"cpu": 4000, "nvidia.com/gpu": 1000}, Placement({"x": "1"}))
    assert [obstacle.phrase for obstacle in obstacles(node, pod, now=True)] == [
        "has architecture arm64, amd64 required",
        "has the taint a:NoSchedule, which workloads do not tolerate",
        "lacks the label x=1",
        "has 3 CPU next to 1 for running pods, 4 requested",
        "has no GPU, 1 requested",
    ]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"count": 2}, (2, 2, None, "amd64", "")),
        ({"count": 2, "maxCount": 5, "enableAutoScaling": True}, (2, 5, None, "amd64", "")),
        ({"count": 2, "maxCount": 5}, (2, 2, None, "amd64", "")),
        ({"vmSize": "Standard_D4s_v5"}, (0, 0, 4, "amd64", "")),
        ({"vmSize": "Standard_D8ps_v5"}, (0, 0, 8, "arm64", "")),
        ({"vmSize": "Standard_D2plds_v6"}, (0, 0, 2, "arm64", "")),
        ({"vmSize": "Standard_NP10s"}, (0, 0, 10, "amd64", "")),
        ({"vmSize": "Standard_E32-16s_v5"}, (0, 0, 32, "amd64", "")),
        ({"powerState": {"code": "Stopped"}}, (0, 0, None, "amd64", "is stopped")),
    ],
)
def test_pool(profile: dict[str, Any], expected: tuple[Any, ...]) -> None:
    (pool,) = pools_from_profiles([{"name": "p", **profile}])
    assert (pool.count, pool.max_count, pool.cores, pool.template.arch, pool.template.state) == expected


@pytest.mark.parametrize(
    ("vm_size", "labelled"),
    [
        ("Standard_NC4as_T4_v3", True),
        ("Standard_NC24ads_A100_v4", True),
        ("Standard_ND96asr_v4", True),
        ("Standard_NC6s_v3", True),
        ("Standard_NV36ads_A10_v5", False),
        ("Standard_NC40ads_H100_v5", False),
    ],
)
def test_the_autoscaler_labels_only_gpu_sizes_that_it_knows(vm_size: str, labelled: bool) -> None:
    profile = {"name": "gpu", "vmSize": vm_size, "count": 0, "maxCount": 2, "enableAutoScaling": True}
    (node,) = nodes_from_pools([profile], [], {vm_size: Size(24, 200 * 1024**3, 1)})
    assert (node.labels.get("accelerator") == "nvidia") is labelled
    assert node.labels["agentpool"] == "gpu"


def test_spot_pool_without_its_taint_in_the_profile_has_it_all_the_same() -> None:
    (pool,) = pools_from_profiles([{"name": "p", "scaleSetPriority": "Spot"}])
    assert pool.template.taints == (Taint("kubernetes.azure.com/scalesetpriority", "spot", "NoSchedule"),)


@pytest.mark.parametrize(("mode", "adds"), [("Auto", True), ("Manual", False), (None, False)])
def test_node_auto_provisioning(mode: str | None, adds: bool) -> None:
    assert adds_nodes({"nodeProvisioningProfile": {"mode": mode}}) is adds
