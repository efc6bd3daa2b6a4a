"""YAML or JSON text into instance types; what is wrong is said with file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types import yamltext
from azext_amlk8s.instance_types.conversion import is_legacy
from azext_amlk8s.instance_types.finding_helpers import kind_of, said
from azext_amlk8s.instance_types.model import API_GROUP, KIND, LIST_KIND, InstanceType
from azext_amlk8s.instance_types.rules import judge_object
from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.rules import Finding

SHAPE = "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType"


@dataclass(frozen=True)
class Text:
    """A text with the name by which findings call it; of_folder: nobody named this very file."""

    source: str
    text: str
    of_folder: bool = False


def read_documents(text: str, source: str) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types in one or several documents of one text, with all findings."""
    return read_texts([Text(source, text)])


def read_texts(texts: Iterable[Text]) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types of several texts, with all findings.

    InstanceTypeList is unfolded; its items need neither kind nor apiVersion (seed page; field guide compute 3.1).
    """
    findings: list[Finding] = []
    types: list[InstanceType] = []
    places: dict[str, str] = {}
    for text in texts:
        for document in _objects(text, findings):
            made, found = judge_object(document)
            findings += found
            name = _name_of(document)
            if name and name in places:
                place = document.place("metadata", "name")
                message = f"{name} stands at {places[name]} already."
                findings.append(rule.I103.finding(place, f"{place}: {message}", found=name))
            elif name:
                places[name] = document.place("metadata", "name")
                types += [made] if made else []
    return tuple(types), tuple(findings)


def _name_of(document: Document) -> str:
    metadata = document.told.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""


def _objects(text: Text, findings: list[Finding]) -> Iterator[Document]:
    """Every InstanceType of a text, lists unfolded."""
    try:
        documents = yamltext.read(text.text, text.source)
    except yamltext.NotYaml as wrong:
        message = f"{wrong.place}: this is not YAML: {wrong.problem}."
        findings.append(rule.I101.finding(wrong.place, message))
        return
    if not documents:
        findings.append(rule.I102.finding(text.source, f"{text.source} holds no document.", fix=SHAPE))
    for document in documents:
        yield from objects_of(document, text, findings)


def objects_of(document: Document, text: Text, findings: list[Finding]) -> Iterator[Document]:
    """The InstanceType objects of one document of a text; what is none is added to the findings."""
    for key, place in document.repeated_keys():
        findings.append(rule.I107.finding(place, f"{place}: {key} stands twice in one mapping.", found=key))
    told = document.told
    if not isinstance(told, Mapping):
        findings.append(said(rule.I104, document, (), f"this is no InstanceType but {kind_of(told)}.", fix=SHAPE))
    elif _is(told, KIND):
        yield document
    elif _is(told, LIST_KIND) or (told.get("kind"), told.get("apiVersion")) == ("List", "v1"):
        yield from _items(document, findings)
    else:
        findings.append(_stranger(document, text))


def _items(document: Document, findings: list[Finding]) -> Iterator[Document]:
    items = document.told.get("items")
    if not isinstance(items, list) or not items:
        findings.append(said(rule.I105, document, (), f"the {document.told['kind']} has no items.", fix="items: []"))
        return
    for number, item in enumerate(items):
        part = document.part("items", number)
        if not isinstance(item, Mapping):
            findings.append(said(rule.I104, part, (), f"this item is no InstanceType but {kind_of(item)}.", fix=SHAPE))
        elif item.get("kind", KIND) != KIND or not _of_group(item.get("apiVersion", f"{API_GROUP}/")):
            message = f"this item is no InstanceType but {item.get('kind')} ({item.get('apiVersion') or 'none'})."
            findings.append(said(rule.I104, part, (), message, fix=SHAPE))
        else:
            yield part


def _stranger(document: Document, text: Text) -> Finding:
    kind, version = document.told.get("kind"), document.told.get("apiVersion")
    if is_legacy(document.told):
        message = "this is an attach configuration as of 2021; instance types are objects of their own now."
        fix = f"az amlk8s instance-type convert -f {text.source} -o yaml"
        return said(rule.I106, document, (), message, fix=fix)
    found = f"{kind or 'has no kind'} ({version or 'no apiVersion'})"
    if text.of_folder:
        return said(rule.I108, document, (), f"this is {found}, no InstanceType, and is left out.")
    return said(rule.I104, document, (), f"this is no InstanceType but {found}.", fix=SHAPE)


def _is(told: Mapping[str, Any], kind: str) -> bool:
    return told.get("kind") == kind and _of_group(told.get("apiVersion"))


def _of_group(version: Any) -> bool:
    """Whatever version of the group: which one is served the cluster says."""
    return str(version).partition("/")[0] == API_GROUP
