"""The options of `az amlk8s instance-type` and `az amlk8s workload`."""

from __future__ import annotations

from typing import Any


def load(loader: Any) -> None:
    """Register the options with az."""
    from argcomplete.completers import FilesCompleter
    from azure.cli.core.commands.parameters import file_type

    with loader.argument_context("amlk8s instance-type") as c:
        c.argument("name", options_list=["--name", "-n"], help="Name of the instance type.", id_part=None)
    with loader.argument_context("amlk8s instance-type", arg_group="Cluster") as c:
        c.argument(
            "kubeconfig",
            type=file_type,
            completer=FilesCompleter(),
            help="Path of the kubeconfig file. Default: KUBECONFIG, else ~/.kube/config.",
        )
        c.argument("context", help="Context of the kubeconfig. Default: its current context.")
        c.argument(
            "cluster_name",
            options_list=["--cluster-name", "-c"],
            help="Name of an AKS cluster whose credentials Azure is asked for, instead of a kubeconfig.",
        )
        c.argument(
            "resource_group_name",
            options_list=["--resource-group", "-g"],
            required=False,
            configured_default="group",
            help="Resource group of --cluster-name.",
        )
    with loader.argument_context("amlk8s instance-type create") as c:
        c.argument(
            "file",
            options_list=["--file", "-f"],
            completer=FilesCompleter(),
            help="File with InstanceType or InstanceTypeList documents, or - for standard input.",
        )
    with loader.argument_context("amlk8s instance-type create", arg_group="Resources") as c:
        c.argument("cpu_request", help="CPU that a pod is given at least, for example 700m. Default: the limit.")
        c.argument("cpu_limit", help="CPU that a pod is given at most, for example 1. Default: the request.")
        c.argument("memory_request", help="Memory that a pod is given at least, such as 1500Mi. Default: the limit.")
        c.argument("memory_limit", help="Memory that a pod is given at most, for example 2Gi. Default: the request.")
        c.argument("gpu", type=int, help="Number of NVIDIA GPUs of a pod.")
        c.argument("node_selector", nargs="+", help="Labels of the nodes, as space-separated key=value words.")
