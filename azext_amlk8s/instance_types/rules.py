"""One instance type, judged: its names, its nodeSelector, its parts (field guide compute-and-instance-types 3.3)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.finding_helpers import PLACEHOLDER, kind_of, said
from azext_amlk8s.instance_types.model import DEFAULT_NAME, GPU, InstanceType
from azext_amlk8s.instance_types.resource_rules import judge_amounts
from azext_amlk8s.instance_types.yamltext import Document, Step
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.scheduling.quantities import amount

NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
SPEC_KEYS, RESOURCE_KEYS = ("nodeSelector", "resources"), ("requests", "limits")
OBJECT_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")


def judge_object(document: Document) -> tuple[InstanceType | None, list[Finding]]:
    """The instance type that an object describes, or None when an error stands against it, and all findings."""
    told: Mapping[str, Any] = document.told
    findings: list[Finding] = []
    metadata, spec = (_part(document, findings, name) for name in ("metadata", "spec"))
    name = metadata.get("name")
    findings += [*_unknown(document, told, OBJECT_KEYS), *_name(document, name), *_metadata(document, metadata)]
    findings += _placeholders(document, told, ())
    findings += _unknown(document, spec, SPEC_KEYS, "spec")
    resources = _part(document, findings, "spec", "resources") if "resources" in spec else {}
    findings += _unknown(document, resources, RESOURCE_KEYS, "spec", "resources")
    selector = _selector(document, spec.get("nodeSelector"), findings)
    requests, limits = judge_amounts(document, resources, findings)
    labels, annotations = (_texts(metadata.get(key)) for key in ("labels", "annotations"))
    made = InstanceType(str(name), selector, requests, limits, labels, annotations)
    findings += [*_gpu_places(document, made), *_default(document, made), *_small(document, made)]
    return (None if any(one.severity is Severity.ERROR for one in findings) else made), findings


def _part(document: Document, findings: list[Finding], *path: Step) -> Mapping[str, Any]:
    """A part that must be a mapping; an empty one where it is not, with a finding."""
    told: Any = document.told
    for word in path:
        told = told.get(word) if isinstance(told, Mapping) else None
    if isinstance(told, Mapping):
        return told
    if told is None:
        if path == ("spec",):
            message = "spec is missing."
            findings.append(said(rule.I127, document, path, message, fix="spec:\n  resources: …"))
        return {}
    findings.append(said(rule.I127, document, path, f"{path[-1]} must be a mapping, and is {kind_of(told)}."))
    return {}


def _name(document: Document, name: Any) -> Iterator[Finding]:
    path = ("metadata", "name")
    if isinstance(name, str) and PLACEHOLDER.match(name):
        return
    if isinstance(name, str) and NAME.match(name) and len(name) <= 253:
        return
    if name in (None, ""):
        yield said(rule.I110, document, path, "metadata.name is missing.", fix="metadata:\n  name: cpu-small")
        return
    message = f"{name} is not a name: lower-case letters, digits, - and dots, a letter or digit at both ends."
    yield said(rule.I110, document, path, message, found=str(name), fix=f"name: {lawful_name(str(name))}")


def lawful_name(name: str) -> str:
    """The nearest name that Kubernetes takes; defaultInstanceType is the default's name of 2021."""
    made = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "instance-type"
    return DEFAULT_NAME if made.replace("-", "") == DEFAULT_NAME else made[:253].strip("-.")


def _metadata(document: Document, metadata: Mapping[str, Any]) -> Iterator[Finding]:
    if metadata.get("namespace"):
        message = "metadata.namespace is left out; an instance type belongs to the whole cluster."
        yield said(rule.I111, document, ("metadata", "namespace"), message)
    for key, value in _pairs(metadata.get("labels")):
        if not (isinstance(key, str) and LABEL_KEY.match(key) and isinstance(value, str) and LABEL_VALUE.match(value)):
            path = ("metadata", "labels", str(key))
            yield said(rule.I130, document, path, f"{key}: {value} is not a label that Kubernetes takes.")


