"""How long `apply` and `plan` of many clusters take at the rates of Azure Resource Manager, and what they cost.

    .venv/bin/python -m benchmarks.fleet [--type managedClusters] [NAME...]

NAME is one of MEASUREMENTS; default: all. Starts a sandbox with token buckets for each, installs the wheel of dist/
as a user does, and prints a line for each figure with its limit. The exit code is 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.commands import rehearsal
from tools.demo import sandbox
from tools.prove_wheel import AZ, ROOT

SETUP = """
name: retail
workspace: {{name: ml-ws, resource_group: ml-rg}}
clusters: [{{select: {{resource_group: ml-rg, tags: {{ring: store}}}}}}]
extension: {{settings: {{enableTraining: true}}}}
compute: {{name: "{{cluster.name}}"}}
rollout: {{waves: [{{max_parallel: {parallel}}}]}}
"""
# ARM's bucket of writes: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
WRITES_AT_ONCE, WRITES_PER_SECOND = 200, 10
MOST_WALL, MOST_REJECTED, MOST_MEGABYTES, MOST_READS = 1.15, 10, 200, 3.0


@dataclass(frozen=True)
class Measurement:
    """So many clusters, buckets so many times as fast as those of ARM, and how many are worked on at the same time."""

    clusters: int
    speed: int
    parallel: int
    plans: bool = False


MEASUREMENTS = {
    "apply-200": Measurement(200, 1, 50),
    "apply-1000": Measurement(1000, 5, 200),
    "plan-1000": Measurement(1000, 5, 200, plans=True),
}


@dataclass(frozen=True)
class Run:
    """One az process: its time, memory and CPU time, and the requests to ARM."""

    seconds: float
    megabytes: float
    cpu_seconds: float
    requests: Sequence[Mapping[str, Any]]

    def count(self, *methods: str) -> int:
        """The requests with these methods that were not rejected."""
        return sum(request["method"] in methods and request["status"] != 429 for request in self.requests)

    @property
    def rejected(self) -> int:
        """The responses of 429."""
        return sum(request["status"] == 429 for request in self.requests)


def main() -> int:
    """Run the measurements and print their figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(MEASUREMENTS), metavar="NAME")
    parser.add_argument("--type", default="connectedClusters", choices=("connectedClusters", "managedClusters"))
    options = parser.parse_args()
    exceeded = [measure(name, options.type) for name in options.names]
    return 1 if any(exceeded) else 0


def measure(name: str, cluster_type: str) -> bool:
    """Run one measurement; returns whether a limit was exceeded."""
    measurement = MEASUREMENTS[name]
    with tempfile.TemporaryDirectory() as scratch:
        world = Path(scratch) / "world.yaml"
        world.write_text(yaml.safe_dump(fleet_world(measurement, cluster_type)), encoding="utf-8")
        with rehearsal("--world", str(world)) as (env, folder):
            setup = Path(folder) / "azureml.yaml"
            setup.write_text(SETUP.format(parallel=measurement.parallel), encoding="utf-8")
            # The computer of whoever applies it seldom reaches the API of every store.
            env = env if cluster_type == "managedClusters" else {**env, "KUBECONFIG": str(Path(folder) / "none")}
            applied = run(["apply", "-f", str(setup), "--yes", "--report", "report.json"], env, folder)
            failed = [
                cluster
                for cluster in json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))["clusters"]
                if cluster["status"] != "succeeded"
            ]
            if failed:
                print(f"{name}: {len(failed)} clusters did not succeed, such as: {failed[0]}", flush=True)
                return True
            if measurement.plans:
                planned = run(["plan", "-f", str(setup)], env, folder)
                return report(name, measurement, planned)
            return report(name, measurement, applied)


def fleet_world(measurement: Measurement, cluster_type: str) -> dict[str, Any]:
    """The sandbox's own world with a fleet, and token buckets."""
    world: dict[str, Any] = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    fleet = {"name": "store{number:04}", "count": measurement.clusters, "type": cluster_type, "group": "ml-rg"}
    pools = [{"name": "node", "count": 3, "cpu": 8, "memory": "32Gi"}]
    return {
        **world,
        "fleets": [{**fleet, "tags": {"ring": "store"}, "pools": pools}],
        "throttling": {"speed": measurement.speed},
    }


def run(words: Sequence[str], env: Mapping[str, str], folder: str) -> Run:
    """Run a command of the extension. Raises SystemExit where it ends in another code than 0."""
    box = str(Path(folder) / "sandbox")
    before = len(_requests(box))
    begin = time.monotonic()
    error = Path(folder) / "stderr"
    with error.open("wb") as stderr:
        process = subprocess.Popen(
            [str(AZ), "amlk8s", *words, "-o", "none"],
            env=dict(env),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and words[0] != "apply":
        raise SystemExit(
            f"{' '.join(words)} ended in {process.returncode}: {error.read_text(encoding='utf-8')[-2000:]}"
        )
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, usage.ru_maxrss / 1024, cpu, _requests(box)[before:])


def _requests(box: str) -> list[dict[str, Any]]:
    """The requests to ARM so far."""
    lines = (json.loads(line) for line in sandbox("log", "--dir", box).splitlines() if line.startswith("{"))
    return [line for line in lines if line["path"].lower().startswith(("/subscriptions", "/providers/"))]


def report(name: str, measurement: Measurement, run: Run) -> bool:
    """Print the figures of a run; returns whether a limit was exceeded."""
    reads, writes = run.count("GET", "HEAD"), run.count("PUT", "PATCH", "POST")
    floor = max(writes - WRITES_AT_ONCE, 0) / (WRITES_PER_SECOND * measurement.speed)
    figures: list[tuple[str, float, float | None, str]] = [
        ("429 responses", run.rejected, MOST_REJECTED, ""),
        ("memory", run.megabytes, MOST_MEGABYTES, "MB"),
        ("reads per cluster", reads / measurement.clusters, MOST_READS if measurement.plans else None, ""),
        ("writes per cluster", writes / measurement.clusters, None, ""),
        ("CPU per cluster", run.cpu_seconds / measurement.clusters * 1000, None, "ms"),
    ]
    if measurement.plans:
        figures.insert(0, ("wall time", run.seconds, None, "s"))
    else:
        figures.insert(0, ("wall time", run.seconds, MOST_WALL * floor, "s"))
    for figure, value, limit, unit in figures:
        mark = "" if limit is None else f"  (at most {limit:.4g})" if value <= limit else f"  EXCEEDS {limit:.4g}"
        print(f"{name:12} {figure:20} {value:8.1f} {unit:3}{mark}", flush=True)
    return any(limit is not None and value > limit for _, value, limit, _ in figures)


if __name__ == "__main__":
    sys.exit(main())
