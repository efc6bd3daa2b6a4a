"""Declarations of command groups, commands and options, and their registration with az."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from azure.cli.core import AzCommandsLoader

    from azext_amlk8s.console.reports import Text

Row = dict[str, Any]
Table = Callable[[Any], Row | list[Row]]
Completer = Callable[..., list[str]]
# A NamedTuple is created in a quarter of the time of a dataclass, and az imports this module for every command.
NO_SETTINGS: Mapping[str, Any] = {}


class Option(NamedTuple):
    """One option of a command.

    `name` is the parameter of the operation. Without `flags` the option is `--name-with-dashes`. `az_type` names a type
    of azure.cli.core.commands.parameters; `former` is a flag of `az k8s-extension` that is accepted with a warning,
    and the flag that replaced it. `settings` are passed on to az unchanged.
    """

    name: str
    flags: tuple[str, ...] = ()
    help: str = ""
    group: str | None = None
    choices: Sequence[str] = ()
    is_flag: bool = False
    is_positional: bool = False
    completer: Completer | None = None
    completes_files: bool = False
    completes_folders: bool = False
    az_type: str = ""
    former: tuple[str, str] | None = None
    settings: Mapping[str, Any] = NO_SETTINGS  # pylint: disable=dangerous-default-value # nothing changes it

    def but(self, **changes: Any) -> Option:
        """A copy with other values, for a command that differs in some of them."""
        return self._replace(**changes)  # pylint: disable=no-member


class Command(NamedTuple):
    """One command: `operation` is module#function below azext_amlk8s.operations; `table` makes the rows of -o table.

    `text` makes the lines that people get at a terminal instead of JSON, where they chose no format.
    `parameters` returns the help of single parameters as knack reads it; it is called when the help is loaded.
    """

    name: str
    operation: str
    summary: str
    examples: tuple[tuple[str, str], ...]
    options: tuple[Option, ...] = ()
    description: str = ""
    table: Table | None = None
    text: Text | None = None
    is_show: bool = False
    supports_no_wait: bool = False
    parameters: Callable[[], list[dict[str, Any]]] | None = None


class Group(NamedTuple):
    """A command group and its commands."""

    name: str
    summary: str
    commands: tuple[Command, ...]


def register_commands(loader: AzCommandsLoader, groups: Sequence[Group]) -> None:
    """Add the commands to the command table of az."""
    from azure.cli.core.commands import CliCommandType

    for group in groups:
        with loader.command_group(group.name) as context:
            for command in group.commands:
                module, function = command.operation.split("#")
                operations = CliCommandType(operations_tmpl=f"azext_amlk8s.operations.{module}#{{}}")
                if command.is_show:
                    context.custom_show_command(
                        command.name, function, custom_command_type=operations, table_transformer=command.table
                    )
                else:
                    context.custom_command(
                        command.name,
                        function,
                        custom_command_type=operations,
                        supports_no_wait=command.supports_no_wait,
                        table_transformer=command.table,
                    )
                # The help of a group shows it; otherwise az imports the operation of each command for its docstring.
                loader.command_table[f"{group.name} {command.name}"].description = command.summary


def register_texts(loader: AzCommandsLoader, groups: Sequence[Group], args: Sequence[str] | None) -> None:
    """Have results printed as text where a person reads them at a terminal."""
    texts = {f"{group.name} {command.name}": command.text for group in groups for command in group.commands}
    if args and loader.cli_ctx and any(texts.values()):
        from azext_amlk8s.console.reports import print_text_at_terminal

        print_text_at_terminal(loader.cli_ctx, {name: text for name, text in texts.items() if text}, args)


def register_options(loader: AzCommandsLoader, groups: Sequence[Group], command_name: str) -> None:
    """Add the options of one command, or of all where the name is empty, to the arguments of az."""
    for group in groups:
        for command in group.commands:
            full_name = f"{group.name} {command.name}"
            if command_name in ("", full_name):
                for option in command.options:
                    _register_option(loader, full_name, option)


def _register_option(loader: AzCommandsLoader, command: str, option: Option) -> None:
    scope = {"arg_group": option.group} if option.group else {}
    with loader.argument_context(command, **scope) as context:
        settings = {"help": option.help, **option.settings} if option.help else dict(option.settings)
        if option.flags:
            settings["options_list"] = list(option.flags)
        if option.former:
            name, successor = option.former
            settings["options_list"].append(context.deprecate(target=name, redirect=successor, hide=True))
        if option.is_flag:
            settings["action"] = "store_true"
        if completer := _completer(option):
            settings["completer"] = completer
        positional = [_argument_type(option)] if option.choices or option.az_type else []
        register = context.positional if option.is_positional else context.argument
        register(option.name, *positional, **settings)


def _argument_type(option: Option) -> Any:
    from azure.cli.core.commands import parameters

    if option.choices:
        return parameters.get_enum_type(list(option.choices))
    if option.az_type == "three_state_flag":
        return parameters.get_three_state_flag()
    return getattr(parameters, option.az_type)


def _completer(option: Option) -> Any:
    from argcomplete import completers as argcomplete_completers

    completers: Any = argcomplete_completers

    if option.completes_files:
        return completers.FilesCompleter()
    if option.completes_folders:
        return completers.DirectoriesCompleter()
    return option.completer


def register_help(helps: dict[str, str], groups: Sequence[Group], args: Sequence[str] | None) -> None:
    """Add the help of groups and commands to the dictionary of knack, which reads each text as YAML (JSON is YAML).

    The help of a group shows the descriptions of its commands, so that only commands in the arguments need help.
    """
    for group in groups:
        helps[group.name] = json.dumps({"type": "group", "short-summary": group.summary})
        for command in group.commands:
            if args is None or command.name in args:
                helps[f"{group.name} {command.name}"] = json.dumps(_command_help(command))


def _command_help(command: Command) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "command", "short-summary": command.summary}
    if command.description:
        text["long-summary"] = command.description
    if command.parameters:
        text["parameters"] = command.parameters()
    text["examples"] = [{"name": name, "text": example} for name, example in command.examples]
    return text
