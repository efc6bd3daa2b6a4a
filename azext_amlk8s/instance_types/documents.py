"""YAML or JSON text into instance types, with findings that name file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types import yaml_documents
from azext_amlk8s.instance_types.attach_configurations import has_instance_types, is_bicep
from azext_amlk8s.instance_types.model import API_GROUP, KIND, LIST_KIND, InstanceType
from azext_amlk8s.instance_types.rules import read_object
from azext_amlk8s.instance_types.sources import GUIDE, describe_type, problem_at
from azext_amlk8s.instance_types.yaml_documents import Document, InvalidYaml, Path
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.shell import quote

SHAPE = "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType"
ERROR, INFO = Severity.ERROR, Severity.INFO


@dataclass(frozen=True)
class Text:
    """A text with the name that findings use; of_folder says that it was found in a folder, not named by the user."""

    source: str
    text: str
    of_folder: bool = False


@rule("I101", ERROR, title="File format", requires="A file of instance types must be YAML or JSON.", source=GUIDE)
def file_format(source: str, text: str, error: InvalidYaml) -> Problems:
    """Text that is not YAML; Bicep is named as such."""
    if is_bicep(text, source):
        built = f"{source.removesuffix('.bicep')}.json"
        fix = f"az bicep build -f {quote(source)} --outfile {quote(built)}\n"
        fix += f"az amlk8s instance-type convert -f {quote(built)} -o yaml"
        yield Problem(source, f"{source}: this is Bicep; expected YAML or JSON.", fix=fix)
    else:
        yield Problem(error.place, f"{error.place}: invalid YAML: {error.problem}.")


@rule("I102", ERROR, title="Empty file", requires="A file of instance types must contain a document.", source=GUIDE)
def empty_file(source: str) -> Problems:
    """A text without a document."""
    yield Problem(source, f"{source} contains no document.", fix=SHAPE)


@rule("I103", ERROR, title="Unique names", requires="Each instance type must be defined only once.", source=GUIDE)
def duplicate_name(place: str, name: str, first: str) -> Problems:
    """A name that an earlier document, or an earlier converted type, has."""
    yield Problem(place, f"{place}: duplicate instance type '{name}'; first defined at {first}.", found=name)


@rule(
    "I104",
    ERROR,
    title="Kind of a document",
    requires="A document must be an InstanceType or an InstanceTypeList of amlarc.azureml.com.",
    source=GUIDE,
)
def unexpected_kind(document: Document, path: Path, found: str) -> Problems:
    """A document or an item of a list that is something else; found describes it."""
    yield problem_at(document, path, f"expected InstanceType, got {found}.", expected=KIND, found=found, fix=SHAPE)


@rule("I105", ERROR, title="Items of a list", requires="An InstanceTypeList must have items.", source=GUIDE)
def missing_items(document: Document) -> Problems:
    """A list without items."""
    fix = "items:\n- metadata: {name: cpu-small}\n  spec: {resources: …}"
    yield problem_at(document, (), f"{document.value['kind']} has no items.", fix=fix)


@rule(
    "I106",
    ERROR,
    title="Attach configuration",
    requires="Instance types must be Kubernetes objects, not part of an attach configuration or an ARM body.",
    source=GUIDE,
)
def attach_configuration(document: Document, source: str) -> Problems:
    """The format of 2021, or a compute of ARM."""
    message = "expected InstanceType, got an attach configuration or ARM body with instance types."
    yield problem_at(document, (), message, fix=f"az amlk8s instance-type convert -f {quote(source)} -o yaml")


@rule(
    "I107",
    ERROR,
    title="Duplicate keys",
    requires="A key must occur only once in a mapping.",
    source=GUIDE,
    why="Of several values only the last is used.",
)
def duplicate_key(document: Document) -> Problems:
    """Keys that occur twice."""
    for key, place in document.repeated:
        yield Problem(place, f"{place}: duplicate key '{key}'.", found=key)


@rule(
    "I108",
    INFO,
    title="Other documents of a folder",
    requires="Documents of other kinds in a folder are ignored.",
    source=GUIDE,
)
def ignored_document(document: Document, found: str) -> Problems:
    """A document of a folder that is not an instance type."""
    yield problem_at(document, (), f"ignored: {found} is not an InstanceType.", found=found)


def read_documents(text: str, source: str) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types in one or several documents of one text, with all findings."""
    return read_texts([Text(source, text)])


def read_texts(texts: Iterable[Text]) -> tuple[tuple[InstanceType, ...], tuple[Finding, ...]]:
    """The instance types of several texts, with all findings.

    The items of an InstanceTypeList need neither kind nor apiVersion.
    """
    findings: list[Finding] = []
    types: list[InstanceType] = []
    places: dict[str, str] = {}
    for text in texts:
        for document in _objects(text, findings):
            instance_type, object_findings = read_object(document)
            findings += object_findings
            name, place = _name_of(document), document.place("metadata", "name")
            if name and name in places:
                findings += duplicate_name(place, name, places[name])
            elif name:
                places[name] = place
                types += [instance_type] if instance_type else []
    return tuple(types), tuple(findings)


def _name_of(document: Document) -> str:
    metadata = document.value.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""


def _objects(text: Text, findings: list[Finding]) -> Iterator[Document]:
    """Every InstanceType of a text, the items of lists included."""
    for document in parse_text(text, findings):
        yield from objects_of(document, text, findings)


def parse_text(text: Text, findings: list[Finding]) -> list[Document]:
    """The YAML documents of a text; why there is none is added to the findings."""
    try:
        documents = yaml_documents.read(text.text, text.source)
    except InvalidYaml as error:
        findings += file_format(text.source, text.text, error)
        return []
    if not documents:
        findings += empty_file(text.source)
    return documents


def objects_of(document: Document, text: Text, findings: list[Finding]) -> Iterator[Document]:
    """The InstanceType objects of one document of a text; anything else is added to the findings."""
    findings += duplicate_key(document)
    value = document.value
    if not isinstance(value, Mapping):
        findings += unexpected_kind(document, (), describe_type(value))
    elif _is(value, KIND):
        yield document
    elif _is(value, LIST_KIND) or (value.get("kind"), value.get("apiVersion")) == ("List", "v1"):
        yield from _items(document, findings)
    elif has_instance_types(value):
        findings += attach_configuration(document, text.source)
    else:
        kind = _describe(value)
        findings += ignored_document(document, kind) if text.of_folder else unexpected_kind(document, (), kind)


def _items(document: Document, findings: list[Finding]) -> Iterator[Document]:
    items = document.value.get("items")
    if not isinstance(items, list) or not items:
        findings += missing_items(document)
        return
    for number, item in enumerate(items):
        part = document.part("items", number)
        if not isinstance(item, Mapping):
            findings += unexpected_kind(part, (), describe_type(item))
        elif item.get("kind", KIND) != KIND or not _in_group(item.get("apiVersion", f"{API_GROUP}/")):
            findings += unexpected_kind(part, (), _describe(item))
        else:
            yield part


def _describe(value: Mapping[str, Any]) -> str:
    kind, version = value.get("kind"), value.get("apiVersion")
    return f"{kind or 'a document without kind'} ({version or 'no apiVersion'})"


def _is(value: Mapping[str, Any], kind: str) -> bool:
    return value.get("kind") == kind and _in_group(value.get("apiVersion"))


def _in_group(version: Any) -> bool:
    """Whether an apiVersion is of the extension's group, whatever its version: the cluster knows which it serves."""
    return str(version).partition("/")[0] == API_GROUP