def _selector(document: Document, told: Any, findings: list[Finding]) -> dict[str, str]:
    path: tuple[Step, ...] = ("spec", "nodeSelector")
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        message = f"nodeSelector must be labels with their values, and is {kind_of(told)}."
        findings.append(said(rule.I116, document, path, message, fix="nodeSelector: {agentpool: gpu}"))
        return {}
    for key, value in told.items():
        word = str(value).lower() if isinstance(value, bool) else value
        here = (*path, str(key))
        if isinstance(value, str) and PLACEHOLDER.match(value):
            continue
        if not isinstance(key, str) or not isinstance(value, str):
            message = f"nodeSelector.{key}: {word} must be a string; quote it."
            findings.append(said(rule.I116, document, here, message, found=str(word), fix=f'{key}: "{word}"'))
        elif not LABEL_KEY.match(key) or not LABEL_VALUE.match(value):
            message = f"nodeSelector.{key}: {value} is not a label that Kubernetes takes, so no node has it."
            findings.append(said(rule.I130, document, here, message, found=f"{key}={value}"))
    return {str(key): str(value) for key, value in told.items()}


def _gpu_places(document: Document, made: InstanceType) -> Iterator[Finding]:
    """GPUs that are found anywhere; GPU nodes picked without asking for a GPU (MachineLearningNotebooks 1900)."""
    extended = [key for key, value in made.limits.items() if "/" in key and value]
    if GPU in extended and not made.node_selector:
        message = "without a nodeSelector its pods go to any node that has a GPU."
        yield said(rule.I119, document, ("spec",), message, fix="nodeSelector:\n  agentpool: POOL")
    if extended or GPU in made.limits:
        return
    for key, value in made.node_selector.items():
        words = f"{key}={value}".lower()
        wanted = any(re.search(one, words) for one in load("placement")["gpuSelectors"])
        if wanted and value.lower() not in ("false", "no", "none", "0", "cpu"):
            message = f"it picks GPU nodes ({key}={value}) and asks for no GPU, so its pods see none."
            here = ("spec", "nodeSelector", key)
            yield said(rule.I129, document, here, message, fix=f"limits:\n  {GPU}: 1")
            return


def _default(document: Document, made: InstanceType) -> Iterator[Finding]:
    if made.name == DEFAULT_NAME:
        message = "it replaces the built-in default for all workloads that name no type."
        yield said(rule.I124, document, ("metadata", "name"), message)


def _small(document: Document, made: InstanceType) -> Iterator[Finding]:
    for key, least in load("workloads")["mlflow"].items():
        has, needs = amount(made.limits.get(key)), amount(least)
        if has is not None and needs is not None and has < needs:
            message = f"{made.limits[key]} of {key} is less than the {least} that deployments of MLflow models need."
            yield said(rule.I126, document, ("spec", "resources", "limits", key), message)


def _placeholders(document: Document, told: Any, path: tuple[Step, ...]) -> Iterator[Finding]:
    for key, value in told.items():
        if isinstance(value, Mapping) and len(path) < 8:
            yield from _placeholders(document, value, (*path, str(key)))
        elif isinstance(value, str) and PLACEHOLDER.match(value):
            message = f"{key}: {value} is a placeholder that has not been filled in."
            yield said(rule.I121, document, (*path, str(key)), message, found=value)


def _unknown(document: Document, told: Mapping[str, Any], known: tuple[str, ...], *path: str) -> Iterator[Finding]:
    for key in told:
        if key in known:
            continue
        here = (*path, str(key))
        if key == "tolerations":
            message = "tolerations are no part of an instance type and are left out."
            fix = _tolerations(told[key])
            yield said(rule.I122, document, here, message, fix=fix)
            continue
        close = difflib.get_close_matches(
            str(key).replace("_", "").lower(), [one.lower() for one in known], n=1, cutoff=0.6
        )
        right = next((one for one in known if close and one.lower() == close[0]), "")
        hint = f" Did you mean {right}?" if right else ""
        message = f"{key} is not known; there are {', '.join(known)}.{hint}"
        yield said(rule.I123, document, here, message, found=str(key), fix=f"{right}:" if right else "")


def _tolerations(told: Any) -> str:
    """The command that makes the extension give its workloads these tolerations."""
    words = [
        f"'workLoadToleration[{number}].{part}={one[part]}'"
        for number, one in enumerate(told if isinstance(told, list) else [])
        if isinstance(one, Mapping)
        for part in ("key", "operator", "value", "effect")
        if one.get(part)
    ]
    shown = " ".join(words) or "'workLoadToleration[0].key=KEY'"
    return f"az amlk8s extension update -g GROUP -c CLUSTER -t TYPE -n NAME --config {shown}"


def _texts(told: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in _pairs(told)}


def _pairs(told: Any) -> Iterable[tuple[Any, Any]]:
    return told.items() if isinstance(told, Mapping) else ()
