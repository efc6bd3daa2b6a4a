"""Requests of `az amlk8s check`, and its CPU time as a multiple of the same requests sent by a bare client.

    .venv/bin/python -m benchmarks.check [ROUNDS]

Starts a sandbox with healthy clusters of 50 nodes, each with the extension for training and inference and a compute on
it. The bare client is one az process too: `az rest` for the first request, az's own send_raw_request for the others of
Azure, a requests session for those of the cluster; it checks nothing. Both run in turn.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.commands import cpu_of, rehearsal
from tools.demo import sandbox
from tools.prove_wheel import ROOT

NODES = 50
CLUSTERS = {"aks": "managedClusters", "arc": "connectedClusters"}
SETTINGS = ["enableTraining=True", "enableInference=True", "inferenceRouterServiceType=nodePort"]
SETTINGS += ["allowInsecureConnections=True"]


def main() -> None:
    """Print a line for each kind of cluster: requests, both medians in milliseconds and their ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as worlds, rehearsal("--world", str(_world(Path(worlds)))) as (env, folder):
        for cluster, kind in CLUSTERS.items():
            _measure(cluster, kind, env, folder, rounds)


def _measure(cluster: str, kind: str, env: Mapping[str, str], folder: str, rounds: int) -> None:
    words = ["-g", "ml-rg", "-c", cluster, "-t", kind]
    az, box = ["az", "amlk8s"], Path(folder) / "sandbox"
    attach = ["compute", "attach", "-n", cluster, "-w", "ml-ws", *words, "--identity-type", "SystemAssigned"]
    cpu_of([*az, "extension", "create", "-n", "ext", *words, "--config", *SETTINGS], env, folder)
    cpu_of([*az, *attach], env, folder)
    check = [*az, "check", *words, "-w", "ml-ws", "--compute-name", cluster]
    before = len(_log(box))
    cpu_of(check, env, folder)
    requests = _log(box)[before:]
    file = Path(folder) / f"{cluster}.json"
    file.write_text(json.dumps({"requests": requests, "kubeconfig": env["KUBECONFIG"]}), encoding="utf-8")
    bare = [sys.executable, "-m", "benchmarks.bare", str(file)]
    ours, baseline = [], []
    for _ in range(rounds):
        baseline.append(cpu_of(bare, {**env, "PYTHONPATH": str(ROOT)}, folder))
        ours.append(cpu_of(check, env, folder))
    measured, bare_time = statistics.median(ours), statistics.median(baseline)
    times = f"{measured * 1000:6.0f} ms   bare {bare_time * 1000:6.0f} ms   x {measured / bare_time:.2f}"
    print(f"{kind:18} {len(requests):3} requests   {times}", flush=True)


def _world(folder: Path) -> Path:
    """The world of the scenarios with NODES nodes in each cluster."""
    world: dict[str, Any] = yaml.safe_load((ROOT / "tests/scenarios/world.yaml").read_text(encoding="utf-8"))
    for cluster in world["clusters"]:
        cluster["pools"] = [{"name": "node", "count": NODES, "cpu": 8, "memory": "32Gi"}]
    file = folder / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return file


def _log(box: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in sandbox("log", "--dir", str(box)).splitlines() if line]
    return [line for line in lines if line.get("agent") != "sandbox"]


if __name__ == "__main__":
    main()
