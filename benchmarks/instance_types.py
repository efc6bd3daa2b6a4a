"""CPU time and memory of instance types: fit, validation, list.

    .venv/bin/python -m benchmarks.instance_types [ROUNDS]

Prints CPU seconds and the peak of memory for the fit of 500 types on 5,000 nodes, CPU seconds for validating 1,000
documents, and the CPU of `az amlk8s instance-type list` of 1,000 types as a multiple of that of `az rest` for a GET of
the same size. Each measurement runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.commands import GROUP, VERSIONS, cpu_of, rehearsal
from sandbox.azure.kubernetes_configuration.installation import CRD
from sandbox.world import DEFAULT_WORLD

TYPES, NODES, DOCUMENTS, LISTED = 500, 5000, 1000, 1000


def main() -> None:
    """Print all figures."""
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(globals()[sys.argv[2]]()))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, limit in (("fit", "5 s, 300 MB"), ("validate", "2 s")):
        words = [sys.executable, "-m", "benchmarks.instance_types", "one", name]
        runs = [json.loads(subprocess.run(words, check=True, capture_output=True).stdout) for _ in range(rounds)]
        seconds, memory = (statistics.median(entry[key] for entry in runs) for key in ("seconds", "megabytes"))
        print(f"{name:10} {seconds:.2f} s of CPU, {memory:.0f} MB peak   (limit {limit})")
    _listing(rounds)


def fit() -> dict[str, float]:
    """500 types of as many shapes against 5,000 nodes in 50 pools, with pods on them."""
    from azext_amlk8s.instance_types.fit import fit as evaluate_fit
    from azext_amlk8s.instance_types.model import InstanceType
    from azext_amlk8s.scheduling.nodes import nodes_from_objects
    from azext_amlk8s.scheduling.placement import workload_placement

    nodes = [_node(number) for number in range(NODES)]
    pods = [_pod(number, kind) for number in range(NODES) for kind in ("DaemonSet", "ReplicaSet")]
    types = []
    for number in range(TYPES):
        size = {"cpu": f"{100 + number * 7}m", "memory": f"{256 + number * 13}Mi"}
        selector = {"agentpool": f"pool{number % 50}"} if number % 3 else {}
        types.append(InstanceType(f"type-{number}", selector, size, size))
    before = time.process_time()
    fits = evaluate_fit(types, nodes_from_objects(nodes, pods), workload_placement({}))
    return {**_spent(before), "pods": sum(entry.pods for entry in fits)}


def validate() -> dict[str, float]:
    """1,000 documents in one text."""
    from azext_amlk8s.instance_types.documents import read_documents

    text = "---\n".join(yaml.safe_dump(_object(number), sort_keys=False) for number in range(DOCUMENTS))
    before = time.process_time()
    types, _ = read_documents(text, "types.yaml")
    return {**_spent(before), "types": len(types)}


def _spent(before: float) -> dict[str, float]:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.process_time() - before, "megabytes": most}


def _node(number: int) -> dict[str, Any]:
    size = {"cpu": f"{3800 + number % 40}m", "memory": f"{14_000_000 + number % 97 * 1000}Ki", "pods": "110"}
    labels = {"agentpool": f"pool{number % 50}", "kubernetes.io/os": "linux", "kubernetes.io/hostname": f"n{number}"}
    ready = [{"type": "Ready", "status": "True"}]
    return {"metadata": {"name": f"n{number}", "labels": labels}, "status": {"allocatable": size, "conditions": ready}}


def _pod(number: int, owner: str) -> dict[str, Any]:
    requests = {"cpu": f"{50 + number % 7 * 10}m", "memory": f"{64 + number % 5 * 32}Mi"}
    return {
        "metadata": {"name": f"p{number}", "ownerReferences": [{"kind": owner}]},
        "spec": {"nodeName": f"n{number}", "containers": [{"resources": {"requests": requests}}]},
        "status": {"phase": "Running"},
    }


def _object(number: int) -> dict[str, Any]:
    size = {"cpu": f"{1 + number % 8}", "memory": f"{2 + number % 30}Gi"}
    return {
        "apiVersion": "amlarc.azureml.com/v1alpha1",
        "kind": "InstanceType",
        "metadata": {"name": f"type-{number}"},
        "spec": {"nodeSelector": {"agentpool": f"pool{number % 50}"}, "resources": {"requests": size, "limits": size}},
    }


def _listing(rounds: int) -> None:
    """The list of a cluster's 1,000 types beside az rest for an ARM resource that is as large as the API's response."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    objects = [_object(number) for number in range(LISTED)]
    compute = {
        "name": "ml-ws/large",
        "group": "ml-rg",
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": "eastus",
        "properties": {"computeType": "AmlCompute", "provisioningState": "Succeeded", "items": objects},
    }
    world["clusters"] = [
        {"name": "aks-poc", "group": "ml-rg", "type": "managedClusters", "pools": [], "objects": [CRD, *objects]}
    ]
    world["resources"] = [*(world.get("resources") or []), compute]
    with tempfile.TemporaryDirectory() as worlds:
        file = Path(worlds) / "world.yaml"
        file.write_text(yaml.safe_dump(world), encoding="utf-8")
        with rehearsal("--world", str(file)) as (env, folder):
            _compare(rounds, env, folder)


def _compare(rounds: int, env: Mapping[str, str], folder: str) -> None:
    url = (
        f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes/large?api-version={VERSIONS['computes']}"
    )
    ours, baseline = [], []
    for _ in range(rounds):
        baseline.append(cpu_of(["az", "rest", "--url", url], env, folder))
        ours.append(cpu_of(["az", "amlk8s", "instance-type", "list", "--context", "aks-poc"], env, folder))
    measured, rest_time = statistics.median(ours), statistics.median(baseline)
    print(
        f"list       {measured:.2f} s of CPU, az rest {rest_time:.2f} s, x {measured / rest_time:.2f}   (limit x 1.3)"
    )


if __name__ == "__main__":
    main()
