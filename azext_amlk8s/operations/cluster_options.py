"""The cluster that options name, and the connection to it: by kubeconfig, AKS, Azure Arc, or a compute."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.option_groups import group_options
from azext_amlk8s.operations.resource_lookup import find_cluster, open_named_cluster
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.refs import MANAGED_CLUSTERS, ClusterRef
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster, NoInstanceTypes

INTERVAL_SECONDS = 5.0
INSTANCE_TYPES_SECONDS = 600


@dataclass(frozen=True)
class ClusterOptions:
    """The options that name a cluster, as the user gave them."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster_name: str | None = None
    cluster_type: str | None = None
    resource_group_name: str | None = None
    workspace_name: str | None = None
    compute_name: str | None = None
    wait: bool = False

    @property
    def uses_azure(self) -> bool:
        """Whether the cluster is looked up in Azure."""
        return bool(self.cluster_name or self.compute_name)

    @property
    def cli_suffix(self) -> str:
        """The options again, quoted and after a space, to be appended to a command."""
        given = {
            "--kubeconfig": self.kubeconfig,
            "--context": self.context,
            "-c": self.cluster_name,
            "-t": self.cluster_type,
            "-g": self.resource_group_name if self.uses_azure else None,
            "-w": self.workspace_name if self.compute_name else None,
            "--compute-name": self.compute_name,
        }
        return "".join(f" {join([option, value])}" for option, value in given.items() if value)


@dataclass(frozen=True)
class ClusterSession:
    """A connection to a cluster, and what Azure knows of it.

    connection is None where the cluster cannot be reached, and note says why; only where the caller allows it.
    client, ref and compute are set as far as the options name something in Azure.
    """

    connection: Cluster | None
    note: str = ""
    client: AzureClient | None = None
    ref: ClusterRef | None = None
    compute: Mapping[str, Any] | None = None

    @property
    def cluster(self) -> Any:
        """The connection, or None."""
        return self.connection

    def extension(self) -> dict[str, Any] | None:
        """The extension on the cluster; None without one, and with a warning where it cannot be read."""
        from azure.core.exceptions import HttpResponseError
        from knack.log import get_logger

        from azext_amlk8s.operations.extension_common import azureml_extensions

        if not self.ref or not self.client:
            return None
        try:
            return next(iter(azureml_extensions(self.client.list_extensions(self.ref))), None)
        except HttpResponseError as error:
            reason = redact_text(" ".join(str(error.message).split()))
            get_logger(__name__).warning("The extension on cluster '%s' cannot be read: %s", self.ref.name, reason)
            return None


# Gives an operation the options that name a cluster.
with_cluster_options = group_options("options", ClusterOptions)


@contextmanager
def open_cluster(
    cmd: AzCliCommand, options: ClusterOptions, *, allow_unreachable: bool = False
) -> Iterator[ClusterSession]:
    """A session on the cluster that the options name.

    With allow_unreachable a cluster that cannot be reached is no error if Azure has its compute. With options.wait the
    kind InstanceType is waited for; its absence is explained.
    """
    from azext_amlk8s.kubernetes import NoInstanceTypes

    session = _find(cmd, options)
    if session.connection is None and not (allow_unreachable and session.compute):
        raise _unreachable(session)
    try:
        if options.wait and session.connection is not None:
            wait_for_instance_types(session.connection)
        yield session
    except NoInstanceTypes as error:
        raise _instance_types_missing(session, error) from error


def _find(cmd: AzCliCommand, options: ClusterOptions) -> ClusterSession:
    from azext_amlk8s.kubernetes import connect

    if not options.uses_azure:
        return ClusterSession(connect(kubeconfig=options.kubeconfig, context=options.context))
    _require_names(options)
    return _find_in_azure(cmd, options)


def _find_in_azure(cmd: AzCliCommand, options: ClusterOptions) -> ClusterSession:
    from azext_amlk8s.kubernetes import connect
    from azext_amlk8s.operations.extension_common import not_found, not_found_error
    from azext_amlk8s.operations.failure_context import connect_to_cluster

    client, compute = _read_compute(cmd, options) if options.compute_name else (None, None)
    if options.cluster_name or client is None:
        # Most clusters are AKS clusters; only the others cost a second request where the type is not given.
        cluster_type = options.cluster_type or MANAGED_CLUSTERS
        group, name = str(options.resource_group_name), str(options.cluster_name)
        client, ref, _ = open_named_cluster(cmd, group, name, cluster_type)
    else:
        ref = _cluster_of(compute or {})
    if options.kubeconfig or options.context:
        connection = connect(kubeconfig=options.kubeconfig, context=options.context)
        return ClusterSession(connection, "", client, ref, compute)
    if ref.is_aks:
        try:
            return ClusterSession(connect(config_text=client.user_kubeconfig(ref)), "", client, ref, compute)
        except not_found() as error:
            if options.cluster_type or not options.cluster_name:
                raise not_found_error(error, client, ref) from error
            ref = find_cluster(client, ref.resource_group, ref.name).ref
    return ClusterSession(*connect_to_cluster(client, ref), client, ref, compute)


