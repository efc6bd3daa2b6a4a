"""The world file: what a person may write, and what they are told when it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.world import WorldError, guid, load, nodes_of

SMALL = "tenant: t\nsubscriptions: [{id: s, name: S}]\n"
BAD = [
    ("no such file", None, "cannot be read"),
    ("not YAML", "a: [", "is not YAML"),
    ("no tenant", "subscriptions: []\n", "lacks 'tenant'"),
    (
        "cluster without pools of nodes",
        SMALL + "clusters: [{name: c, group: g, type: managedClusters, pool: []}]\n",
        "'pool'",
    ),
    (
        "pool with an unknown key",
        SMALL + "clusters: [{name: c, group: g, type: managedClusters, pools: [{name: p, count: 1, ram: 4Gi}]}]\n",
        "'ram'",
    ),
    ("weather that there is not", SMALL + "weather: [{kind: fog}]\n", "throttled"),
    ("polls with an unknown key", SMALL + "polls: {every: 3}\n", "'every'"),
    ("a list where a map is meant", "- tenant\n", "another shape"),
]


@pytest.mark.parametrize(("name", "text", "says"), BAD, ids=[case[0] for case in BAD])
def test_a_world_that_cannot_be_read(name: str, text: str | None, says: str, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(WorldError) as error:
        load(file)
    assert says in str(error.value)
    assert str(file) in str(error.value)


def test_the_default_world() -> None:
    """The clusters, workspaces and the identity that the story needs."""
    world = load()
    nodes = {cluster.name: (cluster.type, len(nodes_of(cluster))) for cluster in world.clusters}
    assert nodes == {
        "aks-poc": ("managedClusters", 3),
        "aks-single": ("managedClusters", 1),
        "minikube": ("connectedClusters", 1),
        "onprem": ("connectedClusters", 4),
        "openshift": ("connectedClusters", 3),
    }
    assert {one["name"]: one["identity"] for one in world.workspaces} == {
        "ml-ws": "SystemAssigned",
        "ml-ws-uami": "ml-identity",
    }
    assert [one["name"] for one in world.identities] == ["ml-identity"]


def test_what_a_pool_says_stands_on_its_nodes(tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    pool = "{name: gpu, count: 2, cpu: 6, memory: 112Gi, gpu: 1, labels: {a: b}, taints: [{key: sku, value: gpu, effect: NoSchedule}]}"
    file.write_text(
        SMALL + f"clusters: [{{name: c, group: g, type: managedClusters, pools: [{pool}]}}]\n", encoding="utf-8"
    )
    nodes = nodes_of(load(file).clusters[0])
    assert [node["metadata"]["name"] for node in nodes] == ["c-gpu-0", "c-gpu-1"]
    node = nodes[0]
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"
    assert node["metadata"]["labels"]["a"] == "b"
    assert node["metadata"]["labels"]["kubernetes.azure.com/agentpool"] == "gpu"
    assert node["spec"]["taints"] == [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}]


def test_the_same_world_twice() -> None:
    """Ids do not depend on chance, nor on case."""
    assert guid("a", "B") == guid("A", "b") != guid("a", "c")
