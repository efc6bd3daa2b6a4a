"""az amlk8s: Kubernetes clusters, AKS or Arc-connected, in Azure Machine Learning."""

from __future__ import annotations

from typing import Any

from azure.cli.core import AzCommandsLoader

from azext_amlk8s import _help  # noqa: F401  (knack reads the help from its side effect)

VERSION = "1.0.0b1"


class Amlk8sCommandsLoader(AzCommandsLoader):
    """What az asks for commands and their arguments."""

    def __init__(self, cli_ctx: Any = None) -> None:
        super().__init__(cli_ctx=cli_ctx)

    def load_command_table(self, args: Any) -> Any:
        from azext_amlk8s.commands import load_command_table

        load_command_table(self, args)
        return self.command_table

    def load_arguments(self, command: str) -> None:
        from azext_amlk8s._params import load_arguments

        load_arguments(self, command)


COMMAND_LOADER_CLS = Amlk8sCommandsLoader
