"""Command lines in scripts, and in the steps of workflows and pipelines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes.request_rules import reserved_namespace
from azext_amlk8s.lint import command_rules, pitfall_rules, resource_rules
from azext_amlk8s.lint.commands import ATTACHES, MANY, Arguments, extension_use, parse_arguments
from azext_amlk8s.lint.compute_units import lint_names
from azext_amlk8s.lint.files import Files, SourceFile
from azext_amlk8s.lint.model import LintFinding, Result, Script
from azext_amlk8s.lint.scripts import command_lines
from azext_amlk8s.lint.units import evaluate_extension
from azext_amlk8s.lint.values import Mark
from azext_amlk8s.lint.wording import adapt_compute
from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import reading_rules
from azext_amlk8s.settings.read import split_commas

if TYPE_CHECKING:
    import yaml

LANGUAGES = {".sh": "shell", ".bash": "shell", ".zsh": "shell", ".ps1": "powershell", ".psm1": "powershell"}
COMMAND = re.compile(r"\baz(\.cmd|\.exe)?\s|k8s-extension|compute\s+attach|amlk8s", re.IGNORECASE)
# Keys of steps in GitHub workflows, Azure Pipelines, GitLab and Taskfiles whose value is a script.
SCRIPT_KEYS = {"run", "script", "bash", "inlinescript", "inline", "command", "cmd", "cmds", "commands", "before_script"}
POWERSHELL_KEYS = {"pwsh", "powershell"}
POWERSHELL_TYPES = ("ps", "pscore", "pwsh", "powershell")


def lint_scripts(files: Files, result: Result) -> None:
    """Add the findings on the command lines of scripts."""
    for file in files.of(*LANGUAGES):
        result.kinds[file.name] = "script"
        lint_script(Script(file.text, Mark(file.name), LANGUAGES[file.suffix]), result)
    for script in result.scripts:
        lint_script(script, result)


def lint_script(script: Script, result: Result) -> None:
    """Add the findings on the command lines of one script."""
    if not COMMAND.search(script.text):
        return
    for line in command_lines(script):
        arguments = parse_arguments(line)
        for finding in (*command_rules.update_arguments(arguments), *command_rules.cluster_scope(arguments)):
            result.add([finding], arguments.marks.get(finding.subject, arguments.mark))
        _lint_other_commands(arguments, result)
        use = extension_use(arguments)
        if use is not None:
            result.findings += _form_findings(arguments)
            evaluate_extension(use, result)
        elif any(arguments.starts_with(*words) for words in ATTACHES):
            _lint_attachment(arguments, result)


def _lint_other_commands(arguments: Arguments, result: Result) -> None:
    """The findings on commands that neither install the extension nor attach a compute."""
    if arguments.starts_with("role", "assignment", "create"):
        mark = arguments.marks.get("--scope", arguments.mark)
        result.add(resource_rules.role_on_first_relay(arguments.value("--scope")), mark)
    elif arguments.words[:2] == ("ml", "computetarget") and arguments.words[3:4] == ("aks",):
        command = " ".join(arguments.words[:4])
        result.add(pitfall_rules.legacy_attachment(f"az {command}", "az ml compute attach"), arguments.mark)


def _form_findings(arguments: Arguments) -> list[LintFinding]:
    """The findings on words of --config that are no settings, or several of them."""
    found: list[LintFinding] = []
    for option, section in zip(MANY, ("config", "protected"), strict=True):
        for word in arguments.options.get(option, ()):
            text = word.text.strip()
            if not text or text.startswith(("{", "@")):
                continue
            parts = split_commas(text)
            if parts:
                findings: tuple[Finding, ...] = reading_rules.comma_separated_settings(parts, option, section)
            elif "=" not in text.strip("="):
                findings = reading_rules.malformed_setting(text.partition("=")[0], section)
            else:
                continue
            found += [LintFinding(finding, word.mark) for finding in findings]
    return found


def _lint_attachment(arguments: Arguments, result: Result) -> None:
    kind = arguments.text("--type").lower()
    if kind and kind != "kubernetes":
        return
    if not kind and arguments.words[0] == "ml":
        return
    adapted = partial(adapt_compute, command=arguments.words[0])
    name, namespace = arguments.value("--name"), arguments.value("--namespace")
    is_default = name is not None and bool(name.inputs)  # which the environment of the script overrides
    lint_names(None if is_default else name, namespace, result, adapted)
    if namespace is not None and namespace.text and "<" not in namespace.text:
        found = reserved_namespace(namespace.text, arguments.text("--workspace-name"))
        result.add(map(adapted, found), namespace.mark)


def scripts_of_steps(file: SourceFile, node: yaml.Node) -> Iterator[Script]:
    """The scripts in a YAML document, each at its position."""
    yield from _scripts(file, node, file.text.splitlines(), set())


def _scripts(file: SourceFile, node: yaml.Node, lines: list[str], seen: set[int]) -> Iterator[Script]:
    import yaml as yaml_module

    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml_module.SequenceNode):
        for item in node.value:
            yield from _scripts(file, item, lines, seen)
    elif isinstance(node, yaml_module.MappingNode):
        language = _language(node)
        for key, value in node.value:
            name = str(key.value).lower()
            if name in SCRIPT_KEYS or name in POWERSHELL_KEYS:
                kind = "powershell" if name in POWERSHELL_KEYS else language
                items = value.value if isinstance(value, yaml_module.SequenceNode) else [value]
                yield from (
                    _script(file, item, lines, kind) for item in items if isinstance(item, yaml_module.ScalarNode)
                )
            yield from _scripts(file, value, lines, seen)


def _language(node: Any) -> str:
    """The language of the scripts in a step: GitHub's shell, scriptType of Azure Pipelines."""
    pairs = {str(key.value).lower(): str(value.value).lower() for key, value in node.value}
    kind = pairs.get("shell", pairs.get("scripttype", pairs.get("azpsversion", "")))
    is_powershell = kind in POWERSHELL_TYPES or "azurepowershellversion" in pairs or "targettype" in pairs
    return "powershell" if is_powershell else "shell"


def _script(file: SourceFile, node: Any, lines: list[str], language: str) -> Script:
    """A scalar as a script; of a block scalar the lines of the file, so that positions are right."""
    start = node.start_mark
    if node.style not in ("|", ">"):
        return Script(str(node.value), Mark(file.name, start.line + 1, start.column + 1), language)
    block = lines[start.line + 1 : node.end_mark.line + (1 if node.end_mark.column else 0)]
    indent = min((len(line) - len(line.lstrip()) for line in block if line.strip()), default=0)
    text = "\n".join(line[indent:] for line in block)
    if node.style == ">":
        text = text.replace("\n", " ")
    return Script(text, Mark(file.name, start.line + 2, 1), language, indent)
