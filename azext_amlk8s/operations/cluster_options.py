"""Which cluster a command means, and the way to it: a kubeconfig, an AKS or Arc-connected cluster, or a compute."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.operations.option_groups import gathers
from azext_amlk8s.refs import ClusterRef

AKS = "managedClusters"
LOOK_SECONDS = 5.0
WAIT_SECONDS = 600


@dataclass(frozen=True)
class Choice:
    """The options that name a cluster, as they were given."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster_name: str | None = None
    cluster_type: str | None = None
    resource_group_name: str | None = None
    workspace_name: str | None = None
    compute_name: str | None = None
    wait: bool = False

    @property
    def of_azure(self) -> bool:
        """Whether Azure is asked at all."""
        return bool(self.cluster_name or self.compute_name)

    @property
    def words(self) -> str:
        """The options again, to be pasted behind another command."""
        import shlex

        told = (
            ("--kubeconfig", self.kubeconfig),
            ("--context", self.context),
            ("-c", self.cluster_name),
            ("-t", self.cluster_type),
            ("-g", self.resource_group_name if self.cluster_name or self.compute_name else None),
            ("-w", self.workspace_name if self.compute_name else None),
            ("--compute-name", self.compute_name),
        )
        return "".join(f" {option} {shlex.quote(value)}" for option, value in told if value)


@dataclass(frozen=True)
class Reached:
    """A cluster, and what Azure knows of it.

    cluster is None where it could not be reached, and note says why. arm, cluster_id and compute are there as far as
    the options name something of Azure.
    """

    cluster: Any
    note: str = ""
    arm: Any = None
    cluster_id: str = ""
    compute: Mapping[str, Any] | None = None

    @property
    def cluster_ref(self) -> ClusterRef:
        """The cluster in Azure; of no meaning without an id."""
        return ClusterRef.parse(self.cluster_id)

    @property
    def parts(self) -> tuple[str, str, str]:
        """Resource group, cluster type and name; of no meaning without an id."""
        words = self.cluster_id.split("/")
        return words[4], words[7], words[8]

    def filled_in(self, finding: Any, extension: str = "") -> Any:
        """A finding with the names that are known in its fix, in the place of its placeholders."""
        from dataclasses import replace

        from azext_amlk8s.operations.failure_context import FailureContext

        if not self.cluster_id:
            return finding
        names = {"NAME": extension} if extension else {}
        context = FailureContext(self.arm, self.cluster_ref, names=names)
        return replace(finding, fix=context.fill_placeholders(finding.fix))

    def extension(self) -> dict[str, Any] | None:
        """The extension on the cluster, or None where there is none, or no way to ask."""
        from azure.core.exceptions import HttpResponseError

        from azext_amlk8s.operations.extension_common import azureml_extensions

        if not self.cluster_id:
            return None
        try:
            return next(iter(azureml_extensions(self.arm.list_extensions(self.cluster_ref))), None)
        except HttpResponseError:
            return None


on_cluster = gathers("where", Choice)  # gives a handler the options that name a cluster


@contextmanager
def reached(cmd: Any, where: Choice, *, may_lack: bool = False) -> Iterator[Reached]:
    """The cluster that is meant; what its API refuses becomes az's own errors.

    With may_lack a cluster that cannot be reached is no error where ARM holds the compute. With where.wait the
    instance types are waited for.
    """
    found = _find(cmd, where)
    if found.cluster is None and not (may_lack and found.compute):
        raise _unreached(found)
    try:
        if where.wait and found.cluster is not None:
            _wait(found.cluster)
        yield found
    except _no_types() as none:
        raise _explained(found, where, none) from none


def _find(cmd: Any, where: Choice) -> Reached:
    from azext_amlk8s.kubernetes import connect

    if not where.of_azure:
        return Reached(connect(kubeconfig=where.kubeconfig, context=where.context))
    _require(where)
    return _find_in_azure(cmd, where)


def _find_in_azure(cmd: Any, where: Choice) -> Reached:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import connect
    from azext_amlk8s.operations.extension_common import not_found, not_found_error
    from azext_amlk8s.operations.failure_context import connect_to_cluster

    arm = AzureClient(cmd.cli_ctx)
    compute = _compute(arm, where) if where.compute_name else None
    if where.cluster_name:
        cluster_id = arm.cluster_ref(str(where.resource_group_name), where.cluster_type or AKS, where.cluster_name).id
    else:
        cluster_id = str(((compute or {}).get("properties") or {}).get("resourceId") or "")
    if where.kubeconfig or where.context:
        return Reached(connect(kubeconfig=where.kubeconfig, context=where.context), "", arm, cluster_id, compute)
    ref = ClusterRef.parse(cluster_id)
    if ref.is_aks:
        try:
            return Reached(connect(config_text=arm.user_kubeconfig(ref)), "", arm, cluster_id, compute)
        except not_found() as error:
            raise not_found_error(error, arm, ref) from error
    return Reached(*connect_to_cluster(arm, ref), arm, cluster_id, compute)


