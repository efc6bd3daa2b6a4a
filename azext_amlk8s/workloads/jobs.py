"""Command jobs, sweeps, components with resources, and pipelines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.values import mapping
from azext_amlk8s.workloads.form_rules import not_checked, unexpected_kind
from azext_amlk8s.workloads.model import Workload
from azext_amlk8s.workloads.sources import GUIDE, JOB, PIPELINE, problem_at, snippet
from azext_amlk8s.workloads.value_rules import evaluate_values

EXPRESSION = re.compile(r"\$\{\{\s*parent\.inputs\.([A-Za-z0-9_.]+)\s*\}\}")
MISSPELT = ("instanceType", "instance-type", "instancetype", "instance_types", "instance_typ")
MAX_DEPTH = 30
ERROR, WARNING = Severity.ERROR, Severity.WARNING
Values = Mapping[str, Any]


@rule("W105", ERROR, title="Compute of a job", requires="compute must be a name, not the block of 2021.", source=JOB)
def compute_block(document: Document, path: Path, compute: Values) -> Problems:
    """The block with target and instance_type that jobs of 2021 had."""
    name = str(compute.get("target") or "")
    current: dict[str, Any] = {"compute": name if name.startswith("azureml:") else f"azureml:{name or 'NAME'}"}
    resources = {key: compute[key] for key in ("instance_type", "instance_count") if key in compute}
    if resources:
        current["resources"] = resources
    message = "compute: expected a name, got a mapping (the format of 2021); instance_type belongs under resources."
    yield problem_at(document.place(*path, "compute"), message, fix=snippet(current))


@rule(
    "W106",
    ERROR,
    title="Position of instance_type",
    requires="instance_type must be spelt so, under resources in a job and at the top level in a deployment.",
    source=GUIDE,
)
def misplaced_instance_type(document: Document, path: Path, workload: Values, resources: Values) -> Problems:
    """instance_type where a job does not read it, or with another spelling."""
    for key in ("instance_type", *MISSPELT):
        if key in workload:
            message = f"{key} has no effect here; a job has instance_type under resources."
            fix = snippet({"resources": {"instance_type": workload[key]}})
            yield problem_at(document.place(*path, key), message, fix=fix)
        if key in resources and key in MISSPELT:
            message = f"resources: unknown key '{key}'; expected instance_type."
            fix = snippet({"resources": {"instance_type": resources[key]}})
            yield problem_at(document.place(*path, "resources", key), message, fix=fix)


@rule(
    "W107",
    WARNING,
    title="Size of a job",
    requires="The size of a job on Kubernetes is that of its instance type.",
    source=JOB,
)
def ignored_size(document: Document, path: Path, resources: Values) -> Problems:
    """Amounts under resources, which have no effect."""
    sized = [key for key in ("requests", "limits", "cpu", "memory", "gpu") if key in resources]
    if sized:
        verb = "has" if len(sized) == 1 else "have"
        message = f"{' and '.join(sized)} {verb} no effect: the size of a job is that of its instance type."
        yield problem_at(document.place(*path, "resources", sized[0]), message)


@rule("W108", ERROR, title="Compute of a workload", requires="A job or an endpoint must name a compute.", source=GUIDE)
def missing_compute(document: Document, path: Path, message: str) -> Problems:
    """A job or an endpoint without compute."""
    yield problem_at(document.place(*path), message, fix="Name a Kubernetes compute of the workspace with 'compute'.")


@rule(
    "W109",
    ERROR,
    title="Inputs of a pipeline",
    requires="An input that compute or instance_type refers to must have a value.",
    source=PIPELINE,
)
def missing_input(document: Document, path: Path, name: str, inputs: Values) -> Problems:
    """A reference to an input that does not exist or has no value."""
    known = ", ".join(inputs) or "none"
    message = f"pipeline input '{name}' not found or without a value; existing inputs: {known}."
    yield problem_at(document.place(*path), message, found=name, fix=f"Give the pipeline input '{name}' a value.")


@dataclass(frozen=True)
class _Scope:
    """What steps of a pipeline inherit: its inputs and its default compute."""

    document: Document
    findings: list[Finding]
    inputs: Values = field(default_factory=dict)
    compute: Any = None
    needs_compute: bool = True


def read_job(document: Document) -> tuple[list[Workload], list[Finding]]:
    """A command job, a sweep, or a component with resources of its own."""
    scope = _Scope(document, [], needs_compute=not is_component(document.value))
    return _workloads(scope, (), document.value), scope.findings


def read_pipeline(document: Document) -> tuple[list[Workload], list[Finding]]:
    """Every step of a pipeline, with the values of the pipeline's inputs."""
    scope = _Scope(document, [], needs_compute=not is_component(document.value))
    return _read_steps(scope, (), document.value), scope.findings


