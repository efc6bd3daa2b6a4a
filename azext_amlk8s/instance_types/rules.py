"""Rules over one InstanceType object; `read_object` evaluates all of them.

The CRD of the extension accepts anything, so what is wrong here shows itself only when a job runs, or never.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from azext_amlk8s.instance_types.model import DEFAULT_NAME, GPU, InstanceType
from azext_amlk8s.instance_types.resource_rules import read_amounts
from azext_amlk8s.instance_types.sources import (
    GUIDE,
    LABELS,
    NAMES,
    PLACEHOLDER,
    describe_type,
    problem_at,
    shorten,
)
from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.shell import join
from azext_amlk8s.values import mapping

NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")
SPEC_KEYS, RESOURCE_KEYS = ("nodeSelector", "resources"), ("requests", "limits")
OBJECT_KEYS = ("apiVersion", "kind", "metadata", "spec", "status")
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@rule(
    "I110",
    ERROR,
    title="Names of instance types",
    requires="metadata.name must be a valid name of a Kubernetes object.",
    source=NAMES,
)
def valid_name(document: Document, name: Any) -> Problems:
    """A missing name, and one that Kubernetes refuses."""
    path = ("metadata", "name")
    if isinstance(name, str) and (PLACEHOLDER.match(name) or (NAME.match(name) and len(name) <= 253)):
        return
    if name in (None, ""):
        yield problem_at(document, path, "metadata.name is missing.", fix="metadata:\n  name: cpu-small")
        return
    spelling = shorten(document.spelling(*path))
    expected = "lower-case letters, digits, '-' and '.', with a letter or digit at both ends"
    if not isinstance(name, str) and NAME.match(spelling):
        expected, fix = "a string", f'name: "{spelling}"'
    else:
        fix = f"name: {correct_name(str(name))}"
    yield problem_at(
        document, path, f"invalid name '{spelling}'; expected {expected}.", expected=expected, found=spelling, fix=fix
    )


@rule(
    "I111",
    WARNING,
    title="Namespace of an instance type",
    requires="An instance type must have no namespace: it belongs to the cluster.",
    source=GUIDE,
)
def no_namespace(document: Document, metadata: Mapping[str, Any]) -> Problems:
    """A namespace, which is ignored."""
    if metadata.get("namespace"):
        message = "metadata.namespace is ignored: instance types are not namespaced."
        yield problem_at(document, ("metadata", "namespace"), message, found=str(metadata["namespace"]))


@rule(
    "I116",
    ERROR,
    title="Types of node selector values",
    requires="nodeSelector must map label keys to values that are strings.",
    source=LABELS,
)
def node_selector_strings(document: Document, selector: Any) -> Problems:
    """A selector that is no mapping, and keys or values that are no strings; the fix keeps the file's spelling."""
    path: Path = ("spec", "nodeSelector")
    if not isinstance(selector, Mapping):
        message = f"nodeSelector must be a mapping of labels, got {describe_type(selector)}."
        yield problem_at(document, path, message, fix="nodeSelector: {agentpool: gpu}")
        return
    for key, value in selector.items():
        if isinstance(key, str) and isinstance(value, str):
            continue
        is_scalar = not isinstance(value, (list, Mapping))
        spelling = document.spelling(*path, key) if is_scalar else describe_type(value)
        name = key if isinstance(key, str) else f'"{document.key_spelling(*path, key)}"'
        fix = f'{name}: "{spelling}"' if is_scalar else f'{name}: "VALUE"'
        message = f"nodeSelector.{key}: expected a string, got {spelling}."
        if not isinstance(key, str):
            message = f"nodeSelector: expected a string as key, got {document.key_spelling(*path, key)}."
        yield problem_at(document, (*path, key), message, found=spelling, fix=fix)


@rule(
    "I130",
    ERROR,
    title="Form of labels",
    requires="Labels must have the form that Kubernetes requires.",
    source=LABELS,
    why="No node can have any other label, so no pod would be scheduled.",
)
def label_form(document: Document, path: Path, labels: Any) -> Problems:
    """Labels, of a node selector or of the object, that Kubernetes refuses."""
    for key, value in _pairs(labels):
        if not isinstance(key, str) or not isinstance(value, str):
            if path[0] == "metadata":
                yield problem_at(document, (*path, str(key)), f"label {key}: expected a string, got {value}.")
        elif not PLACEHOLDER.match(value) and not (LABEL_KEY.match(key) and LABEL_VALUE.match(value)):
            message = f"invalid label '{shorten(key)}={shorten(value)}'."
            yield problem_at(document, (*path, key), message, found=f"{key}={value}")


