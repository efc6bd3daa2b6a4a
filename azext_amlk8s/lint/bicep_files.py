"""Bicep files, their modules and parameter files among the files of a run."""

from __future__ import annotations

from azext_amlk8s.lint.bicep import BicepFile, FindModule, module_paths, parameter_values
from azext_amlk8s.lint.bicep_reader import Declaration, read_bicep
from azext_amlk8s.lint.files import Files, normal_path, relative_path
from azext_amlk8s.lint.json_files import parameter_files, stem_of
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.units import evaluate_resources
from azext_amlk8s.lint.values import Value

Declarations = tuple[Declaration, ...]


def lint_bicep(files: Files, result: Result) -> None:
    """Add the findings on Bicep files; a module that another file calls is evaluated with what that file gives it."""
    parsed: dict[str, Declarations] = {}
    for file in files.of(".bicep"):
        found = files.parse(file, read_bicep)
        if found is not None:
            parsed[file.path] = tuple(found)
            result.kinds[file.name] = "Bicep"
    called = {relative_path(path, module) for path, each in parsed.items() for module in module_paths(each)}
    given = _given_parameters(files)
    for path, declarations in parsed.items():
        if path in called and path not in given:
            continue
        for parameters in given.get(path) or [{}]:
            file_scope = BicepFile(declarations, parameters, _finder(path, parsed))
            evaluate_resources(list(file_scope.resources()), result)


def _finder(path: str, parsed: dict[str, Declarations]) -> FindModule:
    return lambda module: parsed.get(relative_path(path, module))


def _given_parameters(files: Files) -> dict[str, list[dict[str, Value]]]:
    """The values of parameter files by the path of the Bicep file that they are for."""
    found: dict[str, list[dict[str, Value]]] = {}
    for file in files.of(".bicepparam"):
        declarations = files.parse(file, read_bicep)
        if declarations is not None:
            target, values = parameter_values(tuple(declarations))
            if target:
                found.setdefault(relative_path(file.name, target), []).append(values)
    by_stem = parameter_files(files)
    for file in files.of(".bicep"):
        for values in by_stem.get(stem_of(file.name), ()):
            found.setdefault(normal_path(file.name), []).append(values)
    return found
