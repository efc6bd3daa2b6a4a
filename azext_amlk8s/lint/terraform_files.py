"""Terraform modules and .tfvars files among the files of a run."""

from __future__ import annotations

import posixpath
import re

from azext_amlk8s.lint.files import Files
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.terraform import FindModule, TerraformFiles, TerraformModule, read_variables
from azext_amlk8s.lint.terraform_reader import Block, read_terraform
from azext_amlk8s.lint.units import evaluate_resources
from azext_amlk8s.lint.values import Value

AUTOMATIC = re.compile(r"(^|/)(terraform\.tfvars|[^/]*\.auto\.tfvars)$")


def lint_terraform(files: Files, result: Result) -> None:
    """Add the findings on Terraform modules; the files of a folder are one module.

    A module that another one calls is evaluated with what that gives it.
    """
    folders: dict[str, list[Block]] = {}
    for file in files.of(".tf"):
        block = files.parse(file, read_terraform)
        if block is not None:
            folders.setdefault(file.folder, []).append(block)
            result.kinds[file.name] = "Terraform"
    modules: dict[str, TerraformFiles] = {}
    for folder, blocks in folders.items():
        modules[folder] = TerraformFiles(blocks, _finder(folder, modules))
    called = {_join(folder, path) for folder, module in modules.items() for path in module.module_paths()}
    values = _variables(files)
    for folder, module in modules.items():
        if folder in called:
            continue
        for variables in values.get(folder) or [{}]:
            scope = TerraformModule(module, variables)
            evaluate_resources(list(scope.resources()), result)
        result.scripts += TerraformModule(module).scripts()


def _finder(folder: str, modules: dict[str, TerraformFiles]) -> FindModule:
    return lambda path: modules.get(_join(folder, path))


def _join(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _variables(files: Files) -> dict[str, list[dict[str, Value]]]:
    """The values of .tfvars files by folder: those that Terraform reads itself, with each of the others."""
    automatic: dict[str, dict[str, Value]] = {}
    others: dict[str, list[dict[str, Value]]] = {}
    for file in files.of(".tfvars"):
        block = files.parse(file, read_terraform)
        if block is None:
            continue
        if AUTOMATIC.search(file.path):
            automatic.setdefault(file.folder, {}).update(read_variables(block))
        else:
            others.setdefault(file.folder, []).append(read_variables(block))
    found = {folder: [values] for folder, values in automatic.items()}
    for folder, sets in others.items():
        found[folder] = [{**automatic.get(folder, {}), **values} for values in sets]
    return found
