"""Rules over workloads and the instance types that exist: names, sizes, and whether the pods fit and can run now."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from azext_amlk8s.instance_types.fit import TypeFit, fits_now
from azext_amlk8s.instance_types.fit_findings import UNKNOWN_CLUSTER, Commands, describe_waiting, evaluate_fit
from azext_amlk8s.instance_types.model import DEFAULT_NAME, GPU, InstanceType
from azext_amlk8s.instance_types.rules import NAME, correct_name
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.shell import quote
from azext_amlk8s.workloads.form_rules import is_placeholder
from azext_amlk8s.workloads.model import KnownTypes, Workload
from azext_amlk8s.workloads.resources import evaluate_resources
from azext_amlk8s.workloads.sources import GUIDE, problem_at, snippet

SHOWN_NAMES = 20
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@rule(
    "W120",
    ERROR,
    title="Names of instance types",
    requires="instance_type must be a valid name of an instance type.",
    source=GUIDE,
)
def valid_type_name(workload: Workload) -> Problems:
    """Sizes of virtual machines, and names that no Kubernetes object can have."""
    name, place = workload.instance_type, workload.at("instance_type")
    if name is None or NAME.match(name):
        return
    if name.lower().startswith("standard_"):
        message = f"'{name}' is a VM size; expected the name of an instance type of the cluster."
        yield problem_at(place, message, found=name, fix=_select(workload, DEFAULT_NAME))
        return
    message = f"invalid instance type '{name}'; expected lower-case letters, digits, '-' and '.'."
    yield problem_at(place, message, found=name, fix=_select(workload, correct_name(name)))


@rule(
    "W121",
    INFO,
    title="Size of the default instance type",
    requires="The size of the default instance type must be known to be checked.",
    source=GUIDE,
)
def unknown_default(workload: Workload, known: KnownTypes) -> Problems:
    """A workload that uses the built-in default."""
    if workload.type_name == DEFAULT_NAME and DEFAULT_NAME not in known.types:
        message = f"uses '{DEFAULT_NAME}', whose size depends on the extension's version; its size is not checked."
        yield problem_at(workload.at("instance_type"), message)


@rule(
    "W122",
    ERROR,
    title="Existing instance types",
    requires="The instance type must exist on the compute.",
    source=GUIDE,
    follows=("W120",),
)
def type_exists(workload: Workload, known: KnownTypes) -> Problems:
    """An instance type that is not found, with the closest that is."""
    name = workload.type_name
    if name in known.types or name == DEFAULT_NAME or not NAME.match(name):
        return
    names = sorted({*known.types, DEFAULT_NAME})
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    extra = len(names) - SHOWN_NAMES
    shown = ", ".join(names[:SHOWN_NAMES]) + (f" and {extra} more" if extra > 0 else "")
    message = f"instance type '{name}' not found on {known.where}; existing types: {shown}.{hint}"
    create = f"az amlk8s instance-type create -n {quote(name)} --cpu-limit 1 --memory-limit 2Gi"
    fix = _select(workload, close[0]) if close else create
    yield problem_at(workload.at("instance_type"), message, expected=shown, found=name, fix=fix)


@rule(
    "W123",
    WARNING,
    title="GPU images",
    requires="An image for GPUs should run on an instance type with GPUs.",
    source=GUIDE,
)
def gpu_image(workload: Workload, instance_type: InstanceType, known: KnownTypes) -> Problems:
    """An image for GPUs on a type without."""
    image, gpus = workload.image, amount(str(instance_type.limits.get(GPU) or 0))
    if image and not gpus and any(re.search(pattern, image.lower()) for pattern in load("workloads")["gpuImages"]):
        with_gpus = next((name for name in sorted(known.types) if known.types[name].limits.get(GPU)), "")
        message = f"the image '{image}' is for GPUs, but instance type '{instance_type.name}' has none."
        yield problem_at(workload.place, message, fix=_select(workload, with_gpus) if with_gpus else "")


@rule(
    "W124",
    WARNING,
    title="Size for MLflow deployments",
    requires="A deployment of an MLflow model needs an instance type with 2 CPU and 4 GB of memory or more.",
    source=GUIDE,
)
def mlflow_size(workload: Workload, instance_type: InstanceType) -> Problems:
    """An MLflow model on a type that is too small."""
    for key, least in load("workloads")["mlflow"].items() if workload.mlflow else ():
        limit, needed = amount(str(instance_type.limits.get(key))), amount(least)
        if limit is not None and needed is not None and limit < needed:
            message = (
                f"MLflow deployments need {least} {key}, instance type '{instance_type.name}' has "
                f"{instance_type.limits[key]}."
            )
            yield problem_at(workload.place, message)


@rule(
    "W125",
    ERROR,
    title="Capacity for all pods",
    requires="The cluster must be able to hold all pods of a workload.",
    source=GUIDE,
)
def capacity(workload: Workload, fits: TypeFit) -> Problems:
    """More pods than the cluster can hold, even with the nodes that autoscalers may add."""
    most = fits.pods + fits.added
    if most and workload.count > most:
        message = f"{workload.count} pods of instance type '{fits.name}' requested, the cluster holds at most {most}."
        yield problem_at(workload.place, message, expected=f"at most {most}", found=str(workload.count))


@rule(
    "W126",
    WARNING,
    title="Free capacity",
    requires="All pods of a workload should be able to run now.",
    source=GUIDE,
    why="The workload waits until other pods end or nodes are added.",
)
def free_capacity(workload: Workload, fits: TypeFit, all_fits: Mapping[str, TypeFit]) -> Problems:
    """More pods than can run next to those that run now, with a type of which so many could."""
    if not fits.pods or not fits.free < workload.count <= fits.pods + fits.added:
        return
    if fits.free:
        message = f"would wait: {workload.count} pods requested, {fits.free} of '{fits.name}' can run now."
    else:
        message = f"would wait: {describe_waiting(fits)}."
    severity = None
    if fits.free + fits.added >= workload.count:
        message, severity = f"{message} An autoscaler may add nodes.", INFO
    other = fits_now(all_fits, workload.count, fits)
    if other:
        message += f" '{other}' would run now."
    fix = _select(workload, other) if other else ""
    yield Problem(workload.place, f"{workload.place}: {message}", found=str(fits.free), fix=fix, severity=severity)


def evaluate_workloads(
    workloads: Iterable[Workload],
    known: KnownTypes | None = None,
    fits: Mapping[str, TypeFit] | None = None,
    placement: Placement | None = None,
    commands: Commands = UNKNOWN_CLUSTER,
) -> list[Finding]:
    """The findings on all workloads; known is None where no types are known, fits where no cluster is."""
    findings: list[Finding] = []
    for workload in workloads:
        if workload.kind == "endpoint" or is_placeholder(workload.instance_type):
            continue
        instance_type = known.types.get(workload.type_name) if known else None
        findings += valid_type_name(workload)
        if known:
            findings += [*unknown_default(workload, known), *type_exists(workload, known)]
        findings += evaluate_resources(workload, instance_type)
        if instance_type and known:
            findings += [*gpu_image(workload, instance_type, known), *mlflow_size(workload, instance_type)]
        if fits and workload.type_name in fits:
            findings += _evaluate_fit(workload, fits, placement or Placement(), commands)
    return findings


def _evaluate_fit(
    workload: Workload, fits: Mapping[str, TypeFit], placement: Placement, commands: Commands
) -> Iterable[Finding]:
    """Whether the pods can run at all, whether the job is refused before, and whether all fit at once and now."""
    fit = fits[workload.type_name]
    for finding in evaluate_fit([fit], placement, commands):
        if finding.id == "N108" or (finding.id == "N102" and workload.kind == "deployment"):
            continue  # W126 says the former of the workload; only jobs are refused for their size
        severity = ERROR if finding.id in ("N101", "N102") and fit.refused != "possible" else finding.severity
        message = f"{workload.place}: {finding.message}"
        yield replace(finding, subject=workload.place, message=message, severity=severity)
    yield from capacity(workload, fit)
    yield from free_capacity(workload, fit, fits)


def _select(workload: Workload, name: str) -> str:
    """The lines that select an instance type, where this kind of workload has them."""
    return snippet({"instance_type": name} if workload.kind == "deployment" else {"resources": {"instance_type": name}})
