"""az amlk8s plan"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import set_exit_code
from azext_amlk8s.operations.input_files import texts

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand


DEFAULT_PARALLEL = 25
# The engine that is Resource Manager.
DEPLOYMENT = "deployment"


def plan(
    cmd: AzCliCommand,
    file: Sequence[str],
    detailed_exitcode: bool = False,
    out: str | None = None,
    max_parallel: int = DEFAULT_PARALLEL,
    send_secrets: bool = False,
    prune_namespaces: bool = False,
    engine: str | None = None,
) -> dict[str, Any]:
    """What would change in each cluster of setup files, with all findings. Nothing is written.

    The exit code is 1 where a cluster is blocked or cannot be read; with detailed_exitcode it is 4 where something
    would change. out is a file for `apply --plan`, without secrets. With the engine deployment, whatIf is what Resource
    Manager predicts.
    """
    from azext_amlk8s.operations.saved_plan import save_plan
    from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
    from azext_amlk8s.operations.setup_planning import plan_clusters
    from azext_amlk8s.setup_files.plan import exit_code, plan_object

    documents = texts(file)
    clients = Clients(cmd, planning=True)
    _, clusters = load_clusters(cmd, documents, clients, with_former=True)
    plans = plan_clusters(
        cmd, clusters, clients, max_parallel, send_secrets=send_secrets, prune_namespaces=prune_namespaces
    )
    result = plan_object(plans)
    if out:
        save_plan(out, documents, clusters, result)
    if engine == DEPLOYMENT:
        from azext_amlk8s.operations.deployment_what_if import predict

        result["whatIf"] = predict(cmd, clients, list(zip(clusters, plans, strict=True)))
    if code := exit_code(plans, detailed=detailed_exitcode):
        set_exit_code(cmd, code)
    return result
