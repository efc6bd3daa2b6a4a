"""The world file: what it may contain, and the error for a file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cluster_objects import node_objects
from sandbox.world import World, WorldError, guid, load

SMALL = "tenant: t\nsubscriptions: [{id: s, name: S}]\n"
CLUSTER = SMALL + "clusters: [{name: c, group: g, type: managedClusters, %s}]\n"
PAIR = "clusters: [{name: %s, group: g, type: managedClusters}, {name: %s, group: g, type: managedClusters}]\n"
FLEET = SMALL + "fleets: [{%s, group: g, type: managedClusters}]\n"
VAULT = SMALL + "vaults: [{name: v, group: g, %s}]\n"
INVALID = [
    ("no such file", None, "cannot be read"),
    ("not YAML", "a: [", "is not valid YAML"),
    ("no tenant", "subscriptions: []\n", "missing key 'tenant'"),
    ("a list instead of a mapping", "- tenant\n", "expected a mapping, got list"),
    ("unknown key", SMALL + "wheather: []\n", "unknown key 'wheather'; expected one of tenant"),
    ("clusters is not a list", SMALL + "clusters: {}\n", "clusters: expected a list, got dict"),
    ("unknown key of a cluster", CLUSTER % "pool: []", "clusters[0] 'c': unknown key 'pool'"),
    (
        "unknown type of a cluster",
        CLUSTER.replace("managedC", "c") % "pools: []",
        "clusters[0] 'c': unknown type 'clusters'",
    ),
    (
        "unknown key of a pool",
        CLUSTER % "pools: [{name: p, count: 1, ram: 4Gi}]",
        "clusters[0] 'c', pools[0]: unknown key 'ram'",
    ),
    ("pool without a count", CLUSTER % "pools: [{name: p}]", "clusters[0] 'c', pools[0]: missing key 'count'"),
    (
        "unknown component fault",
        CLUSTER % "component_faults: {gateway: broken}",
        "unknown fault 'broken' of component 'gateway'",
    ),
    (
        "unknown fault",
        SMALL + "faults: [{kind: fog}]\n",
        "faults[0]: unknown fault kind 'fog'; expected one of expired-token",
    ),
    (
        "fault with an invalid path",
        SMALL + "faults: [{kind: html, path: '('}]\n",
        "faults[0]: 'path' is not a regular expression",
    ),
    ("a name that is used twice", SMALL + PAIR % ("c", "C"), "clusters: the name 'c' is used 2 times"),
    ("fleet without a count", FLEET % "name: c, count: no", "fleets[0] 'c': count: expected a number of clusters"),
    ("fleet without a number", FLEET % "name: c, count: 2", "fleets[0] 'c': name: 'c' is the same for all clusters"),
    ("fleet with another placeholder", FLEET % "name: 'c{number}{x}', count: 2", "is not a text with {number}: 'x'"),
    ("unknown key of a fleet", FLEET % "name: c, count: 1, pool: []", "fleets[0] 'c': unknown key 'pool'"),
    ("unknown bucket", SMALL + "throttling: {polls: 1}\n", "throttling: unknown key 'polls'; expected one of reads"),
    ("bucket without a rate", SMALL + "throttling: {reads: {size: 1}}\n", "throttling, reads: missing key 'rate'"),
    ("empty bucket", SMALL + "throttling: {reads: {size: 0, rate: 1}}\n", "size and rate must be more than 0"),
    ("no limits", SMALL + "throttling: true\n", "throttling: expected a mapping, got bool"),
    ("unknown permission", VAULT % "denied: [keys/get]", "vaults[0] 'v': denied: unknown permission 'keys/get'"),
    ("secret that is no text", VAULT % "secrets: {a: 1}", "vaults[0] 'v': secrets: expected texts by name"),
    (
        "unknown format of a certificate",
        VAULT % "certificates: [{name: c, cname: c, format: der}]",
        "vaults[0] 'v', certificates[0] 'c': unknown format 'der'; expected pem or pkcs12",
    ),
    ("unknown key of polls", SMALL + "polls: {every: 3}\n", "polls: unknown key 'every'"),
]


def world(folder: Path, text: str) -> World:
    file = folder / "world.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


@pytest.mark.parametrize(("name", "text", "message"), INVALID, ids=[case[0] for case in INVALID])
def test_an_invalid_world_file_is_an_error(name: str, text: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "world.yaml"
    with pytest.raises(WorldError) as error:
        load(file) if text is None else world(tmp_path, text)
    assert message in str(error.value)
    assert str(file) in str(error.value)


def test_the_default_world_has_the_clusters_of_the_demo() -> None:
    default = load()
    nodes = {cluster.name: (cluster.type, len(node_objects(cluster))) for cluster in default.clusters}
    assert nodes == {
        "aks-poc": ("managedClusters", 3),
        "aks-single": ("managedClusters", 1),
        "minikube": ("connectedClusters", 1),
        "onprem": ("connectedClusters", 4),
        "openshift": ("connectedClusters", 3),
    }
    assert {workspace["name"]: workspace["identity"] for workspace in default.workspaces} == {
        "ml-ws": "SystemAssigned",
        "ml-ws-uami": "ml-identity",
    }
    assert [identity["name"] for identity in default.identities] == ["ml-identity"]


def test_nodes_have_the_size_labels_and_taints_of_their_pool(tmp_path: Path) -> None:
    pool = "{name: gpu, count: 2, cpu: 6, memory: 112Gi, gpu: 1, labels: {a: b}, taints: [{key: sku, value: gpu, effect: NoSchedule}]}"
    nodes = node_objects(world(tmp_path, CLUSTER % f"pools: [{pool}]").clusters[0])
    assert [node["metadata"]["name"] for node in nodes] == ["c-gpu-0", "c-gpu-1"]
    node = nodes[0]
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"
    assert node["metadata"]["labels"]["a"] == "b"
    assert node["metadata"]["labels"]["kubernetes.azure.com/agentpool"] == "gpu"
    assert node["spec"]["taints"] == [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}]


def test_a_cordoned_arm64_node(tmp_path: Path) -> None:
    pool = "{name: arm, count: 1, arch: arm64, schedulable: false}"
    node = node_objects(world(tmp_path, CLUSTER % f"pools: [{pool}]").clusters[0])[0]
    assert node["spec"]["unschedulable"] is True
    assert node["status"]["nodeInfo"]["architecture"] == node["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"


def test_the_keys_of_the_previous_release_are_accepted(tmp_path: Path) -> None:
    old = world(
        tmp_path,
        CLUSTER % "ails: {gateway: unplaced}, forbids: [pods]"
        + "weather: [{kind: refused}, {kind: dropped}]\npage: 3\n"
        + "workspaces: [{name: w, group: g, lacks: [Reader], keeps: [tags], lingers: 2}]\n"
        + "resources: [{name: r, group: g, type: a/b, 'on': x}]\n",
    )
    assert old.clusters[0].component_faults == {"gateway": "unschedulable"}
    assert old.clusters[0].forbidden_kinds == ("pods",)
    assert [fault.kind for fault in old.faults] == ["error", "connection-reset"]
    assert old.page_size == 3
    assert old.workspace("W") == {
        "name": "w",
        "group": "g",
        "missing_roles": ["Reader"],
        "immutable": ["tags"],
        "removal_delay": 2,
    }
    assert old.resources[0]["scope"] == "x"


def test_ids_depend_on_neither_chance_nor_case() -> None:
    assert guid("a", "B") == guid("A", "b") != guid("a", "c")


def test_the_clusters_of_a_fleet_differ_in_their_number(tmp_path: Path) -> None:
    entry = (
        "name: 'store-{number:03}', first: 9, count: 3, tags: {ring: canary, store: '{number}'}, location: westeurope"
    )
    clusters = world(tmp_path, FLEET % entry).clusters
    assert [cluster.name for cluster in clusters] == ["store-009", "store-010", "store-011"]
    assert [cluster.tags["store"] for cluster in clusters] == ["9", "10", "11"]
    assert {(cluster.tags["ring"], cluster.location, cluster.group) for cluster in clusters} == {
        ("canary", "westeurope", "g")
    }
    assert [cluster.lazy for cluster in clusters] == [False, True, True]
