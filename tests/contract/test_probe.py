"""The probe of node pools: its objects against a real kube-apiserver, and what remains of it when it is stopped.

Containers run as processes in network namespaces, with real DNS, TCP and TLS (sandbox/container_network.py), on both.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from azext_amlk8s.kubernetes import Cluster, connect
from azext_amlk8s.operations.probe import LABEL, remove_abandoned
from sandbox.kubernetes.node_agent import can_run_containers
from tests.contract.in_process import sandbox
from tools.prove_wheel import ROOT

pytestmark = pytest.mark.skipif(not can_run_containers(), reason="this machine does not allow network namespaces")
PROBE = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from azext_amlk8s.kubernetes import connect
from azext_amlk8s.operations.probe import run_probe
cluster = connect(kubeconfig=sys.argv[1], context="aks")
found = run_probe(cluster, cluster.items("/api/v1/nodes"), json.loads(sys.argv[2]), "mcr.microsoft.com/azure-cli", print)
print(json.dumps([[result.pool, result.state, [[host.host, host.stage] for host in result.hosts]] for result in found]))
"""
NETWORK = {"unresolvable": ["nowhere.example"], "blocked": ["silent.example"], "intercepted": ["inspected.example"]}
POOLS = [{"name": "one", "count": 1}, {"name": "two", "count": 1, "network": {}}]


@pytest.fixture(params=["stand-in", "real"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A sandbox with a cluster that runs Jobs; its kubeconfig is in this folder."""
    real = request.param == "real"
    if real and "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    cluster = {"name": "aks", "real": real, "network": NETWORK, "pools": POOLS}
    with sandbox(tmp_path, clusters=[cluster]):
        yield tmp_path


def probe(folder: Path, hosts: list[str]) -> subprocess.Popen[str]:
    """A probe as a process of its own."""
    words = [sys.executable, "-c", PROBE, str(folder / "kubeconfig"), json.dumps(hosts)]
    return subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def remaining(cluster: Cluster) -> list[Any]:
    """The namespaces of probes. Without a controller, a real API server only marks a deleted one."""
    found = cluster.items(f"/api/v1/namespaces?labelSelector={LABEL}%3Dtrue")
    return [obj for obj in found if not obj["metadata"].get("deletionTimestamp")]


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def running(cluster: Cluster) -> bool:
    pods = cluster.items("/api/v1/pods")
    return any((pod.get("status") or {}).get("phase") == "Running" for pod in pods)


def test_each_pool_reports_its_network(folder: Path) -> None:
    """By the program itself, in the network of the world; afterwards the namespace is gone."""
    hosts = ["open.example", "nowhere.example", "silent.example", "inspected.example"]
    output, errors = probe(folder, hosts).communicate(timeout=120)
    cluster = connect(kubeconfig=str(folder / "kubeconfig"), context="aks")
    found = {pool: (state, dict(stages)) for pool, state, stages in json.loads((output.splitlines() or [errors])[-1])}
    assert found == {
        "one": ("done", dict(zip(hosts, ["", "dns", "connect", "tls"], strict=True))),
        "two": ("done", dict.fromkeys(hosts, "")),
    }
    assert not remaining(cluster)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_probe_removes_its_namespace(folder: Path, number: signal.Signals) -> None:
    cluster = connect(kubeconfig=str(folder / "kubeconfig"), context="aks")
    process = probe(folder, ["silent.example"])
    wait_until(lambda: running(cluster))
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "Not deleted" not in errors
    assert not remaining(cluster)


def test_killed_probe_leaves_jobs_that_end_by_themselves(folder: Path) -> None:
    """The Jobs have a deadline and a time to live; the next probe removes the namespace, and no other one."""
    cluster = connect(kubeconfig=str(folder / "kubeconfig"), context="aks")
    cluster.create(
        "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs", "labels": {LABEL: "true"}}},
    )
    process = probe(folder, ["silent.example"])
    wait_until(lambda: running(cluster))
    process.kill()
    process.communicate(timeout=30)
    jobs = [item["spec"] for item in cluster.items("/apis/batch/v1/jobs")]
    assert {job["activeDeadlineSeconds"] for job in jobs} == {300}
    if all("ttlSecondsAfterFinished" in job for job in jobs):  # a feature gate of old API servers
        assert {job["ttlSecondsAfterFinished"] for job in jobs} == {60}
    assert len(remaining(cluster)) == 2
    remove_abandoned(cluster)
    assert len(remaining(cluster)) == 2
    time.sleep(1.1)
    remove_abandoned(cluster, 0)
    assert [obj["metadata"]["name"] for obj in remaining(cluster)] == ["theirs"]


def test_namespace_of_somebody_else_is_not_deleted(folder: Path) -> None:
    """A namespace of the same name with another UID."""
    from azext_amlk8s.kubernetes import ClusterRefused

    cluster = connect(kubeconfig=str(folder / "kubeconfig"), context="aks")
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs"}}
    cluster.create("/api/v1/namespaces", body)
    with pytest.raises(ClusterRefused, match="UID in precondition"):
        cluster.delete("/api/v1/namespaces/theirs", "00000000-0000-0000-0000-000000000000")
