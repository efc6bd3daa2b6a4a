"""The options of `az amlk8s extension`."""

from __future__ import annotations

from typing import Any

from azext_amlk8s._params_compute import CLUSTER_TYPES


def load(loader: Any) -> None:
    """Register the options with az."""
    from azure.cli.core.commands.parameters import get_three_state_flag

    with loader.argument_context("amlk8s extension") as c:
        c.argument("name", options_list=["--name", "-n"], help="Name of the extension.", id_part=None)
        cluster_options(c)
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


def cluster_options(context: Any) -> None:
    """The options that name a cluster."""
    from azure.cli.core.commands.parameters import get_enum_type

    context.argument("cluster_name", options_list=["--cluster-name", "-c"], help="Name of the Kubernetes cluster.")
    context.argument(
        "cluster_type",
        arg_type=get_enum_type(CLUSTER_TYPES),
        options_list=["--cluster-type", "-t"],
        help="Kind of the cluster: AKS clusters are managedClusters, Arc-connected ones connectedClusters.",
    )


def _settings(loader: Any, command: str, get_three_state_flag: Any) -> None:
    from argcomplete.completers import FilesCompleter

    from azext_amlk8s._completers import setting_keys
    from azext_amlk8s._validators import flatten_words

    with loader.argument_context(f"amlk8s extension {command}", arg_group="Settings") as c:
        c.argument(
            "config",
            options_list=["--configuration-settings", "--config", _former(c, "--config-settings", "--config")],
            nargs="+",
            action="append",
            validator=flatten_words,
            completer=setting_keys,
            help="Settings as space-separated key=value words. Can be repeated.",
        )
        c.argument(
            "config_protected",
            options_list=[
                "--config-protected-settings",
                "--config-protected",
                _former(c, "--configuration-protected-settings", "--config-protected"),
            ],
            nargs="+",
            action="append",
            completer=setting_keys,
            help="Settings that are kept secret, as space-separated key=value words. For sslCertPemFile and "
            "sslKeyPemFile the value is the path of a PEM file. Can be repeated.",
        )
        c.argument(
            "config_file",
            options_list=[
                "--config-settings-file",
                "--config-file",
                _former(c, "--configuration-settings-file", "--config-file"),
            ],
            completer=FilesCompleter(),
            help="JSON or YAML file of settings, nested or dotted. What is given to --config goes before it.",
        )
        c.argument(
            "config_protected_file",
            options_list=[
                "--config-protected-settings-file",
                "--config-protected-file",
                _former(c, "--configuration-protected-settings-file", "--config-protected-file"),
            ],
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


def _former(context: Any, name: str, today: str) -> Any:
    """A name that `az k8s-extension` has given up: taken with a warning, not shown."""
    return context.deprecate(target=name, redirect=today, hide=True)


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
