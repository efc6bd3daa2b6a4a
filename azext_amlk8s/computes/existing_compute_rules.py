"""Rules over an existing compute when one is attached, updated or detached under its name."""

from __future__ import annotations

from collections.abc import Mapping

from azext_amlk8s.compute_view import kind_of
from azext_amlk8s.computes.cluster_ids import parse_cluster_id
from azext_amlk8s.computes.comparison import compare_compute
from azext_amlk8s.computes.identities import same_identity
from azext_amlk8s.computes.model import (
    ATTACH_GUIDE,
    BUSY_STATES,
    COMPUTE_SPEC,
    AttachRequest,
    Resource,
    cluster_id_of,
    namespace_of,
    state_of,
)
from azext_amlk8s.computes.request_bodies import replace_command
from azext_amlk8s.refs import ClusterRef, ComputeRef
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule

SDK = "https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.operations.computeoperations"
# Kinds of computes that Azure creates; deleting one deletes its machines.
CREATED_KINDS = ("amlcompute", "computeinstance")
KUBERNETES = "kubernetes"
REPLACE = "Add --replace to detach it and attach it again; settings that you do not give are kept."


def matches_request(compute: Resource, request: AttachRequest) -> bool:
    """Whether the compute is attached as requested, so that there is nothing to do."""
    return state_of(compute).lower() == "succeeded" and not compare_compute(compute, request)


def check_existing(compute: Resource, request: AttachRequest, *, replace: bool) -> tuple[Finding, ...]:
    """Why the request cannot be carried out over an existing compute.

    With replace only a compute that is busy or of another kind prevents it.
    """
    ref = request.compute
    if findings := (*other_kind(compute, ref), *busy_compute(compute, ref)):
        return findings
    if replace or matches_request(compute, request):
        return ()
    return different_compute(compute, request) or failed_compute(compute, request)


def check_update(
    compute: Resource, ref: ComputeRef, namespace: str | None, resource_id: str | None
) -> tuple[Finding, ...]:
    """Why a compute cannot be updated: it is busy, of another kind, or the change is not possible while attached."""
    cluster, findings = parse_cluster_id(resource_id) if resource_id else (None, ())
    return (
        *other_kind(compute, ref),
        *busy_compute(compute, ref),
        *findings,
        *immutable_settings(compute, ref, namespace, cluster),
    )


def check_detach(compute: Resource, ref: ComputeRef) -> tuple[Finding, ...]:
    """Why a compute cannot be detached: Azure created it."""
    return other_kind(compute, ref) if kind_of(compute).lower() in CREATED_KINDS else ()


@rule(
    "C140",
    Severity.ERROR,
    title="Operation in progress",
    requires="No other operation may be in progress on the compute.",
    source=COMPUTE_SPEC,
)
def busy_compute(compute: Resource, ref: ComputeRef) -> Problems:
    """Computes that are being created, updated or deleted."""
    state = state_of(compute)
    if state.lower() in BUSY_STATES:
        condition = {"deleting": "--deleted", "updating": "--updated"}.get(state.lower(), "--created")
        message = f"An operation on compute '{ref.name}' is in progress: {state}."
        yield Problem("compute", message, found=state, fix=f"az amlk8s compute wait {ref.cli_args} {condition}")


@rule(
    "C141",
    Severity.ERROR,
    title="Kind of the compute",
    requires="The compute must be a Kubernetes compute.",
    source=COMPUTE_SPEC,
)
def other_kind(compute: Resource, ref: ComputeRef) -> Problems:
    """Computes of a known kind other than Kubernetes. The fix never removes them."""
    kind = kind_of(compute)
    if kind.lower() not in ("", KUBERNETES):
        message = f"Compute '{ref.name}' is of kind {kind}; expected Kubernetes. It was not changed."
        fix = f"Use another name. To list the computes:\naz amlk8s compute list {ref.workspace.cli_args} --all -o table"
        yield Problem("compute", message, expected="Kubernetes", found=kind, fix=fix)


