"""The options of every command."""

from __future__ import annotations

from typing import Any

from azext_amlk8s import _params_compute, _params_diagnosis, _params_extension, _params_instance_type


def load_arguments(loader: Any, _command: str) -> None:
    """Register the options with az."""
    from azure.cli.core.commands.parameters import resource_group_name_type

    with loader.argument_context("amlk8s") as c:
        c.argument("resource_group_name", resource_group_name_type)
    for part in (_params_extension, _params_compute, _params_instance_type, _params_diagnosis):
        part.load(loader)
