"""Rules over the form of job and deployment files: syntax, kind, placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.instance_types.sources import shorten
from azext_amlk8s.instance_types.yaml_documents import Document, InvalidYaml, Path
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.shell import quote
from azext_amlk8s.workloads.sources import GUIDE, problem_at

PLACEHOLDER = re.compile(r"^(azureml:)?<[^<>]+>(:<[^<>]+>)?$")
INSTANCE_TYPES = "amlarc.azureml.com"
ERROR, INFO = Severity.ERROR, Severity.INFO


@rule("W101", ERROR, title="File format", requires="A job or deployment file must be YAML or JSON.", source=GUIDE)
def file_format(error: InvalidYaml) -> Problems:
    """Text that is not YAML."""
    yield problem_at(error.place, f"invalid YAML: {error.problem}.")


@rule(
    "W102",
    ERROR,
    title="Kind of a file",
    requires="A document must be a job, a pipeline, a deployment or an endpoint.",
    source=GUIDE,
)
def unexpected_kind(document: Document, path: Path, message: str, fix: str = "") -> Problems:
    """A document, or a part of it, that is something else."""
    yield problem_at(document.place(*path), message, fix=fix)


@rule("W103", INFO, title="Unchecked files", requires="Only workloads on Kubernetes are checked.", source=GUIDE)
def not_checked(document: Document, path: Path, reason: str) -> Problems:
    """Documents and steps that do not run on Kubernetes, or that select no instance type."""
    yield problem_at(document.place(*path), f"not checked: {reason}.")


@rule("W104", ERROR, title="Placeholders", requires="Placeholders of an example must be replaced.", source=GUIDE)
def placeholders(document: Document) -> Problems:
    """Every placeholder such as <name>; what YAML's aliases repeat is reported once."""
    seen: set[int] = set()
    parts: list[tuple[Path, Any]] = [((), document.value)]
    while parts:
        path, value = parts.pop()
        if isinstance(value, str) and is_placeholder(value):
            message = f"replace the placeholder '{shorten(value.strip())}'."
            yield problem_at(document.place(*path), message, found=shorten(value))
        elif isinstance(value, (Mapping, list)) and id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            inner = [((*path, key if isinstance(key, int) else str(key)), item) for key, item in items]
            parts += reversed(inner)


@rule("W129", ERROR, title="Duplicate keys", requires="A key must occur only once in a mapping.", source=GUIDE)
def duplicate_key(document: Document) -> Problems:
    """Keys that occur twice; only the last value would be used."""
    for key, place in document.repeated:
        yield Problem(place, f"{place}: duplicate key '{key}'.", found=key)


def is_placeholder(value: Any) -> bool:
    """Whether a value is a placeholder of a documentation page."""
    return isinstance(value, str) and bool(PLACEHOLDER.match(value.strip()))


def instance_type_document(document: Document) -> str:
    """The command that validates a file of instance types."""
    return f"az amlk8s instance-type validate -f {quote(document.source)}"
