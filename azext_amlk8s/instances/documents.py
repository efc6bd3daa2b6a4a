"""YAML or JSON text into instance types; what is wrong is said with document and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.findings import Finding, Severity
from azext_amlk8s.instances.model import API_VERSION, KIND, LIST_KIND, InstanceType
from azext_amlk8s.instances.rules import GUIDE, judge_object

SHAPE = "apiVersion: amlarc.azureml.com/v1alpha1, kind: InstanceType"


def read_documents(text: str, source: str) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types in one or several documents, with all findings; source names the text in them.

    InstanceTypeList is unfolded, its items need neither kind nor apiVersion (seed page; field guide compute 3.1).
    """
    import yaml

    findings: list[Finding] = []
    try:
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        return (), (_error("I101", source, f"{source} is not YAML{where}: {problem}."),)
    if not documents:
        return (), (_error("I102", source, f"{source} holds no document.", fix=SHAPE),)
    types: list[InstanceType] = []
    for number, document in enumerate(documents, 1):
        where = source if len(documents) == 1 else f"{source}, document {number}"
        for place, obj in _objects(document, where, findings):
            made, found = judge_object(obj, place)
            findings += found
            if made:
                types.append(made)
    seen: set[str] = set()
    for one in types:
        if one.name in seen:
            findings.append(_error("I103", one.name, f"{source} holds the instance type {one.name} more than once."))
        seen.add(one.name)
    return tuple(types), tuple(findings)


def _objects(document: Any, where: str, findings: list[Finding]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(document, Mapping):
        findings.append(_error("I104", where, f"{where} is not an InstanceType but a {_word(document)}.", fix=SHAPE))
        return
    kind, version = document.get("kind"), document.get("apiVersion")
    if kind == KIND and version == API_VERSION:
        yield where, document
    elif (kind, version) in ((LIST_KIND, API_VERSION), ("List", "v1")):
        items = document.get("items")
        if not isinstance(items, list) or not items:
            findings.append(_error("I105", where, f"{where} is an {kind} without items."))
            return
        for number, item in enumerate(items, 1):
            place = f"{where}, item {number}"
            if (
                not isinstance(item, Mapping)
                or item.get("kind", KIND) != KIND
                or item.get("apiVersion", API_VERSION) != API_VERSION
            ):
                found = item.get("kind") if isinstance(item, Mapping) else _word(item)
                findings.append(_error("I104", place, f"{place} is not an InstanceType but a {found}."))
            else:
                yield place, item
    else:
        findings.append(
            _error(
                "I104",
                where,
                f"{where} is not an InstanceType but {kind or 'has no kind'} ({version or 'no apiVersion'}).",
                fix=SHAPE,
            )
        )


def _word(value: Any) -> str:
    return {list: "list", str: "text", int: "number", float: "number", bool: "truth value"}.get(type(value), "value")


def _error(rule: str, subject: str, message: str, *, fix: str = "") -> Finding:
    return Finding(rule, Severity.ERROR, subject, message, fix=fix, source=GUIDE)
