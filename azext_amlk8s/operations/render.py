"""az amlk8s render"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.operations.rendered_files import check_folder, write_files

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.operations.setup_inputs import Clients
    from azext_amlk8s.rendering import ClusterInput
    from azext_amlk8s.setup_files import ClusterSetup


def render(cmd: AzCliCommand, file: Sequence[str], to: str, out: str, force: bool = False) -> dict[str, Any]:
    """Write a setup as infrastructure as code. Returns the files, each with what was done to it.

    Azure is read, and nothing but the files is written. Raises ValidationError with all errors of the setup.
    """
    from knack.log import get_logger

    from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
    from azext_amlk8s.rendering import Source, render_arm, render_bicep, render_terraform

    folder = Path(out).expanduser()
    check_folder(folder)
    documents = texts(file)
    clients = Clients(cmd, planning=True)
    _, clusters = load_clusters(cmd, documents, clients)
    source = Source(tuple(file), clients.of(None).subscription_id)
    renderers = {"arm": render_arm, "bicep": render_bicep, "terraform": render_terraform}
    inputs = _read_inputs(clients, clusters, folder)
    files = renderers[to](inputs, source)
    actions = write_files(folder, files, force=force)
    changed = [path for path, action in actions.items() if action != "unchanged"]
    get_logger(__name__).warning("Wrote %s of %s files to '%s'.", len(changed), len(files), folder)
    return {"to": to, "out": str(folder), "files": [{"path": path, "action": actions[path]} for path in files]}


def _read_inputs(clients: Clients, clusters: Sequence[ClusterSetup], folder: Path) -> list[ClusterInput]:
    """The clusters to render; paths of secrets are relative to the folder of the rendered files."""
    from azext_amlk8s.operations.render_inputs import read_cluster_inputs
    from azext_amlk8s.rendering import FILE

    def relative(path: str) -> str:
        return os.path.relpath(Path(path).expanduser(), folder).replace(os.sep, "/")

    inputs = read_cluster_inputs(clients, clusters)
    return [
        replace(
            one,
            secrets=tuple(
                replace(secret, source=relative(secret.source)) if secret.kind == FILE else secret
                for secret in one.secrets
            ),
        )
        for one in inputs
    ]
