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
from azext_amlk8s.lint.embedded import Embedded, NamedFiles, read_embedded
from azext_amlk8s.lint.files import Files, SourceFile
from azext_amlk8s.lint.instance_type_units import lint_types
from azext_amlk8s.lint.model import LintFinding, Result, Script
from azext_amlk8s.lint.requests import is_request, request_resource
from azext_amlk8s.lint.script_reader import Heredoc, ScriptContent
from azext_amlk8s.lint.scripts import INLINE, command_lines, read_script
from azext_amlk8s.lint.units import evaluate_extension, evaluate_resources
from azext_amlk8s.lint.values import Mark, Value, with_marks
from azext_amlk8s.lint.wording import adapt_compute
from azext_amlk8s.lint.yaml_values import flatten
from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import reading_rules
from azext_amlk8s.settings.read import split_commas

if TYPE_CHECKING:
    import yaml

LANGUAGES = {".sh": "shell", ".bash": "shell", ".zsh": "shell", ".ps1": "powershell", ".psm1": "powershell"}
LANGUAGES |= {".bat": "batch", ".cmd": "batch"}
COMMAND = re.compile(r"\baz(\.cmd|\.exe)?\s|k8s-extension|compute\s+attach|amlk8s", re.IGNORECASE)
# Keys of steps in GitHub workflows, Azure Pipelines, GitLab and Taskfiles whose value is a script.
SCRIPT_KEYS = {"run", "script", "bash", "inlinescript", "inline", "command", "cmd", "cmds", "commands", "before_script"}
POWERSHELL_KEYS = {"pwsh", "powershell"}
BATCH_TYPES = ("cmd", "batch")
POWERSHELL_TYPES = ("ps", "pscore", "pwsh", "powershell")


def lint_scripts(files: Files, result: Result) -> None:
    """Add the findings on the command lines of scripts, those of other files too."""
    for file in files.of(*LANGUAGES):
        result.kinds[file.name] = "script"
        lint_script(Script(file.text, Mark(file.name), LANGUAGES[file.suffix]), files, result)
    for script in result.scripts:
        lint_script(script, files, result)


def lint_script(script: Script, files: Files, result: Result) -> None:
    """Add the findings on the command lines and the documents of one script."""
    if not COMMAND.search(script.text) and "InstanceType" not in script.text:
        return
    content = read_script(script)
    written = {target: _embedded(heredoc) for heredoc in content.heredocs for target in heredoc.targets}
    named = NamedFiles(files, script.mark.source, written)
    for heredoc in content.heredocs:
        lint_types(read_embedded(_embedded(heredoc)), result)
    for line in command_lines(content):
        arguments = parse_arguments(line)
        for finding in (
            *command_rules.update_arguments(arguments),
            *command_rules.cluster_scope(arguments),
            *command_rules.arguments_and_file(arguments),
        ):
            result.add([finding], arguments.marks.get(finding.subject, arguments.mark))
        _lint_other_commands(arguments, result)
        if is_request(arguments):
            _lint_request(arguments, content, named, result)
        use = extension_use(arguments, lambda path: _settings_in(path, named, result))
        if use is not None:
            result.findings += _form_findings(arguments)
            evaluate_extension(use, result)
        elif any(arguments.starts_with(*words) for words in ATTACHES):
            _lint_attachment(arguments, result)
    result.named_files |= named.used


def _embedded(heredoc: Heredoc) -> Embedded:
    return Embedded(heredoc.text, heredoc.mark, heredoc.is_quoted)


def _settings_in(path: Value, named: NamedFiles, result: Result) -> Value | None:
    """The settings in a file that a command names; where they are not known, that is noted."""
    document = named.find(path.text)
    roots = read_embedded(document) if document is not None else []
    if len(roots) == 1 and roots[0].is_mapping:
        return flatten(roots[0])
    why = "it is not at hand" if document is None else "it is no file of settings"
    result.skipped.append((path.mark, f"file '{path.text or 'unknown'}' is not evaluated: {why}"))
    return None


def _lint_request(arguments: Arguments, content: ScriptContent, named: NamedFiles, result: Result) -> None:
    """Add the findings on the resource that az rest writes."""
    body = arguments.value("--body")
    root = _body(body, content, named) if body is not None else None
    if root is not None:
        resource = request_resource(arguments, root)
        result_of = [resource] if resource is not None else []
        evaluate_resources(result_of, result)
    elif body is not None:
        result.skipped.append((body.mark, f"the body of a request is not evaluated: {body.why or 'it is not at hand'}"))


def _body(body: Value, content: ScriptContent, named: NamedFiles) -> Value | None:
    """The body of a request: in the command, in a heredoc, in a variable or in a file; None where it is not known."""
    text = body.description
    if body.text.startswith("@"):
        document = named.find(body.text[1:])
    elif not body.known and body.spelling:
        document = next((_embedded(each) for each in content.heredocs if each.text == body.spelling), None)
    else:
        document = Embedded(text, body.mark) if text.lstrip().startswith("{") else None
    roots = read_embedded(document) if document is not None else []
    if len(roots) != 1 or not roots[0].is_mapping:
        return None
    is_elsewhere = document is not None and document.mark == body.mark and body.spelling != INLINE
    return with_marks(roots[0], lambda _: body.mark) if is_elsewhere else roots[0]


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
    return "powershell" if is_powershell else "batch" if kind in BATCH_TYPES else "shell"


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
