"""Every command of the extension that a fix, a message or the help suggests exists, with the options that it names."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import azext_amlk8s
from azext_amlk8s.operations.explain import explain
from tests.support import our_commands

PACKAGE = Path(azext_amlk8s.__file__).parent
# A command ends with its line, a comment, or what a shell puts after it.
COMMAND = re.compile(r"\baz amlk8s(?: (?:(?!\baz )[^\n`|;&#])*)?")
# In prose, what follows the name of the extension.
PROSE = ("reads", "from")
OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|-[a-z])(?![\w-])")
WHOLE_COMMAND = re.compile(r"az amlk8s [a-z]")
# Of az itself.
GLOBAL = {"--output", "-o", "--query", "--help", "-h", "--subscription", "--debug", "--verbose", "--only-show-errors"}


@pytest.fixture(scope="module")
def cli() -> Any:
    """The parser of az with the commands of this extension only."""
    from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args
    from azure.cli.core.mock import DummyCli

    cli = DummyCli(commands_loader_cls=our_commands(), random_config_dir=True)
    create_invoker_and_load_cmds_and_args(cli)
    return cli


def texts(path: Path) -> Iterator[str]:
    """The texts of a module or a file of knowledge; what a module fills in is VALUE."""
    if path.suffix == ".json":
        yield from values(json.loads(path.read_text(encoding="utf-8")))
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in node.values)


def values(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for value in content.values() if isinstance(content, dict) else content:
            yield from values(value)


def problem_of(text: str, commands: dict[str, Any]) -> str:
    """What is wrong with a command: its name, or an option. Empty for groups and for a name that is filled in."""
    words = [word.rstrip(".,:)'\"") for word in text.split()[1:]]
    name = next((found for end in range(4, 1, -1) if (found := " ".join(words[:end])) in commands), "")
    if not name:
        second = words[1] if len(words) > 1 else ""
        is_group = any(command.startswith(f"amlk8s {second} ") for command in commands)
        return "" if is_group or second in PROSE or not re.fullmatch(r"[a-z][a-z-]+", second) else "no such command"
    known = GLOBAL | {option for argument in commands[name].arguments.values() for option in argument.options_list}
    unknown = [option for option in OPTION.findall(text) if option not in known]
    return f"no such option: {', '.join(unknown)}" if unknown else ""


def test_suggested_commands_exist(cli: Any) -> None:
    """In all modules and all files of knowledge."""
    commands = cli.invocation.commands_loader.command_table
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".json")]
    problems = {
        (path.relative_to(PACKAGE).as_posix(), command, problem)
        for path in files
        for text in texts(path)
        for command in COMMAND.findall(text)
        if (problem := problem_of(command, commands))
    }
    assert not problems, "\n".join(map(str, sorted(problems)))


def test_commands_of_explanations_are_complete(cli: Any) -> None:
    """A fix that is a command goes through the real parser as it is."""
    problems = []
    for found in explain(None, None, everything=True):
        for fix in found["fix"]:
            if not WHOLE_COMMAND.match(fix):
                continue
            words = shlex.split(fix.splitlines()[0], comments=True)
            command = ["managedClusters" if word == "TYPE" else word for word in words]
            try:
                cli.invocation.parser.parse_args(command[1:])
            except SystemExit:
                problems.append((found["code"], fix))
    assert not problems, "\n".join(map(str, problems))
