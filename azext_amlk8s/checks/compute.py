"""The compute: the workspace, what is attached, and the rules of attachments."""

from __future__ import annotations

from collections.abc import Iterator

from azext_amlk8s.checks.explanations import explained_problem
from azext_amlk8s.checks.facts import (
    ASSIGNMENTS,
    CLUSTER,
    COMPUTES,
    EXTENSIONS,
    INSTALLED,
    INSTANCE_TYPES,
    NAMESPACES,
    TRUSTED_ACCESS,
    WORKSPACE,
    Facts,
    Object,
    count,
    name_of,
    properties_of,
    state_of,
)
from azext_amlk8s.compute_view import is_kubernetes
from azext_amlk8s.computes import (
    AttachFacts,
    AttachRequest,
    ClusterContents,
    check_attach,
    find_look_alikes,
    find_missing_roles,
    identity_principals,
    roles_on_cluster,
)
from azext_amlk8s.diagnosis import compute_errors, explain_failure
from azext_amlk8s.instance_types.model import types_of_compute
from azext_amlk8s.refs import ComputeRef, WorkspaceRef
from azext_amlk8s.rules import (
    CheckSpec,
    Finding,
    NotApplicable,
    Observation,
    Problem,
    Results,
    Severity,
    Unavailable,
    rule,
)
from azext_amlk8s.shell import join

ATTACH = "https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
BUSY = ("creating", "updating", "deleting")
ROLE_RULES, NAMESPACE_RULES = ("C121", "C122"), ("C120", "C126")
CLUSTER_RULES = ("C109", "C110", "C112", "C113", "C114", "C128")
ATTACHMENT = (CLUSTER, WORKSPACE, COMPUTES)
DEFAULT_COMPUTE = "k8s-compute"


@rule(
    "K601",
    Severity.ERROR,
    title="Workspace",
    requires="The workspace exists in its resource group, and you may read it.",
    source=ATTACH,
    check=CheckSpec("compute", uses=(WORKSPACE,)),
)
def workspace_exists(facts: Facts) -> Results:
    """By its name, in the resource group that is given for it."""
    state, workspace = facts.state(WORKSPACE), _workspace(facts)
    if isinstance(state, Unavailable):
        kind = "Microsoft.MachineLearningServices/workspaces"
        message = f"The workspace '{workspace.name}' cannot be read: {state.reason}"
        yield Problem(workspace.name, message, fix=f"az resource list --resource-type {kind} -o table")
    else:
        yield Observation(f"{workspace.name}, {state.get('location') or 'unknown location'}")


@rule(
    "K604",
    Severity.ERROR,
    title="Requirements of an attachment",
    requires="Name, cluster identity, local accounts and API server access allow the cluster to be attached.",
    source=ATTACH,
    check=CheckSpec("compute", ATTACHMENT, (TRUSTED_ACCESS, EXTENSIONS), relays=CLUSTER_RULES),
)
def attachment_requirements(facts: Facts) -> Results:
    """The rules of `az amlk8s compute attach` on the cluster."""
    yield from _attachment_findings(facts, CLUSTER_RULES)


@rule(
    "K606",
    Severity.ERROR,
    title="Roles of the workspace's identity",
    requires="The workspace's user-assigned identity has its roles on the cluster.",
    source=ATTACH,
    check=CheckSpec("compute", (*ATTACHMENT, ASSIGNMENTS), retry=True, relays=ROLE_RULES),
)
def workspace_roles(facts: Facts) -> Results:
    """Azure itself grants the roles of a system-assigned identity."""
    if not identity_principals(dict(facts[WORKSPACE])):
        yield Observation("Azure grants the roles of a system-assigned identity")
        return
    yield from _attachment_findings(facts, ROLE_RULES)


@rule(
    "K602",
    Severity.ERROR,
    title="Attachment",
    requires="The cluster is attached to the workspace.",
    source=ATTACH,
    check=CheckSpec("compute", ATTACHMENT, phase=INSTALLED),
)
def cluster_attached(facts: Facts) -> Results:
    """By the name of the compute where one is given, else by the cluster."""
    computes = computes_on_cluster(facts)
    if computes:
        yield Observation(", ".join(str(attached.get("name")) for attached in computes))
        return
    workspace, name = _workspace(facts), facts.target.compute
    existing = ", ".join(str(other.get("name")) for other in facts[COMPUTES] if is_kubernetes(dict(other))) or "none"
    compute = ComputeRef(workspace, name or DEFAULT_COMPUTE)
    attach = f"az amlk8s compute attach {compute.cli_args} {join(['--resource-id', facts.cluster.id])}"
    others = [str(other.get("name")) for other in _all_on_cluster(facts)]
    fixes = [*(join(["--compute-name", other]) for other in others), attach]
    named = f"no compute '{name}'" if name else "no compute"
    instead = f"; it has {', '.join(map(repr, others))} there" if others else ""
    message = f"The workspace '{workspace.name}' has {named} on {facts.cluster.name}{instead}."
    yield Problem(workspace.name, message, facts.cluster.name, existing, "\n".join(fixes))


