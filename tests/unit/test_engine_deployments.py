"""Deployments of a wave: their limits, their names, and which cluster a nested deployment belongs to."""

from __future__ import annotations

import json

from azext_amlk8s.rendering.engine_deployments import MAX_BYTES, MAX_REQUEST_BYTES, engine_deployments
from tests.unit.rendering_cases import OTHER_SUBSCRIPTION, RELAY, SUBSCRIPTION, cluster_input

RELAY_CONFIG = {"enableTraining": "True", "relayserver.hybridConnectionName": "x"}


def test_a_wave_is_one_deployment() -> None:
    """Without computes, roles and workspaces; its name is the same for the same clusters in any order."""
    clusters = [cluster_input("aks1"), cluster_input("arc1", "connectedClusters")]
    (deployment,) = engine_deployments("edge fleet!", 0, clusters)
    assert deployment.name.startswith("amlk8s-edge-fleet-1-")
    assert deployment.location == "eastus"
    assert "Microsoft.MachineLearningServices" not in json.dumps(deployment.template)
    assert engine_deployments("edge fleet!", 0, clusters[::-1])[0].name == deployment.name
    assert engine_deployments("edge fleet!", 0, clusters[:1])[0].name != deployment.name
    assert len(engine_deployments("x" * 200, 98, clusters)[0].name) <= 64


def test_each_subscription_has_its_own_deployment() -> None:
    clusters = [cluster_input("a"), cluster_input("b", subscription=OTHER_SUBSCRIPTION), cluster_input("c")]
    found = {
        engine_deployment.subscription: [cluster.facts.name for cluster in engine_deployment.clusters]
        for engine_deployment in engine_deployments("s", 0, clusters)
    }
    assert found == {SUBSCRIPTION: ["a", "c"], OTHER_SUBSCRIPTION: ["b"]}


def test_a_large_wave_is_split_within_the_limits() -> None:
    """2,000 clusters: no deployment has more than 800 resources, 4 MB when its loops are expanded, 1 MB as a request."""
    clusters = [cluster_input(f"store-{number:04}", "connectedClusters") for number in range(2000)]
    deployments = engine_deployments("fleet", 0, clusters)
    assert sorted(cluster.facts.name for each in deployments for cluster in each.clusters) == [
        cluster.facts.name for cluster in clusters
    ]
    assert len({deployment.name for deployment in deployments}) == len(deployments) < 20
    for deployment in deployments:
        modules = deployment.template["resources"]
        assert len(deployment.clusters) <= 800
        assert sum(len(json.dumps(module)) for module in modules) * len(deployment.clusters) < MAX_BYTES
        assert len(json.dumps(deployment.body({}))) < MAX_REQUEST_BYTES


def test_secrets_are_secure_parameters() -> None:
    """Their values are in the request alone."""
    cluster = cluster_input("arc1", "connectedClusters", config=RELAY_CONFIG, secrets=(RELAY,))
    (deployment,) = engine_deployments("edge", 0, [cluster])
    assert deployment.secrets == {"relayServerConnectionString": RELAY}
    assert deployment.template["parameters"]["relayServerConnectionString"]["type"] == "securestring"
    assert "defaultValue" not in deployment.template["parameters"]["relayServerConnectionString"]
    parameters = deployment.body({"relayServerConnectionString": "hidden"})["properties"]["parameters"]
    assert parameters["relayServerConnectionString"] == {"value": "hidden"}


def test_a_nested_deployment_names_its_cluster() -> None:
    """By type, name and resource group; names that begin with the same 38 characters remain several."""
    long = "x" * 45
    clusters = [
        cluster_input("aks1"),
        cluster_input("aks1-b"),
        cluster_input("aks1", "connectedClusters"),
        cluster_input(f"{long}1"),
        cluster_input(f"{long}2"),
    ]
    (deployment,) = engine_deployments("edge", 0, clusters)

    def names(nested: str, group: str = "ML-RG") -> list[str]:
        path = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Resources/deployments/{nested}"
        )
        return [item.facts.name for item in deployment.cluster_of(path)]

    assert names("azureml-aks-aks1-abcdefghijk23") == names("azureml-arc-aks1-abcdefghijk23") == ["aks1"]
    assert names("azureml-aks-aks1-b-abcdefghijk23") == ["aks1-b"]
    assert names("azureml-arc-aks1-b-abcdefghijk23") == []
    assert names("azureml-aks-aks1-abcdefghijk23", "other") == []
    assert names("something-else") == []
    assert names(f"azureml-aks-{long[:38]}-abcdefghijk23") == [f"{long}1", f"{long}2"]
    modules = [
        resource["name"] for resource in deployment.template["resources"] if resource["type"].endswith("/deployments")
    ]
    assert sorted("azureml-aks-" in name for name in modules) == [False, True], "each type has names of its own"
