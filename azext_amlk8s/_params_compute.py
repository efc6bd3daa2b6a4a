"""The options of `az amlk8s compute`."""

from __future__ import annotations

from typing import Any

from azext_amlk8s._validators import positive_seconds

CLUSTER_TYPES = ["managedClusters", "connectedClusters"]


def load(loader: Any) -> None:
    """Register the options with az."""
    _common(loader)
    _where_and_how(loader)
    _identity(loader)
    _wait(loader)


def _common(loader: Any) -> None:
    from azure.cli.core.commands.parameters import tags_type

    with loader.argument_context("amlk8s compute") as c:
        c.argument("name", options_list=["--name", "-n"], help="Name of the compute.", id_part=None)
        c.argument(
            "workspace_name",
            options_list=["--workspace-name", "-w"],
            help="Name of the Azure Machine Learning workspace.",
            configured_default="workspace",
        )
        c.argument("show_secrets", action="store_true", help="Show connection strings and other secrets too.")
        c.argument("all_kinds", options_list=["--all"], action="store_true", help="List computes of every kind.")
    for verb in ("attach", "detach", "update"):
        with loader.argument_context(f"amlk8s compute {verb}") as c:
            c.argument(
                "timeout",
                type=positive_seconds,
                help="Seconds to follow it; then it goes on without us. Default: to its end.",
            )
            c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
    for verb in ("attach", "update"):
        with loader.argument_context(f"amlk8s compute {verb}") as c:
            c.argument("tags", tags_type)


def _where_and_how(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    with loader.argument_context("amlk8s compute attach", arg_group="Cluster") as c:
        c.argument("resource_id", help="Resource ID of the cluster.")
        c.argument(
            "cluster_name",
            options_list=["--cluster-name", "-c"],
            help="Name of the cluster in the same resource group, instead of --resource-id.",
        )
        c.argument(
            "cluster_type",
            arg_type=get_enum_type(CLUSTER_TYPES),
            options_list=["--cluster-type", "-t"],
            help="Kind of the cluster that --cluster-name names.",
        )
        c.argument("namespace", help="Kubernetes namespace that runs the workloads; it must exist. Default: default.")
        c.argument("context", help="Context of the kubeconfig through which the cluster is looked into.")
        c.argument("create_namespace", action="store_true", help="Make the namespace where it is missing.")
    with loader.argument_context("amlk8s compute attach") as c:
        c.argument("compute_type", options_list=["--type"], help="Type of the compute: Kubernetes, the only one.")
        c.argument("description", help="Description of the compute.")
        c.argument(
            "workload",
            arg_type=get_enum_type(["training", "inference", "both"]),
            help="What the compute is meant for; the extension must have it enabled.",
        )
        c.argument(
            "replace",
            action="store_true",
            help="Detach what is there under this name and attach again; what is not given stays as it was.",
        )
    with loader.argument_context("amlk8s compute update") as c:
        c.argument("namespace", help="Cannot be changed; says what to do instead.")
        c.argument("resource_id", help="Cannot be changed; says what to do instead.")


def _identity(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    for verb in ("attach", "update"):
        with loader.argument_context(f"amlk8s compute {verb}", arg_group="Identity") as c:
            c.argument(
                "identity_type",
                arg_type=get_enum_type(["SystemAssigned", "UserAssigned"]),
                help="Managed identity of the compute.",
            )
            c.argument(
                "user_assigned_identities",
                options_list=["--user-assigned-identities", "-i"],
                nargs="+",
                help="Resource ID of the user-assigned identity; of several, the first is used.",
            )
    with loader.argument_context("amlk8s compute attach", arg_group="Identity") as c:
        c.argument(
            "assign_roles",
            action="store_true",
            help="Grant the workspace's user-assigned identity the roles that it lacks, and wait until they are seen.",
        )


def _wait(loader: Any) -> None:
    for group in ("compute", "extension"):
        with loader.argument_context(f"amlk8s {group} wait", arg_group="Wait Condition") as c:
            c.argument("created", action="store_true", help="Until it is Succeeded.")
            c.argument("updated", action="store_true", help="Until it is Succeeded again.")
            c.argument("deleted", action="store_true", help="Until it is gone.")
            c.argument("exists", action="store_true", help="Until it is there, in whatever state.")
            c.argument("custom", help="Until it satisfies a JMESPath query.")
            c.argument("interval", type=positive_seconds, help="Seconds between two looks.")
            c.argument(
                "timeout", type=positive_seconds, help="Seconds to wait at most; the exit code is 1 when they are over."
            )
