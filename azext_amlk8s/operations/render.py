"""az amlk8s render"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.input_files import STDIN, texts
from azext_amlk8s.operations.rendered_files import UNCHANGED, check_folder, write_files

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.operations.setup_inputs import Clients
    from azext_amlk8s.rendering import ClusterInput, ClusterManifests, SecretReference, Source
    from azext_amlk8s.setup_files import ClusterSetup, Setup

Files = dict[str, str]


def render(cmd: AzCliCommand, file: Sequence[str], to: str, out: str, force: bool = False) -> dict[str, Any]:
    """Write a setup as infrastructure as code. Returns the files, each with what was done to it.

    Azure is read, and nothing but the files is written. Raises ValidationError with all errors of the setup.
    """
    from knack.log import get_logger

    from azext_amlk8s.operations.setup_inputs import Clients, load_clusters

    folder = Path(out).expanduser()
    check_folder(folder)
    documents = texts(file)
    clients = Clients(cmd, planning=True)
    setups, clusters = load_clusters(cmd, documents, clients)
    files = RENDERERS[to](_Renderer(file, folder, setups, clusters, clients))
    actions = write_files(folder, files, force=force)
    changed = sum(action != UNCHANGED for action in actions.values())
    get_logger(__name__).warning("Wrote %s of %s files to '%s'.", changed, len(files), folder)
    return {"to": to, "out": str(folder), "files": [{"path": path, "action": actions[path]} for path in files]}


class _Renderer:
    """Reads what a target needs and renders it."""

    def __init__(
        self,
        paths: Sequence[str],
        folder: Path,
        setups: Sequence[Setup],
        clusters: Sequence[ClusterSetup],
        clients: Clients,
    ) -> None:
        self._paths, self._folder = paths, folder
        self._setups, self._clusters, self._clients = setups, clusters, clients

    def arm(self) -> Files:
        """ARM templates."""
        from azext_amlk8s.rendering import render_arm

        return render_arm(self._inputs(), self._source())

    def bicep(self) -> Files:
        """Bicep files."""
        from azext_amlk8s.rendering import render_bicep

        return render_bicep(self._inputs(), self._source())

    def terraform(self) -> Files:
        """Terraform files."""
        from azext_amlk8s.rendering import render_terraform

        return render_terraform(self._inputs(), self._source())

    def policy(self) -> Files:
        """Policy definitions.

        Raises ValidationError without an extension, for secrets that are not in a vault, and for clusters of one type
        with different extensions.
        """
        from azext_amlk8s.rendering import render_policy

        inputs = [cluster_input for cluster_input in self._inputs() if cluster_input.extension is not None]
        if not inputs:
            raise az_error("ValidationError", "The setup has no extension, so that there is nothing for a policy.")
        _check_policy_secrets(inputs)
        _check_policy_differences(inputs)
        entries = [entry for setup in self._setups for entry in setup.clusters]
        selectors = [entry.selector for entry in entries if entry.selector]
        return render_policy(inputs, selectors if len(selectors) == len(entries) else [], self._source())

    def manifests(self) -> Files:
        """Namespaces and instance types. Raises ValidationError where the setup has none."""
        from azext_amlk8s.rendering import render_manifests

        manifests = [self._manifests(cluster) for cluster in self._clusters]
        if all(manifest.is_empty for manifest in manifests):
            fix = "Add them to the setup file, such as namespaces: [{name: ml}]"
            message = "The setup has no namespaces and no instance types, so that there are no manifests."
            raise az_error("ValidationError", message, [fix])
        return render_manifests(manifests, self._source())

    def github_actions(self) -> Files:
        """A workflow for GitHub Actions."""
        from azext_amlk8s.rendering import render_github_actions

        return render_github_actions(self._secrets(), self._repository())

    def azure_pipelines(self) -> Files:
        """A pipeline for Azure DevOps."""
        from azext_amlk8s.rendering import render_azure_pipelines

        return render_azure_pipelines(self._secrets(), self._repository())

    def _source(self) -> Source:
        from azext_amlk8s.rendering import Source

        files = tuple(STDIN if path == "-" else self._relative(path) for path in self._paths)
        return Source(files, self._clients.of(None).subscription_id)

    def _repository(self) -> Source:
        """The source for a pipeline, which runs in the root of the repository. Raises for files elsewhere."""
        source = self._source()
        outside = [path for path in source.files if path == STDIN or path.startswith("..") or os.path.isabs(path)]
        if outside:
            raise az_error(
                "InvalidArgumentValueError",
                f"A pipeline cannot read '{outside[0]}'; expected a setup file in the repository, whose root is --out.",
                ["--out ."],
            )
        return source

    def _relative(self, path: str) -> str:
        return os.path.relpath(Path(path).expanduser(), self._folder).replace(os.sep, "/")

    def _inputs(self) -> list[ClusterInput]:
        """The clusters to render; paths of secrets are relative to the folder of the rendered files."""
        from azext_amlk8s.operations.render_inputs import read_cluster_inputs

        inputs = read_cluster_inputs(self._clients, self._clusters)
        return [
            replace(cluster_input, secrets=tuple(map(self._with_relative_path, cluster_input.secrets)))
            for cluster_input in inputs
        ]

    def _secrets(self) -> list[SecretReference]:
        """The secrets of all clusters, each once."""
        from azext_amlk8s.operations.render_inputs import secrets_of

        secrets = (secret for cluster in self._clusters for secret in secrets_of(cluster))
        return list(dict.fromkeys(map(self._with_relative_path, secrets)))

    def _with_relative_path(self, secret: SecretReference) -> SecretReference:
        from azext_amlk8s.rendering import FILE

        return replace(secret, source=self._relative(secret.source)) if secret.kind == FILE else secret

    def _manifests(self, cluster_setup: ClusterSetup) -> ClusterManifests:
        from knack.log import get_logger

        from azext_amlk8s.operations.setup_parts import namespaces_of, read_types
        from azext_amlk8s.rendering import ClusterManifests

        client = self._clients.of(cluster_setup.cluster.subscription)
        types = [each.to_object() for each in read_types(cluster_setup, client, None)]
        has_types_of_nodes = any(
            item == "from_nodes" or (isinstance(item, Mapping) and "from_nodes" in item)
            for item in cluster_setup.instance_types
        )
        if has_types_of_nodes:
            get_logger(__name__).warning(
                "Instance types made from nodes differ between clusters and are left out for cluster '%s'; the "
                "kustomization names the command that creates them.",
                cluster_setup.cluster.name,
            )
        same = sum(other.cluster.name.lower() == cluster_setup.cluster.name.lower() for other in self._clusters)
        folder = (
            cluster_setup.cluster.name
            if same == 1
            else f"{cluster_setup.cluster.resource_group}-{cluster_setup.cluster.name}"
        )
        return ClusterManifests(
            cluster_setup.cluster, tuple(namespaces_of(cluster_setup)), tuple(types), folder, has_types_of_nodes
        )


RENDERERS: Mapping[str, Callable[[_Renderer], Files]] = {
    "arm": _Renderer.arm,
    "bicep": _Renderer.bicep,
    "terraform": _Renderer.terraform,
    "manifests": _Renderer.manifests,
    "github-actions": _Renderer.github_actions,
    "azure-pipelines": _Renderer.azure_pipelines,
    "policy": _Renderer.policy,
}


def _check_policy_differences(inputs: Sequence[ClusterInput]) -> None:
    """Raise ValidationError where clusters of one type have different extensions: a policy has one for all."""
    from azext_amlk8s.console.setup_reports import some
    from azext_amlk8s.rendering import policy_differences

    found = policy_differences(inputs)
    if found:
        first, second, names = found
        message = (
            f"The extension differs between clusters '{first}' and '{second}' ({some(names)}); "
            "a policy installs the same extension on all clusters of a type."
        )
        fix = "Render clusters with other settings from a separate setup file."
        raise az_error("ValidationError", message, [fix])


def _check_policy_secrets(inputs: Sequence[ClusterInput]) -> None:
    """Raise ValidationError for a secret that is not in a key vault that was found."""
    for secret in (secret for cluster_input in inputs for secret in cluster_input.secrets):
        if not (secret.vault and secret.vault_id):
            message = f"'{secret.key}': a policy cannot have this secret; expected one in Azure Key Vault."
            fix = f"protected_settings: {{{secret.key}: {{key_vault: URL}}}}"
            raise az_error("ValidationError", message, [fix])
