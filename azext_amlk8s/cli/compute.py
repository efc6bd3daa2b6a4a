"""az amlk8s compute"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import completers, options
from azext_amlk8s.cli.declaration import Command, Group, Option, Row
from azext_amlk8s.cli.groups import SUMMARIES
from azext_amlk8s.cli.tables import shorten
from azext_amlk8s.values import mapping

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers"
IDENTITY_ID = f"{SUBSCRIPTION}/Microsoft.ManagedIdentity/userAssignedIdentities/my-identity"
ARC_ID = f"{SUBSCRIPTION}/Microsoft.Kubernetes/connectedClusters/my-cluster"
NAMES = "-g my-group -w my-workspace -n k8s-compute"


def compute_row(compute: Mapping[str, Any]) -> Row:
    """The row of one compute as ARM describes it; `properties` may be null at either level."""
    outer = mapping(compute.get("properties"))
    inner = mapping(outer.get("properties"))
    return {
        "Name": compute.get("name"),
        "State": outer.get("provisioningState"),
        "Cluster": str(outer.get("resourceId") or "").rsplit("/", 1)[-1],
        "Namespace": inner.get("namespace"),
        "Identity": mapping(compute.get("identity")).get("type") or "None",
        **({"Error": error} if (error := _provisioning_error(compute)) else {}),
    }


def compute_rows(computes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each compute; the type of each is shown where not all are Kubernetes computes."""
    types = [mapping(compute.get("properties")).get("computeType") for compute in computes]
    if all(kind == "Kubernetes" for kind in types):
        return [compute_row(compute) for compute in computes]
    return [{"Type": kind, **compute_row(compute)} for compute, kind in zip(computes, types, strict=True)]


def _provisioning_error(compute: Mapping[str, Any]) -> str:
    """The innermost error with a code that ARM keeps with a failed compute: the wrappers say nothing."""
    if not mapping(compute.get("properties")).get("provisioningErrors"):
        return ""
    from azext_amlk8s.diagnosis import compute_errors

    return next((shorten(f"{error.code} {error.message}", 40) for error in compute_errors(compute)), "")


NAME = Option("name", ("--name", "-n"), "Name of the compute.", completer=completers.compute_names)
COMPUTE = (options.RESOURCE_GROUP, options.WORKSPACE, NAME)
SHOW_SECRETS = Option("show_secrets", help="Include connection strings and other secrets.", is_flag=True)
TIMEOUT = Option(
    "timeout",
    help="Time limit of the command in seconds; the operation then continues in Azure.",
    settings={"type": options.whole_number},
)
TAGS = Option("tags", az_type="tags_type")
IDENTITY = (
    Option(
        "identity_type",
        help="Managed identity of the compute.",
        group="Identity",
        choices=("SystemAssigned", "UserAssigned"),
    ),
    Option(
        "user_assigned_identities",
        ("--user-assigned-identities", "-i"),
        "Resource ID of the user-assigned identity. If there are several, the first is used.",
        group="Identity",
        settings={"nargs": "+"},
    ),
)
ATTACH = tuple(
    option.but(group="Cluster")
    for option in (
        Option("resource_id", help="Resource ID of the cluster."),
        options.CLUSTER_NAME.but(help="Name of a cluster in the resource group of the workspace."),
        options.CLUSTER_TYPE.but(
            help="Kind of the cluster: managedClusters for AKS, connectedClusters for Arc. Default: looked up. "
            "Kubernetes is accepted as the type of the compute, which -t is in az ml.",
            choices=(*options.CLUSTER_TYPES, "Kubernetes"),
        ),
        Option("namespace", help="Kubernetes namespace that runs the workloads; it must exist. Default: default."),
        options.CONTEXT,
        Option("create_namespace", help="Create the namespace if it does not exist.", is_flag=True),
    )
) + (
    Option("compute_type", ("--type",), "Type of the compute. Only Kubernetes is supported."),
    Option("description", help="Description of the compute."),
    Option(
        "workload",
        help="Workload that the compute will run; the extension must have it enabled.",
        choices=options.SCENARIOS,
    ),
    Option(
        "replace",
        help="Detach the existing compute of this name and attach it again. Values that are not given are kept.",
        is_flag=True,
    ),
    Option(
        "assign_roles",
        help="Assign the missing roles to the user-assigned identity of the workspace, and wait until they apply.",
        group="Identity",
        is_flag=True,
    ),
)