def is_component(value: Values) -> bool:
    """Whether a document is a component, which needs no compute."""
    schema = str(value.get("$schema") or "").lower()
    return "component" in schema or bool({"is_deterministic", "version"} & value.keys())


def _read_steps(scope: _Scope, path: Path, pipeline: Values) -> list[Workload]:
    document, jobs = scope.document, pipeline.get("jobs")
    inputs = {str(key): _resolve(value, scope.inputs) for key, value in mapping(pipeline.get("inputs")).items()}
    settings = mapping(pipeline.get("settings"))
    compute = _resolve(settings.get("default_compute") or pipeline.get("compute"), scope.inputs) or scope.compute
    inner = _Scope(document, scope.findings, inputs, compute, scope.needs_compute)
    if not isinstance(jobs, Mapping) or not jobs:
        scope.findings.extend(unexpected_kind(document, (*path, "jobs"), "the pipeline has no jobs."))
        return []
    workloads = []
    for name, step in jobs.items():
        step_path = (*path, "jobs", str(name))
        if not isinstance(step, Mapping):
            scope.findings.extend(unexpected_kind(document, step_path, "a step must be a mapping."))
            continue
        kind = step.get("type") or "command"
        scope.findings.extend(evaluate_values(document, step_path, "step"))
        if kind == "pipeline" and "jobs" in step and len(path) < MAX_DEPTH:
            workloads += _read_steps(inner, step_path, step)
        elif str(kind) in load("workloads")["typelessSteps"]:
            scope.findings.extend(not_checked(document, step_path, f"steps of type {kind} select no instance type"))
        elif kind != "pipeline":
            workloads += _workloads(inner, step_path, step)
            if kind == "command":
                scope.findings.extend(evaluate_values(document, step_path, "command step"))
                if not {"component", "command", "trial"} & step.keys():
                    scope.findings.extend(unexpected_kind(document, step_path, "a step needs component or command."))
    return workloads


def _workloads(scope: _Scope, path: Path, job: Values) -> list[Workload]:
    """The workload of a job or a step; none for one that does not run on Kubernetes."""
    document, findings = scope.document, scope.findings
    inner: Values = mapping(job.get("trial")) or mapping(job.get("component"))
    resources = {**mapping(inner.get("resources")), **mapping(job.get("resources"))}
    findings += misplaced_instance_type(document, path, job, resources)
    findings += ignored_size(document, path, resources)
    instance_type = resources.get("instance_type")
    compute: Any = job.get("compute")
    if isinstance(compute, Mapping):
        findings += compute_block(document, path, compute)
        compute, instance_type = compute.get("target"), instance_type or compute.get("instance_type")
    compute = _substitute(scope, (*path, "compute"), compute) or scope.compute
    instance_type = _substitute(scope, (*path, "resources", "instance_type"), instance_type)
    count = _substitute(scope, (*path, "resources", "instance_count"), resources.get("instance_count"))
    if compute is None and scope.needs_compute and "compute" not in job:
        findings += missing_compute(document, path, "no compute is named.")
    if compute is not None and str(compute).removeprefix("azureml:") in load("workloads")["elsewhere"]:
        findings += not_checked(document, path, f"it runs on '{compute}', not on Kubernetes")
        return []
    return [
        Workload(
            place=document.place(*path),
            kind=str(job.get("type") or ("sweep" if "trial" in job else "command")),
            name=str(path[-1]) if path else str(job.get("name") or ""),
            compute=str(compute) if compute is not None else None,
            instance_type=str(instance_type) if instance_type is not None else None,
            count=count if isinstance(count, int) and count > 0 else 1,
            image=_image(job) or _image(inner),
            places={
                ("instance_type",): document.place(*path, "resources", "instance_type"),
                ("compute",): document.place(*path, "compute"),
            },
        )
    ]


def _substitute(scope: _Scope, path: Path, value: Any) -> Any:
    """A value with those of pipeline inputs in place of expressions; None with a finding where an input has none."""
    if not isinstance(value, str):
        return value
    for name in EXPRESSION.findall(value):
        if _value(scope.inputs.get(name)) is None:
            scope.findings.extend(missing_input(scope.document, path, name, scope.inputs))
            return None
    return _resolve(value, scope.inputs)


def _resolve(value: Any, inputs: Values) -> Any:
    if not isinstance(value, str):
        return value
    whole = EXPRESSION.fullmatch(value.strip())
    if whole:
        return _value(inputs.get(whole.group(1)))
    return EXPRESSION.sub(lambda match: str(_value(inputs.get(match.group(1))) or match.group(0)), value)


def _value(description: Any) -> Any:
    """The value of an input: a literal, or the default, value or path of its description."""
    if isinstance(description, Mapping):
        return description.get("default", description.get("value", description.get("path")))
    return description


def _image(job: Values) -> str:
    environment = job.get("environment")
    if isinstance(environment, Mapping):
        return str(environment.get("image") or environment.get("name") or "")
    return str(environment or "")
