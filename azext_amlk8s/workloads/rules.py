"""Rules over what workloads ask for: the instance types that are known, and how they fit (field guide compute 4, 7)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from azext_amlk8s.instance_types.fit import TypeFit
from azext_amlk8s.instance_types.fit_findings import judge_fit
from azext_amlk8s.instance_types.model import DEFAULT_NAME, GPU, InstanceType
from azext_amlk8s.instance_types.rules import NAME, lawful_name
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.workloads.catalogue import W120, W121, W122, W123, W124, W125, W126
from azext_amlk8s.workloads.documents import is_placeholder
from azext_amlk8s.workloads.model import Ask, Known, said, snippet
from azext_amlk8s.workloads.resources import judge_resources


def judge_workloads(
    asks: Iterable[Ask],
    known: Known | None = None,
    fits: Mapping[str, TypeFit] | None = None,
    placement: Placement | None = None,
) -> list[Finding]:
    """Every finding on every ask; known is left out where no types are at hand, fits where no cluster is."""
    found: list[Finding] = []
    for ask in asks:
        if ask.kind == "endpoint" or is_placeholder(ask.instance_type):
            continue
        of_type = known.types.get(type_name(ask)) if known else None
        found += _name(ask)
        found += _existence(ask, known) if known else []
        found += judge_resources(ask, of_type)
        if of_type and known:
            found += [*_image(ask, of_type, known), *_mlflow(ask, of_type)]
        if fits and type_name(ask) in fits:
            found += _fit(ask, fits[type_name(ask)], placement or Placement())
    return found


def type_name(ask: Ask) -> str:
    """The instance type that is asked for, or the one that applies where none is."""
    return ask.instance_type or DEFAULT_NAME


def _name(ask: Ask) -> Iterator[Finding]:
    name = ask.instance_type
    if name is None or NAME.match(name):
        return
    if name.lower().startswith("standard_"):
        message = f"{name} is a size of virtual machines; on Kubernetes an instance type of the cluster is named."
        yield said(W120, ask.at("instance_type"), message, found=name, fix=_picked(ask, DEFAULT_NAME))
        return
    message = f"{name} cannot be an instance type: their names are of lower-case letters, digits, - and dots."
    right = lawful_name(name)
    yield said(W120, ask.at("instance_type"), message, found=name, fix=_picked(ask, right))


def _existence(ask: Ask, known: Known) -> Iterator[Finding]:
    name = type_name(ask)
    if name in known.types or (ask.instance_type and not NAME.match(ask.instance_type)):
        return
    if name == DEFAULT_NAME:
        message = f"{DEFAULT_NAME} applies, whose size depends on the version of the extension; it is not checked."
        yield said(W121, ask.at("instance_type"), message)
        return
    names = sorted({*known.types, DEFAULT_NAME})
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    message = f"{known.where} has no instance type {name}; there are: {shown}.{hint}"
    right = (
        _picked(ask, close[0])
        if close
        else f"az amlk8s instance-type create -n {name} --cpu-limit 1 --memory-limit 2Gi"
    )
    yield said(W122, ask.at("instance_type"), message, required=shown, found=name, fix=right)


def _picked(ask: Ask, name: str) -> str:
    """The lines that pick an instance type, where this kind of workload looks for it."""
    return snippet({"instance_type": name} if ask.kind == "deployment" else {"resources": {"instance_type": name}})


def _image(ask: Ask, of_type: InstanceType, known: Known) -> Iterator[Finding]:
    gpus = amount(str(of_type.limits.get(GPU) or 0))
    if ask.image and not gpus and any(re.search(one, ask.image.lower()) for one in load("workloads")["gpuImages"]):
        message = f"the image {ask.image} is made for GPUs, and the instance type {of_type.name} has none."
        right = next((_picked(ask, name) for name in sorted(known.types) if known.types[name].limits.get(GPU)), "")
        yield said(W123, ask.place, message, fix=right)


def _mlflow(ask: Ask, of_type: InstanceType) -> Iterator[Finding]:
    if not ask.mlflow:
        return
    for key, least in load("workloads")["mlflow"].items():
        has, needs = amount(str(of_type.limits.get(key))), amount(least)
        if has is not None and needs is not None and has < needs:
            message = (
                f"a deployment of an MLflow model needs {least} of {key}, and the instance type {of_type.name} has "
                f"{of_type.limits[key]}."
            )
            yield said(W124, ask.place, message)


def _fit(ask: Ask, one: TypeFit, placement: Placement) -> Iterator[Finding]:
    """Whether its pods can run at all, whether the job is refused before, and whether all of them fit at once."""
    for finding in judge_fit([one], placement, severity=Severity.ERROR):
        if finding.id != "N102" or ask.kind != "deployment":  # Code 9 is said of jobs
            yield replace(finding, subject=ask.place, message=f"{ask.place}: {finding.message}")
    most = one.pods + one.grown
    if most and ask.count > most:
        message = f"{ask.count} pods of the instance type {one.name} are asked for, and the cluster holds {most}."
        yield said(W125, ask.place, message, required=f"at most {most}", found=str(ask.count))
    elif one.pods and ask.count > one.free + one.grown:
        message = (
            f"{ask.count} pods of the instance type {one.name} are asked for, and there is room for {one.free} now."
        )
        yield said(W126, ask.place, message)
