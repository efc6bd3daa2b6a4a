"""The options of `az amlk8s instance-type` and `az amlk8s workload`."""

from __future__ import annotations

from typing import Any

from azext_amlk8s._params_compute import CLUSTER_TYPES


def load(loader: Any) -> None:
    """Register the options with az."""
    for group in ("amlk8s instance-type", "amlk8s workload"):
        _cluster(loader, group)
    with loader.argument_context("amlk8s instance-type") as c:
        c.argument("name", options_list=["--name", "-n"], help="Name of the instance type.", id_part=None)
    _files(loader)
    _resources(loader)
    _writing(loader)
    _fit(loader)


def _cluster(loader: Any, group: str) -> None:
    from argcomplete.completers import FilesCompleter
    from azure.cli.core.commands.parameters import file_type, get_enum_type

    with loader.argument_context(group, arg_group="Cluster") as c:
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
            help="Name of the cluster in Azure; of AKS the credentials come from there too.",
        )
        c.argument(
            "cluster_type",
            arg_type=get_enum_type(CLUSTER_TYPES),
            options_list=["--cluster-type", "-t"],
            help="Kind of the cluster that --cluster-name names. Default: managedClusters.",
        )
        c.argument(
            "resource_group_name",
            options_list=["--resource-group", "-g"],
            required=False,
            configured_default="group",
            help="Resource group of the cluster, or of the workspace.",
        )
        c.argument(
            "workspace_name",
            options_list=["--workspace-name", "-w"],
            configured_default="workspace",
            help="Name of the Azure Machine Learning workspace of the compute.",
        )
        c.argument("compute_name", help="Name of a compute of the workspace, whose cluster is meant.")
        c.argument("wait", action="store_true", help="Wait until the cluster has instance types, 10 minutes at most.")


def _files(loader: Any) -> None:
    from argcomplete.completers import FilesCompleter

    told = {
        "create": "Files",
        "apply": "Files, or folders,",
        "validate": "Files, or folders,",
        "convert": "Attach configurations of 2021, ARM templates of computes, or files",
        "fit": "Measure the types of these files, or folders,",
    }
    for verb, words in told.items():
        with loader.argument_context(f"amlk8s instance-type {verb}") as c:
            c.argument(
                "file",
                options_list=["--file", "-f"],
                nargs="+",
                completer=FilesCompleter(),
                help=f"{words} with InstanceType or InstanceTypeList documents, or - for standard input.",
            )
    with loader.argument_context("amlk8s workload check") as c:
        c.argument(
            "file",
            options_list=["--file", "-f"],
            nargs="+",
            completer=FilesCompleter(),
            help="Files, or folders, with jobs, pipelines, endpoints or deployments, or - for standard input.",
        )
        c.argument(
            "instance_types",
            nargs="+",
            completer=FilesCompleter(),
            help="Files, or folders, with the instance types that there are, instead of those of a compute.",
        )
        c.argument("compute_name", help="Compute of what names none.")
        c.argument("strict", action="store_true", help="Take warnings for errors.")
    with loader.argument_context("amlk8s instance-type validate") as c:
        c.argument("strict", action="store_true", help="Take warnings for errors.")


def _resources(loader: Any) -> None:
    for verb, low, high in (
        ("create", "Default: the limit.", "Default: the request."),
        ("update", "Default: as it is.", "Default: as it is."),
    ):
        with loader.argument_context(f"amlk8s instance-type {verb}", arg_group="Resources") as c:
            c.argument("cpu_request", help=f"CPU that a pod is given at least, for example 700m. {low}")
            c.argument("cpu_limit", help=f"CPU that a pod is given at most, for example 1. {high}")
            c.argument("memory_request", help=f"Memory that a pod is given at least, such as 1500Mi. {low}")
            c.argument("memory_limit", help=f"Memory that a pod is given at most, for example 2Gi. {high}")
            c.argument("gpu", type=int, help="Number of GPUs of a pod.")
            c.argument(
                "gpu_resource",
                help="What --gpu counts, such as amd.com/gpu or nvidia.com/mig-1g.5gb. Default: nvidia.com/gpu.",
            )
            c.argument("node_selector", nargs="+", help="Labels of the nodes, as space-separated key=value words.")
    with loader.argument_context("amlk8s instance-type create") as c:
        c.argument(
            "from_nodes",
            action="store_true",
            help="Make a type for each pool of nodes, as large as what its nodes offer to one pod.",
        )


def _writing(loader: Any) -> None:
    for verb in ("create", "update", "apply"):
        with loader.argument_context(f"amlk8s instance-type {verb}") as c:
            c.argument("dry_run", action="store_true", help="Let the cluster say what would come of it; keep nothing.")
            c.argument("force_conflicts", action="store_true", help="Take over fields that another manager holds.")
    with loader.argument_context("amlk8s instance-type apply") as c:
        c.argument("prune", action="store_true", help="Delete types that were applied in this way and are in no file.")
    for verb in ("apply", "delete"):
        with loader.argument_context(f"amlk8s instance-type {verb}") as c:
            c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")


def _fit(loader: Any) -> None:
    from argcomplete.completers import FilesCompleter
    from azure.cli.core.commands.parameters import file_type

    with loader.argument_context("amlk8s instance-type fit") as c:
        c.argument("name", options_list=["--name", "-n"], help="Measure this type alone.", id_part=None)
        c.argument(
            "config",
            nargs="+",
            help="Settings of the extension as key=value words, where Azure is not asked for them: nodeSelector., "
            "workLoadToleration[, amloperator.skipResourceValidation.",
        )
        c.argument(
            "plot", type=file_type, completer=FilesCompleter(), help="Draw a picture into this .svg or .png file."
        )
        c.argument("strict", action="store_true", help="End in 1 where a type fits nowhere, or its jobs are refused.")
