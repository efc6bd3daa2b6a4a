"""az amlk8s compute attach"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.handlers.compute_common import Place, confirm, followed, scene_of
from azext_amlk8s.handlers.reporting import azure_errors, refuse_on_errors

if TYPE_CHECKING:
    from azext_amlk8s.computes import AttachFacts, RoleNeeded, Wanted

ROLES_VISIBLE_SECONDS, ROLES_ASK_SECONDS = 300, 5


def attach(
    cmd: Any,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    resource_id: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    compute_type: str | None = None,
    namespace: str | None = None,
    identity_type: str | None = None,
    user_assigned_identities: Sequence[str] | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    workload: str | None = None,
    context: str | None = None,
    create_namespace: bool = False,
    assign_roles: bool = False,
    replace: bool = False,
    timeout: int | None = None,
    no_wait: bool = False,
    yes: bool = False,
) -> Any:
    """Check what would fail, attach the cluster, follow it. Returns the compute as ARM describes it."""
    from azext_amlk8s.arm import Arm
    from azext_amlk8s.computes import Wanted, blanked, cluster_ref, judge_attach, judge_words, read_identity
    from azext_amlk8s.handlers.compute_facts import attach_facts

    _refuse_words(compute_type, resource_id, cluster_name, cluster_type)
    namespace = namespace or "default"
    identity, of_identity = read_identity(identity_type, " ".join(user_assigned_identities or ()))
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        ref, of_id = _by_id(resource_id)
        refuse_on_errors(judge_words(name, namespace), of_id, of_identity)
        if ref is None:
            ref = cluster_ref(arm.subscription_id, resource_group_name, str(cluster_type), str(cluster_name))
        wanted = Wanted(
            name, resource_group_name, workspace_name, ref, namespace, identity, tags, description, workload or ""
        )
        facts = attach_facts(arm, wanted, context)
        there = facts.compute(name)
        if there and not replace and _keep(there, wanted):
            return blanked(there)
        facts = _helped(arm, wanted, facts, context, create_namespace=create_namespace, assign_roles=assign_roles)
        refuse_on_errors(judge_attach(wanted, facts))
        place = Place(resource_group_name, workspace_name, name)
        if there:
            _detach(cmd, arm, place, there, yes, timeout)
        operation = arm.begin_put_compute(*place.parts, body_of(wanted, facts.workspace))
        if no_wait:
            return blanked(operation.started() or {})
        doing, resume = f"Attaching {name} to {workspace_name}", f"az amlk8s compute wait {place.words} --created"
        scene = scene_of(arm, {"name": name, "properties": {"resourceId": ref.id}}, "create", workspace_name)
        return blanked(followed(cmd, operation, place, doing, resume, scene, timeout))


def body_of(wanted: Wanted, workspace: Mapping[str, Any]) -> dict[str, Any]:
    """The PUT body (field guide compute 2.2); the location is the workspace's."""
    outer: dict[str, Any] = {
        "computeType": "Kubernetes",
        "resourceId": wanted.cluster.id,
        "properties": {"namespace": wanted.namespace},
    }
    if wanted.description is not None:
        outer["description"] = wanted.description
    body: dict[str, Any] = {"location": workspace["location"], "properties": outer}
    if wanted.identity:
        body["identity"] = wanted.identity
    if wanted.tags is not None:
        body["tags"] = dict(wanted.tags)
    return body


def _refuse_words(
    compute_type: str | None, resource_id: str | None, cluster_name: str | None, cluster_type: str | None
) -> None:
    from azure.cli.core.azclierror import (
        InvalidArgumentValueError,
        MutuallyExclusiveArgumentError,
        RequiredArgumentMissingError,
    )

    if compute_type and compute_type.lower() != "kubernetes":
        raise InvalidArgumentValueError(
            f"The type {compute_type} cannot be attached here.", recommendation="--type Kubernetes"
        )
    if resource_id and cluster_name:
        raise MutuallyExclusiveArgumentError("The cluster is given twice: by --resource-id and by --cluster-name.")
    if not resource_id and not (cluster_name and cluster_type):
        raise RequiredArgumentMissingError(
            "The cluster must be given, by --resource-id or by --cluster-name and --cluster-type.",
            recommendation="--cluster-name NAME --cluster-type managedClusters",
        )


