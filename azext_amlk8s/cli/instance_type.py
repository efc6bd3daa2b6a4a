"""az amlk8s instance-type"""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import completers, options, texts
from azext_amlk8s.cli.declaration import Command, Group, Option, Row
from azext_amlk8s.cli.groups import SUMMARIES
from azext_amlk8s.cli.tables import finding_rows, shorten

NVIDIA = "nvidia.com/gpu"


def instance_type_rows(types: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for one instance type or for each of several."""
    return [_row(types)] if isinstance(types, Mapping) else [_row(each) for each in types]


def converted_rows(document: Mapping[str, Any]) -> list[Row]:
    """A row for each item of an InstanceTypeList."""
    return [
        _row(
            {
                "name": item["metadata"]["name"],
                **item["spec"]["resources"],
                "nodeSelector": item["spec"].get("nodeSelector"),
            }
        )
        for item in document["items"]
    ]


def fit_rows(fits: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each type: how many pods fit, where, and the obstacle on the nearest node where none fits."""
    return [
        {
            "Name": fit["name"],
            "Pods": fit["pods"],
            "FreeNow": fit["podsFreeNow"],
            "AfterScaleOut": fit["podsAfterScaleOut"],
            "Refused": fit["refused"] or "",
            "Where": shorten(_places(fit), 24),
            "Reason": shorten(" ".join(reason["message"] for reason in fit["reasons"]), 36),
        }
        for fit in fits
    ]


def _places(fit: Mapping[str, Any]) -> str:
    return " ".join(place["place"] for place in fit["places"] if place["podsAfterScaleOut"])


def _row(instance_type: Mapping[str, Any]) -> Row:
    requests, limits = instance_type.get("requests") or {}, instance_type.get("limits") or {}
    selector = ",".join(f"{key}={value}" for key, value in (instance_type.get("nodeSelector") or {}).items())
    row: Row = {
        "Name": instance_type.get("name"),
        "Cpu": _range(requests.get("cpu"), limits.get("cpu")),
        "Memory": _range(requests.get("memory"), limits.get("memory")),
        "Gpu": _gpus(limits),
        "NodeSelector": shorten(selector, 24),
    }
    if instance_type.get("where"):
        row["Where"] = instance_type["where"]
    if instance_type.get("action"):
        row["Action"] = instance_type["action"]
        changes = [
            f"{change['field']}: {change['before']} -> {change['after']}"
            for change in instance_type.get("changes") or []
        ]
        conflicts = [
            f"{conflict['field']}: owned by {conflict['manager']}" for conflict in instance_type.get("conflicts") or []
        ]
        row["Changes"] = shorten("; ".join([*changes, *conflicts]), 40)
    return row


def _range(request: Any, limit: Any) -> str:
    """Request and limit, or the only value where they are equal or one of them is missing."""
    values = [str(value) for value in (request, limit) if value is not None]
    return values[0] if len(set(values)) == 1 else "-".join(values)


def _gpus(limits: Mapping[str, Any]) -> str:
    counts = {key: value for key, value in limits.items() if "/" in key and value is not None}
    return ", ".join(str(value) if key == NVIDIA else f"{value} {key}" for key, value in counts.items())


CLUSTER = tuple(
    option.but(group="Cluster")
    for option in (
        options.KUBECONFIG.but(help="Path of the kubeconfig file. Default: KUBECONFIG, otherwise ~/.kube/config."),
        options.CONTEXT.but(help="Context of the kubeconfig. Default: its current context."),
        options.CLUSTER_NAME.but(help="Name of the cluster in Azure. For AKS the credentials are read from Azure."),
        options.CLUSTER_TYPE,
        Option(
            "resource_group_name",
            ("--resource-group", "-g"),
            "Resource group of the cluster or the workspace.",
            settings={"required": False, "configured_default": "group"},
        ),
        options.WORKSPACE.but(help="Name of the Azure Machine Learning workspace of the compute."),
        Option("compute_name", help="Name of a compute; its cluster is used.", completer=completers.compute_names),
        Option("wait", help="Wait up to 10 minutes until the cluster has instance types.", is_flag=True),
    )
)
NAME = Option("name", ("--name", "-n"), "Name of the instance type.", completer=completers.instance_type_names)
FILE = Option(
    "file",
    ("--file", "-f"),
    "Files or folders with InstanceType or InstanceTypeList documents, or - for standard input.",
    completes_files=True,
    settings={"nargs": "+"},
)
DRY_RUN = options.DRY_RUN.but(help="Let the cluster compute the result and change nothing.")
FORCE_CONFLICTS = Option("force_conflicts", help="Take over fields that another manager owns.", is_flag=True)


def _resources(low: str, high: str) -> tuple[Option, ...]:
    """The options for the resources of a type; `low` and `high` name the defaults of requests and limits."""
    every = (
        Option("cpu_request", help=f"CPU request of a pod, for example 700m. Default: {low}."),
        Option("cpu_limit", help=f"CPU limit of a pod, for example 1. Default: {high}."),
        Option("memory_request", help=f"Memory request of a pod, for example 1500Mi. Default: {low}."),
        Option("memory_limit", help=f"Memory limit of a pod, for example 2Gi. Default: {high}."),
        Option("gpu", help="Number of GPUs of a pod.", settings={"type": int}),
        Option(
            "gpu_resource",
            help=f"Resource that --gpu counts, for example amd.com/gpu or nvidia.com/mig-1g.5gb. Default: {NVIDIA}.",
        ),
        Option(
            "node_selector", help="Labels of the nodes as space-separated key=value pairs.", settings={"nargs": "+"}
        ),
    )
    return tuple(option.but(group="Resources") for option in every)


GROUP = Group(
    "amlk8s instance-type",
    SUMMARIES["instance-type"],
    (
        Command(
            "list",
            "instance_type#list_",
            "List the instance types of a cluster and of its compute, including the default.",
            description="With --compute-name, cluster and compute are compared, and each type is marked: both, "
            "cluster only, compute only, differs, built-in.",
            options=CLUSTER,
            examples=(
                ("List the instance types of the current context.", "az amlk8s instance-type list -o table"),
                (
                    "List the instance types of an AKS cluster.",
                    "az amlk8s instance-type list -c my-aks -g my-group -o table",
                ),
                (
                    "Compare the instance types of a compute with those of its cluster.",
                    "az amlk8s instance-type list -g my-group -w my-workspace --compute-name k8s-compute -o table",
                ),
            ),
            table=instance_type_rows,
        ),
        Command(
            name="show",
            operation="instance_type#show",
            summary="Show an instance type, where it exists, and where its values come from.",
            options=(NAME, *CLUSTER),
            examples=(("Show an instance type.", "az amlk8s instance-type show -n gpu-large"),),
            table=instance_type_rows,
            is_show=True,
        ),
        Command(
            "create",
            "instance_type_apply#create",
            "Create instance types, or change existing ones to the given values.",
            options=(
                NAME,
                FILE,
                *_resources("the limit", "the request"),
                Option(
                    "from_nodes",
                    help="Create types for each node pool, sized to what its nodes offer next to system pods.",
                    is_flag=True,
                ),
                Option(
                    "share",
                    help="With --from-nodes: shares of a node for which to create types. Default: whole. The share gpu "
                    "gives each GPU its part of the node.",
                    choices=("whole", "half", "quarter", "gpu"),
                    settings={"nargs": "+"},
                ),
                DRY_RUN,
                FORCE_CONFLICTS,
                *CLUSTER,
            ),
            examples=(
                (
                    "Create an instance type from options.",
                    "az amlk8s instance-type create -n gpu-large --cpu-request 700m --cpu-limit 1 "
                    "--memory-request 1500Mi --memory-limit 2Gi --gpu 1 --node-selector agentpool=gpu",
                ),
                (
                    "Create every instance type of a file.",
                    "az amlk8s instance-type create -f my_instance_type_list.yaml",
                ),
                (
                    "Show the types that the node pools of a cluster would give.",
                    "az amlk8s instance-type create --from-nodes -c my-aks -g my-group --dry-run -o table",
                ),
            ),
            table=instance_type_rows,
        ),
        Command(
            "update",
            "instance_type_apply#update",
            "Change the given values of an instance type.",
            options=(NAME, *_resources("unchanged", "unchanged"), DRY_RUN, FORCE_CONFLICTS, *CLUSTER),
            examples=(
                (
                    "Increase the memory limit of a type.",
                    "az amlk8s instance-type update -n cpu-small --memory-limit 4Gi",
                ),
            ),
            table=instance_type_rows,
        ),
        Command(
            "apply",
            "instance_type_apply#apply",
            "Apply the instance types of files to a cluster, with server-side apply.",
            description="Each type is created, changed or unchanged. A field that another manager such as kubectl owns "
            "is a conflict; see --force-conflicts. --prune deletes types that were applied or created before and are "
            "no longer in any file.",
            options=(
                FILE,
                DRY_RUN,
                Option(
                    "prune", help="Delete types that were applied before and are in none of the files.", is_flag=True
                ),
                FORCE_CONFLICTS,
                options.YES,
                *CLUSTER,
            ),
            examples=(
                (
                    "Show what would change.",
                    "az amlk8s instance-type apply -f instance-types.yaml --dry-run -o table",
                ),
                (
                    "Apply a folder, and delete types that are no longer in it.",
                    "az amlk8s instance-type apply -f instance-types/ --prune --yes",
                ),
            ),
            table=instance_type_rows,
        ),
        Command(
            "delete",
            "instance_type#delete",
            "Delete an instance type, after listing what uses it.",
            options=(NAME, options.YES, *CLUSTER),
            examples=(
                (
                    "Delete an instance type without a prompt.",
                    "az amlk8s instance-type delete -n gpu-large --yes",
                ),
            ),
        ),
        Command(
            "validate",
            "instance_type#validate",
            "Validate files of instance types, without a cluster and without Azure.",
            options=(FILE, options.STRICT),
            examples=(
                (
                    "Validate a folder; the exit code is 1 when there is an error.",
                    "az amlk8s instance-type validate -f instance-types/ -o table",
                ),
            ),
            table=finding_rows,
            text=texts.findings_text,
        ),
        Command(
            "convert",
            "instance_type#convert",
            "Convert instance types of any older form, such as an attach configuration of 2021, to the current form.",
            options=(
                FILE.but(
                    help="Attach configurations of 2021, ARM templates of computes, or files with InstanceType or "
                    "InstanceTypeList documents, or - for standard input."
                ),
            ),
            examples=(
                (
                    "Convert a file to documents that can be applied.",
                    "az amlk8s instance-type convert -f attach-config.json -o yaml",
                ),
            ),
            table=converted_rows,
        ),
        Command(
            "fit",
            "instance_type_fit#fit",
            "Show how many pods of each instance type fit and where, and why none fits.",
            description="The capacity of a node is what its system pods leave. For an AKS cluster that is named by "
            "--cluster-name or --compute-name, pools that an autoscaler can grow count too, and the nodeSelector and "
            "tolerations of the extension apply.",
            options=(
                NAME.but(help="Only this instance type."),
                FILE.but(
                    help="Use the types of these files or folders with InstanceType or InstanceTypeList documents, or "
                    "- for standard input."
                ),
                Option(
                    "config",
                    help="Settings of the extension as key=value pairs where they are not read from Azure: "
                    "nodeSelector., workLoadToleration[, amloperator.skipResourceValidation.",
                    settings={"nargs": "+"},
                ),
                Option(
                    "plot",
                    help="Write a chart to this .svg or .png file.",
                    completes_files=True,
                    settings={"type": os.path.expanduser},
                ),
                options.STRICT.but(help="Exit with 1 when a type fits nowhere or its jobs are refused."),
                *CLUSTER,
            ),
            examples=(
                (
                    "Show where the types of a cluster fit.",
                    "az amlk8s instance-type fit -c my-aks -g my-group -o table",
                ),
                (
                    "Check a file before it is applied, and draw a chart.",
                    "az amlk8s instance-type fit -f instance-types.yaml -c my-aks -g my-group --plot fit.svg",
                ),
            ),
            table=fit_rows,
            text=texts.fit_text,
        ),
    ),
)

GROUPS = (GROUP,)
