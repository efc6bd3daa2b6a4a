"""The forms of 2021: instance types inside an attach configuration, as a list or as a map (field guide compute 3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types import yamltext
from azext_amlk8s.instance_types.model import API_VERSION, DEFAULT_NAME, KIND, LIST_KIND, InstanceType
from azext_amlk8s.instance_types.rules import judge_object, lawful_name
from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.rules import Finding, Severity

LISTS = ("instance_types", "instanceTypes")
DEFAULTS = ("default_instance_type", "defaultInstanceType")


def is_legacy(told: Any) -> bool:
    """Whether a document holds instance types as an attach configuration, or a compute of ARM, has them."""
    return any(True for _ in _holders(told, ()))


def convert(texts: Iterable[Any]) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types of texts in whatever form, under names that Kubernetes takes, with all findings.

    texts are documents.Text. What today's form needs no mending for passes as it is.
    """
    types: list[InstanceType] = []
    findings: list[Finding] = []
    for text in texts:
        for made, found in _of_text(text):
            types += [made] if made else []
            findings += found
    return _unlike(types, findings)


def _of_text(text: Any) -> Iterator[tuple[InstanceType | None, list[Finding]]]:
    """Each type of a text with its findings, in the order of the documents."""
    from azext_amlk8s.instance_types.documents import objects_of, read_texts

    try:
        documents = yamltext.read(text.text, text.source)
    except yamltext.NotYaml:
        documents = []
    if not documents:
        yield None, list(read_texts([text])[1])  # which says why there is nothing
    for document in documents:
        if is_legacy(document.told):
            yield from _converted(document)
            continue
        findings: list[Finding] = []
        for obj in objects_of(document, text, findings):
            yield judge_object(obj)
        yield None, findings


def _unlike(types: list[InstanceType], findings: list[Finding]) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    named: dict[str, InstanceType] = {}
    for one in types:
        if one.name in named:
            message = f"{one.name} is the name of two of them, as converted."
            findings.append(rule.I103.finding(one.name, message, found=one.name))
        named.setdefault(one.name, one)
    return tuple(named.values()), tuple(findings)


def _converted(document: Document) -> Iterator[tuple[InstanceType | None, list[Finding]]]:
    for path, holder in _holders(document.told, ()):
        default = next((holder[key] for key in DEFAULTS if holder.get(key)), None)
        for key in LISTS:
            if key in holder:
                for where, name, told in _told(holder[key], (*path, key)):
                    yield _one(document.part(*where), name, told, default)


def _told(types: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Mapping[str, Any]]]:
    if isinstance(types, list):
        for number, one in enumerate(types):
            if isinstance(one, Mapping):
                yield (*path, number), one.get("name"), one
    elif isinstance(types, Mapping):
        for name, one in types.items():
            if isinstance(one, Mapping):
                yield (*path, name), name, one


def _one(
    document: Document, name: Any, told: Mapping[str, Any], default: Any
) -> tuple[InstanceType | None, list[Finding]]:
    """A type of 2021 in today's form, and what is to be said of it; what converting mends is not."""
    renamed = lawful_name(str(name))
    spec = {
        "nodeSelector": told.get("nodeSelector", told.get("node_selector")),
        "resources": told.get("resources", told.get("resource")),
    }
    wanted = {key: value for key, value in spec.items() if value is not None}
    obj = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": renamed}, "spec": wanted}
    made, findings = judge_object(Document(document.place(), obj))
    mended = (rule.I114.id, rule.I128.id)
    notes = [one for one in findings if one.severity is not Severity.INFO and one.id not in mended]
    if renamed != name:
        message = f"{document.place()}: {name} becomes {renamed}, a name that Kubernetes takes."
        notes.append(rule.I109.finding(document.place(), message, found=str(name)))
    if name == default and renamed != DEFAULT_NAME:
        message = f"{document.place()}: {name} was the default; today the type named {DEFAULT_NAME} is."
        notes.append(rule.I109.finding(document.place(), message, fix=f"name: {DEFAULT_NAME}"))
    return made, notes


def _holders(told: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    """Every mapping, from the top to properties.properties, that holds instance types."""
    if not isinstance(told, Mapping) or len(path) > 4:
        return
    if any(isinstance(told.get(key), (list, Mapping)) for key in LISTS):
        yield path, told
    for key in ("properties", "parameters"):
        yield from _holders(told.get(key), (*path, key))


def as_list(types: Iterable[InstanceType]) -> dict[str, Any]:
    """One object for kubectl and for us: an InstanceTypeList."""
    return {"apiVersion": API_VERSION, "kind": LIST_KIND, "items": [one.to_object() for one in types]}
