"""az amlk8s compute attach"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors, confirm, raise_for_errors
from azext_amlk8s.operations.compute_common import (
    Place,
    followed,
    scene_of,
    see_that_it_is_gone,
    tell_of_endpoints,
    went_on,
)

if TYPE_CHECKING:
    from azext_amlk8s.computes import AttachFacts, ClusterRef, RoleNeeded, Wanted

ROLES_VISIBLE_SECONDS, ROLES_ASK_SECONDS = 300, 2


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
    """Check what would fail, attach the cluster, follow it. Returns the compute as ARM describes it.

    With no_wait it returns nothing, and nothing is followed.
    """
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import (
        Wanted,
        attach_body,
        blanked,
        extension_name,
        judge_words,
        keeping,
        read_identity,
    )
    from azext_amlk8s.operations.compute_facts import attach_facts

    _refuse_words(compute_type, resource_id, cluster_name, cluster_type)
    identity, of_identity = read_identity(identity_type, " ".join(user_assigned_identities or ()))
    with azure_errors():
        arm = AzureClient(cmd.cli_ctx)
        ref, of_id = _cluster(arm, resource_group_name, resource_id, cluster_name, cluster_type)
        wanted = Wanted(
            name, resource_group_name, workspace_name, ref, namespace or "default", identity, tags, description,
            workload or "",
        )  # fmt: skip
        raise_for_errors(judge_words(wanted, arm.subscription_id), of_id, of_identity)
        facts, door = attach_facts(arm, wanted, context)
        there = facts.compute(name)
        if there is not None:
            if _is_wanted(there, wanted, replace):
                return blanked(there)
            wanted = keeping(wanted, there, namespace=namespace is None)
        _refuse_what_is_not_mended(wanted, facts, create_namespace=create_namespace, assign_roles=assign_roles)
        place = Place(resource_group_name, workspace_name, name)
        if there is not None:
            tell_of_endpoints(arm, place)
            confirm(cmd, f"Detach {name} and attach it again? Jobs and endpoints on it end.", yes)
        if create_namespace:
            _make_namespace(door, wanted, facts)
        if assign_roles and facts.missing_roles:
            _grant(arm, wanted, facts.missing_roles)
        if there is not None:
            _detach(cmd, arm, place, there, wanted, timeout)
        operation = _begin(arm, place, wanted, attach_body(wanted, facts.workspace), detached=there is not None)
        doing, resume = f"Attaching {name} to {workspace_name}", f"az amlk8s compute wait {place.words} --created"
        if no_wait:
            return went_on(resume)
        about = {"name": name, "properties": {"resourceId": ref.id}}
        scene = scene_of(arm, about, "create", workspace_name, extension_name(facts.extensions))
        return blanked(followed(cmd, operation, arm, place, doing, resume, scene, timeout))


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


def _cluster(
    arm: Any, group: str, resource_id: str | None, cluster_name: str | None, cluster_type: str | None
) -> tuple[ClusterRef, Sequence[Any]]:
    """The cluster that is meant, and what is to be said of its id. Raises ValidationError where that is none."""
    from azext_amlk8s.computes import cluster_ref, read_cluster_id

    if not resource_id:
        return cluster_ref(arm.subscription_id, group, str(cluster_type), str(cluster_name)), ()
    ref, findings = read_cluster_id(resource_id)
    if ref is None:
        raise_for_errors(findings)
    assert ref is not None
    return ref, findings


def _is_wanted(there: Mapping[str, Any], wanted: Wanted, replace: bool) -> bool:
    """Whether what is there is what is wanted. A PUT would overwrite it beyond recovery, so all else is refused."""
    from knack.log import get_logger

    from azext_amlk8s.computes import judge_standing

    same, findings = judge_standing(there, wanted, replace=replace)
    raise_for_errors(findings)
    if same:
        get_logger(__name__).warning("%s is attached already and the same; nothing was changed.", wanted.name)
    return same


def _refuse_what_is_not_mended(
    wanted: Wanted, facts: AttachFacts, *, create_namespace: bool, assign_roles: bool
) -> None:
    """Refuse on all errors but those that this run mends itself; nothing is mended where another rule refuses."""
    from azext_amlk8s.computes import judge_attach, mended_by
    from azext_amlk8s.rules import Severity

    found = judge_attach(wanted, facts, create_namespace=create_namespace)
    mended = mended_by(create_namespace=create_namespace, assign_roles=assign_roles)
    if not {one.id for one in found if one.severity is Severity.ERROR} - mended:
        found = tuple(one for one in found if one.id not in mended)
    raise_for_errors(found)


def _make_namespace(door: Any, wanted: Wanted, facts: AttachFacts) -> None:
    from azure.cli.core.azclierror import BadRequestError
    from knack.log import get_logger

    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    if facts.inside is None or wanted.namespace in facts.inside.namespaces:
        return
    try:
        door.create_namespace(wanted.namespace)
    except (ClusterRefused, ClusterUnreachable) as refused:
        raise BadRequestError(
            f"The namespace {wanted.namespace} cannot be made: {refused}",
            recommendation=f"kubectl create namespace {wanted.namespace}",
        ) from refused
    get_logger(__name__).warning("The namespace %s was made in %s.", wanted.namespace, wanted.cluster.name)


def _grant(arm: Any, wanted: Wanted, roles: Sequence[RoleNeeded]) -> None:
    """Grant roles and wait until they can be seen. Raises ForbiddenError or DeploymentError with what is to be done."""
    from azure.cli.core.azclierror import DeploymentError, ForbiddenError
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    from azext_amlk8s.operations.compute_facts import still_missing

    for one in roles:
        try:
            arm.assign_role(one.scope, one.role_id, one.principal_id)
        except HttpResponseError as error:
            if error.status_code != 403:
                raise
            told = (
                "You may not grant roles here; somebody who may, an Owner or User Access Administrator, must run this."
            )
            raise ForbiddenError(told, recommendation=[each.command for each in roles]) from error
        get_logger(__name__).warning("Granted %s on %s.", one.role, one.scope.rsplit("/", 1)[-1])
    get_logger(__name__).warning("Waiting until the roles can be seen.")
    deadline = time.monotonic() + ROLES_VISIBLE_SECONDS
    while missing := still_missing(arm, wanted.cluster.id, roles):
        if time.monotonic() >= deadline:
            names = ", ".join(one.role for one in missing)
            told = f"{names} cannot be seen {ROLES_VISIBLE_SECONDS} seconds after it was granted; nothing was attached."
            raise DeploymentError(told, recommendation="Run the same command again in ten minutes.")
        time.sleep(ROLES_ASK_SECONDS)


def _detach(cmd: Any, arm: Any, place: Place, there: Mapping[str, Any], wanted: Wanted, timeout: int | None) -> None:
    from azext_amlk8s.computes import attach_command

    operation = arm.begin_detach_compute(arm.compute_ref(*place.parts))
    # What was kept of the old compute would be lost to a second run of the same words.
    resume = attach_command(wanted)
    scene = scene_of(arm, there, "delete", place.workspace)
    followed(cmd, operation, arm, place, f"Detaching {place.name} from {place.workspace}", resume, scene, timeout)
    see_that_it_is_gone(arm, place, resume)


def _begin(arm: Any, place: Place, wanted: Wanted, body: Mapping[str, Any], *, detached: bool) -> Any:
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    from azext_amlk8s.computes import attach_command

    try:
        return arm.begin_put_compute(arm.compute_ref(*place.parts), body)
    except HttpResponseError:
        if detached:
            get_logger(__name__).warning("%s is detached now. To go on: %s", place.name, attach_command(wanted))
        raise