def _cluster_of(compute: Mapping[str, Any]) -> ClusterRef:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    try:
        return ClusterRef.parse(str((compute.get("properties") or {}).get("resourceId") or ""))
    except ValueError:
        raise InvalidArgumentValueError(f"Azure reports no cluster for compute '{compute.get('name')}'.") from None


def _require_names(options: ClusterOptions) -> None:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if options.compute_name and not (options.workspace_name and options.resource_group_name):
        raise RequiredArgumentMissingError(
            f"--compute-name '{options.compute_name}' requires --workspace-name and --resource-group."
        )
    if options.cluster_name and not options.resource_group_name:
        raise RequiredArgumentMissingError(f"--cluster-name '{options.cluster_name}' requires --resource-group.")


def _read_compute(cmd: AzCliCommand, options: ClusterOptions) -> tuple[AzureClient, dict[str, Any]]:
    """A client for its subscription, and the compute.

    Raises ResourceNotFoundError for none, InvalidArgumentValueError for one of another kind.
    """
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.console.errors import mentions
    from azext_amlk8s.operations.compute_errors import compute_not_found, not_found, workspace_not_found
    from azext_amlk8s.operations.compute_options import open_compute

    client, ref = open_compute(
        cmd, str(options.resource_group_name), str(options.workspace_name), str(options.compute_name)
    )
    try:
        compute = client.get_compute(ref)
    except not_found() as error:
        if mentions(error, "computes"):
            raise compute_not_found(error, ref) from error
        raise workspace_not_found(error, ref.workspace) from error
    kind = (compute.get("properties") or {}).get("computeType")
    if str(kind).lower() != "kubernetes":
        raise InvalidArgumentValueError(
            f"Compute '{ref.name}' is of kind {kind}; expected Kubernetes.",
            recommendation=f"az amlk8s compute list {ref.workspace.cli_args} -o table",
        )
    return client, compute


def _unreachable(session: ClusterSession) -> Exception:
    """The error for an Arc-connected cluster to which no context of the kubeconfig leads."""
    from azure.cli.core.azclierror import AzureConnectionError

    fixes = ["If a context of the kubeconfig leads to the cluster, name it with --context."]
    if session.ref:
        proxy = f"az connectedk8s proxy {session.ref.az_args}"
        fixes = [proxy, "Keep it running and repeat the command in another terminal.", *fixes]
    error: Exception = AzureConnectionError(session.note, recommendation=fixes)
    return error


def wait_for_instance_types(cluster: Cluster) -> None:
    """Wait until the cluster has the kind InstanceType, which appears minutes after the extension is installed."""
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt
    from knack.log import get_logger

    deadline, logged = time.monotonic() + INSTANCE_TYPES_SECONDS, False
    try:
        while not cluster.has_instance_types():
            if not logged:
                get_logger(__name__).warning("Waiting until the cluster at %s has instance types.", cluster.server)
            logged = True
            if time.monotonic() >= deadline:
                raise DeploymentError(
                    f"Stopped waiting after {INSTANCE_TYPES_SECONDS} seconds. The cluster at {cluster.server} has no "
                    "instance types.",
                    recommendation="kubectl get pods --namespace azureml",
                )
            time.sleep(INTERVAL_SECONDS)
    except KeyboardInterrupt:
        raise ManualInterrupt("Stopped waiting for instance types. Nothing was changed.") from None


def _instance_types_missing(session: ClusterSession, error: NoInstanceTypes) -> Exception:
    """The error for a cluster without the kind InstanceType: why it is absent, and what to do."""
    from azure.cli.core import azclierror

    reason, fix = _absence(session)
    missing: Exception = azclierror.ResourceNotFoundError(f"{error} {reason}", recommendation=fix)
    return missing


def _absence(session: ClusterSession) -> tuple[str, str]:
    wait = "Add --wait to wait for them."
    if not session.ref:
        if session.cluster.read("/api/v1/namespaces/azureml") is None:
            return "The extension, which adds them, is not installed.", "az amlk8s extension create --help"
        return "The extension is installed and adds them within minutes.", wait
    on = session.ref.cli_args
    extension = session.extension()
    if extension is None:
        create = f"az amlk8s extension create {on} -n azureml --config enableTraining=True"
        return "The extension, which adds them, is not installed.", create
    properties = extension.get("properties") or {}
    settings = {
        key.lower(): str(value).lower() for key, value in (properties.get("configurationSettings") or {}).items()
    }
    state, name = str(properties.get("provisioningState")), str(extension.get("name"))
    args = f"{on} {join(['-n', name])}"
    if "true" not in (settings.get("enabletraining"), settings.get("enableinference")):
        update = f"az amlk8s extension update {args} --config enableTraining=True"
        return f"Extension '{name}' has neither training nor inference enabled.", update
    if state.lower() in ("creating", "updating"):
        return f"Extension '{name}' is in state {state}.", wait
    if state.lower() == "succeeded":
        return f"Extension '{name}' is installed and adds them within minutes.", wait
    return f"Extension '{name}', which adds them, is in state {state}.", f"az amlk8s extension show {args}"