def _require(where: Choice) -> None:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if where.compute_name and not (where.workspace_name and where.resource_group_name):
        raise RequiredArgumentMissingError(
            "--compute-name needs --workspace-name and --resource-group.",
            recommendation=f"--compute-name {where.compute_name} --workspace-name WORKSPACE --resource-group GROUP",
        )
    if where.cluster_name and not where.resource_group_name:
        raise RequiredArgumentMissingError(
            "--cluster-name needs --resource-group.",
            recommendation=f"--cluster-name {where.cluster_name} --resource-group GROUP",
        )


def _compute(arm: Any, where: Choice) -> dict[str, Any]:
    """The compute. Raises ResourceNotFoundError for none, InvalidArgumentValueError for one of another kind."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.console.errors import mentions
    from azext_amlk8s.operations.compute_errors import compute_not_found, not_found, workspace_not_found

    ref = arm.compute_ref(str(where.resource_group_name), str(where.workspace_name), str(where.compute_name))
    try:
        found: dict[str, Any] = arm.get_compute(ref)
    except not_found() as error:
        if mentions(error, "computes"):
            raise compute_not_found(error, ref) from error
        raise workspace_not_found(error, ref.workspace) from error
    kind = (found.get("properties") or {}).get("computeType")
    if str(kind).lower() != "kubernetes":
        raise InvalidArgumentValueError(
            f"The compute {ref.name} is of type {kind}, not a Kubernetes cluster.",
            recommendation=f"az amlk8s compute list {ref.workspace.cli_args} -o table",
        )
    return found


def _unreached(found: Reached) -> Exception:
    """The error for an Arc-connected cluster to which no context leads: how to open the proxy."""
    from azure.cli.core.azclierror import AzureConnectionError

    group, _, name = found.parts
    return AzureConnectionError(
        found.note,
        recommendation=[
            f"az connectedk8s proxy -g {group} -n {name}   # keep it running, and try again in another terminal",
            "--context CONTEXT   # where a context of the kubeconfig leads to it",
        ],
    )


def _no_types() -> Any:
    from azext_amlk8s.kubernetes import NoInstanceTypes

    return NoInstanceTypes


def _wait(cluster: Any) -> None:
    """Until the cluster has the kind InstanceType; it comes minutes after the extension says that it is installed."""
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt
    from knack.log import get_logger

    deadline, said = time.monotonic() + WAIT_SECONDS, False
    try:
        while not cluster.has_instance_types():
            if not said:
                get_logger(__name__).warning("Waiting until the cluster at %s has instance types.", cluster.server)
            said = True
            if time.monotonic() >= deadline:
                raise DeploymentError(
                    f"After {WAIT_SECONDS} seconds the cluster at {cluster.server} has no instance types.",
                    recommendation="kubectl get pods --namespace azureml",
                )
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        raise ManualInterrupt("No longer waiting for the instance types; nothing was changed.") from None


def _explained(found: Reached, where: Choice, none: Exception) -> Exception:
    """The error for a cluster without instance types: not installed, not meant for workloads, or still installing."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    wait = "Add --wait to wait for them."
    on = found.cluster_ref.cli_args if found.cluster_id else "-g GROUP -c CLUSTER -t CLUSTER_TYPE"
    create = f"az amlk8s extension create {on} -n azureml-extension --config enableTraining=True"
    if not found.cluster_id:
        if found.cluster.read("/api/v1/namespaces/azureml") is None:
            return ResourceNotFoundError(f"{none} The extension, which brings them, is not installed.", create)
        return ResourceNotFoundError(f"{none} The extension is there; it brings them minutes after.", wait)
    extension = found.extension()
    if extension is None:
        return ResourceNotFoundError(f"{none} The extension, which brings them, is not installed.", create)
    properties = extension.get("properties") or {}
    settings = {key.lower(): str(one).lower() for key, one in (properties.get("configurationSettings") or {}).items()}
    state, name = str(properties.get("provisioningState")), extension.get("name")
    update = f"az amlk8s extension update {on} -n {name} --config enableTraining=True"
    if "true" not in (settings.get("enabletraining"), settings.get("enableinference")):
        return ResourceNotFoundError(f"{none} {name} has neither training nor inference enabled.", update)
    if state.lower() in ("creating", "updating"):
        return ResourceNotFoundError(f"{none} {name} is {state} at this moment.", wait)
    if state.lower() == "succeeded":
        return ResourceNotFoundError(f"{none} {name} is installed; it brings them minutes after.", wait)
    show = f"az amlk8s extension show {on} -n {name}"
    return ResourceNotFoundError(f"{none} {name}, which brings them, is {state}.", show)
