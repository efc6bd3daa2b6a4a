"""Rules over the computes that workloads run on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from azext_amlk8s.refs import WorkspaceRef
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.workloads.form_rules import is_placeholder
from azext_amlk8s.workloads.model import Workload
from azext_amlk8s.workloads.sources import ENDPOINT, GUIDE, problem_at, snippet

Compute = Mapping[str, Any]


@rule(
    "W130",
    Severity.ERROR,
    title="Computes of the workspace",
    requires="The compute must exist in the workspace.",
    source=GUIDE,
)
def compute_exists(workload: Workload, name: str, computes: Mapping[str, Compute], workspace: WorkspaceRef) -> Problems:
    """A compute that is not found, with the closest that is."""
    known = sorted(computes)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    message = f"compute '{name}' not found in workspace '{workspace.name}'; existing computes: "
    fix = (
        snippet({"compute": f"azureml:{close[0]}"})
        if close
        else f"az amlk8s compute list {workspace.cli_args} -o table"
    )
    yield problem_at(workload.at("compute"), f"{message}{', '.join(known) or 'none'}.{hint}", found=name, fix=fix)


@rule(
    "W131",
    Severity.INFO,
    title="Kind of the compute",
    requires="Only workloads on Kubernetes computes are checked.",
    source=GUIDE,
)
def kubernetes_compute(workload: Workload, name: str, compute: Compute) -> Problems:
    """A compute of another kind."""
    kind = (compute.get("properties") or {}).get("computeType")
    if kind != "Kubernetes":
        message = f"not checked: compute '{name}' is of type {kind}, not Kubernetes."
        yield problem_at(workload.at("compute"), message)


@rule(
    "W132",
    Severity.INFO,
    title="Compute of a deployment",
    requires="The endpoint of a deployment, which names its compute, must be among the files or in the workspace.",
    source=ENDPOINT,
)
def deployment_compute(workload: Workload) -> Problems:
    """A deployment whose endpoint is not found."""
    if workload.kind == "deployment" and not is_placeholder(workload.endpoint):
        endpoint = f"endpoint '{workload.endpoint}' not found" if workload.endpoint else "no endpoint_name"
        yield problem_at(workload.place, f"compute unknown: {endpoint}.")


@rule(
    "W133",
    Severity.WARNING,
    title="Access to the cluster",
    requires="The cluster of the compute must be reachable to check whether pods fit.",
    source=GUIDE,
)
def cluster_unreachable(compute: str, reason: str) -> Problems:
    """A cluster that cannot be read."""
    message = f"Whether pods fit on the cluster of compute '{compute}' was not checked. {reason}"
    yield Problem(compute, message, fix="Name a context of your kubeconfig that leads to the cluster with --context.")


def add_endpoint_computes(workloads: Iterable[Workload]) -> list[Workload]:
    """The workloads; a deployment whose endpoint is among them gets the endpoint's compute."""
    workloads = list(workloads)
    computes = {
        workload.name: workload.compute for workload in workloads if workload.kind == "endpoint" and workload.name
    }
    return [
        replace(workload, compute=computes[workload.endpoint])
        if workload.kind == "deployment" and workload.compute is None and workload.endpoint in computes
        else workload
        for workload in workloads
    ]


def evaluate_computes(
    workloads: Iterable[Workload], computes: Mapping[str, Compute], workspace: WorkspaceRef
) -> list[Finding]:
    """The findings on the computes of all workloads; computes are those of ARM, by name."""
    findings: list[Finding] = []
    for workload in workloads:
        name = workload.compute_name
        if name is None:
            findings += deployment_compute(workload)
        elif is_placeholder(workload.compute):
            continue
        elif name not in computes:
            findings += compute_exists(workload, name, computes, workspace)
        else:
            findings += kubernetes_compute(workload, name, computes[name])
    return findings