@rule(
    "I119",
    WARNING,
    title="Node selector of GPU types",
    requires="An instance type with GPUs should select its nodes.",
    source=GUIDE,
    why="Without a node selector its pods run on any node that has a GPU.",
)
def gpu_without_selector(document: Document, instance_type: InstanceType) -> Problems:
    """A type with GPUs and without nodeSelector."""
    if instance_type.limits.get(GPU) and not instance_type.node_selector:
        message = "no nodeSelector: its pods run on any node that has a GPU."
        yield problem_at(document, ("spec",), message, fix="Add a nodeSelector with the label of the GPU pool.")


@rule(
    "I129",
    WARNING,
    title="GPUs of types that select GPU nodes",
    requires="An instance type that selects GPU nodes should request a GPU.",
    source="https://github.com/Azure/MachineLearningNotebooks/issues/1900",
    why="Pods that request no GPU cannot use one.",
)
def selector_without_gpu(document: Document, instance_type: InstanceType) -> Problems:
    """A type that selects GPU nodes and requests no GPU."""
    if GPU in instance_type.limits or any("/" in key and value for key, value in instance_type.limits.items()):
        return
    for key, value in instance_type.node_selector.items():
        gpu_label = any(re.search(selector, f"{key}={value}".lower()) for selector in load("placement")["gpuSelectors"])
        if gpu_label and value.lower() not in ("false", "no", "none", "0", "cpu"):
            message = f"selects GPU nodes ({key}={value}) but requests no GPU, so its pods cannot use one."
            yield problem_at(document, ("spec", "nodeSelector", key), message, fix=f"limits:\n  {GPU}: 1")
            return


@rule(
    "I121",
    ERROR,
    title="Placeholders",
    requires="Placeholders of an example must be replaced.",
    source=GUIDE,
)
def placeholders(document: Document) -> Problems:
    """Values such as <name>."""
    yield from _placeholders(document, document.value, ())


def _placeholders(document: Document, value: Mapping[str, Any], path: Path) -> Problems:
    for key, inner in value.items():
        if isinstance(inner, Mapping) and len(path) < 8:
            yield from _placeholders(document, inner, (*path, str(key)))
        elif isinstance(inner, str) and PLACEHOLDER.match(inner):
            yield problem_at(document, (*path, str(key)), f"{key}: replace the placeholder '{inner}'.", found=inner)


@rule(
    "I122",
    WARNING,
    title="Tolerations",
    requires="Tolerations are a setting of the extension, not part of an instance type.",
    source=GUIDE,
)
def tolerations(document: Document, spec: Mapping[str, Any]) -> Problems:
    """Tolerations, which are ignored; the fix has the settings with the same effect."""
    if "tolerations" not in spec:
        return
    items = spec["tolerations"] if isinstance(spec["tolerations"], list) else []
    settings = [
        f"workLoadToleration[{number}].{part}={item[part]}"
        for number, item in enumerate(items)
        if isinstance(item, Mapping)
        for part in ("key", "operator", "value", "effect")
        if item.get(part)
    ]
    fix = f"Update the extension with: --config {join(settings)}" if settings else "Remove tolerations."
    message = "tolerations are ignored: they are a setting of the extension."
    yield problem_at(document, ("spec", "tolerations"), message, fix=fix)


@rule(
    "I123",
    ERROR,
    title="Keys of an instance type",
    requires="An instance type consists of nodeSelector and resources with requests and limits.",
    source=GUIDE,
)
def unknown_keys(document: Document, value: Mapping[str, Any], known: tuple[str, ...], *path: str) -> Problems:
    """Keys that the extension does not know, with the closest that it knows."""
    for key in value:
        if key in known or (key == "tolerations" and path == ("spec",)):
            continue
        plain = {name.lower(): name for name in known}
        close = difflib.get_close_matches(str(key).replace("_", "").lower(), plain, n=1, cutoff=0.6)
        fix = f"{plain[close[0]]}:" if close else ""
        hint = f" Did you mean '{plain[close[0]]}'?" if close else ""
        expected = f"{', '.join(known[:-1])} or {known[-1]}"
        message = f"unknown key '{shorten(key)}'; expected {expected}.{hint}"
        yield problem_at(document, (*path, str(key)), message, expected=expected, found=str(key), fix=fix)


@rule(
    "I124",
    INFO,
    title="Default instance type",
    requires=f"A type named {DEFAULT_NAME} replaces the built-in default.",
    source=GUIDE,
)
def replaces_default(document: Document, name: str) -> Problems:
    """The default's name."""
    if name == DEFAULT_NAME:
        message = "replaces the built-in default for all workloads that name no instance type."
        yield problem_at(document, ("metadata", "name"), message)


