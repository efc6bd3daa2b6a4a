"""The facts about a cluster and a workspace that the rules of an attachment look at, read in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import (
    AttachFacts,
    AttachRequest,
    ClusterContents,
    RoleNeeded,
    find_look_alikes,
    find_missing_roles,
    find_supported_versions,
    identity_principals,
    roles_on_cluster,
)
from azext_amlk8s.daemon_threads import DaemonPool, import_before_threads
from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found
from azext_amlk8s.operations.extension_common import read_cluster
from azext_amlk8s.operations.failure_context import PATHS, connect_to_cluster
from azext_amlk8s.refs import ClusterRef

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

Resource = Mapping[str, Any]
Assignments = dict[str, list[dict[str, Any]]]
THREADS = 8
POD_IDENTITY_API = "/apis/aadpodidentity.k8s.io"
# Hooks whose reports describe the installed extension; those of a rollback or a deletion describe an earlier one.
HEALTH_REPORT_HOOKS = ("pre-install", "pre-upgrade", "test")


def collect_attach_facts(
    client: AzureClient, request: AttachRequest, *, requires_context: bool = True
) -> tuple[AttachFacts, Cluster | None]:
    """The facts from Azure and from the cluster's API, and the connection to the cluster or None.

    Raises az's ResourceNotFoundError for a missing workspace or cluster, and InvalidArgumentValueError for an invalid
    context, unless the cluster need not be reached.
    """
    import_before_threads("azext_amlk8s.diagnosis", "azext_amlk8s.kubernetes")
    cluster_ref, workspace_ref = request.cluster, request.workspace
    with DaemonPool(THREADS) as pool:
        workspace_read = pool.submit(client.get_workspace, workspace_ref)
        computes_read = pool.submit(client.list_computes, workspace_ref)
        cluster_read = pool.submit(read_cluster, client, cluster_ref)
        contents_read = pool.submit(read_contents, client, cluster_ref, request.context or None, requires_context)
        identity_read = pool.submit(_find_missing_identity, client, request.identity)
        try:
            workspace, computes = workspace_read.result(), computes_read.result()
        except not_found() as error:
            raise workspace_not_found(error, workspace_ref) from error
        cluster, extensions = cluster_read.result()
        versions_read = pool.submit(_read_supported_versions, client, cluster)
        access_read = pool.submit(_read_trusted_access, client, cluster_ref, cluster)
        needed, assignments = _read_roles(client, request, workspace, cluster)
        missing = find_missing_roles(needed, assignments) if assignments is not None else ()
        contents, connection, contents_error = contents_read.result()
        facts = AttachFacts(
            workspace=workspace,
            cluster=cluster,
            extensions=extensions,
            computes=computes,
            contents=contents,
            contents_error=contents_error,
            trusted_access=access_read.result(),
            missing_roles=missing,
            roles_unreadable=assignments is None,
            look_alikes=find_look_alikes(
                missing, (assignment for many in (assignments or {}).values() for assignment in many)
            ),
            supported_versions=versions_read.result(),
            missing_identity=identity_read.result(),
        )
    return facts, connection


def read_contents(
    client: AzureClient, cluster: ClusterRef, context: str | None, requires_context: bool = True
) -> tuple[ClusterContents | None, Cluster | None, str]:
    """What the cluster's API returns, the connection to it, and a sentence where it cannot be read."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.diagnosis import read_reports
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    connection, note = connect_to_cluster(client, cluster, context=context)
    if connection is None:
        if context and requires_context:
            raise InvalidArgumentValueError(note, recommendation="kubectl config get-contexts")
        return None, None, note
    reads: dict[str, Callable[[], Any]] = {
        "namespaces": lambda: connection.read("/api/v1/namespaces"),
        "pod identity": lambda: connection.read(POD_IDENTITY_API),
        "instance types": connection.has_instance_types,
        "health": lambda: connection.read(PATHS["health"]),
    }
    try:
        with DaemonPool(len(reads)) as pool:
            responses = dict(zip(reads, pool.map(lambda read: read(), reads.values()), strict=True))
    except (ClusterUnreachable, ClusterRefused) as error:
        return None, None, f"The cluster's API could not be read: {' '.join(str(error).split())}"
    failed_checks = [
        f"{check.name} {check.code}: {check.message}".strip(" :")
        for report in read_reports(responses["health"])
        if report.hook in HEALTH_REPORT_HOOKS
        for check in report.failed
    ]
    phases = {
        namespace["metadata"]["name"]: str((namespace.get("status") or {}).get("phase") or "Active")
        for namespace in (responses["namespaces"] or {}).get("items") or ()
    }
    has_pod_identity = responses["pod identity"] is not None
    return ClusterContents(phases, bool(responses["instance types"]), has_pod_identity, failed_checks), connection, ""


def find_lost_roles(client: AzureClient, request: AttachRequest, cluster: Resource) -> tuple[RoleNeeded, ...]:
    """The roles that the identity of the workspace of an attached compute lacks; none where they cannot be read."""
    needed, assignments = _read_roles(client, request, client.get_workspace(request.workspace), cluster)
    return () if assignments is None else find_missing_roles(needed, assignments)


def read_missing_roles(client: AzureClient, cluster: ClusterRef, roles: Sequence[RoleNeeded]) -> tuple[RoleNeeded, ...]:
    """Those of the roles that no visible assignment grants."""
    return find_missing_roles(roles, _read_assignments(client, cluster, {role.principal_id for role in roles}) or {})


def _read_roles(
    client: AzureClient, request: AttachRequest, workspace: Resource, cluster: Resource
) -> tuple[Sequence[RoleNeeded], Assignments | None]:
    """The roles that the workspace's user-assigned identity needs, and its assignments; None if unreadable."""
    needed = roles_on_cluster(workspace, request.cluster, cluster)
    return needed, _read_assignments(client, request.cluster, identity_principals(workspace)) if needed else {}


def _read_assignments(client: AzureClient, cluster: ClusterRef, principals: Iterable[str]) -> Assignments | None:
    """The role assignments of principals and of their groups, at the cluster and above it; None if unreadable."""
    from azure.core.exceptions import HttpResponseError

    try:
        return {principal: client.list_role_assignments(cluster.id, principal) for principal in principals}
    except HttpResponseError:
        return None


def _find_missing_identity(client: AzureClient, identity: Resource | None) -> str:
    """The ID of an identity of the compute that does not exist; one that cannot be read is assumed to exist."""
    from azure.core.exceptions import HttpResponseError

    for identity_id in (identity or {}).get("userAssignedIdentities") or ():
        try:
            if client.find(identity_id) is None:
                return str(identity_id)
        except HttpResponseError:
            continue
    return ""


def _read_supported_versions(client: AzureClient, cluster: Resource) -> tuple[str, ...]:
    from azure.core.exceptions import HttpResponseError

    version = str((cluster.get("properties") or {}).get("kubernetesVersion") or "")
    try:
        return find_supported_versions(version, client.kubernetes_versions(str(cluster.get("location"))))
    except HttpResponseError:
        return ()


def _read_trusted_access(client: AzureClient, ref: ClusterRef, cluster: Resource) -> Sequence[Resource]:
    from azure.core.exceptions import HttpResponseError

    if not (cluster.get("properties") or {}).get("disableLocalAccounts"):
        return ()
    try:
        return list(client.list_all(f"{ref.id}/trustedAccessRoleBindings"))
    except HttpResponseError:
        return ()
