"""The JSON Schema of setup files, and its errors as findings."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from azext_amlk8s import knowledge
from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.rules import Finding
from azext_amlk8s.setup_files import form_rules as rules

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SchemaError = Any  # jsonschema.exceptions.ValidationError, whose attributes have types that say nothing here
INSTANCE_TYPE_FORMS = "from_nodes, a mapping with file, a mapping with from_nodes, or an InstanceType object"


def setup_schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a setup file."""
    loaded: Mapping[str, Any] = knowledge.load("setup.schema")
    return loaded


def check_schema(document: Document) -> tuple[Finding, ...]:
    """A finding for everything in a document that the schema does not allow. No finding contains a secret."""
    errors = sorted(_validator().iter_errors(document.value), key=lambda error: [str(step) for step in error.path])
    return tuple(finding for error in errors for finding in _findings(document, error))


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(setup_schema())


def _findings(document: Document, error: SchemaError) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    if "protected_settings" in path[:-1] and not isinstance(error.instance, Mapping):
        yield from rules.literal_secret(document, path[: path.index("protected_settings") + 2])
    elif error.validator == "additionalProperties":
        for key in error.instance.keys() - error.schema["properties"].keys():
            yield from rules.unknown_key(document, (*path, str(key)), _nearest(str(key), error.schema["properties"]))
    elif error.validator == "required":
        for key in (key for key in error.validator_value if key not in error.instance):
            yield from rules.missing_key(document, path, key)
    elif error.validator == "dependentRequired":
        for key, others in error.validator_value.items():
            for other in (other for other in others if key in error.instance and other not in error.instance):
                yield from rules.missing_key(document, path, other, key)
    elif error.validator == "oneOf" and isinstance(error.instance, Mapping):
        choices = [branch["required"][0] for branch in error.validator_value]
        yield from rules.one_source(document, path, choices, [key for key in choices if key in error.instance])
    elif error.validator == "anyOf":
        yield from _branch_findings(document, path, error)
    elif error.validator != "oneOf":  # of another type, which is reported by itself
        yield from rules.invalid_value(document, path, _expected(error))


def _branch_findings(document: Document, path: Path, error: SchemaError) -> Iterator[Finding]:
    """The findings of the alternative that a mapping is meant to be, known by a key that it has."""
    given = error.instance if isinstance(error.instance, Mapping) else {}
    for number, branch in enumerate(error.validator_value):
        if any(key in given for key in branch.get("required", ())):
            for inner in error.context:
                if inner.relative_schema_path[0] == number:
                    yield from _findings(document, inner)
            return
    yield from rules.invalid_value(document, path, INSTANCE_TYPE_FORMS)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key.lower().replace("-", "_"), list(known), n=1, cutoff=0.6)
    return close[0] if close else ""


def _expected(error: SchemaError) -> str:
    """What the schema allows instead, as a phrase."""
    declared = error.schema
    if error.validator == "const":
        return str(error.validator_value)
    if values := declared.get("enum"):
        return f"{', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else str(values[0])
    if error.validator in ("minItems", "minProperties"):
        return "at least one entry" if error.validator_value == 1 else "select and what differs for these clusters"
    if error.validator in ("minimum", "maximum"):
        bounds = [str(declared[key]) for key in ("minimum", "maximum") if key in declared]
        return f"a number from {' to '.join(bounds)}" if len(bounds) == 2 else f"a number of at least {bounds[0]}"
    if error.validator == "type":
        types = [declared["type"]] if isinstance(declared["type"], str) else declared["type"]
        names = {"object": "a mapping", "array": "a list", "integer": "a whole number", "boolean": "true or false"}
        return " or ".join(names.get(instance_type, f"a {instance_type}") for instance_type in types)
    return PATTERNS.get(str(declared.get("pattern")), str(declared.get("description") or "another value"))


PATTERNS = {
    "^/": "a resource ID, which begins with /subscriptions/",
    "^https://": "a URL that begins with https://",
    "^[0-9]+[smh]$": "a time such as 10m",
    "^[0-9]{1,3}%$": "a number or a percentage such as 5%",
    "^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable",
    "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits and hyphens",
}
