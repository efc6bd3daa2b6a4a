"""Instance types in templates: of computes in ARM, and of manifests in Terraform."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from azext_amlk8s.instance_types.model import API_GROUP, API_VERSION, KIND
from azext_amlk8s.instance_types.rules import read_object
from azext_amlk8s.instance_types.yaml_documents import InvalidYaml, read
from azext_amlk8s.lint.model import LintFinding, Resource, Result
from azext_amlk8s.lint.placed_findings import PLACE
from azext_amlk8s.lint.values import Mark, Value
from azext_amlk8s.lint.yaml_values import UNKNOWN, as_document
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.values import mapping


def lint_types_of_compute(resource: Resource, result: Result) -> None:
    """Add the findings on the instance types of a compute."""
    types = resource.get("properties", "properties", "instanceTypes")
    for name, spec in types.items() if types is not None else ():
        if types is not None and spec.is_mapping:
            mark = types.key_mark(name)
            metadata = Value({"name": Value(name, mark)}, mark)
            content = {
                "apiVersion": Value(API_VERSION, mark),
                "kind": Value(KIND, mark),
                "metadata": metadata,
                "spec": spec,
            }
            _lint_object(Value(content, mark, keys={"spec": spec.mark}), result)


def lint_manifest(resource: Resource, result: Result) -> None:
    """Add the findings on a manifest, if it is an instance type, as a mapping or as YAML."""
    for name in ("manifest", "yaml_body"):
        value = resource.get(name)
        if value is None:
            continue
        version, kind = value.get("apiVersion"), value.get("kind")
        if version is not None and kind is not None and _is_type(version.text, kind.text):
            _lint_object(value, result)
        elif value.text:
            _lint_text(value, result)


def lint_types(documents: Iterable[Value], result: Result) -> None:
    """Add the findings on the instance types among documents."""
    for value in documents:
        version, kind = value.get("apiVersion"), value.get("kind")
        if version is not None and kind is not None and _is_type(version.text, kind.text):
            _lint_object(value, result)


def _is_type(version: str, kind: str) -> bool:
    return kind == KIND and version.partition("/")[0] == API_GROUP


def _lint_text(value: Value, result: Result) -> None:
    """The findings on instance types in a YAML text inside a file."""
    try:
        documents = read(value.text, value.mark.source)
    except InvalidYaml:
        return
    for document in documents:
        content = mapping(document.value)
        if _is_type(str(content.get("apiVersion")), str(content.get("kind"))):
            _add(read_object(document)[1], value.mark, result, first_line=value.mark.line)


def _lint_object(value: Value, result: Result) -> None:
    document, unknowns = as_document(value, value.mark.source)
    if not value.is_open:
        _add(read_object(document)[1], value.mark, result, unknowns)


def _add(
    findings: Iterable[Finding],
    start: Mark,
    result: Result,
    unknowns: Collection[tuple[int, int]] = (),
    first_line: int = 1,
) -> None:
    """Add findings at their positions, without those on what is not known; first_line is that of their text."""
    for finding in findings:
        match = PLACE.match(finding.subject)
        mark = Mark(start.source, int(match["line"]) + first_line - 1, int(match["column"])) if match else start
        is_uncertain = (mark.line, mark.column) in unknowns or UNKNOWN in finding.message
        if finding.severity is Severity.INFO or is_uncertain:
            continue
        path = (match["path"] or "") if match else ""
        message = finding.message.removeprefix(f"{finding.subject}: ")
        placed = replace(finding, subject=path or finding.subject, message=message)
        result.findings.append(LintFinding(placed, mark))