def _by_id(resource_id: str | None) -> tuple[Any, tuple[Any, ...]]:
    from azext_amlk8s.computes import read_cluster_id

    return read_cluster_id(resource_id) if resource_id else (None, ())


def _keep(there: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether what is there is what is wanted. A PUT would overwrite it beyond recovery, so all else is refused."""
    from azure.cli.core.azclierror import ValidationError
    from knack.log import get_logger

    from azext_amlk8s.computes import compare

    place = Place(wanted.group, wanted.workspace, wanted.name)
    state = str((there.get("properties") or {}).get("provisioningState"))
    if state.lower() in ("creating", "updating", "deleting"):
        done = "deleted" if state.lower() == "deleting" else "created"
        raise ValidationError(
            f"The compute {wanted.name} is {state} at this moment.",
            recommendation=f"az amlk8s compute wait {place.words} --{done}",
        )
    differences = compare(there, wanted)
    if not differences and state.lower() == "succeeded":
        get_logger(__name__).warning("%s is attached already and the same; nothing was changed.", wanted.name)
        return True
    lines = [f"  {one.what}: {one.there or 'none'}, not {one.wanted}" for one in differences]
    told = "\n".join([f"A compute {wanted.name} is there already ({state}); attaching would overwrite it.", *lines])
    fixes = ["--replace   # detach it and attach it again, under the same name"]
    if differences:
        fixes.insert(0, "Choose another --name.")
    raise ValidationError(told, recommendation=fixes)


def _helped(
    arm: Any, wanted: Wanted, facts: AttachFacts, context: str | None, *, create_namespace: bool, assign_roles: bool
) -> AttachFacts:
    """Make what is missing and may be made: the namespace, the roles. Nothing is made where another rule refuses."""
    from dataclasses import replace

    from azext_amlk8s.computes import judge_attach
    from azext_amlk8s.findings import Severity

    mends = {"C120"} if create_namespace else set()
    mends |= {"C121"} if assign_roles else set()
    errors = {one.id for one in judge_attach(wanted, facts) if one.severity is Severity.ERROR}
    if errors - mends:
        return facts
    if "C120" in errors:
        _make_namespace(arm, wanted, context)
        facts = replace(facts, namespaces=frozenset({*(facts.namespaces or ()), wanted.namespace}))
    if "C121" in errors:
        facts = replace(facts, missing_roles=_grant(arm, wanted, facts.missing_roles))
    return facts


def _make_namespace(arm: Any, wanted: Wanted, context: str | None) -> None:
    from azure.cli.core.azclierror import BadRequestError
    from knack.log import get_logger

    from azext_amlk8s.cluster import ClusterRefused
    from azext_amlk8s.handlers.aftermath import Scene, reach

    cluster, _ = reach(Scene(arm, wanted.cluster.id), context=context)
    try:
        cluster.create_namespace(wanted.namespace)
    except ClusterRefused as refused:
        raise BadRequestError(
            f"The namespace {wanted.namespace} cannot be made: {refused.message}",
            recommendation=f"kubectl create namespace {wanted.namespace}",
        ) from refused
    get_logger(__name__).warning("The namespace %s was made in %s.", wanted.namespace, wanted.cluster.name)


def _grant(arm: Any, wanted: Wanted, roles: Sequence[RoleNeeded]) -> Sequence[RoleNeeded]:
    """Grant roles and wait until they can be seen; returns those that still cannot."""
    from azext_amlk8s.handlers.compute_facts import still_missing

    for one in roles:
        arm.assign_role(one.scope, one.role_id, one.principal_id)
    deadline = time.monotonic() + ROLES_VISIBLE_SECONDS
    while (missing := still_missing(arm, wanted.cluster.id, roles)) and time.monotonic() < deadline:
        time.sleep(ROLES_ASK_SECONDS)
    return missing


def _detach(cmd: Any, arm: Any, place: Place, there: Mapping[str, Any], yes: bool, timeout: int | None) -> None:
    confirm(f"Detach {place.name} and attach it again? Jobs and endpoints on it end.", yes)
    operation = arm.begin_detach_compute(*place.parts)
    resume = "Run the same command again: it goes on from where things stand."
    scene = scene_of(arm, there, "delete", place.workspace)
    followed(cmd, operation, place, f"Detaching {place.name} from {place.workspace}", resume, scene, timeout)
