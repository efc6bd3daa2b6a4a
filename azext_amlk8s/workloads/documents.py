"""YAML or JSON text into what it asks for; nothing that it refers to needs to be there (field guide compute 4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from azext_amlk8s.findings import Finding
from azext_amlk8s.workloads.model import Ask, error, info

Path = tuple[str, ...]
PLACEHOLDER = re.compile(r"^(azureml:)?<[^<>]+>(:<[^<>]+>)?$")
TYPES = "amlarc.azureml.com"


@dataclass(frozen=True)
class Document:
    """One document with the places of its keys."""

    source: str
    told: Mapping[str, Any]
    root: Any  # the yaml.Node of it

    def place(self, *path: str) -> str:
        """file:line:column and the path of a key, or of the last of its parents that is there."""
        node = self.root
        for word in path:
            pair = next((pair for pair in _pairs(node) if pair[0].value == word), None)
            if pair is None:
                break
            node = pair[1] if pair[1].start_mark.line == pair[0].start_mark.line else pair[0]
            if word != path[-1]:
                node = pair[1]
        mark = node.start_mark
        return f"{self.source}:{mark.line + 1}:{mark.column + 1}" + (f" ({'.'.join(path)})" if path else "")

    def places(self, *paths: Path) -> dict[Path, str]:
        """The places of several keys, those that are not there left out."""
        return {path: self.place(*path) for path in paths if self._has(path)}

    def _has(self, path: Path) -> bool:
        told: Any = self.told
        for word in path:
            if not isinstance(told, Mapping) or word not in told:
                return False
            told = told[word]
        return True


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def read_workloads(text: str, source: str) -> tuple[tuple[Ask, ...], tuple[Finding, ...]]:
    """What the documents of a text ask for, with all findings on their form; source names the text in them."""
    findings: list[Finding] = []
    asks: list[Ask] = []
    try:
        documents = list(_documents(text, source))
    except yaml.YAMLError as wrong:
        mark, problem = getattr(wrong, "problem_mark", None), getattr(wrong, "problem", None)
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        return (), (error("W101", where, f"this is not YAML: {problem or 'it cannot be parsed'}."),)
    if not documents:
        return (), (error("W102", source, "the file holds no document."),)
    for document in documents:
        if not isinstance(document.told, Mapping):
            findings.append(error("W102", document.place(), "this is not a job or a deployment: it has no keys."))
            continue
        findings += _placeholders(document, document.told, ())
        reader = _reader(document.told)
        if reader is None:
            findings.append(_stranger(document))
        else:
            made, found = reader(document)
            asks += made
            findings += found
    return tuple(asks), tuple(findings)


def _documents(text: str, source: str) -> Iterator[Document]:
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            told = loader.construct_document(node)
            if told is not None:
                yield Document(source, told, node)
    except ValueError as wrong:  # PyYAML lets a date such as 2024-13-99 through as one
        raise yaml.YAMLError(str(wrong)) from wrong
    finally:
        loader.dispose()


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
        return error(
            "W102",
            document.place(),
            "this is an instance type, not a job or a deployment.",
            fix=f"az amlk8s instance-type validate -f {document.source}",
        )
    kind = str(told.get("type") or "")
    if kind:
        return info(
            "W103", document.place(), f"documents of the type {kind} pick no instance type; nothing is checked."
        )
    return error("W102", document.place(), "this is neither a job nor a deployment nor an endpoint.")


def _placeholders(document: Document, told: Any, path: Path) -> Iterator[Finding]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from _placeholders(document, value, (*path, str(key)))
    elif isinstance(told, list):
        for value in told:
            yield from _placeholders(document, value, path)
    elif isinstance(told, str) and PLACEHOLDER.match(told.strip()):
        yield error(
            "W104", document.place(*path), f"the placeholder {told.strip()} has not been filled in.", found=told
        )


def is_placeholder(value: Any) -> bool:
    """Whether a value is a placeholder out of a documentation page; that is said once, by _placeholders."""
    return isinstance(value, str) and bool(PLACEHOLDER.match(value.strip()))
