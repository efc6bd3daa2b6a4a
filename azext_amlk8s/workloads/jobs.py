"""Command jobs, sweeps and pipelines (field guide compute 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding
from azext_amlk8s.workloads.catalogue import W102, W103, W105, W106, W107, W108, W109
from azext_amlk8s.workloads.documents import Path
from azext_amlk8s.workloads.model import Ask, said, snippet

EXPRESSION = re.compile(r"\$\{\{\s*parent\.inputs\.([A-Za-z0-9_.]+)\s*\}\}")
MISSPELT = ("instanceType", "instance-type", "instancetype", "instance_types", "instance_typ")
Read = tuple[list[Ask], list[Finding]]


def read_job(document: Document) -> Read:
    """A command job, a sweep, or a component that brings its own resources."""
    findings: list[Finding] = []
    needs_compute = "component" not in str(document.told.get("$schema")).lower()
    ask = _ask(document, (), document.told, {}, None, findings, needs_compute=needs_compute)
    return ([ask] if ask else []), findings


def read_pipeline(document: Document) -> Read:
    """Every step of a pipeline, with the pipeline's inputs put in."""
    findings: list[Finding] = []
    asks = _steps(document, (), document.told, {}, None, findings)
    return asks, findings


def _steps(
    document: Document,
    path: Path,
    told: Mapping[str, Any],
    outer: Mapping[str, Any],
    default: Any,
    findings: list[Finding],
) -> list[Ask]:
    settings = _mapping(told.get("settings"))
    inputs = {str(key): _resolved(value, outer) for key, value in _mapping(told.get("inputs")).items()}
    default = _resolved(settings.get("default_compute") or told.get("compute"), outer) or default
    jobs = told.get("jobs")
    if not isinstance(jobs, Mapping) or not jobs:
        findings.append(said(W102, document.place(*path, "jobs"), "the pipeline has no jobs."))
        return []
    asks = []
    for name, step in jobs.items():
        where = (*path, "jobs", str(name))
        if not isinstance(step, Mapping):
            findings.append(said(W102, document.place(*where), "a step must be a mapping."))
        elif step.get("type") == "pipeline" and "jobs" in step:
            asks += _steps(document, where, step, inputs, default, findings)
        elif str(step.get("type") or "command") in load("workloads")["typelessSteps"]:
            message = f"steps of the type {step['type']} pick no instance type; nothing is checked."
            findings.append(said(W103, document.place(*where), message))
        elif step.get("type") != "pipeline":
            ask = _ask(document, where, step, inputs, default, findings, needs_compute=True)
            asks += [ask] if ask else []
    return asks


def _ask(
    document: Document,
    path: Path,
    told: Mapping[str, Any],
    inputs: Mapping[str, Any],
    default: Any,
    findings: list[Finding],
    *,
    needs_compute: bool,
) -> Ask | None:
    inner: Mapping[str, Any] = _mapping(told.get("trial")) or _mapping(told.get("component"))
    resources = {**_mapping(inner.get("resources")), **_mapping(told.get("resources"))}
    _misplaced(document, path, told, resources, findings)
    compute, picked = told.get("compute"), resources.get("instance_type")
    named = compute is not None
    if isinstance(compute, Mapping):
        findings.append(_legacy(document, path, compute))
        block: Mapping[str, Any] = compute
        compute, picked = block.get("target"), picked or block.get("instance_type")
    compute = _put(document, (*path, "compute"), compute, inputs, findings) or default
    picked = _put(document, (*path, "resources", "instance_type"), picked, inputs, findings)
    count = _put(document, (*path, "resources", "instance_count"), resources.get("instance_count"), inputs, findings)
    if compute is None and needs_compute and not named:
        findings.append(_lacks_compute(document, path, picked))
    if compute is not None and str(compute).removeprefix("azureml:") in load("workloads")["elsewhere"]:
        findings.append(said(W103, document.place(*path), f"it runs on {compute}, not on Kubernetes."))
        return None
    return Ask(
        place=document.place(*path),
        kind=str(told.get("type") or ("sweep" if "trial" in told else "command")),
        name=str(path[-1]) if path else str(told.get("name") or ""),
        compute=str(compute) if compute is not None else None,
        instance_type=str(picked) if picked is not None else None,
        count=count if isinstance(count, int) and count > 0 else 1,
        image=_image(told) or _image(inner),
        places={
            ("instance_type",): document.place(*path, "resources", "instance_type"),
            ("compute",): document.place(*path, "compute"),
        },
    )


