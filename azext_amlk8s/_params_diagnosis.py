"""The options of `az amlk8s check` and `az amlk8s explain`."""

from __future__ import annotations

from typing import Any

SCOPES = ["arm", "helm", "health", "compute", "cluster", "workload", "job", "pod"]


def load(loader: Any) -> None:
    """Register the options with az."""
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_amlk8s._completers import failure_codes

    with loader.argument_context("amlk8s explain") as c:
        c.positional(
            "text",
            nargs="*",
            metavar="CODE|TEXT|-",
            completer=failure_codes,
            help="A code, the text of a message, or - to read it from standard input.",
        )
        c.argument("everything", options_list=["--list"], action="store_true", help="List all that is known.")
        c.argument(
            "scope",
            arg_type=get_enum_type(SCOPES),
            help="Who reported it, where a code means different things.",
        )
