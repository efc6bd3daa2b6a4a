"""az amlk8s up and az amlk8s init: one cluster from options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.setup_apply import APPLY_SECONDS, apply_documents
from azext_amlk8s.operations.setup_export import DEFAULT_FILE, write_setup
from azext_amlk8s.refs import MANAGED_CLUSTERS, ClusterRef
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

PATHS_OF_SECRETS = ("sslCertPemFile", "sslKeyPemFile")


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
    setup = new_setup(cluster, workspace, scenario, compute_name or "", namespace or "", _settings(config))
    if save:
        write_setup(save, setup, [])
    given = {
        "-w": workspace_name,
        "--workspace-group": workspace_group,
        "--compute-name": compute_name,
        "--namespace": namespace,
        "--scenario": scenario if scenario != "training" else None,
    }
    words = [word for option, value in given.items() if value for word in (option, value)]
    words += ["--config", *config] if config else []
    resume = f"az amlk8s up {cluster.cli_args} {join(words)}".rstrip()
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
    setup = new_setup(cluster, workspace, scenario, name, namespace or "", _settings(config))
    write_setup(out, setup, [])
    return setup


def _settings(config: Sequence[str] | None) -> Mapping[str, str]:
    """The settings of --config by their names, as `extension create` reads them. Raises ValidationError.

    A protected one is an error, because a setup file refers to secrets and never contains them.
    """
    from azext_amlk8s.console.errors import az_error, raise_for_errors
    from azext_amlk8s.operations.setting_options import SettingOptions

    settings, findings = SettingOptions(config=config).read_with_paths()
    raise_for_errors(findings)
    secrets = [*settings.protected, *(key for key in settings.config if key in PATHS_OF_SECRETS)]
    if secrets:
        message = f"{', '.join(sorted(secrets))}: a protected setting cannot be given to this command."
        fix = "Write a setup file with az amlk8s init, and refer to secrets in it; see protected_settings and tls."
        raise az_error("ValidationError", message, [fix])
    return settings.config
