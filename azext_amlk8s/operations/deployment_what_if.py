"""plan --engine deployment: Resource Manager's what-if beside the plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.deployment_inputs import Item, engine_inputs, read_secrets
from azext_amlk8s.operations.setup_inputs import Clients
from azext_amlk8s.setup_files.plan import BLOCKED

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.operations.setup_secrets import VaultReader
    from azext_amlk8s.rendering.engine_deployments import EngineDeployment
    from azext_amlk8s.rendering.what_if import Prediction
    from azext_amlk8s.setup_files.plan import ClusterPlan

WHAT_IF_SECONDS = 600


def predict(cmd: AzCliCommand, clients: Clients, items: Sequence[Item]) -> list[dict[str, Any]]:
    """What Resource Manager predicts for each cluster that a deployment would change, and where the plan differs."""
    from azext_amlk8s.rendering.engine_deployments import engine_deployments

    plans = {plan.cluster.id.lower(): plan for _, plan in items}
    found = []
    for setup, wave in dict.fromkeys((cluster_setup.setup, cluster_setup.wave) for cluster_setup, _ in items):
        members = [item for item in items if (item[0].setup, item[0].wave) == (setup, wave) and _is_included(item[1])]
        for deployment in engine_deployments(setup, wave, engine_inputs(clients, members)):
            found += _compare(deployment, _predictions(cmd, deployment, clients.vaults, members), plans)
    return found


def _is_included(plan: ClusterPlan) -> bool:
    return plan.action != BLOCKED


def _predictions(
    cmd: AzCliCommand, deployment: EngineDeployment, vaults: VaultReader, items: Sequence[Item]
) -> list[Prediction]:
    from azext_amlk8s.azure.deployments_client import DeploymentsClient
    from azext_amlk8s.console.progress import follow
    from azext_amlk8s.rendering.what_if import read_predictions

    client = DeploymentsClient(cmd.cli_ctx, deployment.subscription)
    operation = client.begin_what_if(deployment.name, deployment.body(read_secrets(deployment, vaults, items)))
    resume = "az amlk8s plan"
    return read_predictions(follow(cmd, operation, "Azure's what-if", resume, timeout=WHAT_IF_SECONDS))


def _compare(
    deployment: EngineDeployment, predictions: Sequence[Prediction], plans: dict[str, ClusterPlan]
) -> list[dict[str, Any]]:
    """The predictions of each cluster: for its extension, and for the resources beneath it."""
    from azext_amlk8s.rendering.what_if import compare_with_plan

    found = []
    for cluster in deployment.clusters:
        cluster_id = cluster.facts.resource_id
        plan = plans[cluster_id.lower()]
        needs = {need.name.lower() for need in cluster.backing}
        own = [
            each
            for each in predictions
            if each.resource_id.lower().startswith(f"{cluster_id.lower()}/")
            or needs & set(each.resource_id.lower().split("/"))
        ]
        differences: list[str] = []
        if extension := plan.extension:
            keys = [change.key for change in extension.changes]
            for each in own:
                if "/extensions/" in each.resource_id.lower():
                    differences += compare_with_plan(each, extension.action, keys)
        if not own:
            differences.append("Azure predicts nothing for this cluster.")
        found.append(
            {
                "cluster": plan.cluster.name,
                "id": plan.cluster.id,
                "resources": [each.to_object() for each in own],
                "differences": differences,
            }
        )
    return found