@rule(
    "C142",
    Severity.ERROR,
    title="Existing compute",
    requires="An existing compute with different settings is not overwritten.",
    source=COMPUTE_SPEC,
)
def different_compute(compute: Resource, request: AttachRequest) -> Problems:
    """A PUT would overwrite the compute; what it had cannot be recovered."""
    if differences := compare_compute(compute, request):
        settings = "; ".join(map(str, differences))
        message = f"Compute '{request.compute.name}' already exists with different settings: {settings}."
        yield Problem("--name", message, found=settings, fix=f"{REPLACE}\nOr choose another name with --name.")


@rule(
    "C143",
    Severity.ERROR,
    title="State of the existing compute",
    requires="A compute that failed must be detached before it is attached again.",
    source=COMPUTE_SPEC,
)
def failed_compute(compute: Resource, request: AttachRequest) -> Problems:
    """A compute with the requested settings in a state other than Succeeded."""
    state = state_of(compute)
    message = f"Compute '{request.compute.name}' already exists, in state {state}."
    yield Problem("--name", message, expected="Succeeded", found=state, fix=REPLACE)


@rule(
    "C144",
    Severity.ERROR,
    title="Immutable settings",
    requires="The cluster and the namespace of a compute cannot change while it is attached.",
    source=ATTACH_GUIDE,
)
def immutable_settings(
    compute: Resource, ref: ComputeRef, namespace: str | None, cluster: ClusterRef | None
) -> Problems:
    """namespace and cluster are those of the request, None where it does not give one."""
    changes = []
    if namespace and namespace != namespace_of(compute):
        changes.append(f"the namespace from '{namespace_of(compute)}' to '{namespace}'")
    if cluster and cluster.id.lower() != cluster_id_of(compute).lower():
        changes.append(f"the cluster from {cluster_id_of(compute) or 'none'} to {cluster.id}")
    if changes:
        message = f"Cannot change {' and '.join(changes)} while compute '{ref.name}' is attached."
        fix = replace_command(ref, compute, cluster=cluster, namespace=namespace or "")
        yield Problem("compute", message, fix=fix)


@rule(
    "C145",
    Severity.ERROR,
    title="Change of identity and tags",
    requires="The service must accept a change of identity or tags.",
    source=ATTACH_GUIDE,
)
def unapplied_update(
    compute: Resource, ref: ComputeRef, identity: Resource | None, tags: Mapping[str, str] | None
) -> Problems:
    """compute is what was read after the update; identity and tags are those that were sent, None if unchanged.

    The service may report success and keep what the compute had.
    """
    ignored_identity = identity is not None and not same_identity(compute.get("identity"), identity)
    ignored_tags = tags is not None and (compute.get("tags") or {}) != dict(tags)
    if ignored_identity or ignored_tags:
        settings = " and ".join([*(["identity"] if ignored_identity else []), *(["tags"] if ignored_tags else [])])
        message = f"The service did not apply the change of {settings}. Compute '{ref.name}' is unchanged."
        yield Problem("compute", message, fix=replace_command(ref, compute, identity=identity, tags=tags))


@rule(
    "C146",
    Severity.ERROR,
    title="Update of an attached compute",
    requires="An update must be accepted by the service.",
    source=f"{SDK}#azure-ai-ml-operations-computeoperations-begin-update",
    why="A Kubernetes compute does not support updates; it has to be detached and attached again.",
)
def rejected_update(
    compute: Resource, ref: ComputeRef, reason: str, identity: Resource | None, tags: Mapping[str, str] | None
) -> Problems:
    """reason is the service's message without a full stop; identity and tags are those that were sent, if changed."""
    message = f"The service does not accept updates of compute '{ref.name}'. Nothing was changed. It reported: {reason}"
    fix = (
        "To apply the change, detach the compute and attach it again. Jobs and endpoints on it end:\n"
        f"{replace_command(ref, compute, identity=identity, tags=tags)}"
    )
    yield Problem("compute", message, fix=fix)
