"""Rules over the form of setup files: syntax, keys, values, secrets, duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azext_amlk8s.instance_types.sources import PLACEHOLDER, describe_type, problem_at, shorten
from azext_amlk8s.instance_types.yaml_documents import Document, InvalidYaml, Path
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.shell import join

ERROR, WARNING = Severity.ERROR, Severity.WARNING
SHOW_SCHEMA = "az amlk8s schema"


@rule("D101", ERROR, title="File format", requires="A setup file must be YAML or JSON.")
def file_format(error: InvalidYaml) -> Problems:
    """Text that is not YAML."""
    yield Problem(error.place, f"{error.place}: invalid YAML: {error.problem}.")


@rule(
    "D102", ERROR, title="Content of a file", requires="A setup file must contain a mapping with the keys of a setup."
)
def not_a_setup(source: str, found: str) -> Problems:
    """A file without a document, and a document that is no mapping."""
    fix = "name: my-setup\nclusters:\n- {name: my-aks, resource_group: my-group, type: managedClusters}"
    yield Problem(source, f"{source}: expected a mapping with name and clusters, got {found}.", fix=fix)


@rule("D103", ERROR, title="Keys of a setup file", requires="A key must be one that the schema has.")
def unknown_key(document: Document, path: Path, nearest: str) -> Problems:
    """A key that the schema does not have; nearest is the one that it may mean."""
    hint = f" Did you mean '{nearest}'?" if nearest else ""
    fix = "" if nearest else SHOW_SCHEMA
    yield problem_at(document, path, f"unknown key '{path[-1]}'.{hint}", found=str(path[-1]), fix=fix)


@rule("D104", ERROR, title="Values of a setup file", requires="A value must have the form that the schema describes.")
def invalid_value(document: Document, path: Path, expected: str) -> Problems:
    """A value of another type or form."""
    value: Any = document.value
    for step in path:
        value = value[step]
    if isinstance(value, (dict, list)) or value is None:
        message = f"expected {expected}, got {describe_type(value)}."
    else:
        message = f"invalid value '{shorten(document.spelling(*path))}'; expected {expected}."
    yield problem_at(document, path, message, expected=expected)


@rule("D105", ERROR, title="Required keys", requires="Every key that the schema requires must be there.")
def missing_key(document: Document, path: Path, key: str, because: str = "") -> Problems:
    """A key that is missing; because is the key that requires it, if not the mapping itself does."""
    where = f"'{because}' requires '{key}'" if because else f"'{key}' is missing"
    yield problem_at(document, path, f"{where}.", expected=key)


@rule(
    "D106", ERROR, title="Alternative keys", requires="Exactly one of the keys that exclude each other must be given."
)
def one_source(document: Document, path: Path, choices: Sequence[str], given: Sequence[str]) -> Problems:
    """None or several of the keys that exclude each other."""
    found = f"got {' and '.join(map(repr, given))}" if given else "got none of them"
    expected = f"exactly one of {', '.join(map(repr, choices))}"
    yield problem_at(document, path, f"expected {expected}, {found}.", expected=expected)


@rule(
    "D107",
    ERROR,
    title="Secrets in a setup file",
    requires="A setup file must refer to a secret, never contain it.",
    why="Setup files are kept in version control.",
)
def literal_secret(document: Document, path: Path) -> Problems:
    """A secret that is written into the file; it is not repeated."""
    key = str(path[-1])
    name = "".join(letter if letter.isalnum() else "_" for letter in key).upper()
    fix = f"protected_settings: {{{key}: {{env: {name}}}}}"
    yield problem_at(
        document, path, f"'{key}' is a secret; expected a reference to it.", expected="env, file or key_vault", fix=fix
    )


@rule(
    "D108",
    ERROR,
    title="Parts defined twice",
    requires="A part of a setup, and each cluster, namespace and file, must be defined only once.",
)
def duplicate_part(place: str, what: str, first: str) -> Problems:
    """A part that another place defines too; what names it."""
    yield Problem(place, f"{place}: duplicate {what}; first defined at {first}.", found=what)


@rule(
    "D109",
    ERROR,
    title="Duplicate keys in a mapping",
    requires="A key must occur only once in a mapping.",
    why="Of several values only the last is used.",
)
def duplicate_key(document: Document) -> Problems:
    """Keys that occur twice."""
    for key, place in document.repeated:
        yield Problem(place, f"{place}: duplicate key '{key}'.", found=key)


@rule("D110", ERROR, title="Placeholders in a setup file", requires="Placeholders of an example must be replaced.")
def placeholder(document: Document, path: Path, value: Any) -> Problems:
    """A value such as <my-group>."""
    if isinstance(value, str) and PLACEHOLDER.match(value):
        yield problem_at(document, path, f"replace the placeholder '{shorten(value)}'.", found=shorten(value))


@rule("D113", ERROR, title="Resource IDs", requires="A resource ID must be that of a cluster or a workspace.")
def invalid_resource_id(document: Document, path: Path, reason: str) -> Problems:
    """A resource ID of something else; reason is a clause."""
    command = ["az", "resource", "list", "--query", "[].id", "-o", "tsv"]
    yield problem_at(document, path, f"{reason}.", fix=join(command))
