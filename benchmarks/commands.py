"""CPU time of the commands that read, as a multiple of `az rest` for the same GET; of `-h`, of `az group -h`.

    .venv/bin/python -m benchmarks.commands [ROUNDS]

Starts a sandbox, installs the wheel of dist/ as a user does, and runs each pair in turn, so that other load on the
machine affects both.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.demo import exports, path, sandbox
from tools.prove_wheel import install_extension

GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg/providers"
CLUSTER = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks-poc"
EXTENSIONS = f"{CLUSTER}/providers/Microsoft.KubernetesConfiguration/extensions"
COMPUTES = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes"
ON_AKS = ["-g", "ml-rg", "-c", "aks-poc", "-t", "managedClusters"]
IN_WORKSPACE = ["-g", "ml-rg", "-w", "ml-ws"]
PAIRS = {
    "extension show": (["extension", "show", "-n", "azureml-extension", *ON_AKS], f"{EXTENSIONS}/azureml-extension"),
    "extension list": (["extension", "list", *ON_AKS], EXTENSIONS),
    "compute show": (["compute", "show", "-n", "k8s-compute", *IN_WORKSPACE], f"{COMPUTES}/k8s-compute"),
    "compute list": (["compute", "list", *IN_WORKSPACE], COMPUTES),
    "instance-type list": (["instance-type", "list", "--context", "aks-poc"], f"{COMPUTES}/k8s-compute"),
}
# The highest multiples that are acceptable.
MOST_FOR_READS, MOST_FOR_HELP = 1.10, 0.35
VERSIONS = {"extensions": "2025-03-01", "computes": "2024-10-01"}


def main() -> None:
    """Print a line for each command: both medians in milliseconds and their ratio."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with rehearsal() as (env, folder):
        _prepare(env, folder)
        for name, (words, resource_id) in PAIRS.items():
            version = VERSIONS["computes" if "/computes" in resource_id else "extensions"]
            request = ["rest", "--url", f"{resource_id}?api-version={version}"]
            _compare(name, words, request, rounds, MOST_FOR_READS, env, folder)
        _compare("-h", ["-h"], ["group", "-h"], rounds, MOST_FOR_HELP, env, folder)


def _compare(
    name: str, words: list[str], baseline: list[str], rounds: int, most: float, env: Mapping[str, str], folder: str
) -> None:
    """Print the medians of `az amlk8s WORDS` and of another command of az in ms, their ratio and its limit."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(cpu_of(["az", *baseline], env, folder))
        ours.append(cpu_of(["az", "amlk8s", *words], env, folder))
    measured, other = statistics.median(ours), statistics.median(theirs)
    compared = f"az {baseline[0]} {other * 1000:6.0f} ms   x {measured / other:.2f} (limit {most:.2f})"
    print(f"{name:20} {measured * 1000:6.0f} ms   {compared}")


@contextmanager
def rehearsal(*options: str) -> Iterator[tuple[dict[str, str], str]]:
    """A sandbox without provisioning times, in the subfolder `sandbox` of a new folder, and az with the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        box, config = Path(folder) / "sandbox", Path(folder) / "config"
        config.mkdir()
        install_extension(config)
        sandbox("up", "--dir", str(box), "--provisioning-seconds", "0", *options)
        try:
            variables = exports(sandbox("env", "--dir", str(box)))
            yield (
                {**os.environ, **variables, "PATH": path(), "AZURE_EXTENSION_DIR": str(config / "cliextensions")},
                folder,
            )
        finally:
            sandbox("down", "--dir", str(box))


def _prepare(env: Mapping[str, str], folder: str) -> None:
    settings = ["enableTraining=True", "enableInference=True", "inferenceRouterServiceType=loadBalancer"]
    create = ["extension", "create", "-n", "azureml-extension", *ON_AKS]
    cpu_of(["az", "amlk8s", *create, "--config", *settings, "allowInsecureConnections=True"], env, folder)
    attach = ["compute", "attach", "-n", "k8s-compute", *IN_WORKSPACE, "--resource-id", CLUSTER]
    cpu_of(["az", "amlk8s", *attach], env, folder)


def cpu_of(words: list[str], env: Mapping[str, str], folder: str) -> float:
    """User and system seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, env=dict(env), cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
