"""YAML or JSON text into workloads. Files that a document refers to are not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from azext_amlk8s.instance_types import yaml_documents
from azext_amlk8s.instance_types.sources import describe_type
from azext_amlk8s.instance_types.yaml_documents import Document, InvalidYaml
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding
from azext_amlk8s.workloads import deployments, jobs
from azext_amlk8s.workloads.form_rules import (
    INSTANCE_TYPES,
    duplicate_key,
    file_format,
    instance_type_document,
    not_checked,
    placeholders,
    unexpected_kind,
)
from azext_amlk8s.workloads.model import Workload
from azext_amlk8s.workloads.value_rules import evaluate_values

Reader = Callable[[Document], tuple[list[Workload], list[Finding]]]
KINDS = "a job, a pipeline, a deployment or an endpoint"
READERS: dict[str, Reader] = {
    "pipeline": jobs.read_pipeline,
    "command": jobs.read_job,
    "sweep": jobs.read_job,
    "parallel": jobs.read_job,
    "online endpoint": deployments.read_endpoint,
    "online deployment": deployments.read_deployment,
    "ARM deployment": deployments.read_arm_deployment,
}


def read_workloads(text: str, source: str, of_folder: bool = False) -> tuple[tuple[Workload, ...], tuple[Finding, ...]]:
    """The workloads of a text, with all findings on its form; source names the text in them.

    With of_folder nobody named this very file, so that a document of an unknown kind is no error.
    """
    try:
        documents = yaml_documents.read(text, source)
    except InvalidYaml as error:
        return (), file_format(error)
    empty = Document(source, None)
    if not documents:
        return (), unexpected_kind(empty, (), f"the file contains no document; expected {KINDS}.")
    findings: list[Finding] = []
    workloads: list[Workload] = []
    for document in documents:
        read, document_findings = _read(document, of_folder)
        workloads += read
        findings += document_findings
    return tuple(workloads), tuple(findings)


def _read(document: Document, of_folder: bool) -> tuple[list[Workload], list[Finding]]:
    value = document.value
    if not isinstance(value, Mapping):
        message = f"expected {KINDS}, got {describe_type(value)}."
        return [], [*(not_checked(document, (), message[:-1]) if of_folder else unexpected_kind(document, (), message))]
    findings = [*duplicate_key(document), *placeholders(document)]
    kind = kind_of(value)
    reader = READERS.get(kind)
    if reader:
        workloads, found = reader(document)
        if (workloads or kind == "pipeline") and not jobs.is_component(value):
            found = [*found, *evaluate_values(document, (), kind)]
        return workloads, [*findings, *found]
    if INSTANCE_TYPES in str(value.get("apiVersion")):
        message = f"expected {KINDS}, got an instance type."
        return [], [*findings, *unexpected_kind(document, (), message, instance_type_document(document))]
    if kind:
        return [], [*findings, *not_checked(document, (), f"{kind} files select no instance type")]
    if of_folder:
        return [], [*findings, *not_checked(document, (), f"this is not {KINDS}")]
    return [], [*findings, *unexpected_kind(document, (), f"unknown kind of document; expected {KINDS}.")]


def kind_of(value: Mapping[str, Any]) -> str:
    """The kind of a document by its keys, as azure-ai-ml and ARM have them; empty where it is unknown.

    $schema is looked at last: it may be missing, and azure-ai-ml does not use it.
    """
    kind, schema = str(value.get("type") or "").lower(), str(value.get("$schema") or "").rpartition("/")[2].lower()
    if isinstance(value.get("properties"), Mapping) and "/onlineendpoints/deployments" in kind:
        return "ARM deployment"
    if INSTANCE_TYPES in str(value.get("apiVersion")):
        return ""
    for record in load("workloads")["kinds"]:
        if _matches(record, value, kind, schema):
            return str(record["kind"])
    if kind == "pipeline" or "jobs" in value:
        return "pipeline"
    for name in ("sweep", "parallel", "command"):
        if kind == name or {"sweep": "trial", "command": "command"}.get(name) in value:
            return name
    if "auth_mode" in value or "onlineendpoint" in schema:
        return "online endpoint"
    deployment_keys = {"endpoint_name", "code_configuration", "scale_settings"}
    if kind in ("kubernetes", "managed") or deployment_keys & value.keys() or "onlinedeployment" in schema:
        return "online deployment"
    return kind


def _matches(known: Mapping[str, Any], value: Mapping[str, Any], kind: str, schema: str) -> bool:
    """Whether a document is of a kind of the knowledge file: by $schema, or by type and keys."""
    if known.get("schema") and known["schema"] in schema:
        return True
    if not (known.get("types") or known.get("all") or known.get("any")):
        return False
    keys = value.keys()
    return (
        (not known.get("types") or kind in known["types"])
        and keys >= set(known.get("all", ()))
        and (not known.get("any") or bool(keys & set(known["any"])))
        and not keys & set(known.get("none", ()))
    )