FILE = Option("file", ("--file", "-f"), "YAML file of the compute, as for az ml compute attach.", completes_files=True)
SKIP_CHECKS = Option(
    "skip_checks",
    help="Space-separated IDs of the rules and checks whose errors are ignored, such as C130 and K321: rules of "
    "attachments (C), and checks or categories of az amlk8s check (K, F). To list them: az amlk8s explain --list.",
    settings={"nargs": "+"},
)
# Options of `az ml compute` for other kinds of computes.
OF_VIRTUAL_MACHINES = tuple(
    Option(name, help="Not supported: only virtual machines have it.", group="Unsupported")
    for name in ("admin_username", "admin_password", "ssh_port", "ssh_private_key_file")
)
OF_AML_COMPUTE = tuple(
    Option(name, flags, help="Not supported: only AmlCompute has it.", group="Unsupported")
    for name, flags in (
        ("idle_time_before_scale_down", ("--idle-time-before-scale-down", "-d")),
        ("max_instances", ()),
        ("min_instances", ()),
    )
)


def migration_rows(plan: Mapping[str, Any]) -> list[Row]:
    """A row for each step of a migration; the risks are in the narration."""
    return [{"Step": step["id"], "Done": step["done"], "Title": shorten(step["title"], 62)} for step in plan["steps"]]


