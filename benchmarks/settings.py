"""CPU time of checking one set of settings, in process, once everything is loaded.

    .venv/bin/python -m benchmarks.settings [ROUNDS]

Three sets of settings: a small one, one with every setting that a user can specify, and that one with a certificate.
Each is read from arguments, checked by the schema and every rule, also over the facts of a cluster, and turned into
the body that is sent.
"""

from __future__ import annotations

import datetime
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

from azext_amlk8s.settings import (
    ClusterFacts,
    build_create_body,
    evaluate_cluster_rules,
    evaluate_rules,
    evaluate_version_rules,
    load_certificate_files,
    read_settings,
)
from azext_amlk8s.settings.schema import schema, values_of_key
from tests.scenarios.certificates import certificate, key

BUDGET_MS = 20
ROOT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters"
CLUSTER = ClusterFacts("managedClusters", f"{ROOT}/aks", "aks", "eastus", 4, cores=16)
NOW = datetime.datetime.now(datetime.timezone.utc)
PEM = {
    "sslCertPemFile": certificate("one", ["ml.contoso.com"], chain=["intermediate", "root"]),
    "sslKeyPemFile": key("one"),
}
FILES = [f"{name}={name}" for name in PEM]
EXAMPLES = {"sslCname": "ml.contoso.com", "azure_log_analytics.customer_id": "33333333-dddd-4eee-8fff-444444444444"}


def main() -> None:
    """Print a line for each set: median and worst in milliseconds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    small = ["enableTraining=True", "enableInference=True", "inferenceRouterServiceType=loadBalancer"]
    for name, plain, protected in (
        ("small", [*small, "allowInsecureConnections=True"], []),
        ("everything", everything(), []),
        ("with a certificate", everything(), FILES),
    ):
        times = measure(partial(check_and_plan, plain, protected), rounds)
        median = statistics.median(times)
        print(f"{name:20} {len(plain):3} settings {median:7.2f} ms  worst {max(times):7.2f} ms  budget {BUDGET_MS} ms")


def everything() -> list[str]:
    """Every setting that a user can specify without secrets, some with a wrong spelling."""
    named = [name for name, declaration in schema()["properties"].items() if declaration["x-set"] == "given"]
    words = [f"{name.lower()}={(values_of_key(name) or (EXAMPLES.get(name, 'x'),))[0].lower()}" for name in named]
    labels = [f"nodeSelector.label{number}=value" for number in range(10)]
    return [*(word for word in words if "pemfile" not in word), *labels, "reuseExistingPromOp=False", "instalVolcano=x"]


def check_and_plan(plain: list[str], protected: list[str]) -> None:
    """Everything that `create` does with settings before it sends a request."""
    settings, _ = read_settings(plain, protected)
    settings, _ = load_certificate_files(settings, PEM if protected else {}, NOW)
    evaluate_rules(settings)
    evaluate_cluster_rules(settings, CLUSTER)
    evaluate_version_rules(None, None)
    build_create_body(settings, CLUSTER)


def measure(work: Callable[[], None], rounds: int) -> list[float]:
    """CPU milliseconds of each round, after one that loads everything."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append((time.process_time() - begin) * 1000)
    return times


if __name__ == "__main__":
    main()
