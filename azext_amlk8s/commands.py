"""The command table, which az reads from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knack.help_files import helps

from azext_amlk8s.cli.declaration import register_commands, register_help, register_texts
from azext_amlk8s.cli.groups import load_groups

if TYPE_CHECKING:
    from azure.cli.core import AzCommandsLoader


def load_command_table(loader: AzCommandsLoader, args: list[str] | None) -> None:
    """Register the commands that the arguments of az need, their help and their texts."""
    groups = load_groups(args)
    register_commands(loader, groups)
    register_help(helps, groups, args)
    register_texts(loader, groups, args)
