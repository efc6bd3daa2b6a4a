"""ARM templates and their parameter files among the files of a run."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from azext_amlk8s.lint import arm
from azext_amlk8s.lint.files import Files
from azext_amlk8s.lint.json_documents import read_json
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.units import evaluate_resources
from azext_amlk8s.lint.values import Value

MAX_DEPTH = 12
Parameters = dict[str, list[dict[str, Value]]]


def lint_json(files: Files, result: Result) -> None:
    """Add the findings on ARM templates, with each of their parameter files or with the default values."""
    templates: list[tuple[str, Value]] = []
    for file in files.of(".json", ".jsonc"):
        if '"resources"' not in file.text and "deploymentParameters.json" not in file.text:
            continue
        root = files.parse(file, read_json)
        for template in templates_in(root) if root is not None else ():
            templates.append((file.name, template))
            result.kinds[file.name] = "ARM template"
    given = parameter_files(files)
    for name, root in templates:
        for parameters in given.get(stem_of(name)) or [{}]:
            evaluate_resources(arm.template_resources(root, parameters), result)


def templates_in(value: Value, depth: int = 0) -> Iterator[Value]:
    """A template, or those inside a policy definition or another document."""
    if arm.is_template(value):
        yield value
    elif depth < MAX_DEPTH:
        for inner in (*(item for _, item in value.items()), *value.elements()):
            yield from templates_in(inner, depth + 1)


def parameter_files(files: Files) -> Parameters:
    """The values of the JSON parameter files by the path of the template, without suffix."""
    found: Parameters = {}
    for file in files.of(".json", ".jsonc"):
        if "deploymentParameters.json" not in file.text:
            continue
        root = files.parse(file, read_json)
        if root is not None and arm.is_parameter_file(root):
            found.setdefault(stem_of(file.name), []).append(arm.read_parameters(root))
    return found


def stem_of(name: str) -> str:
    """The key of a template or parameter file: main.parameters.prod.json is for main.json."""
    folder, base = posixpath.split(name.replace("\\", "/"))
    return posixpath.normpath(posixpath.join(folder, base.partition(".")[0].lower()))
