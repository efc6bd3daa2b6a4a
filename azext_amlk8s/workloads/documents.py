"""YAML or JSON text into what it asks for; nothing that it refers to needs to be there (field guide compute 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types import yamltext
from azext_amlk8s.instance_types.yamltext import Document, Step
from azext_amlk8s.rules import Finding
from azext_amlk8s.workloads.catalogue import W101, W102, W103, W104, W129
from azext_amlk8s.workloads.model import Ask, said

Path = tuple[Step, ...]
PLACEHOLDER = re.compile(r"^(azureml:)?<[^<>]+>(:<[^<>]+>)?$")
TYPES = "amlarc.azureml.com"


def read_workloads(text: str, source: str) -> tuple[tuple[Ask, ...], tuple[Finding, ...]]:
    """What the documents of a text ask for, with all findings on their form; source names the text in them."""
    findings: list[Finding] = []
    asks: list[Ask] = []
    try:
        documents = yamltext.read(text, source)
    except yamltext.NotYaml as wrong:
        return (), (said(W101, wrong.place, f"this is not YAML: {wrong.problem}."),)
    if not documents:
        return (), (said(W102, source, "the file holds no document."),)
    for document in documents:
        if not isinstance(document.told, Mapping):
            findings.append(said(W102, document.place(), "this is not a job or a deployment: it has no keys."))
            continue
        for key, place in document.repeated_keys():
            findings.append(said(W129, place, f"{key} stands twice in one mapping.", found=key))
        findings += _placeholders(document, document.told, (), set())
        reader = _reader(document.told)
        if reader is None:
            findings.append(_stranger(document))
        else:
            made, found = reader(document)
            asks += made
            findings += found
    return tuple(asks), tuple(findings)


Reader = Callable[[Document], tuple[list[Ask], list[Finding]]]


def _reader(told: Mapping[str, Any]) -> Reader | None:
    """Who reads a document, judged by its keys: $schema is opaque and often wrong."""
    from azext_amlk8s.workloads import deployments, jobs

    kind = str(told.get("type") or "").lower()
    properties = told.get("properties")
    if isinstance(properties, Mapping) and "/onlineendpoints/deployments" in kind:
        return deployments.read_arm
    if TYPES in str(told.get("apiVersion")):
        return None
    if kind == "pipeline" or "jobs" in told:
        return jobs.read_pipeline
    if kind == "sweep" or "trial" in told or kind in ("command", "parallel") or "command" in told:
        return jobs.read_job
    if "auth_mode" in told or "onlineEndpoint" in str(told.get("$schema")):
        return deployments.read_endpoint
    if kind in ("kubernetes", "managed") or {"endpoint_name", "code_configuration", "scale_settings"} & told.keys():
        return deployments.read_deployment
    return None


def _stranger(document: Document) -> Finding:
    told = document.told
    if TYPES in str(told.get("apiVersion")):
        return said(
            W102,
            document.place(),
            "this is an instance type, not a job or a deployment.",
            fix=f"az amlk8s instance-type validate -f {document.source}",
        )
    kind = str(told.get("type") or "")
    if kind:
        return said(W103, document.place(), f"documents of the type {kind} pick no instance type; nothing is checked.")
    return said(W102, document.place(), "this is neither a job nor a deployment nor an endpoint.")


def _placeholders(document: Document, told: Any, path: Path, seen: set[int]) -> Iterator[Finding]:
    """Every placeholder, once: what YAML's aliases repeat is one object."""
    if isinstance(told, (Mapping, list)):
        if id(told) in seen:
            return
        seen.add(id(told))
        for key, value in told.items() if isinstance(told, Mapping) else enumerate(told):
            yield from _placeholders(document, value, (*path, key if isinstance(told, list) else str(key)), seen)
    elif isinstance(told, str) and PLACEHOLDER.match(told.strip()):
        message = f"the placeholder {told.strip()} has not been filled in."
        yield said(W104, document.place(*path), message, found=told)


def is_placeholder(value: Any) -> bool:
    """Whether a value is a placeholder out of a documentation page; that is said once, by _placeholders."""
    return isinstance(value, str) and bool(PLACEHOLDER.match(value.strip()))