@rule(
    "I126",
    INFO,
    title="Size for MLflow deployments",
    requires="Deployments of MLflow models need an instance type with 2 CPU and 4 GB of memory or more.",
    source=GUIDE,
)
def small_for_mlflow(document: Document, limits: Mapping[str, Any]) -> Problems:
    """Limits below what an MLflow deployment needs."""
    for key, least in load("workloads")["mlflow"].items():
        limit, needed = amount(limits.get(key)), amount(least)
        if limit is not None and needed is not None and limit < needed:
            message = f"limits.{key}: {limits[key]} is less than the {least} that MLflow deployments need."
            yield problem_at(document, ("spec", "resources", "limits", key), message)


@rule(
    "I127",
    ERROR,
    title="Sections of an instance type",
    requires="metadata, labels, annotations, spec and resources must be mappings.",
    source=GUIDE,
)
def sections(document: Document) -> Problems:
    """A missing spec, and sections that are no mappings."""
    for path in (("metadata",), ("metadata", "labels"), ("metadata", "annotations"), ("spec",), ("spec", "resources")):
        value = _get(document.value, *path)
        if value is None and path == ("spec",):
            fix = 'spec:\n  resources:\n    requests: {cpu: "1", memory: 2Gi}\n    limits: {cpu: "1", memory: 2Gi}'
            yield problem_at(document, path, "spec is missing.", fix=fix)
        elif value is not None and not isinstance(value, Mapping):
            yield problem_at(document, path, f"{path[-1]} must be a mapping, got {describe_type(value)}.")


@rule(
    "I146",
    ERROR,
    title="Values of annotations",
    requires="The value of an annotation must be a string.",
    source="https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/",
)
def annotation_strings(document: Document, annotations: Any) -> Problems:
    """Numbers, Booleans and others; null is left out by Kubernetes."""
    for key, value in _pairs(annotations):
        if value is not None and not isinstance(value, str):
            path = ("metadata", "annotations", str(key))
            fix = "" if isinstance(value, (Mapping, list)) else f'{key}: "{document.spelling(*path)}"'
            message = f"annotation '{shorten(key)}' must be a string, got {describe_type(value)}."
            yield problem_at(document, path, message, expected="a string", fix=fix)


def read_object(document: Document) -> tuple[InstanceType | None, list[Finding]]:
    """The instance type that an object describes, None when it has errors, and all findings."""
    value: Mapping[str, Any] = document.value
    metadata, spec = mapping(value.get("metadata")), mapping(value.get("spec"))
    resources, selector = mapping(spec.get("resources")), spec.get("nodeSelector")
    is_readable = isinstance(value.get("spec"), Mapping) and isinstance(spec.get("resources") or {}, Mapping)
    requests, limits, findings = read_amounts(document, resources) if is_readable else ({}, {}, [])
    instance_type = InstanceType(
        str(metadata.get("name")),
        {str(key): str(value) for key, value in _pairs(selector)},
        requests,
        limits,
        *({str(key): str(value) for key, value in _pairs(metadata.get(part))} for part in ("labels", "annotations")),
    )
    findings = [
        *sections(document),
        *unknown_keys(document, value, OBJECT_KEYS),
        *(valid_name(document, metadata.get("name")) if isinstance(value.get("metadata") or {}, Mapping) else ()),
        *no_namespace(document, metadata),
        *label_form(document, ("metadata", "labels"), metadata.get("labels")),
        *annotation_strings(document, metadata.get("annotations")),
        *placeholders(document),
        *unknown_keys(document, spec, SPEC_KEYS, "spec"),
        *tolerations(document, spec),
        *unknown_keys(document, resources, RESOURCE_KEYS, "spec", "resources"),
        *(node_selector_strings(document, selector) if selector is not None else ()),
        *label_form(document, ("spec", "nodeSelector"), selector),
        *findings,
        *gpu_without_selector(document, instance_type),
        *selector_without_gpu(document, instance_type),
        *replaces_default(document, instance_type.name),
        *small_for_mlflow(document, limits),
    ]
    return (None if any(finding.severity is ERROR for finding in findings) else instance_type), findings


def correct_name(name: str) -> str:
    """The closest valid name of a Kubernetes object; defaultInstanceType is the default's name of 2021."""
    valid = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "instance-type"
    return DEFAULT_NAME if valid.replace("-", "") == DEFAULT_NAME else valid[:253].strip("-.")


def _get(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _pairs(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()
