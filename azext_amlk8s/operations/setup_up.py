"""az amlk8s up and az amlk8s init: one cluster from options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.setup_apply import APPLY_SECONDS, apply_documents
from azext_amlk8s.operations.setup_export import DEFAULT_FILE, write_setup
from azext_amlk8s.refs import MANAGED_CLUSTERS, ClusterRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand


def up(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
    workspace_name: str | None = None,
    workspace_group: str | None = None,
    compute_name: str | None = None,
    namespace: str | None = None,
    scenario: str = "training",
    config: Sequence[str] | None = None,
    save: str | None = None,
    operation_timeout: int = APPLY_SECONDS,
    yes: bool = False,
) -> dict[str, Any]:
    """Install the extension with sensible settings and attach the cluster: one plan, one question.

    With save the setup file for it is written first. Returns what `apply` returns.
    """
    from azext_amlk8s.instance_types.documents import Text
    from azext_amlk8s.operations.resource_lookup import named_workspace, open_named_cluster
    from azext_amlk8s.setup_files.writing import new_setup

    client, cluster, _ = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    workspace = None
    if workspace_name:
        group = workspace_group or resource_group_name
        workspace = {"resource_id": named_workspace(client.subscription_id, group, workspace_name).id}
    setup = new_setup(cluster, workspace, scenario, compute_name or "", namespace or "", _pairs(config))
    if save:
        write_setup(save, setup, [])
    resume = f"az amlk8s up {cluster.cli_args}" + (f" -w {workspace_name}" if workspace_name else "")
    documents = [Text("options", json.dumps(setup))]
    return apply_documents(cmd, documents, resume, operation_timeout=operation_timeout, yes=yes)


def init(
    cmd: AzCliCommand,
    resource_group_name: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    workspace_name: str | None = None,
    compute_name: str | None = None,
    namespace: str | None = None,
    scenario: str = "training",
    config: Sequence[str] | None = None,
    out: str = DEFAULT_FILE,
) -> dict[str, Any]:
    """Write a setup file from options, with placeholders for what they leave out. Azure is not contacted."""
    from azext_amlk8s.setup_files.writing import new_setup

    group = resource_group_name or "<my-group>"
    cluster = ClusterRef("", group, cluster_type or MANAGED_CLUSTERS, cluster_name or "<my-cluster>")
    workspace = {"name": workspace_name or "<my-workspace>", "resource_group": group}
    name = compute_name or ("" if cluster_name else "k8s-{cluster.name}")
    setup = new_setup(cluster, workspace, scenario, name, namespace or "", _pairs(config))
    write_setup(out, setup, [])
    return setup


def _pairs(config: Sequence[str] | None) -> Mapping[str, str]:
    """The settings of --config. Raises ValidationError for an argument without a key."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    pairs = {}
    for word in config or ():
        key, sign, value = word.partition("=")
        if not (sign and key):
            raise InvalidArgumentValueError(f"Invalid setting '{word}'; expected key=value.")
        pairs[key] = value
    return pairs
