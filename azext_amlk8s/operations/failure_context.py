"""After a failure: collect what the cluster shows of its cause, and build the error. Collecting never raises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import (
    az_error,
    cause_lines,
    causes_of,
    error_messages,
    fixes_of,
    indent_lines,
    request_ids,
)
from azext_amlk8s.refs import ClusterRef

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.diagnosis import CodedMessage
    from azext_amlk8s.kubernetes import Cluster

NAMESPACE = "azureml"
PATHS = {
    "health": f"/api/v1/namespaces/{NAMESPACE}/configmaps/arcml-healthcheck",
    "pods": f"/api/v1/namespaces/{NAMESPACE}/pods",
    "events": f"/api/v1/namespaces/{NAMESPACE}/events",
}
# Where the agents of an Arc-connected cluster record which Azure resource it is.
ARC_IDENTITY = "/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig"
PLACEHOLDER = re.compile(r"\b(CLUSTER-ID|CLUSTER|GROUP|TYPE|NAME|WORKSPACE)\b")


@dataclass(frozen=True)
class FailureContext:
    """Where an operation failed. cluster is None where it is unknown; operation is create, update or delete.

    names are the values of NAME and WORKSPACE in commands of `az amlk8s`.
    """

    client: AzureClient
    cluster: ClusterRef | None
    operation: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def complete(self, fixes: Iterable[str]) -> list[str]:
        """The lines of fixes with the known names, for this cluster alone."""
        from azext_amlk8s.checks import CheckTarget, complete_commands

        lines = [self.fill_placeholders(fix) for fix in fixes]
        return complete_commands(lines, CheckTarget(self.cluster)) if self.cluster else lines

    def fill_placeholders(self, command: str) -> str:
        """A command with the known names in place of its placeholders."""
        known: dict[str, str] = {}
        if self.cluster:
            known = {
                "GROUP": self.cluster.resource_group,
                "TYPE": self.cluster.type,
                "CLUSTER": self.cluster.name,
                "CLUSTER-ID": self.cluster.id,
            }
        return fill_placeholders(command, known, self.names)


@dataclass(frozen=True)
class Evidence:
    """Health reports of the operation, problems of pods, and a sentence where the cluster could not be read."""

    reports: tuple[Any, ...] = ()
    troubles: tuple[Any, ...] = ()
    note: str = ""


def fill_placeholders(command: str, known: Mapping[str, str], own: Mapping[str, str] | None = None) -> str:
    """A command with names in place of its placeholders; own are for commands of `az amlk8s` only.

    A key of own may be limited to one command group, as in `compute NAME`.
    """
    names = dict(known)
    if command.startswith("az amlk8s "):
        group = command.split()[2]
        names |= own or {}
        names |= {key.partition(" ")[2]: value for key, value in (own or {}).items() if key.startswith(f"{group} ")}
    return PLACEHOLDER.sub(lambda match: names.get(match[0]) or match[0], command)


def operation_failed(
    action: str,
    error: HttpResponseError,
    extra: Iterable[str],
    commands: list[str],
    context: FailureContext | None = None,
) -> Exception:
    """The DeploymentError for an operation that ended in Failed: messages, what they mean and what to do.

    action is its subject, such as "Installing azureml on aks-poc"; extra are further messages about the failure.
    """
    coded, lines = error_messages(error)
    # The status of an extension repeats the operation's message under a code of its own.
    lines += [line for line in extra if not any(line.partition(") ")[2] in known for known in lines)]
    return resource_failed(f"{action} failed.", coded, lines, commands, context, request_ids(error))


def resource_failed(
    head: str,
    coded: tuple[CodedMessage, ...],
    lines: list[str],
    commands: list[str],
    context: FailureContext | None = None,
    ids: Iterable[str] = (),
) -> Exception:
    """The DeploymentError for a failure whose coded messages and lines are known; ids are lines that name requests."""
    from azext_amlk8s.diagnosis import explain_failure

    evidence = collect_evidence(context) if context else Evidence()
    causes = causes_of(explain_failure(coded, evidence.reports, evidence.troubles, "\n".join(lines)))
    text = [*cause_lines(causes, lines), *([evidence.note] if evidence.note else []), *lines, *ids]
    fixes = fixes_of(causes)
    if context:
        fixes = context.complete(fixes)
    return az_error("DeploymentError", indent_lines(head, text), dict.fromkeys([*fixes, *commands]))


def collect_evidence(context: FailureContext) -> Evidence:
    """What the cluster shows of a failure, read in parallel."""
    from azext_amlk8s import diagnosis
    from azext_amlk8s.daemon_threads import DaemonPool
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    if context.cluster is None:
        return Evidence()
    cluster, note = connect_to_cluster(context.client, context.cluster)
    if cluster is None:
        return Evidence(note=note)
    try:
        with DaemonPool(len(PATHS)) as pool:
            objects = dict(zip(PATHS, pool.map(cluster.read, PATHS.values()), strict=True))
    except (ClusterUnreachable, ClusterRefused) as error:
        return Evidence(note=f"The cluster itself could not be read: {error}")
    reports = diagnosis.reports_for(diagnosis.read_reports(objects["health"]), context.operation)
    items = {name: (objects[name] or {}).get("items") or [] for name in ("pods", "events")}
    return Evidence(tuple(reports), diagnosis.find_failures(items["pods"], items["events"]))


def connect_to_cluster(
    client: AzureClient, cluster: ClusterRef, kubeconfig: str | None = None, context: str | None = None
) -> tuple[Cluster | None, str]:
    """A connection to the cluster, or None and a sentence that says why not.

    AKS issues credentials through Azure. For an Arc-connected cluster a context of the kubeconfig is used, the one
    with its name or the current one, and only if the agents there say that it is this cluster; a context that is
    given is used as it is.
    """
    from azext_amlk8s.azure.remembering_client import CONNECTION

    def open_connection() -> tuple[Cluster | None, str]:
        return _connect(client, cluster, kubeconfig, context)

    return client.remember(cluster.id, open_connection, CONNECTION, kubeconfig or "", context or "")


def _connect(
    client: AzureClient, cluster: ClusterRef, kubeconfig: str | None, context: str | None
) -> tuple[Cluster | None, str]:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.kubernetes import KubeconfigUnusable, connect

    try:
        if kubeconfig or context:
            return connect(kubeconfig=kubeconfig, context=context), ""
        if cluster.is_aks:
            return connect(config_text=client.user_kubeconfig(cluster)), ""
    except (AzureError, KubeconfigUnusable) as error:
        return None, f"The cluster itself could not be read: {str(error).splitlines()[0]}"
    connection, _ = find_arc_cluster(client, cluster)
    if connection is not None:
        return connection, ""
    return None, f"The cluster itself was not read: no context of the kubeconfig connects to {cluster.name}."


def find_arc_cluster(client: AzureClient, cluster: ClusterRef) -> tuple[Cluster | None, dict[str, Any] | None]:
    """A connection to an Arc-connected cluster through the kubeconfig, and the identity that its agents record."""
    from azext_amlk8s.azure.remembering_client import ARC_CONNECTION

    return client.remember(cluster.id, lambda: _find_arc_cluster(cluster), ARC_CONNECTION)


def _find_arc_cluster(cluster: ClusterRef) -> tuple[Cluster | None, dict[str, Any] | None]:
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable, KubeconfigUnusable, connect

    expected = (cluster.resource_group.lower(), cluster.name.lower())
    for context in (cluster.name, None):
        try:
            connection = connect(context=context)
            identity = connection.read(ARC_IDENTITY)
        except (KubeconfigUnusable, ClusterUnreachable, ClusterRefused):
            continue
        data = (identity or {}).get("data") or {}
        recorded = (data.get("AZURE_RESOURCE_GROUP"), data.get("AZURE_RESOURCE_NAME"))
        if tuple(str(name).lower() for name in recorded) == expected:
            return connection, identity
    return None, None
