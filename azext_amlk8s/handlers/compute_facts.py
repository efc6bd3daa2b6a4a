"""What an attachment must know, asked for side by side and once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from azext_amlk8s.computes import AttachFacts, RoleNeeded, Wanted, missing_roles, needed_roles
from azext_amlk8s.computes.roles import identity_principals, look_alikes
from azext_amlk8s.handlers.aftermath import Scene, reach
from azext_amlk8s.handlers.compute_common import Place, absent, not_found


def attach_facts(arm: Any, wanted: Wanted, context: str | None) -> AttachFacts:
    """Ask Azure, and the cluster where it can be seen. Raises ResourceNotFoundError for what is not there."""
    from azext_amlk8s.handlers.extension import facts

    cluster = wanted.cluster
    with ThreadPoolExecutor(5) as pool:
        of_workspace = pool.submit(arm.get_workspace, wanted.group, wanted.workspace)
        of_computes = pool.submit(arm.list_computes, wanted.group, wanted.workspace)
        of_cluster = pool.submit(facts, arm, cluster.group, cluster.kind, cluster.name)
        of_namespaces = pool.submit(namespaces, arm, cluster.id, context)
        try:
            workspace = of_workspace.result()
            computes = of_computes.result()
        except not_found() as error:
            raise absent(error, Place(wanted.group, wanted.workspace)) from error
        found, extensions = of_cluster.result()
        needed = [role for principal in identity_principals(workspace) for role in needed_roles(principal, cluster)]
        held = assignments(arm, cluster.id) if needed else None
        return AttachFacts(
            subscription=arm.subscription_id,
            workspace=workspace,
            cluster=found,
            extensions=extensions,
            computes=computes,
            namespaces=of_namespaces.result(),
            trusted_access=_trusted_access(arm, cluster.id, found),
            missing_roles=missing_roles(needed, held) if held is not None else (),
            look_alikes=look_alikes(held or ()),
        )


def namespaces(arm: Any, cluster_id: str, context: str | None) -> frozenset[str] | None:
    """The names of the cluster's namespaces, None where it cannot be looked into."""
    from azext_amlk8s.cluster import ClusterRefused, ClusterUnreachable

    cluster, _ = reach(Scene(arm, cluster_id), context=context)
    if cluster is None:
        return None
    try:
        found = cluster.read("/api/v1/namespaces") or {}
    except (ClusterUnreachable, ClusterRefused):
        return None
    return frozenset(one["metadata"]["name"] for one in found.get("items") or [])


def assignments(arm: Any, scope: str) -> list[dict[str, Any]] | None:
    """The role assignments at a scope and above it, None where they may not be read."""
    from azure.core.exceptions import HttpResponseError

    try:
        return list(arm.list_all(f"{scope}/providers/Microsoft.Authorization/roleAssignments"))
    except HttpResponseError:
        return None


def still_missing(arm: Any, cluster_id: str, roles: Sequence[RoleNeeded]) -> tuple[RoleNeeded, ...]:
    """Those of the roles that cannot be seen yet."""
    return missing_roles(roles, assignments(arm, cluster_id) or ())


def _trusted_access(arm: Any, cluster_id: str, cluster: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    from azure.core.exceptions import HttpResponseError

    if not (cluster.get("properties") or {}).get("disableLocalAccounts"):
        return ()
    try:
        return list(arm.list_all(f"{cluster_id}/trustedAccessRoleBindings"))
    except HttpResponseError:
        return ()
