"""YAML and JSON documents: setup files, settings, instance types, jobs, deployments, and steps with scripts."""

from __future__ import annotations

import re

import yaml

from azext_amlk8s.instance_types.documents import Text, read_texts
from azext_amlk8s.instance_types.yaml_documents import InvalidYaml, read
from azext_amlk8s.lint import setup_units
from azext_amlk8s.lint.compute_units import lint_names
from azext_amlk8s.lint.files import Files, SourceFile
from azext_amlk8s.lint.model import ExtensionUse, Result
from azext_amlk8s.lint.nodes import InvalidSyntax
from azext_amlk8s.lint.placed_findings import placed
from azext_amlk8s.lint.script_files import COMMAND, lint_script, scripts_of_steps
from azext_amlk8s.lint.units import evaluate_extension
from azext_amlk8s.lint.values import Mark, Value
from azext_amlk8s.lint.yaml_values import flatten, yaml_value
from azext_amlk8s.workloads import evaluate_workloads, read_workloads
from azext_amlk8s.yaml_files import YamlProblem, compose_documents

MENTIONS = re.compile(
    r"amlarc\.azureml\.com|enabletraining|enableinference|instance_types?|kubernetes|amlk8s|\baz\s|clusters:",
    re.IGNORECASE,
)
POSITION = re.compile(r"line (\d+), column (\d+)")
SWITCHES = {"enabletraining", "enableinference"}
SETUP_PARTS = {"extension", "compute", "workspace", "instance_types", "rollout", "overrides", "namespaces"}
KIND_NAMES = {
    "instance types": "instance types",
    "setup": "setup file",
    "workload": "job, deployment or endpoint",
    "settings": "settings",
    "compute": "compute",
}


def lint_documents(files: Files, result: Result) -> None:
    """Add the findings on YAML and JSON documents that are no ARM templates."""
    setups: list[SourceFile] = []
    for file in files.of(".yaml", ".yml", ".json"):
        if file.name in result.kinds or not MENTIONS.search(file.text):
            continue
        nodes = _compose(files, file)
        kinds: dict[str, list[Value]] = {}
        for root in (yaml_value(node, file.name) for node in nodes):
            if kind := kind_of(root):
                kinds.setdefault(kind, []).append(root)
        for kind, roots in sorted(kinds.items()):
            result.kinds[file.name] = KIND_NAMES[kind]
            setups += [file] if kind == "setup" else []
            _lint_kind(kind, file, roots, result)
        if not kinds and COMMAND.search(file.text):
            for node in nodes:
                for script in scripts_of_steps(file, node):
                    result.kinds[file.name] = "workflow"
                    lint_script(script, files, result)
    setup_units.lint_forms(setups, result)


def _compose(files: Files, file: SourceFile) -> list[yaml.Node]:
    """The documents of a file; none where it is no YAML, which is remembered if it matters."""
    text = file.text.replace("\t", " ") if file.text.lstrip()[:1] in ("{", "[") else file.text
    try:
        return compose_documents(text)
    except YamlProblem as problem:
        position = POSITION.search(str(problem))
        line, column = (int(position.group(1)), int(position.group(2))) if position else (1, 1)
        clause = re.sub(r", line \d+, column \d+", "", str(problem)).split("\n")[0]
        files.remember(file, InvalidSyntax(Mark(file.name, line, column), clause))
    except RecursionError:
        pass
    return []


def kind_of(root: Value) -> str:
    """The kind of a document: one of KIND_NAMES, empty for any other document."""
    keys = {key.lower() for key, _ in root.items()}
    if _text(root, "apiVersion").startswith("amlarc.azureml.com/"):
        return "instance types" if _text(root, "kind").startswith("InstanceType") else ""
    if "apiversion" in keys:
        return ""
    schema = _text(root, "$schema")
    if "amlk8s" in schema and "setup" in schema:
        return "setup"
    clusters = root.get("clusters")
    if "name" in keys and clusters is not None and clusters.elements() and keys & SETUP_PARTS:
        return "setup" if all(item.is_mapping for item in clusters.elements()) else ""
    if _text(root, "type").lower() == "kubernetes" and "resource_id" in keys:
        return "compute"
    if _is_workload(root, schema):
        return "workload"
    switches = [value for key, value in root.items() if key.lower() in SWITCHES]
    if switches and not any(value.is_mapping or value.elements() for value in switches):
        return "" if keys & {"resources", "parameters", "steps", "jobs", "inputs"} else "settings"
    return ""


def _is_workload(root: Value, schema: str) -> bool:
    """Whether a document is certainly a workload for Kubernetes: of other computes, most rules do not hold."""
    if _text(root, "type").lower() == "kubernetes" or "kubernetesOnlineDeployment" in schema:
        return bool({"endpoint_name", "model", "instance_type", "resources"} & {key for key, _ in root.items()})
    if "auth_mode" in root and "compute" in root:
        return True
    return any(_selects_type(item) for item in (root, *_steps(root)))


def _steps(root: Value) -> list[Value]:
    jobs = root.get("jobs")
    return [value for _, value in jobs.items()] if jobs is not None else []


def _selects_type(job: Value) -> bool:
    """Whether a job selects an instance type that is no size of virtual machines."""
    if not ({"command", "component", "trial", "compute"} & {key for key, _ in job.items()}):
        return False
    chosen = job.get("resources", "instance_type")
    return chosen is not None and bool(chosen.text) and not chosen.text.lower().startswith("standard")


def _text(value: Value, key: str) -> str:
    found = value.get(key)
    return found.text if found is not None else ""


def _lint_kind(kind: str, file: SourceFile, roots: list[Value], result: Result) -> None:
    """Add the findings on the documents of one kind in a file."""
    if kind == "instance types":
        _lint_instance_types(file, result)
    elif kind == "workload":
        _lint_workloads(file, result)
    for root in roots:
        if kind == "setup":
            setup_units.lint_values(root, result)
        elif kind == "settings":
            result.settings.append(root)
        elif kind == "compute":
            lint_names(root.get("name"), root.get("namespace"), result)


def _is_readable(file: SourceFile) -> bool:
    """Whether values can be made of the file: tags of other tools have none."""
    try:
        read(file.text, file.name)
    except InvalidYaml:
        return False
    return True


def _lint_instance_types(file: SourceFile, result: Result) -> None:
    if _is_readable(file):
        _, findings = read_texts([Text(file.name, file.text, of_folder=True)])
        result.findings += placed(findings, [file])


def _lint_workloads(file: SourceFile, result: Result) -> None:
    if _is_readable(file):
        workloads, findings = read_workloads(file.text, file.name, of_folder=True)
        findings = (*findings, *evaluate_workloads(workloads))
        result.findings += placed(findings, [file])


def lint_settings(result: Result) -> None:
    """Add the findings on files of settings that no command names.

    Other settings may be in a second file, or on the command line.
    """
    for settings in map(flatten, result.settings):
        if settings.mark.source not in result.named_files:
            evaluate_extension(ExtensionUse("file", settings.mark, settings, is_update=True), result)
