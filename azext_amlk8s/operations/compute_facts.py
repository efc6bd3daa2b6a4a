"""What an attachment must know, asked for side by side and once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from azext_amlk8s.computes import AttachFacts, Inside, RoleNeeded, Wanted
from azext_amlk8s.operations.compute_common import Place, absent, not_found
from azext_amlk8s.operations.failure_context import PATHS, connect_to_cluster
from azext_amlk8s.refs import ClusterRef

LOOKERS = 8
POD_IDENTITY = "/apis/aadpodidentity.k8s.io"
# Reports of an extension that stands; those of a rollback or a removal speak of one that fell.
HOOKS = ("pre-install", "pre-upgrade", "test")


def attach_facts(arm: Any, wanted: Wanted, context: str | None) -> tuple[AttachFacts, Any]:
    """Ask Azure, and the cluster where it can be seen: the facts, and the door to the cluster or None.

    Raises ResourceNotFoundError for what is not there, InvalidArgumentValueError for a context that is none.
    """
    from azext_amlk8s.computes import look_alikes, missing_roles
    from azext_amlk8s.operations.extension_common import read_cluster

    cluster, place = wanted.cluster, Place(wanted.group, wanted.workspace)
    with ThreadPoolExecutor(LOOKERS) as pool:
        workspace_ref = arm.workspace_ref(wanted.group, wanted.workspace)
        of_workspace = pool.submit(arm.get_workspace, workspace_ref)
        of_computes = pool.submit(arm.list_computes, workspace_ref)
        of_cluster = pool.submit(read_cluster, arm, ClusterRef.parse(cluster.id))
        of_inside = pool.submit(inside, arm, cluster.id, context)
        of_identity = pool.submit(_absent_identity, arm, wanted.identity)
        try:
            workspace, computes = of_workspace.result(), of_computes.result()
        except not_found() as error:
            raise absent(error, place) from error
        found, extensions = of_cluster.result()
        of_versions = pool.submit(_supported, arm, found)
        of_access = pool.submit(_trusted_access, arm, cluster.id, found)
        of_roles = pool.submit(_roles, arm, wanted, workspace, found)
        needed, held = of_roles.result()
        missing = missing_roles(needed, held) if held is not None else ()
        seen, door, unseen = of_inside.result()
        told = AttachFacts(
            workspace=workspace,
            cluster=found,
            extensions=extensions,
            computes=computes,
            inside=seen,
            unseen=unseen,
            trusted_access=of_access.result(),
            missing_roles=missing,
            roles_unseen=held is None,
            look_alikes=look_alikes(missing, (one for many in (held or {}).values() for one in many)),
            supported=of_versions.result(),
            identity_absent=of_identity.result(),
        )
    return told, door


def inside(arm: Any, cluster_id: str, context: str | None) -> tuple[Inside | None, Any, str]:
    """What the cluster says, the door to it, and a sentence where it cannot be looked into."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.diagnosis import read_reports
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    door, note = connect_to_cluster(arm, ClusterRef.parse(cluster_id), context=context)
    if door is None:
        if context:
            raise InvalidArgumentValueError(note, recommendation="kubectl config get-contexts")
        return None, None, note
    asked: dict[str, Callable[[], Any]] = {
        "namespaces": lambda: door.read("/api/v1/namespaces"),
        "pods": lambda: door.read(POD_IDENTITY),
        "types": door.has_instance_types,
        "health": lambda: door.read(PATHS["health"]),
    }
    try:
        with ThreadPoolExecutor(len(asked)) as pool:
            said = dict(zip(asked, pool.map(lambda ask: ask(), asked.values()), strict=True))
    except (ClusterUnreachable, ClusterRefused) as error:
        return None, None, f"The cluster itself could not be asked: {' '.join(str(error).split())}"
    failed = [
        f"{check.name} {check.code}: {check.message}".strip(" :")
        for report in read_reports(said["health"])
        if report.hook in HOOKS
        for check in report.failed
    ]
    phases = {
        one["metadata"]["name"]: str((one.get("status") or {}).get("phase") or "Active")
        for one in (said["namespaces"] or {}).get("items") or ()
    }
    return Inside(phases, bool(said["types"]), said["pods"] is not None, failed), door, ""


def still_missing(arm: Any, cluster_id: str, roles: Sequence[RoleNeeded]) -> tuple[RoleNeeded, ...]:
    """Those of the roles that cannot be seen yet."""
    from azext_amlk8s.computes import missing_roles

    return missing_roles(roles, _assignments(arm, cluster_id, {one.principal_id for one in roles}) or {})


def _roles(
    arm: Any, wanted: Wanted, workspace: Mapping[str, Any], cluster: Mapping[str, Any]
) -> tuple[list[RoleNeeded], dict[str, list[dict[str, Any]]] | None]:
    """The roles that the workspace's user-assigned identity needs, and what it holds; None where that is not shown."""
    from azext_amlk8s.computes import identity_principals, needed_roles

    principals = identity_principals(workspace)
    by_trust = bool((cluster.get("properties") or {}).get("disableLocalAccounts"))
    needed = [role for one in principals for role in needed_roles(one, wanted.cluster, trusted_access=by_trust)]
    return needed, _assignments(arm, wanted.cluster.id, principals) if needed else {}


def _assignments(arm: Any, scope: str, principals: Iterable[str]) -> dict[str, list[dict[str, Any]]] | None:
    """The role assignments of principals, and of groups that they are in, at a scope and above it.

    None where they may not be read.
    """
    from azure.core.exceptions import HttpResponseError

    try:
        return {one: arm.list_role_assignments(scope, one) for one in principals}
    except HttpResponseError:
        return None


def _absent_identity(arm: Any, identity: Mapping[str, Any] | None) -> str:
    """The id of an identity of the compute that is not there; one that may not be read is taken to be."""
    from azure.core.exceptions import HttpResponseError

    for one in (identity or {}).get("userAssignedIdentities") or ():
        try:
            if arm.find(one) is None:
                return str(one)
        except HttpResponseError:
            continue
    return ""


def _supported(arm: Any, cluster: Mapping[str, Any]) -> tuple[str, ...]:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.computes import supported_versions

    found = str((cluster.get("properties") or {}).get("kubernetesVersion") or "")
    try:
        return supported_versions(found, arm.kubernetes_versions(cluster.get("location")))
    except HttpResponseError:
        return ()


def _trusted_access(arm: Any, cluster_id: str, cluster: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    from azure.core.exceptions import HttpResponseError

    if not (cluster.get("properties") or {}).get("disableLocalAccounts"):
        return ()
    try:
        return list(arm.list_all(f"{cluster_id}/trustedAccessRoleBindings"))
    except HttpResponseError:
        return ()
