"""The options of every command."""

from __future__ import annotations

from typing import Any

from azext_amlk8s import _params_compute
from azext_amlk8s._params_compute import CLUSTER_TYPES

SCOPES = ["arm", "helm", "health", "compute", "cluster", "workload", "job", "pod"]


def load_arguments(loader: Any, _command: str) -> None:
    """Register the options with az."""
    from azure.cli.core.commands.parameters import get_three_state_flag, resource_group_name_type

    with loader.argument_context("amlk8s") as c:
        c.argument("resource_group_name", resource_group_name_type)
    _extension(loader, get_three_state_flag)
    _params_compute.load(loader)
    _instance_type(loader)
    _diagnosis(loader)


def _extension(loader: Any, get_three_state_flag: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    with loader.argument_context("amlk8s extension") as c:
        c.argument("name", options_list=["--name", "-n"], help="Name of the extension.", id_part=None)
        c.argument("cluster_name", options_list=["--cluster-name", "-c"], help="Name of the Kubernetes cluster.")
        c.argument(
            "cluster_type",
            arg_type=get_enum_type(CLUSTER_TYPES),
            options_list=["--cluster-type", "-t"],
            help="Kind of the cluster: AKS clusters are managedClusters, Arc-connected ones connectedClusters.",
        )
    for command in ("create", "update", "validate"):
        _settings(loader, command, get_three_state_flag)
    for command in ("create", "update"):
        with loader.argument_context(f"amlk8s extension {command}") as c:
            c.argument("extension_type", help="Type of the extension: Microsoft.AzureML.Kubernetes, the only one.")
            c.argument("scope", help="Scope of the installation: cluster, the only one.")
            c.argument("dry_run", action="store_true", help="Show the plan, its secrets blanked, and write nothing.")
    _knowledge(loader)
    for command in ("update", "delete"):
        with loader.argument_context(f"amlk8s extension {command}") as c:
            c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
    with loader.argument_context("amlk8s extension delete") as c:
        c.argument(
            "delete_dependencies",
            action="store_true",
            help="Remove the Azure resources too that were made for the extension: Relay, Log Analytics, Service Bus.",
        )
        c.argument(
            "force",
            action="store_true",
            help="Remove the extension from Azure at once, without asking the cluster; what runs in it may stay.",
        )


def _settings(loader: Any, command: str, get_three_state_flag: Any) -> None:
    from argcomplete.completers import FilesCompleter

    from azext_amlk8s._completers import setting_keys
    from azext_amlk8s._validators import flatten_words

    with loader.argument_context(f"amlk8s extension {command}", arg_group="Settings") as c:
        c.argument(
            "config",
            options_list=["--configuration-settings", "--config"],
            nargs="+",
            action="append",
            validator=flatten_words,
            completer=setting_keys,
            help="Settings as space-separated key=value words. Can be repeated.",
        )
        c.argument(
            "config_protected",
            options_list=["--config-protected-settings", "--config-protected"],
            nargs="+",
            action="append",
            completer=setting_keys,
            help="Settings that are kept secret, as space-separated key=value words. For sslCertPemFile and "
            "sslKeyPemFile the value is the path of a PEM file. Can be repeated.",
        )
        c.argument(
            "config_file",
            options_list=["--config-settings-file", "--config-file"],
            completer=FilesCompleter(),
            help="JSON or YAML file of settings, nested or dotted. What is given to --config goes before it.",
        )
        c.argument(
            "config_protected_file",
            options_list=["--config-protected-settings-file", "--config-protected-file"],
            completer=FilesCompleter(),
            help="JSON or YAML file of settings that are kept secret.",
        )
        c.argument(
            "allow_unknown_settings", action="store_true", help="Pass settings on that are not known, with a warning."
        )
        c.argument("strict", action="store_true", help="Take warnings for errors.")
    with loader.argument_context(f"amlk8s extension {command}") as c:
        c.argument("release_train", help="Release train that upgrades follow. Default: stable.")
        c.argument("version", help="Version to install and stay on. Switches automatic upgrades off.")
        c.argument(
            "auto_upgrade",
            options_list=["--auto-upgrade-minor-version", "--auto-upgrade"],
            arg_type=get_three_state_flag(),
            help="Upgrade minor versions automatically.",
        )


def _knowledge(loader: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    from azext_amlk8s._completers import setting_names

    cluster = {"resource_group_name": "Resource group", "cluster_name": "Name", "cluster_type": "Kind"}
    with loader.argument_context("amlk8s extension validate", arg_group="Cluster") as c:
        for name, what in cluster.items():
            c.argument(name, required=False, help=f"{what} of the cluster whose facts are judged too. Needs a login.")
        c.argument("name", required=False, help="Name of the extension, to see whether the cluster has another one.")
    for command in ("settings list", "components"):
        with loader.argument_context(f"amlk8s extension {command}") as c:
            c.argument("scenario", arg_type=get_enum_type(["training", "inference", "both"]), help="Of which scenario.")
    with loader.argument_context("amlk8s extension settings show") as c:
        c.argument("key", options_list=["--key", "-k"], completer=setting_names, help="Any name of the setting.")


def _instance_type(loader: Any) -> None:
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


def _diagnosis(loader: Any) -> None:
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
