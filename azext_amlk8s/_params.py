"""The options of every command, which az reads from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azext_amlk8s.cli.declaration import register_options
from azext_amlk8s.cli.groups import load_groups

if TYPE_CHECKING:
    from azure.cli.core import AzCommandsLoader


def load_arguments(loader: AzCommandsLoader, command: str) -> None:
    """Register the options of a command, or of all where it is empty, with az."""
    register_options(loader, load_groups(command.split()), command)