@rule(
    "K603",
    Severity.ERROR,
    title="Compute state",
    requires="The compute is in state Succeeded.",
    source=TROUBLES,
    check=CheckSpec("compute", ATTACHMENT, phase=INSTALLED, retry=True),
)
def compute_state(facts: Facts) -> Results:
    """provisioningErrors of a compute that failed are explained, the deepest first."""
    for compute in _attached(facts):
        name, state = str(compute.get("name")), state_of(compute)
        ref = ComputeRef(_workspace(facts), name)
        if state.lower() == "succeeded":
            yield Observation(f"{name} {state}")
        elif state.lower() in BUSY:
            done = "deleted" if state.lower() == "deleting" else "created"
            message = f"The compute '{name}' is {state}; the operation is still in progress."
            yield Problem(name, message, "Succeeded", state, f"az amlk8s compute wait {ref.cli_args} --{done}")
        else:
            errors = compute_errors(compute)
            detail = f": ({errors[0].code}) {errors[0].message}" if errors else "."
            resource_id = join(["--resource-id", facts.cluster.id])
            yield explained_problem(
                explain_failure(errors)[0],
                name,
                f"The compute '{name}' is {state}{detail}",
                expected="Succeeded",
                found=state,
                fix=f"az amlk8s compute attach {ref.cli_args} {resource_id} --replace",
            )


@rule(
    "K605",
    Severity.ERROR,
    title="Namespace of the compute",
    requires="The namespace of the compute exists in the cluster.",
    source=ATTACH,
    why="Jobs stay queued without an error.",
    check=CheckSpec("compute", (*ATTACHMENT, NAMESPACES), relays=NAMESPACE_RULES),
)
def compute_namespace(facts: Facts) -> Results:
    """An attachment does not check it."""
    findings = list(_attachment_findings(facts, NAMESPACE_RULES))
    yield from findings
    if not findings:
        yield Observation(", ".join(dict.fromkeys(namespace for _, namespace in _attachments(facts))))


@rule(
    "K607",
    Severity.WARNING,
    title="Instance types of the compute",
    requires="The compute lists the instance types of the cluster.",
    source=TROUBLES,
    why="Jobs cannot name an instance type that the compute does not list.",
    check=CheckSpec("compute", (*ATTACHMENT, INSTANCE_TYPES), phase=INSTALLED, retry=True),
)
def compute_instance_types(facts: Facts) -> Results:
    """The service copies them from the cluster some time later."""
    names = {name_of(instance_type) for instance_type in facts[INSTANCE_TYPES] or ()}
    for compute in _attached(facts):
        listed = set(types_of_compute(compute))
        if missing := sorted(names - listed):
            ref = ComputeRef(_workspace(facts), str(compute.get("name")))
            many = "instance type" if len(missing) == 1 else "instance types"
            message = f"The compute '{ref.name}' does not list the {many} {', '.join(missing)} of the cluster."
            yield Problem(ref.name, message, ", ".join(missing), fix=f"az amlk8s compute show {ref.cli_args}")
    yield Observation(count(len(names), "instance type"))


def computes_on_cluster(facts: Facts) -> list[Object]:
    """The Kubernetes computes of the workspace on this cluster; that of the name which is given."""
    name = facts.target.compute.lower()
    return [compute for compute in _all_on_cluster(facts) if name in ("", str(compute.get("name")).lower())]


def _all_on_cluster(facts: Facts) -> list[Object]:
    cluster_id = facts.cluster.id.lower()
    return [
        compute
        for compute in facts[COMPUTES]
        if is_kubernetes(dict(compute)) and str(properties_of(compute).get("resourceId") or "").lower() == cluster_id
    ]


def compute_namespaces(facts: Facts) -> list[str]:
    """That of the compute which is to be attached, or those of the workspace's computes on this cluster, if known."""
    if facts.target.is_attachment:
        return [facts.target.namespace]
    if facts.target.workspace is None or facts.get(COMPUTES) is None:
        return []
    return sorted({namespace_of_compute(compute) for compute in computes_on_cluster(facts)})


def namespace_of_compute(compute: Object) -> str:
    """The namespace in which the jobs of a compute run."""
    return str(properties_of(properties_of(compute)).get("namespace") or "default")


def _attached(facts: Facts) -> list[Object]:
    computes = computes_on_cluster(facts)
    if not computes:
        raise NotApplicable("the cluster is not attached")
    return computes


def _attachment_findings(facts: Facts, ids: tuple[str, ...]) -> Iterator[Finding]:
    """The findings of some rules of attachments, for each compute, or for one that is still to be attached."""
    cluster, workspace = facts.cluster, _workspace(facts)
    needed = roles_on_cluster(dict(facts[WORKSPACE]), cluster, dict(facts[CLUSTER]))
    held = facts.get(ASSIGNMENTS)
    missing = find_missing_roles(needed, held) if held is not None else ()
    namespaces = facts.get(NAMESPACES)
    attach_facts = AttachFacts(
        workspace=facts[WORKSPACE],
        cluster=facts[CLUSTER],
        extensions=facts.get(EXTENSIONS) or (),
        computes=facts[COMPUTES],
        contents=None
        if namespaces is None
        else ClusterContents({name_of(existing): _phase(existing) for existing in namespaces}),
        trusted_access=facts.get(TRUSTED_ACCESS) or (),
        missing_roles=missing,
        look_alikes=find_look_alikes(missing, (assignment for many in (held or {}).values() for assignment in many)),
    )
    for name, namespace in _attachments(facts):
        request = AttachRequest(ComputeRef(workspace, name), cluster, namespace)
        yield from check_attach(request, attach_facts, only=ids)


def _phase(namespace: Object) -> str:
    return str((namespace.get("status") or {}).get("phase") or "Active")


def _attachments(facts: Facts) -> list[tuple[str, str]]:
    """Name and namespace of each compute, or of the one that would be attached."""
    computes = [(str(compute.get("name")), namespace_of_compute(compute)) for compute in computes_on_cluster(facts)]
    return computes or [(facts.target.compute or DEFAULT_COMPUTE, "default")]


def _workspace(facts: Facts) -> WorkspaceRef:
    if facts.target.workspace is None:
        raise NotApplicable("no workspace was given")
    return facts.target.workspace
