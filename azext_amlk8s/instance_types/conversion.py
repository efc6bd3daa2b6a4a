"""Instance types of attach configurations (2021), computes of ARM and ARM templates, in today's form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types.attach_configurations import DEFAULT_KEYS, TYPE_KEYS, find_holders, has_instance_types
from azext_amlk8s.instance_types.documents import Text, duplicate_name, objects_of, parse_text
from azext_amlk8s.instance_types.model import API_VERSION, DEFAULT_NAME, KIND, LIST_KIND, InstanceType
from azext_amlk8s.instance_types.rules import correct_name, read_object
from azext_amlk8s.instance_types.sources import GUIDE
from azext_amlk8s.instance_types.yaml_documents import Document
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule

RESOLVED = ("I114", "I128")  # what the conversion corrects
Converted = tuple[InstanceType | None, list[Finding]]


@rule(
    "I109",
    Severity.WARNING,
    title="Converted names",
    requires="A name of 2021 is converted to a valid Kubernetes name.",
    source=GUIDE,
)
def converted_name(place: str, name: str, new: str, default: str) -> Problems:
    """A name that the conversion changes, and a former default that does not have today's name of the default."""
    if new != name:
        yield Problem(place, f"{place}: '{name}' is renamed to '{new}', a valid Kubernetes name.", found=name)
    if name == default and new != DEFAULT_NAME:
        message = f"{place}: '{name}' was the default; the default is now the type named '{DEFAULT_NAME}'."
        yield Problem(place, message, found=name, fix=f"name: {DEFAULT_NAME}")


def convert(texts: Iterable[Text]) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types of texts in any form, under valid Kubernetes names, with all findings."""
    types: dict[str, InstanceType] = {}
    findings: list[Finding] = []
    for text in texts:
        for converted, text_findings in _convert_text(text):
            findings += text_findings
            if converted and converted.name in types:
                findings += duplicate_name(text.source, converted.name, "an earlier type, under its converted name")
            elif converted:
                types[converted.name] = converted
    return tuple(types.values()), tuple(findings)


def has_form_of_2021(holder: Mapping[str, Any]) -> bool:
    """Whether the inner properties of a compute have a list of instance types, or names that no object can have."""
    types = holder.get("instanceTypes")
    names = [str(name) for name in types] if isinstance(types, Mapping) else []
    return (isinstance(types, list) and bool(types)) or any(correct_name(name) != name for name in names)


def as_list(types: Iterable[InstanceType]) -> dict[str, Any]:
    """The types as one InstanceTypeList, which kubectl and this tool read."""
    return {
        "apiVersion": API_VERSION,
        "kind": LIST_KIND,
        "items": [instance_type.to_object() for instance_type in types],
    }


def _convert_text(text: Text) -> Iterator[Converted]:
    """Each type of a text with its findings, in the order of the documents."""
    findings: list[Finding] = []
    for document in parse_text(text, findings):
        if has_instance_types(document.value):
            yield from _convert_document(document)
        else:
            for obj in objects_of(document, text, findings):
                yield read_object(obj)
    yield None, findings


def _convert_document(document: Document) -> Iterator[Converted]:
    for path, holder in find_holders(document.value):
        default = str(next((holder[key] for key in DEFAULT_KEYS if holder.get(key)), ""))
        for key in TYPE_KEYS:
            for step, name, value in _named_types(holder.get(key)):
                yield _convert_type(document.place(*path, key, step), str(name), value, default)


def _named_types(types: Any) -> Iterator[tuple[str | int, Any, Mapping[str, Any]]]:
    """Key or index, name and value of each type of a list or a map."""
    if isinstance(types, list):
        yield from (
            (number, entry.get("name"), entry) for number, entry in enumerate(types) if isinstance(entry, Mapping)
        )
    elif isinstance(types, Mapping):
        yield from ((str(name), name, entry) for name, entry in types.items() if isinstance(entry, Mapping))


def _convert_type(place: str, name: str, value: Mapping[str, Any], default: str) -> Converted:
    new = correct_name(name)
    spec = {
        "nodeSelector": value.get("nodeSelector", value.get("node_selector")),
        "resources": value.get("resources", value.get("resource")),
    }
    spec = {key: value for key, value in spec.items() if value is not None}
    obj = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": new}, "spec": spec}
    converted, findings = read_object(Document(place, obj))
    findings = [finding for finding in findings if finding.severity is not Severity.INFO and finding.id not in RESOLVED]
    return converted, [*findings, *converted_name(place, name, new, default)]
