"""Options that several commands share."""

from __future__ import annotations

import os.path
from argparse import ArgumentTypeError
from typing import Any

from azext_amlk8s.cli import completers
from azext_amlk8s.cli.declaration import Option

CLUSTER_TYPES = ("managedClusters", "connectedClusters")
SCENARIOS = ("training", "inference", "both")


def whole_number(text: str, most: int | None = None) -> int:
    """A number from 1 on. Raises ArgumentTypeError, whose text az prints after the name of the option."""
    number = int(text) if text.isdecimal() else 0
    if number < 1 or (most and number > most):
        expected = f"a whole number from 1 to {most}" if most else "a whole number, 1 or more"
        raise ArgumentTypeError(f"invalid value '{text}'; expected {expected}")
    return number


def flatten_pairs(namespace: Any) -> None:
    """Join the uses of a repeatable option whose every use takes several key=value pairs."""
    for name in ("config", "config_protected", "node_selector"):
        pairs = getattr(namespace, name, None)
        if pairs and isinstance(pairs[0], list):
            setattr(namespace, name, [pair for use in pairs for pair in use])


RESOURCE_GROUP = Option("resource_group_name", az_type="resource_group_name_type")
CLUSTER_NAME = Option(
    "cluster_name", ("--cluster-name", "-c"), "Name of the Kubernetes cluster.", completer=completers.cluster_names
)
CLUSTER_TYPE = Option(
    "cluster_type",
    ("--cluster-type", "-t"),
    "Type of the cluster: managedClusters for AKS, connectedClusters for Arc. Default: looked up.",
    choices=CLUSTER_TYPES,
)
CLUSTER = (RESOURCE_GROUP, CLUSTER_NAME, CLUSTER_TYPE)

WORKSPACE = Option(
    "workspace_name",
    ("--workspace-name", "-w"),
    "Name of the Azure Machine Learning workspace.",
    completer=completers.workspace_names,
    settings={"configured_default": "workspace"},
)
WORKSPACE_GROUP = Option("workspace_group", help="Resource group of the workspace. Default: that of the cluster.")
KUBECONFIG = Option(
    "kubeconfig",
    help="Path of the kubeconfig file. Default: the credentials from Azure for AKS, otherwise KUBECONFIG.",
    completes_files=True,
    settings={"type": os.path.expanduser},
)
CONTEXT = Option(
    "context",
    help="Context of the kubeconfig. Default for an Arc-connected cluster: the context that leads to it.",
    completer=completers.context_names,
)
YES = Option("yes", ("--yes", "-y"), "Do not prompt for confirmation.", is_flag=True)
STRICT = Option("strict", help="Treat warnings as errors.", is_flag=True)
DRY_RUN = Option("dry_run", help="Show the plan without secrets and change nothing.", is_flag=True)
SCENARIO = Option("scenario", help="Only for this scenario.", choices=SCENARIOS)

WAIT_CONDITION = tuple(
    option.but(group="Wait Condition")
    for option in (
        Option("created", help="Wait until created with the state Succeeded.", is_flag=True),
        Option("updated", help="Wait until updated with the state Succeeded.", is_flag=True),
        Option("deleted", help="Wait until deleted.", is_flag=True),
        Option("exists", help="Wait until the resource exists, in any state.", is_flag=True),
        Option("custom", help="Wait until the resource satisfies this JMESPath query."),
        Option("interval", help="Polling interval in seconds.", settings={"type": whole_number}),
        Option(
            "timeout",
            help="Maximum wait in seconds; the exit code is 1 when it has passed.",
            settings={"type": whole_number},
        ),
    )
)
