"""The components of versions, against public listings of `kubectl get pods -n azureml` of real clusters: all healthy."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.checks import CHECKS, CheckTarget, Facts, Status, component_states, evaluate, list_components
from azext_amlk8s.checks import facts as keys
from azext_amlk8s.refs import EXTENSION_TYPE, ClusterRef

TRAINING = "aml-operator volcano-admission volcano-controllers volcano-scheduler"
INFERENCE = (
    "amlarc-identity-controller amlarc-identity-proxy inference-operator-controller-manager azureml-fe-v2 "
    "azureml-ingress-nginx-controller"
)
BOTH = "gateway metrics-controller-manager ext-kube-state-metrics ext-prometheus-operator"
OF_2022 = "cluster-status-reporter csi-blob-controller k8s-host-device-plugin-daemonset csi-blob-node fluent-bit"
DAEMON_SETS = ("csi-blob-node", "fluent-bit", "k8s-host-device-plugin-daemonset")

# Cluster type, version, workloads, controllers. What an alphabetical listing cuts off is completed.
LISTINGS: list[tuple[str, str, str, str, str]] = [
    ("AKS of October 2024", "managedClusters", "1.1.61", "both", f"{TRAINING} {INFERENCE} {BOTH}"),
    ("AKS of 2025", "managedClusters", "1.1.71", "both", f"{TRAINING} {INFERENCE} {BOTH}"),
    ("AKS without a version", "managedClusters", "", "both", f"{TRAINING} {INFERENCE} {BOTH}"),
    ("AKS with the newest version", "managedClusters", "1.1.88", "both", f"{TRAINING} {INFERENCE} {BOTH}"),
    ("AKS with an unknown newer version", "managedClusters", "2.0.0", "both", f"{TRAINING} {INFERENCE} {BOTH}"),
    ("AKS of July 2022", "managedClusters", "1.1.9", "both", f"{TRAINING} {INFERENCE} {BOTH} {OF_2022}".replace("azureml-fe-v2", "azureml-fe").replace(" azureml-ingress-nginx-controller", "")),
    ("Arc of 2023, training", "connectedClusters", "1.1.30", "training", f"{TRAINING} {BOTH} relayserver"),
]  # fmt: skip


def listing_facts(cluster_type: str, version: str, workloads: str, names: str) -> Facts:
    """The facts of a cluster in which these controllers are ready, and the pod healthcheck is completed."""
    settings = {
        f"enable{word.capitalize()}": "True" for word in ("training", "inference") if workloads in (word, "both")
    }
    properties: dict[str, Any] = {"extensionType": EXTENSION_TYPE, "configurationSettings": settings, "provisioningState": "Succeeded"}  # fmt: skip
    if version:
        properties["currentVersion"] = version
    controllers, pods = [], []
    for name in [*names.split(), "prometheus-prom-prometheus"]:
        kind = "DaemonSet" if name in DAEMON_SETS else "StatefulSet" if name.startswith("prometheus-") else "Deployment"
        replicas = 2 if name == "relayserver" else 1
        status = {"replicas": replicas, "readyReplicas": replicas, "desiredNumberScheduled": 3, "numberReady": 3}
        controllers.append({"kind": kind, "metadata": {"name": name, "namespace": "azureml"}, "status": status})
        statuses = [
            {"name": part, "ready": True, "restartCount": 0, "state": {"running": {}}}
            for part in ("main", "fluent-bit")
        ]
        pods.append({"metadata": {"name": f"{name}-1", "namespace": "azureml"}, "spec": {"nodeName": "n"}, "status": {"phase": "Running", "containerStatuses": statuses}})  # fmt: skip
    ended = {
        "name": "main",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
    }
    pods.append({"metadata": {"name": "healthcheck", "namespace": "azureml"}, "status": {"phase": "Succeeded", "containerStatuses": [ended]}})  # fmt: skip
    target = CheckTarget(ClusterRef("s", "g", cluster_type, "c"))
    values = {
        keys.EXTENSIONS: [{"name": "ext", "properties": properties}],
        keys.CONTROLLERS: controllers,
        keys.PODS: pods,
        keys.EVENTS: [],
    }
    return Facts(target, values)


@pytest.mark.parametrize("listing", LISTINGS, ids=[case[0] for case in LISTINGS])
def test_listing_of_a_real_cluster_is_healthy(listing: tuple[str, str, str, str, str]) -> None:
    facts = listing_facts(*listing[1:])
    outcomes = [evaluate(check, facts) for check in CHECKS if check.spec.category == "components"]
    assert len(outcomes) == 6
    assert [finding.message for outcome in outcomes for finding in outcome.findings] == []
    assert {outcome.status for outcome in outcomes} == {Status.PASSED}


def test_unknown_newer_version_is_named() -> None:
    check = next(finding for finding in CHECKS if finding.id == "K501")
    note = evaluate(check, listing_facts("managedClusters", "2.0.0", "both", f"{TRAINING} {INFERENCE} {BOTH}")).note
    assert "version 2.0.0 is newer than 1.1.88, so the components of 1.1.88 are expected" in note


MISSING: list[tuple[str, str, str, list[str]]] = [
    ("gateway is always required", "1.1.71", "gateway", ["gateway"]),
    ("the router in either name", "1.1.71", "azureml-fe-v2", ["azureml-fe-v2"]),
    ("fluent-bit is not in new versions", "1.1.71", "fluent-bit", []),
    ("fluent-bit is required before sidecars", "1.1.9", "fluent-bit", ["fluent-bit"]),
    ("CSI drivers are never required", "1.1.9", "csi-blob-node", []),
    ("ingress is optional in old versions", "1.1.30", "azureml-ingress-nginx-controller", []),
]


@pytest.mark.parametrize(("name", "version", "absent", "missing"), MISSING, ids=[case[0] for case in MISSING])
def test_missing_components(name: str, version: str, absent: str, missing: list[str]) -> None:
    every = f"{TRAINING} {INFERENCE} {BOTH} {OF_2022}"
    names = " ".join(word for word in every.split() if word != absent)
    states = component_states(listing_facts("managedClusters", version, "both", names))
    assert [state.name for state in states if state.state == "missing"] == missing


ROLES: list[tuple[str, str, str, str]] = [
    ("relayserver", "1.1.71", "managedClusters", ""),
    ("relayserver", "1.1.71", "connectedClusters", "required"),
    ("relayserver", "1.1.71", "", "required"),
    ("fluent-bit", "1.1.71", "", ""),
    ("fluent-bit", "1.1.9", "", "required"),
    ("fluent-bit", "1.1.20", "", "optional"),
    ("azureml-ingress-nginx-controller", "", "", "required"),
    ("azureml-ingress-nginx-controller", "1.1.9", "", "optional"),
]


@pytest.mark.parametrize(("name", "version", "cluster_type", "role"), ROLES)
def test_role_of_a_component(name: str, version: str, cluster_type: str, role: str) -> None:
    roles = {component["name"]: component["role"] for component in list_components(version, cluster_type)}
    assert roles.get(name, "") == role