def _legacy(document: Document, path: Path, compute: Mapping[str, Any]) -> Finding:
    target = str(compute.get("target") or "COMPUTE")
    right: dict[str, Any] = {"compute": target if target.startswith("azureml:") else f"azureml:{target}"}
    resources = {key: compute[key] for key in ("instance_type", "instance_count") if key in compute}
    if resources:
        right["resources"] = resources
    message = "compute is a block, as in 2021; it is a name now, and the instance type stands under resources."
    return said(W105, document.place(*path, "compute"), message, fix=snippet(right))


def _misplaced(
    document: Document, path: Path, told: Mapping[str, Any], resources: Mapping[str, Any], findings: list[Finding]
) -> None:
    """instance_type where a job does not look for it, or spelt otherwise."""
    for key in ("instance_type", *MISSPELT):
        if key in told:
            message = f"{key} has no effect here; a job picks its instance type under resources."
            right = snippet({"resources": {"instance_type": told[key]}})
            findings.append(said(W106, document.place(*path, key), message, fix=right))
        if key in resources and key in MISSPELT:
            message = f"{key} is not known under resources; it is written instance_type."
            right = snippet({"resources": {"instance_type": resources[key]}})
            findings.append(said(W106, document.place(*path, "resources", key), message, fix=right))
    sized = [key for key in ("requests", "limits", "cpu", "memory", "gpu") if key in resources]
    if sized:
        message = f"{' and '.join(sized)} of a job are not looked at: its size is that of its instance type."
        findings.append(said(W107, document.place(*path, "resources", sized[0]), message))


def _lacks_compute(document: Document, path: Path, picked: Any) -> Finding:
    right: dict[str, Any] = {"compute": "azureml:COMPUTE"}
    if picked is not None:
        right["resources"] = {"instance_type": picked}
    return said(W108, document.place(*path), "no compute is named.", fix=snippet(right))


def _put(document: Document, path: Path, value: Any, inputs: Mapping[str, Any], findings: list[Finding]) -> Any:
    """A value with the pipeline's inputs put in; an input that is not there, or has no value yet, is a finding."""
    if not isinstance(value, str):
        return value
    for name in EXPRESSION.findall(value):
        if _value(inputs.get(name)) is None:
            known = ", ".join(inputs) or "none"
            message = f"the pipeline has no input {name} with a value; its inputs are: {known}."
            right = snippet({"inputs": {name: "azureml:COMPUTE" if path[-1] == "compute" else "VALUE"}})
            findings.append(said(W109, document.place(*path), message, fix=right))
            return None
    return _resolved(value, inputs)


def _resolved(value: Any, inputs: Mapping[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    whole = EXPRESSION.fullmatch(value.strip())
    if whole:
        return _value(inputs.get(whole.group(1)))
    return EXPRESSION.sub(lambda found: str(_value(inputs.get(found.group(1))) or found.group(0)), value)


def _value(told: Any) -> Any:
    """The value of an input: a literal, or what its description gives as default or path."""
    if isinstance(told, Mapping):
        return told.get("default", told.get("value", told.get("path")))
    return told


def _image(told: Mapping[str, Any]) -> str:
    environment = told.get("environment")
    if isinstance(environment, Mapping):
        return str(environment.get("image") or environment.get("name") or "")
    return str(environment or "")


def _mapping(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}
