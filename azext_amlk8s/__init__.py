"""az amlk8s: Kubernetes clusters, AKS or Arc-connected, in Azure Machine Learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azure.cli.core import AzCommandsLoader

if TYPE_CHECKING:
    from azure.cli.core import AzCli

VERSION = "1.0.0b1"


class Amlk8sCommandsLoader(AzCommandsLoader):  # type: ignore[misc]  # azure-cli has no types
    """Gives az the commands, their help and their arguments."""

    def __init__(self, cli_ctx: AzCli | None = None) -> None:
        super().__init__(cli_ctx=cli_ctx)

    def load_command_table(self, args: list[str] | None) -> dict[str, Any]:
        from azext_amlk8s.commands import load_command_table

        load_command_table(self, args)
        table: dict[str, Any] = self.command_table
        for command in table.values():
            command.handler = _with_boundary(command.handler)
        return table

    def load_arguments(self, command: str) -> None:
        from azext_amlk8s._params import load_arguments

        load_arguments(self, command)


def _with_boundary(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler of a command inside the error boundary, which is imported when the command runs."""

    def run(arguments: dict[str, Any]) -> Any:
        from azext_amlk8s.operations.boundary import error_boundary, validate_names, without_secrets

        with error_boundary(arguments.get("timeout")):
            validate_names(arguments)
            result = handler(arguments)
            return result if arguments.get("show_secrets") else without_secrets(result)

    return run


COMMAND_LOADER_CLS = Amlk8sCommandsLoader
