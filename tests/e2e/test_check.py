"""What a check of a large healthy cluster costs Azure and the cluster: few requests, none twice, none that writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Stage
from tests.support import is_write

MOST_REQUESTS = 32
WORLD = {
    "clusters": [
        {"name": name, "pools": [{"name": pool, "count": 50, "cpu": 8, "memory": "32Gi"}]}
        for name, pool in (("aks", "nodepool1"), ("arc", "node"))
    ]
}
SETTINGS = ["enableTraining=True", "enableInference=True", "inferenceRouterServiceType=nodePort"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.end()


@pytest.mark.parametrize(("cluster", "kind"), [("aks", "managedClusters"), ("arc", "connectedClusters")])
def test_requests_of_a_healthy_cluster(cluster: str, kind: str, stage: Stage, tmp_path: Path) -> None:
    from tests.scenarios.runner import merged

    words = ["-g", "ml-rg", "-c", cluster, "-t", kind]
    create = ["amlk8s", "extension", "create", "-n", "ext", *words, "--config", *SETTINGS]
    attach = ["amlk8s", "compute", "attach", "-n", "k8s", "-w", "ml-ws", *words, "--identity-type", "SystemAssigned"]
    with stage.scene(merged({}, WORLD), tmp_path, 0) as scene:
        for given in ([*create, "allowInsecureConnections=True"], attach):
            said = scene.az(given, tmp_path)
            assert said.code == 0, said.err
        before = len(scene.log())
        said = scene.az(["amlk8s", "check", *words, "-w", "ml-ws", "--compute-name", "k8s"], tmp_path)
        asked = [request for request in scene.log()[before:] if request.get("agent") != "sandbox"]
    assert said.code == 0, said.err
    assert len(said.json["components"]) >= 14
    assert (said.json["summary"]["errors"], said.json["summary"]["skipped"]) == (0, 0)
    assert [request for request in asked if is_write(request)] == []
    assert len(asked) <= MOST_REQUESTS
    twice = Counter((request["who"], request["method"], request["path"], str(request["query"])) for request in asked)
    assert [what for what, count in twice.items() if count > 1] == []
