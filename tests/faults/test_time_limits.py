"""Responses that never end do not outlast --timeout, and Ctrl-C ends a command at once, whatever it waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Fault, Request
from tests.faults.stage import FaultStage

LIMIT, SLACK = 6, 10
ATTACH = f"az amlk8s compute attach -n k8s -w ml-ws -g ml-rg -c aks -t managedClusters --timeout {LIMIT}"
WORKSPACE = "/resourceGroups/ml-rg/providers/Microsoft.MachineLearningServices/workspaces/ml-ws"
NAMESPACES = "/api/v1/namespaces"
# A byte now and then, so that no timeout of a socket ends it.
TRICKLE = {"drip": 120.0, "times": 1000}
FAULTS = {
    "a read": (Fault("trickle", **TRICKLE), Request("azure", "GET", WORKSPACE, 1, "read")),
    "the sign-in": (Fault("trickle", side="login", surroundings="no-tokens", **TRICKLE), None),
    "the cluster": (Fault("trickle", side="cluster", **TRICKLE), Request("cluster", "GET", NAMESPACES, 1, "read")),
    "a response that never comes": (Fault("hang", hang=True), Request("azure", "GET", WORKSPACE, 1, "read")),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStage]:
    stage = FaultStage(tmp_path_factory.mktemp("limits") / "stage")
    yield stage
    stage.end()


@pytest.mark.parametrize("name", FAULTS)
def test_the_time_limit_ends_a_response_that_trickles(name: str, stage: FaultStage) -> None:
    with stage.world() as world:
        given = "az amlk8s extension create -n ext -g ml-rg -c aks -t managedClusters --config enableTraining=True"
        assert world.az(given).code == 0
        run = world.az(ATTACH, FAULTS[name])
    assert run.met
    assert run.code == 1
    assert "6 seconds" in run.err
    assert run.seconds < LIMIT + SLACK


def test_ctrl_c_does_not_wait_for_outstanding_reads(stage: FaultStage) -> None:
    hang = Fault("hang", hang=True, times=1000, kinds=("read",))
    with stage.world() as world:
        timer = threading.Timer(4, stage._signal, ["interrupt"])
        timer.start()
        run = world.az("az amlk8s check -c aks -t managedClusters -g ml-rg", (hang, None))
    assert run.met
    assert "Interrupted; nothing was changed." in run.err
    assert run.seconds < 4 + SLACK
