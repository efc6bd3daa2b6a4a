"""apply --engine deployment: Resource Manager installs the extensions of a wave in one deployment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, coded_lines
from azext_amlk8s.console.reports import count
from azext_amlk8s.operations.deployment_following import RunningDeployment, follow_deployments
from azext_amlk8s.operations.deployment_inputs import Item, engine_inputs, read_secrets
from azext_amlk8s.operations.setup_inputs import Clients
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.setup_files import ClusterSetup

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.rendering import ClusterInput
    from azext_amlk8s.rendering.engine_deployments import EngineDeployment

# What wraps the error of a provider in those of a deployment.
WRAPPERS = ("DeploymentFailed", "ResourceDeploymentFailure")
ACTIVE = "DeploymentActive"


@dataclass(frozen=True)
class _Ended:
    """How the deployment of a cluster ended. raised: the request was rejected; error: the provider's, as ARM has it."""

    extension: str
    state: str
    error: Mapping[str, Any]
    seconds: float
    commands: Sequence[str] = ()
    raised: Exception | None = None


class DeploymentEngine:
    """Deploys wave after wave. planning are clients that remember what planning read."""

    def __init__(self, cmd: AzCliCommand, planning: Clients, clients: Clients, resume: str, timeout: int) -> None:
        self._cmd, self._planning, self._clients = cmd, planning, clients
        self._resume, self._timeout = resume, timeout
        self._ended: dict[str, _Ended] = {}

    def deploy(self, setup: str, wave: int, items: Sequence[Item]) -> None:
        """Install or update the extensions of a wave, and note how each cluster ended.

        Raises ManualInterrupt for Ctrl-C; Azure continues then.
        """
        from azext_amlk8s.rendering.engine_deployments import engine_deployments

        begin = time.monotonic()
        running = [
            self._begin(engine_deployment, items)
            for engine_deployment in engine_deployments(setup, wave, engine_inputs(self._planning, items))
        ]
        started = [run for run in running if run]
        if started:
            follow_deployments(self._cmd, started, self._resume, self._timeout)
        for run in started:
            self._note(run, time.monotonic() - begin)

    def has_deployed(self, cluster_setup: ClusterSetup) -> bool:
        """Whether the extension of a cluster was part of a deployment."""
        return cluster_setup.cluster.id.lower() in self._ended

    def seconds(self, cluster_setup: ClusterSetup) -> float:
        """How long the deployment of a cluster took."""
        return self._ended[cluster_setup.cluster.id.lower()].seconds

    def verify(self, cluster_setup: ClusterSetup) -> str:
        """The name of the extension that was deployed. Raises DeploymentError where it does not read Succeeded."""
        from azext_amlk8s.operations.extension_common import read_extension, state_of
        from azext_amlk8s.operations.extension_progress import extension_failed

        ended = self._ended[cluster_setup.cluster.id.lower()]
        if ended.raised is not None:
            raise ended.raised
        client = self._clients.of(cluster_setup.cluster.subscription)
        extension = ExtensionRef(cluster_setup.cluster, ended.extension)
        head = f"Installing {extension.name} on {cluster_setup.cluster.name} failed."
        if ended.error:
            raise _failure(client, extension, head, ended.error)
        if not ended.state:
            name = cluster_setup.cluster.name
            message = f"Stopped waiting: the deployment of cluster '{name}' continues in Azure. To follow it:"
            raise az_error("DeploymentError", message, ended.commands)
        resource = read_extension(client, extension) or {}
        if state_of(resource).lower() != "succeeded":
            raise extension_failed(client, extension, resource, head, "create")
        return extension.name

    def _begin(self, deployment: EngineDeployment, items: Sequence[Item]) -> RunningDeployment | None:
        """Submit a deployment; None where Azure rejects it, which is noted for its clusters."""
        from azure.cli.core.azclierror import AzCLIError
        from azure.core.exceptions import AzureError
        from knack.log import get_logger

        from azext_amlk8s.azure.deployments_client import DeploymentsClient
        from azext_amlk8s.operations.boundary import as_az_error

        client = DeploymentsClient(self._cmd.cli_ctx, deployment.subscription)
        try:
            client.begin(deployment.name, deployment.body(read_secrets(deployment, self._planning.vaults, items)))
        except (AzureError, AzCLIError) as error:
            # The same deployment may be running: of an earlier run, or of a request whose response was lost.
            if getattr(getattr(error, "error", None), "code", "") != ACTIVE:
                self._note_all(deployment.clusters, as_az_error(error, ""))
                return None
        clusters = count(len(deployment.clusters), "cluster")
        get_logger(__name__).warning("Deployment '%s' runs in Azure for %s.", deployment.name, clusters)
        return RunningDeployment(deployment, client)

    def _note_all(self, clusters: Iterable[ClusterInput], raised: Exception) -> None:
        for cluster in clusters:
            ended = _Ended(cluster.extension_name, "Failed", {}, 0.0, (), raised)
            self._ended[cluster.facts.resource_id.lower()] = ended

    def _note(self, running: RunningDeployment, seconds: float) -> None:
        """Note how each cluster of a deployment ended."""
        deployment = running.deployment
        found: dict[str, Mapping[str, Any]] = {}
        for nested, properties in running.operations.items():
            matches = deployment.cluster_of(nested)
            for match in matches if len(matches) == 1 else self._by_parameters(running, nested, matches):
                found[match.facts.resource_id.lower()] = properties
        for cluster in deployment.clusters:
            properties = found.get(cluster.facts.resource_id.lower()) or {}
            state = str(properties.get("provisioningState") or "")
            error = (properties.get("statusMessage") or {}).get("error") or {}
            has_ended = state.lower() in ("succeeded", "failed")
            if running.is_over and running.state.lower() != "succeeded" and not has_ended:
                state, error = running.state, error or running.error or _canceled(deployment.name)
            finished = state if running.is_over or has_ended else ""
            ended = _Ended(cluster.extension_name, finished, error, seconds, running.commands)
            self._ended[cluster.facts.resource_id.lower()] = ended

    def _by_parameters(
        self, running: RunningDeployment, nested: str, matches: Sequence[ClusterInput]
    ) -> list[ClusterInput]:
        """The cluster of a nested deployment whose name fits several, by the parameters that it got."""
        if not matches:
            return []
        found = running.client.get_nested(nested.split("/")[4], nested.rsplit("/", 1)[-1])
        parameters = (found.get("properties") or {}).get("parameters") or {}
        name = str((parameters.get("clusterName") or {}).get("value") or "").lower()
        return [match for match in matches if match.facts.name.lower() == name]


def _failure(client: AzureClient, extension: ExtensionRef, head: str, error: Mapping[str, Any]) -> Exception:
    """The DeploymentError with the errors of the provider alone, and with what the cluster shows."""
    from azext_amlk8s.diagnosis import unfold_error
    from azext_amlk8s.operations.failure_context import FailureContext, resource_failed

    unfolded = unfold_error({"error": error})
    coded = tuple(message for message in unfolded if message.code not in WRAPPERS) or unfolded
    context = FailureContext(client, extension.cluster, "create", {"NAME": extension.name})
    commands = [
        f"az amlk8s check {extension.cluster.cli_args}",
        "When the cause is resolved, run the same command again.",
    ]
    return resource_failed(head, coded, coded_lines(coded), commands, context)


def _canceled(name: str) -> dict[str, str]:
    return {"code": "DeploymentCanceled", "message": f"Deployment '{name}' was canceled in Azure."}
