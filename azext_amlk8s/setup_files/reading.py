"""Setup files: text into setups, merged by name, with findings that name file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from azext_amlk8s.instance_types import yaml_documents
from azext_amlk8s.instance_types.documents import Text
from azext_amlk8s.instance_types.sources import describe_type
from azext_amlk8s.instance_types.yaml_documents import Document, InvalidYaml, Path
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.refs import ClusterRef, WorkspaceRef
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.settings.schema import is_secret
from azext_amlk8s.setup_files import form_rules as rules
from azext_amlk8s.setup_files.model import ClusterEntry, Selector, Setup
from azext_amlk8s.setup_files.schema import check_schema

# Lists of all files of a setup are joined; any other part may be in one file only.
LISTS = ("namespaces", "instance_types", "overrides")
NOT_PARTS = ("$schema", "name", "clusters")


@dataclass
class _Merged:
    """A setup while its files are read."""

    parts: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    clusters: list[tuple[Document, Path]] = field(default_factory=list)


def read_setups(texts: Iterable[Text], subscription: str) -> tuple[tuple[Setup, ...], tuple[Finding, ...]]:
    """The setups of files, in the order of their names, with all findings; none where there is an error in the form.

    subscription is that of clusters and workspaces for which the files name no other.
    """
    findings: list[Finding] = []
    merged: dict[str, _Merged] = {}
    for text in texts:
        for document in _documents(text, findings):
            found = [*rules.duplicate_key(document), *check_schema(document), *_check_values(document)]
            findings += found
            if not found:
                _merge(merged.setdefault(str(document.value["name"]), _Merged()), document, findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return (), tuple(findings)
    setups = [_setup(name, merged[name], subscription, findings) for name in sorted(merged)]
    return tuple(setups), tuple(findings)


def workspace_of(setup: Setup, subscription: str) -> WorkspaceRef | None:
    """The workspace of a setup; subscription is the default. Raises ValueError for an ID of something else."""
    part = setup.content.get("workspace")
    if part is None:
        return None
    if "resource_id" in part:
        return WorkspaceRef.parse(str(part["resource_id"]))
    return WorkspaceRef(str(part.get("subscription") or subscription), str(part["resource_group"]), str(part["name"]))


def _documents(text: Text, findings: list[Finding]) -> Iterator[Document]:
    try:
        documents = yaml_documents.read(text.text, text.source)
    except InvalidYaml as error:
        findings += rules.file_format(error)
        return
    if not documents:
        findings += rules.not_a_setup(text.source, "an empty file")
    for document in documents:
        if isinstance(document.value, Mapping):
            if not (text.of_folder and "kind" in document.value and "apiVersion" in document.value):
                yield document
        else:
            findings += rules.not_a_setup(document.place(), describe_type(document.value))


def _check_values(document: Document) -> Iterator[Finding]:
    """Placeholders anywhere, and secrets among the plain settings."""
    for path, value in _leaves(document.value, ()):
        yield from rules.placeholder(document, path, value)
        if "settings" in path[:-1] and value not in (None, ""):
            key = ".".join(map(str, path[path.index("settings") + 1 :]))
            if is_secret(key) or redact_text(f"{key}={value}") != f"{key}={value}":
                yield from rules.literal_secret(document, path)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path, value


def _merge(merged: _Merged, document: Document, findings: list[Finding]) -> None:
    """Add a document to its setup."""
    folder = PurePath(document.source).parent
    merged.clusters += [(document, ("clusters", number)) for number in range(len(document.value.get("clusters") or ()))]
    for key in (key for key in document.value if key not in NOT_PARTS):
        place = document.position(key)
        value = _with_documents(
            _with_spellings(_complete(document.value[key], folder), document, (key,)), document, key
        )
        if key in LISTS:
            before = merged.parts.get(key, ())
            merged.parts[key] = [*before, *value]
            merged.places.setdefault(key, place)
            for number, item in enumerate(document.value[key]):
                merged.places |= _places(item, document, (key, number), f"{key}.{len(before) + number}")
        elif key in merged.parts:
            findings += rules.duplicate_part(place, f"part '{key}'", merged.places[key])
        else:
            merged.parts[key] = value
            merged.places |= _places(document.value[key], document, (key,), key)


def _places(value: Any, document: Document, path: Path, name: str) -> dict[str, str]:
    """Where a part and all keys below it are, by their names joined with dots."""
    places = {name: document.position(*path)}
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        step = key if isinstance(key, int) and isinstance(value, list) else str(key)
        places |= _places(inner, document, (*path, step), f"{name}.{key}")
    return places


def _with_documents(value: Any, document: Document, part: str) -> Any:
    """A part of a file whose InstanceType objects are documents, which know their place."""
    if part == "overrides":
        return [_override_with_documents(override, document, number) for number, override in enumerate(value)]
    return _as_documents(value, document, (part,)) if part == "instance_types" else value


def _override_with_documents(override: Mapping[str, Any], document: Document, number: int) -> Mapping[str, Any]:
    if "instance_types" not in override:
        return override
    path: Path = ("overrides", number, "instance_types")
    return {**override, "instance_types": _as_documents(override["instance_types"], document, path)}


def _as_documents(items: Sequence[Any], document: Document, path: Path) -> list[Any]:
    return [
        document.part(*path, number) if isinstance(item, Mapping) and "kind" in item else item
        for number, item in enumerate(items)
    ]


def _complete(value: Any, folder: PurePath) -> Any:
    """A part of a file with complete paths of files."""
    if isinstance(value, list):
        return [_complete(item, folder) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"certificate", "key"} or value.keys() == {"file"}:
        return {key: str(folder / str(path)) for key, path in value.items()}
    return {str(key): _complete(item, folder) for key, item in value.items()}


def _with_spellings(value: Any, document: Document, path: Path) -> Any:
    """A part of a file whose extension settings are spelled as in the file (yes stays yes)."""
    if isinstance(value, list):
        return [_with_spellings(item, document, (*path, number)) for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _with_spellings(item, document, (*path, key)) for key, item in value.items()}
    if "extension" in path and "settings" in path[path.index("extension") :]:
        return "" if value is None else document.spelling(*path)
    return value


def _setup(name: str, merged: _Merged, subscription: str, findings: list[Finding]) -> Setup:
    setup = Setup(name, merged.parts, (), merged.places)
    try:
        workspace = workspace_of(setup, subscription)
    except ValueError as error:
        place = Document(setup.place("workspace"), None)
        findings += rules.invalid_resource_id(place, ("workspace", "resource_id"), str(error))
        workspace = None
    default = workspace.subscription if workspace else subscription
    entries = [_entry(document, path, default, findings) for document, path in merged.clusters]
    findings += _duplicates([entry for entry in entries if entry])
    findings += _missing_parts(setup, bool(entries))
    return Setup(name, merged.parts, [entry for entry in entries if entry], merged.places)


def _missing_parts(setup: Setup, has_clusters: bool) -> Iterator[Finding]:
    whole = Document(f"setup '{setup.name}'", None)
    if not has_clusters:
        yield from rules.missing_key(whole, (), "clusters")
    if "compute" in setup.content and "workspace" not in setup.content:
        yield from rules.missing_key(Document(setup.place("compute"), None), (), "workspace", "compute")
    if "compute" in setup.content and not setup.content["compute"].get("name"):
        yield from rules.missing_key(Document(setup.place("compute"), None), (), "name")


def _entry(document: Document, path: Path, subscription: str, findings: list[Finding]) -> ClusterEntry | None:
    part = document.part(*path).value
    place, context = document.position(*path), str(part.get("context") or "")
    if "select" in part:
        return ClusterEntry(place, None, Selector.of(part["select"]), context)
    if "resource_id" in part:
        try:
            return ClusterEntry(place, ClusterRef.parse(str(part["resource_id"])), None, context)
        except ValueError as error:
            findings += rules.invalid_resource_id(document, (*path, "resource_id"), str(error))
            return None
    if "type" not in part:
        subscription, group = str(part.get("subscription") or ""), str(part["resource_group"])
        selector = Selector(str(part["name"]), subscription, group)
        return ClusterEntry(place, None, selector, context, is_named=True)
    names = (part.get("subscription") or subscription, part["resource_group"], part["type"], part["name"])
    return ClusterEntry(place, ClusterRef(*map(str, names)), None, context)


def _duplicates(entries: Sequence[ClusterEntry]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for entry in entries:
        if entry.cluster is not None:
            place = first.setdefault(entry.cluster.id.lower(), entry.place)
            if place != entry.place:
                yield from rules.duplicate_part(entry.place, f"cluster '{entry.cluster.name}'", place)
