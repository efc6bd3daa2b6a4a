"""The options of `az amlk8s check`, `az amlk8s explain` and `az amlk8s extension diagnose`."""

from __future__ import annotations

from typing import Any

KUBECONFIG = "Kubeconfig through which the cluster is looked into. Default: that of Azure for AKS, else KUBECONFIG."
CONTEXT = "Context of the kubeconfig. Default for an Arc-connected cluster: the one that leads to it."
SCOPES = ["arm", "helm", "health", "compute", "cluster", "workload", "job", "pod"]


def load(loader: Any) -> None:
    """Register the options with az."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_amlk8s._completers import failure_codes

    _check(loader)
    with loader.argument_context("amlk8s extension diagnose") as c:
        c.argument(
            "output_folder",
            completer=DirectoriesCompleter(),
            help="Folder in which a new folder for the diagnosis is made.",
        )
        c.argument("kubeconfig", completer=FilesCompleter(), help=KUBECONFIG)
        c.argument("context", help=CONTEXT)
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


def _check(loader: Any) -> None:
    from argcomplete.completers import FilesCompleter
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_amlk8s._completers import check_words
    from azext_amlk8s._params_extension import cluster_options

    with loader.argument_context("amlk8s check") as c:
        cluster_options(c)
        c.argument("before", options_list=["--pre"], action="store_true", help="Check what an installation needs.")
        c.argument(
            "scenario",
            arg_type=get_enum_type(["training", "inference", "both"]),
            help="Workload that is meant. Default: what is installed; before an installation, both.",
        )
        c.argument(
            "wait", type=float, metavar="MINUTES", help="Repeat until there is no error, so many minutes at most."
        )
        c.argument("kubeconfig", completer=FilesCompleter(), help=KUBECONFIG)
        c.argument("context", help=CONTEXT)
    with loader.argument_context("amlk8s check", arg_group="Compute") as c:
        c.argument(
            "workspace_name",
            options_list=["--workspace-name", "-w"],
            help="Azure Machine Learning workspace that the cluster is, or shall be, attached to.",
            configured_default="workspace",
        )
        c.argument("workspace_group", help="Resource group of the workspace. Default: that of the cluster.")
        c.argument("compute_name", help="Name of the compute. Default: every compute of the workspace on the cluster.")
    with loader.argument_context("amlk8s check", arg_group="Choice") as c:
        c.argument(
            "only", nargs="+", completer=check_words, help="Space-separated ids or categories of checks to make."
        )
        c.argument("skip", nargs="+", completer=check_words, help="Space-separated ids or categories to leave out.")
