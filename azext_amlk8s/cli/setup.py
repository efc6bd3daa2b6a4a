"""az amlk8s plan, apply and the other commands on setup files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from azext_amlk8s.cli import completers, options
from azext_amlk8s.cli.declaration import Command, Option, Row
from azext_amlk8s.cli.tables import shorten
from azext_amlk8s.console import setup_reports


def plan_rows(plan: Mapping[str, Any]) -> list[Row]:
    """A row for each resource of each cluster."""
    return [
        {
            "Cluster": shorten(cluster["cluster"], 24),
            "Kind": resource["kind"],
            "Name": shorten(resource["name"], 24),
            "Action": resource["action"],
            "Changes": shorten(", ".join(change["key"] for change in resource["changes"]) or resource["note"], 34),
        }
        for cluster in plan["clusters"]
        for resource in cluster["resources"]
    ]


def apply_rows(result: Mapping[str, Any]) -> list[Row]:
    """A row for each cluster."""
    return [
        {
            "Cluster": shorten(cluster["cluster"], 30),
            "Status": cluster["status"],
            "Seconds": cluster["seconds"],
            "Message": shorten(cluster["message"] or "; ".join(cluster["pending"]), 46),
        }
        for cluster in result["clusters"]
    ]


MOST_PARALLEL = 200
FILE = Option(
    "file",
    ("--file", "-f"),
    "Setup files, or folders with them. Use - for standard input. Files with the same name are merged.",
    completes_files=True,
    settings={"nargs": "+"},
)
PARALLEL = Option(
    "max_parallel",
    help="Number of clusters that are worked on at the same time, from 1 to 200. Default: 25.",
    settings={"type": partial(options.whole_number, most=MOST_PARALLEL)},
)
SEND_SECRETS = Option(
    "send_secrets",
    help="Send protected settings and certificates also where all of them are deployed: Azure does not return their "
    "values, so that a change cannot be seen.",
    is_flag=True,
)

STATUS_OPTIONS = tuple(
    option.but(group="Setup file")
    for option in (
        FILE.but(settings={**FILE.settings, "required": False}),
        Option("failed", help="Show only the clusters that are not in sync.", is_flag=True),
        Option("detailed_exitcode", help="End with exit code 4 when something differs from the file.", is_flag=True),
        PARALLEL,
    )
)
PRUNE_NAMESPACES = Option(
    "prune_namespaces",
    help="Also delete the namespaces that the setup has created and the files no longer have, with everything in them. "
    "It requires on_remove: delete.",
    is_flag=True,
)

CLUSTER = (
    options.RESOURCE_GROUP,
    options.CLUSTER_NAME,
    options.CLUSTER_TYPE.but(help="Kind of the cluster. Default: it is looked up."),
)
WORKSPACE = (
    options.WORKSPACE,
    options.WORKSPACE_GROUP,
    Option("compute_name", help="Name of the compute.", completer=completers.compute_names),
)
NEW = (
    Option("namespace", help="Kubernetes namespace that runs the workloads. Default: default."),
    Option("scenario", help="Workload to set up. Default: training.", choices=options.SCENARIOS),
    Option("config", help="Further settings of the extension as key=value.", settings={"nargs": "+"}),
)
OPERATION_TIMEOUT = Option(
    "operation_timeout",
    help="Maximum wait for each operation in seconds. It continues in Azure when it has passed.",
    settings={"type": options.whole_number},
)
ENGINE = Option(
    "engine",
    help="What installs the extensions: this command (direct, default), or Azure in one deployment for each wave "
    "(deployment), which continues without this command.",
    choices=("direct", "deployment"),
)


def setup_row(setup: Mapping[str, Any]) -> Row:
    """The row of a setup file."""
    return {
        "Name": setup["name"],
        "Clusters": len(setup["clusters"]),
        "Extension": "yes" if "extension" in setup else "no",
        "Compute": (setup.get("compute") or {}).get("name"),
        "InstanceTypes": len(setup.get("instance_types") or ()),
    }


COMMANDS = (
    Command(
        "plan",
        "setup_plan#plan",
        "Show what a setup file would change in Azure and in each cluster.",
        description="Runs every check of extension create, compute attach and instance-type apply for all clusters of "
        "the file and changes nothing. The exit code is 1 when a cluster is blocked or cannot be read.",
        options=(
            FILE,
            Option("detailed_exitcode", help="End with exit code 4 when something would change.", is_flag=True),
            Option("out", help="File for the plan, to be used with apply --plan. It contains no secrets."),
            PARALLEL,
            SEND_SECRETS,
            PRUNE_NAMESPACES,
            ENGINE.but(help="With deployment, also show what Azure itself predicts (what-if), and where it differs."),
        ),
        examples=(
            ("Show what would change.", "az amlk8s plan -f azureml.yaml"),
            (
                "Save the plan, and tell by the exit code whether there are changes.",
                "az amlk8s plan -f azureml.yaml --detailed-exitcode --out plan.json",
            ),
        ),
        table=plan_rows,
        text=setup_reports.plan_text,
    ),
    Command(
        "apply",
        "setup_apply#apply",
        "Make Azure and the clusters match a setup file.",
        description="Plans, asks once, and changes each cluster: extension, namespaces, roles, compute, types. "
        "Clusters are changed in parallel, in the waves of the file; one that fails does not stop the others. Run the "
        "same command again to continue after an error or an interruption.",
        options=(
            FILE.but(settings={**FILE.settings, "required": False}),
            Option(
                "plan",
                help="Plan of az amlk8s plan --out; it is applied if nothing has changed since.",
                completes_files=True,
            ),
            PARALLEL,
            Option(
                "max_failures",
                help="Number of failed clusters after which no other is started.",
                settings={"type": int},
            ),
            SEND_SECRETS,
            PRUNE_NAMESPACES,
            Option("report", help="File for a report with a case for each cluster: JUnit for .xml, otherwise JSON."),
            Option(
                "only_failed",
                help="Report of an earlier run; only clusters that did not succeed are applied.",
                completes_files=True,
            ),
            Option(
                "pending_dir",
                help="Folder for the manifests of clusters whose Kubernetes API cannot be reached, for kubectl apply.",
            ),
            OPERATION_TIMEOUT,
            ENGINE,
            options.YES,
        ),
        examples=(
            ("Apply a setup file.", "az amlk8s apply -f azureml.yaml"),
            (
                "Let Azure install the extensions of a fleet in one deployment for each wave.",
                "az amlk8s apply -f azureml.yaml --engine deployment",
            ),
            (
                "Apply a saved plan in a pipeline, with a report.",
                "az amlk8s apply --plan plan.json --yes --report report.xml",
            ),
            ("Repeat what failed.", "az amlk8s apply -f azureml.yaml --only-failed report.xml"),
        ),
        table=apply_rows,
        text=setup_reports.apply_text,
    ),
    Command(
        "destroy",
        "setup_destroy#destroy",
        "Detach the computes that a setup file created, and delete the extensions where it says so.",
        description="Only a compute with the tag of its setup is detached, and the extension of a cluster whose "
        "compute is kept stays too. What happens is on_remove in the file: keep (default), detach or delete.",
        options=(
            FILE,
            Option("on_remove", help="Override on_remove of the file.", choices=("keep", "detach", "delete")),
            Option(
                "delete_dependencies",
                help="Also delete the Azure resources that were created for the extensions, such as the relay.",
                is_flag=True,
            ),
            PRUNE_NAMESPACES.but(
                help="Also delete the namespaces that the setup has created, with everything in them."
            ),
            Option("stop_workloads", help="Do not stop because of endpoints and running jobs.", is_flag=True),
            PARALLEL,
            OPERATION_TIMEOUT,
            options.YES,
        ),
        examples=(
            ("Remove everything that a setup file created.", "az amlk8s destroy -f azureml.yaml --on-remove delete"),
        ),
        table=apply_rows,
        text=setup_reports.apply_text,
    ),
    Command(
        "up",
        "setup_up#up",
        "Set up one cluster: install the extension and attach the cluster to a workspace.",
        description="Chooses sensible settings, checks everything, shows one plan, asks once and applies it. Run it "
        "again to continue after an error. For inference it serves endpoints over HTTP; use a setup file for HTTPS.",
        options=(
            *CLUSTER,
            *WORKSPACE,
            *NEW,
            Option("save", help="Setup file to write, for plan and apply."),
            OPERATION_TIMEOUT,
            options.YES,
        ),
        examples=(
            ("Set up an AKS cluster for training.", "az amlk8s up -g my-group -c my-aks -w my-workspace"),
            (
                "Set up an Arc-connected cluster for training and inference, and save the setup file.",
                "az amlk8s up -g my-group -c my-arc -w my-workspace --scenario both --save azureml.yaml",
            ),
        ),
        table=apply_rows,
        text=setup_reports.apply_text,
    ),
    Command(
        "init",
        "setup_up#init",
        "Write a setup file from options, with placeholders for the others.",
        description="Azure is not contacted. To write the file for an existing cluster, use az amlk8s export.",
        options=(
            options.RESOURCE_GROUP.but(settings={"required": False}),
            options.CLUSTER_NAME,
            options.CLUSTER_TYPE.but(help="Kind of the cluster. Default: managedClusters."),
            options.WORKSPACE,
            WORKSPACE[2],
            *NEW,
            Option("out", help="File to write. Default: azureml.yaml."),
        ),
        examples=(("Start a setup file.", "az amlk8s init -g my-group -c my-aks -w my-workspace"),),
        table=setup_row,
    ),
    Command(
        "export",
        "setup_export#export",
        "Write the setup file for what exists on a cluster.",
        description="A plan of it has no changes. Azure does not return secrets: they are written as references to "
        "environment variables.",
        options=(
            *CLUSTER,
            *WORKSPACE,
            options.CONTEXT,
            Option("out", help="File to write as YAML. The object is printed as well."),
        ),
        examples=(
            (
                "Write the file for an AKS cluster.",
                "az amlk8s export -g my-group -c my-aks -w my-workspace --out azureml.yaml",
            ),
        ),
        table=setup_row,
    ),
    Command(
        "schema",
        "setup_schema#schema",
        "Show the JSON Schema of setup files.",
        description="Save it and refer to it in $schema, so that editors complete and check setup files.",
        examples=(("Save the schema beside the setup file.", "az amlk8s schema -o json"),),
    ),
)
