"""az's own commands find in the sandbox what they expect of Azure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

CASES = [
    ("az aks show", "aks show -g ml-rg -n aks-poc --query name", "aks-poc"),
    ("az aks list", "aks list -g ml-rg --query sort([].name)", ["aks-poc", "aks-single"]),
    (
        "az identity show",
        "identity show -g ml-rg -n ml-identity --query type",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
    ),
    (
        "az feature show",
        "feature show --namespace Microsoft.ContainerService --name AKS-ExtensionManager --query name",
        "Microsoft.ContainerService/AKS-ExtensionManager",
    ),
    ("az provider show", "provider show -n Microsoft.KubernetesConfiguration --query registrationState", "Registered"),
    ("az group show", "group show -n ml-rg --query location", "eastus"),
    ("az group exists", "group exists -n no-rg", False),
    (
        "az resource show",
        "resource show -g ml-rg -n minikube --resource-type Microsoft.Kubernetes/connectedClusters --query name",
        "minikube",
    ),
    ("az lock list", "lock list -g ml-rg --query length(@)", 0),
    ("az role assignment list", "role assignment list --all --query type(@)", "array"),
]


@pytest.mark.parametrize(("name", "words", "answer"), CASES, ids=[case[0] for case in CASES])
def test_az(box: Any, name: str, words: str, answer: Any) -> None:
    said = box.az(*words.split(), "-o", "json")
    assert said.code == 0, said.err
    assert said.json == answer


def test_kubeconfig_of_aks(box: Any, tmp_path: Any, kubectl: str) -> None:
    """The credentials that az fetches open the cluster to kubectl."""
    file = tmp_path / "config"
    said = box.az("aks", "get-credentials", "-g", "ml-rg", "-n", "aks-poc", "--file", str(file))
    assert said.code == 0, said.err
    nodes = box.run(kubectl, "get", "nodes", "-o", "name", KUBECONFIG=str(file))
    assert len(nodes.out.split()) == 3, nodes.err


@pytest.mark.parametrize(("context", "count"), [("aks-poc", 3), ("aks-single", 1), ("minikube", 1), ("onprem", 4)])
def test_every_cluster_is_a_context(box: Any, kubectl: str, context: str, count: int) -> None:
    nodes = box.run(kubectl, "--context", context, "get", "nodes", "-o", "name")
    assert len(nodes.out.split()) == count, nodes.err


def test_two_sandboxes_side_by_side(start: Callable[..., Any], box: Any) -> None:
    """A second one neither disturbs the first nor sees what happens there; it is ready within seconds."""
    began = time.monotonic()
    other = start()
    assert time.monotonic() - began < 60
    one = box.az("cloud", "show", "--query", "endpoints.resourceManager").json
    two = other.az("cloud", "show", "--query", "endpoints.resourceManager").json
    assert one != two
    assert box.az("group", "show", "-n", "ml-rg").code == other.az("group", "show", "-n", "ml-rg").code == 0


def test_the_log_holds_no_secret(box: Any) -> None:
    """Every line is JSON and names what was asked, never with what right."""
    from tools.demo import sandbox

    assert box.az("group", "list").code == 0
    lines = [json.loads(line) for line in sandbox("log", "--dir", str(box.folder)).splitlines()]
    assert lines
    assert all({"method", "path", "query", "status", "who"} <= set(line) for line in lines)
    tokens = json.loads(box.az("account", "get-access-token").out)
    text = json.dumps(lines)
    assert tokens["accessToken"] not in text