GROUP = Group(
    "amlk8s compute",
    SUMMARIES["compute"],
    (
        Command(
            "attach",
            "compute_attach#attach",
            "Attach a cluster to a workspace as a compute.",
            description="The cluster, the extension, the namespace and the roles of a user-assigned identity are "
            "checked first. An existing compute is never overwritten; see --replace.",
            options=(
                *COMPUTE,
                FILE,
                *ATTACH,
                *IDENTITY,
                TAGS,
                TIMEOUT,
                SKIP_CHECKS,
                options.YES,
                *OF_VIRTUAL_MACHINES,
            ),
            examples=(
                (
                    "Attach an AKS cluster with a user-assigned identity.",
                    "az amlk8s compute attach --resource-group my-group --workspace-name my-workspace "
                    "--name k8s-compute --cluster-name my-aks --cluster-type managedClusters --type Kubernetes "
                    f'--identity-type UserAssigned --user-assigned-identities "{IDENTITY_ID}"',
                ),
                (
                    "Attach an Arc-connected cluster by its resource ID, for workloads in their own namespace.",
                    "az amlk8s compute attach -g my-group -w my-workspace -n amlarc-compute --namespace training "
                    f'--resource-id "{ARC_ID}"',
                ),
                (
                    "Attach in a script: create what is missing and stop waiting after half an hour.",
                    f"az amlk8s compute attach {NAMES} -c my-aks -t managedClusters --namespace training "
                    "--create-namespace --assign-roles --identity-type SystemAssigned --timeout 1800",
                ),
                (
                    "Attach a failed compute again, with the same name and namespace.",
                    f"az amlk8s compute attach {NAMES} -c my-aks -t managedClusters --replace --yes",
                ),
            ),
            table=compute_row,
            supports_no_wait=True,
        ),
        Command(
            "update",
            "compute_update#update",
            "Change the identity or the tags of a compute.",
            description="The cluster and the namespace of an attached compute cannot be changed; attach it again with "
            "az amlk8s compute attach --replace.",
            options=(
                *COMPUTE,
                *IDENTITY,
                TAGS,
                TIMEOUT,
                options.YES,
                Option("set_values", ("--set",), "Tags to change, as in tags.team=vision.", settings={"nargs": "+"}),
                Option("remove", help="Tags to remove, as in tags.team.", settings={"nargs": "+"}),
                Option("force_string", help="Accepted as in az ml; tags are always strings.", is_flag=True),
                Option(
                    "add",
                    help="Not supported: a Kubernetes compute has no lists that can be changed.",
                    group="Unsupported",
                    settings={"nargs": "+"},
                ),
                *OF_AML_COMPUTE,
                Option("namespace", help="Not supported: the namespace cannot be changed."),
                Option("resource_id", help="Not supported: the cluster cannot be changed."),
            ),
            examples=(
                (
                    "Give a compute a system-assigned identity.",
                    f"az amlk8s compute update {NAMES} --identity-type SystemAssigned --yes",
                ),
            ),
            table=compute_row,
            supports_no_wait=True,
        ),
        Command(
            name="show",
            operation="compute#show",
            summary="Show a Kubernetes compute.",
            description="The response of Azure is shown in full, with studioUrl added. Connection strings are empty "
            "unless --show-secrets is given.",
            options=(*COMPUTE, SHOW_SECRETS),
            examples=(("Show a compute.", f"az amlk8s compute show {NAMES}"),),
            table=compute_row,
            is_show=True,
        ),
        Command(
            "list",
            "compute#list_",
            "List the Kubernetes computes of a workspace.",
            options=(
                options.RESOURCE_GROUP,
                options.WORKSPACE,
                SHOW_SECRETS,
                Option("all_kinds", ("--all",), "List computes of every type.", is_flag=True),
                Option("compute_type", ("--type",), "List computes of this type. Default: Kubernetes."),
                Option(
                    "max_results",
                    ("--max-results", "-r"),
                    "Maximum number of computes.",
                    settings={"type": options.whole_number},
                ),
            ),
            examples=(
                ("List the computes as a table.", "az amlk8s compute list -g my-group -w my-workspace -o table"),
            ),
            table=compute_rows,
        ),
        Command(
            "detach",
            "compute#detach",
            "Detach a cluster from a workspace.",
            description="The cluster is not changed. Waits until the compute is deleted. Online endpoints on it are "
            "listed first. A compute that does not exist is not an error.",
            options=(*COMPUTE, TIMEOUT, options.YES),
            examples=(("Detach without a prompt.", f"az amlk8s compute detach {NAMES} --yes"),),
            supports_no_wait=True,
        ),
        Command(
            "migrate",
            "compute_migrate#migrate",
            "Migrate a compute of Azure ML v1, or of a preview of 2021.",
            description="From an AksCompute to a Kubernetes compute on the same cluster: the AksCompute is detached "
            "and never deleted. On a Kubernetes compute, settings and instance types of previews get their names of "
            "today, and an extension of a former type is replaced; an installation of az k8s-extension is used "
            "unchanged. The steps and their risks are shown first. The command can be repeated, and continues an "
            "interrupted migration.",
            options=(
                *COMPUTE,
                Option("new_name", help="Name of the Kubernetes compute. Default: NAME-k8s."),
                Option("namespace", help="Namespace of the new compute. Default: k8s- and its name."),
                Option("rollback", help="Undo the steps, up to the one that cannot be undone.", is_flag=True),
                Option(
                    "config",
                    ("--config",),
                    "Settings of the extension as space-separated key=value pairs. Can be repeated.",
                    completer=completers.setting_pairs,
                    settings={"nargs": "+", "action": "append", "validator": options.flatten_pairs},
                ),
                Option(
                    "config_protected",
                    ("--config-protected",),
                    "Protected settings of the extension, such as sslCertPemFile and sslKeyPemFile. Can be repeated.",
                    completer=completers.protected_setting_pairs,
                    settings={"nargs": "+", "action": "append"},
                ),
                TIMEOUT,
                options.DRY_RUN,
                options.YES,
            ),
            examples=(
                ("Show the steps and their risks.", f"az amlk8s compute migrate {NAMES} --dry-run"),
                ("Undo a migration that has not ended.", f"az amlk8s compute migrate {NAMES} --rollback"),
            ),
            table=migration_rows,
        ),
        Command(
            "wait",
            "compute#wait",
            "Wait until the compute meets a condition.",
            description="The exit code is 1 when the time has passed or the operation has failed.",
            options=(*COMPUTE, *options.WAIT_CONDITION),
            examples=(
                ("Wait until the cluster is attached.", f"az amlk8s compute wait {NAMES} --created"),
                (
                    "Wait at most ten minutes until it has an instance type.",
                    f'az amlk8s compute wait {NAMES} --custom "properties.properties.instanceTypes.gpu" --timeout 600',
                ),
            ),
        ),
    ),
)

GROUPS = (GROUP,)
