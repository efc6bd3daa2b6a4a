"""Rules over the types of values and the keys of job and deployment files, as azure-ai-ml loads them.

The schemas are data in knowledge/workloads.json. A schema maps each key to an expectation: a name of TYPES, an
enumeration (enum:a|b), a fragment (@name) or a schema of its own. A key that ends with an exclamation mark is
required (top-level keys are not, because `az ml` can set them with --set), one that ends with a question mark may be
null. "*" stands for any key; "..." allows further keys; the expectation of "" is what a value may be instead of a
mapping.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types.sources import describe_type, shorten
from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.workloads.sources import problem_at

Schema = Mapping[str, Any]
Mismatch = tuple[Path, Any, Any]
REFERENCE = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview"
EXPRESSION = re.compile(r"\$\{\{.*\}\}", re.DOTALL)
REFERENCES = ("azureml:", "/subscriptions/", "file:", "<")
SPECIAL_KEYS = {  # keys that other rules report
    "instance_type", "instanceType", "instance-type", "instancetype", "instance_types", "instance_typ", "resources",
    "requests", "limits", "cpu", "memory", "gpu",
}  # fmt: skip
BOOLEANS = {"t", "true", "1", "on", "y", "yes", "f", "false", "0", "off", "n", "no"}
TYPES = {
    "string": "a string",
    "text": "a string or a number",
    "amount": "a string",
    "scalar": "a string, a number, a Boolean or a mapping",
    "integer": "a whole number",
    "number": "a number",
    "number or string": "a number or a string",
    "boolean": "True or False",
    "mapping": "a mapping",
    "string map": "a mapping of strings",
    "list": "a list",
    "null": "a mapping",
    "reference": "a reference such as azureml:NAME",
    "string or mapping": "a string or a mapping",
    "string or list": "a string or a list",
}


@rule(
    "W134",
    Severity.ERROR,
    title="Types of values",
    requires="A value must have the type that Azure Machine Learning expects.",
    source=REFERENCE,
    why="Azure Machine Learning refuses the file.",
)
def value_types(document: Document, path: Path, schema: Schema) -> Problems:
    """Values of another type, and required keys that are missing; expressions such as ${{parent.inputs.x}} are any."""
    for wrong_path, value, expected in _mismatches(path, _part(document, path), schema):
        place, key = document.place(*wrong_path), wrong_path[-1]
        if value is MISSING:
            yield problem_at(place, f"required key '{key}' is missing.", expected=_describe(expected))
            continue
        expected_text, actual, fix = _describe(expected), describe_type(value), ""
        if not isinstance(value, (Mapping, list)) and value is not None:
            spelling = document.spelling(*wrong_path)
            actual = f"'{shorten(spelling)}'"
            fix = f'{key}: "{spelling}"' if expected_text.startswith("a string") else ""
        message = f"{key}: expected {expected_text}, got {actual}."
        yield problem_at(place, message, expected=expected_text, found=actual, fix=fix)


@rule(
    "W135",
    Severity.ERROR,
    title="Unknown keys",
    requires="A key must be one that Azure Machine Learning knows.",
    source=REFERENCE,
    why="Azure Machine Learning refuses the file.",
)
def unknown_keys(document: Document, path: Path, schema: Schema) -> Problems:
    """Keys that no schema has, with the closest that it has."""
    for key_path, known in _unknown(path, _part(document, path), schema):
        key = str(key_path[-1])
        close = difflib.get_close_matches(key, known, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        message = f"unknown key '{shorten(key)}'.{hint}"
        yield problem_at(document.key_place(*key_path), message, found=key, fix=f"{close[0]}:" if close else "")


def evaluate_values(document: Document, path: Path, schema_name: str) -> list[Finding]:
    """The findings on the values and keys of a part of a document, by the name of its schema."""
    schema = load("workloads")["schemas"].get(schema_name)
    if schema is None:
        return []
    return [*value_types(document, path, schema), *unknown_keys(document, path, schema)]


MISSING = object()


def _mismatches(path: Path, value: Mapping[Any, Any], schema: Schema) -> Iterator[Mismatch]:
    for name, expected in schema.items():
        key, flag = name.rstrip("!?"), name[-1:]
        if key in ("", "..."):
            continue
        if flag == "!" and key not in value:
            yield (*path, key), MISSING, expected
        for index in [*value] if key == "*" else [key] if key in value else []:
            if not (value[index] is None and flag == "?"):
                yield from _mismatch(
                    (*path, index if isinstance(index, int) else str(index)), value[index], _resolve(expected)
                )


def _mismatch(path: Path, value: Any, expected: Any) -> Iterator[Mismatch]:
    if isinstance(value, str) and EXPRESSION.search(value):
        return
    if not isinstance(expected, Mapping):
        if not _has_type(value, expected):
            yield path, value, expected
    elif isinstance(value, Mapping):
        yield from _mismatches(path, value, expected)
    elif not ("" in expected and _has_type(value, expected[""])):
        yield path, value, expected


def _unknown(path: Path, value: Mapping[Any, Any], schema: Schema) -> Iterator[tuple[Path, list[str]]]:
    expectations = {name.rstrip("!?"): _resolve(expected) for name, expected in schema.items()}
    known = [key for key in expectations if key not in ("", "*", "...")]
    for key, inner in value.items():
        expected = expectations.get(key, expectations.get("*"))
        key_path = (*path, str(key))
        if isinstance(expected, Mapping):
            if isinstance(inner, Mapping):
                yield from _unknown(key_path, inner, expected)
        elif expected is None and "..." not in expectations and key not in SPECIAL_KEYS:
            yield key_path, known


def _has_type(value: Any, expected: str) -> bool:
    if expected == "any":
        return True
    if expected.startswith("enum:"):
        return isinstance(value, str) and _plain(value) in [_plain(choice) for choice in _choices(expected)]
    if isinstance(value, bool):
        return expected in ("boolean", "scalar", "amount")
    if expected == "reference":
        return isinstance(value, str) and value.startswith(REFERENCES)
    if expected == "boolean":
        return isinstance(value, (str, int)) and str(value).lower() in BOOLEANS
    if expected in ("integer", "number") and isinstance(value, str):
        return bool(
            re.fullmatch(r"\s*[+-]?\d+\s*" if expected == "integer" else r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", value)
        )
    if expected == "string map":
        return isinstance(value, Mapping) and all(item is None or isinstance(item, str) for item in value.values())
    return isinstance(value, ACCEPTED[expected])


ACCEPTED: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "text": (str, int, float),
    "scalar": (str, int, float),
    "amount": (str, int, float),
    "integer": (int, float),
    "number": (int, float),
    "number or string": (int, float, str),
    "mapping": (dict,),
    "list": (list,),
    "null": (type(None),),
    "string or mapping": (str, dict),
    "string or list": (str, list),
}


def _resolve(expected: Any) -> Any:
    if isinstance(expected, str) and expected.startswith("@"):
        return load("workloads")["fragments"][expected[1:]]
    return expected


def _describe(expected: Any) -> str:
    expected = _resolve(expected)
    if isinstance(expected, Mapping):
        return f"{_describe(expected[''])} or a mapping" if expected.get("", "null") != "null" else "a mapping"
    if expected.startswith("enum:"):
        choices = _choices(expected)
        return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
    return TYPES.get(expected, "another value")


def _choices(expected: str) -> list[str]:
    return expected.removeprefix("enum:").split("|")


def _plain(word: str) -> str:
    return word.lower().replace("_", "")


def _part(document: Document, path: Path) -> Mapping[Any, Any]:
    value = document.part(*path).value
    return value if isinstance(value, Mapping) else {}
