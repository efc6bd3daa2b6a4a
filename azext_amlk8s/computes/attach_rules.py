"""Rules over a requested attachment and the facts about its cluster and workspace."""

from __future__ import annotations

from collections.abc import Collection

from azext_amlk8s.compute_view import kind_of, properties_of
from azext_amlk8s.computes.aks_rules import (
    disabled_local_accounts,
    restricted_api_server,
    service_principal,
    stopped_cluster,
    unsupported_kubernetes,
)
from azext_amlk8s.computes.extension_rules import (
    absent_instance_types,
    disabled_workload,
    failed_health_checks,
    missing_extension,
    pod_identity,
    unready_extension,
)
from azext_amlk8s.computes.identities import LIST_IDENTITIES
from azext_amlk8s.computes.model import (
    ATTACH_GUIDE,
    COMPUTE_TROUBLESHOOTING,
    AttachFacts,
    AttachRequest,
    Resource,
    cluster_id_of,
    namespace_of,
)
from azext_amlk8s.refs import ComputeRef
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.shell import join

ISSUES = "https://github.com/Azure/AML-Kubernetes/issues"
CREATE_NAMESPACE = "--create-namespace"
RETIRED_KIND = "aks"


@rule(
    "C115",
    Severity.ERROR,
    title="Connection to Azure Arc",
    requires="An Arc-connected cluster must be connected when it is attached.",
    source=ATTACH_GUIDE,
)
def disconnected_cluster(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Arc-connected clusters in a state other than Connected."""
    connectivity = str(properties_of(facts.cluster).get("connectivityStatus") or "")
    if connectivity.lower() not in ("", "connected"):
        message = f"Cluster '{request.cluster.name}' is not connected to Azure: {connectivity}."
        fix = f"az connectedk8s troubleshoot {request.cluster.az_args}"
        yield Problem("cluster", message, expected="Connected", found=connectivity, fix=fix)


@rule(
    "C135",
    Severity.WARNING,
    title="Provisioning state of the cluster",
    requires="The cluster must be in state Succeeded.",
    source=COMPUTE_TROUBLESHOOTING,
    follows=("C111", "C115"),
)
def unready_cluster(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Clusters that failed, or that are being changed."""
    state = str(properties_of(facts.cluster).get("provisioningState") or "Succeeded")
    if state.lower() != "succeeded":
        group = "aks" if request.cluster.is_aks else "connectedk8s"
        message = f"Cluster '{request.cluster.name}' is in state {state}."
        fix = f"az {group} show {request.cluster.az_args} --query provisioningState"
        yield Problem("cluster", message, expected="Succeeded", found=state, fix=fix)


@rule(
    "C119",
    Severity.WARNING,
    title="Shared namespace",
    requires="A cluster and namespace should be attached to a workspace once.",
    source=f"{ISSUES}/197",
)
def shared_namespace(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Other Kubernetes computes of the workspace with the same cluster and namespace."""
    for compute in _computes_of_cluster(request, facts):
        if kind_of(compute).lower() != RETIRED_KIND and namespace_of(compute) == request.namespace:
            name = str(compute.get("name"))
            message = (
                f"Compute '{name}' already uses namespace '{request.namespace}' of this cluster; "
                "the two share what runs in it."
            )
            fix = f"--namespace {request.compute.name.lower()} {CREATE_NAMESPACE}"
            yield Problem("--namespace", message, found=name, fix=fix)


@rule(
    "C128",
    Severity.WARNING,
    title="Retired kind of attachment",
    requires="A cluster should not be attached as AksCompute, which is retired, at the same time.",
    source=ATTACH_GUIDE,
)
def retired_attachment(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Computes of the retired kind on the same cluster."""
    for compute in _computes_of_cluster(request, facts):
        if kind_of(compute).lower() == RETIRED_KIND:
            name = str(compute.get("name"))
            message = (
                f"Cluster '{request.cluster.name}' is also attached as '{name}', of the retired kind AksCompute, whose "
                "router conflicts with the extension's."
            )
            show = f"az amlk8s compute show {ComputeRef(request.workspace, name).cli_args}"
            yield Problem("compute", message, found=name, fix=f"Detach it when nothing uses it. To show it:\n{show}")


def _computes_of_cluster(request: AttachRequest, facts: AttachFacts) -> list[Resource]:
    """The computes of the workspace on the same cluster, other than the requested one."""
    return [
        compute
        for compute in facts.computes
        if cluster_id_of(compute).lower() == request.cluster.id.lower()
        and str(compute.get("name")).lower() != request.compute.name.lower()
    ]


@rule(
    "C124",
    Severity.WARNING,
    title="Access to the cluster",
    requires="The cluster's API should be readable before the cluster is attached.",
    source=f"{ISSUES}/26",
    follows_any=("C111", "C115", "C125"),
)
def unreadable_cluster(request: AttachRequest, facts: AttachFacts) -> Problems:
    """The attachment does not check the namespace; without it, jobs stay queued."""
    if facts.contents is None:
        message = (
            f"Could not check whether namespace '{request.namespace}' exists; without it, jobs stay queued. "
            f"{facts.contents_error}"
        )
        yield Problem("--namespace", message.strip(), fix=request.kubectl(f"get namespace {request.namespace}"))


@rule(
    "C125",
    Severity.ERROR,
    title="Creation of the namespace",
    requires="The cluster's API must be reachable to create a namespace.",
    source=f"{ISSUES}/26",
    follows_any=("C111", "C115"),
)
def uncreatable_namespace(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Evaluated only where the namespace is to be created."""
    if facts.contents is None:
        message = f"Cannot create namespace '{request.namespace}'. {facts.contents_error}"
        yield Problem(CREATE_NAMESPACE, message.strip(), fix=request.kubectl(f"create namespace {request.namespace}"))


@rule(
    "C120",
    Severity.ERROR,
    title="Namespace of the compute",
    requires="The namespace of the compute must exist in the cluster.",
    source=f"{ISSUES}/26",
    why="The attachment does not check it, and jobs stay queued.",
)
def missing_namespace(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Namespaces that are not in the cluster."""
    if facts.contents and request.namespace not in facts.contents.namespaces:
        message = f"Namespace '{request.namespace}' does not exist in cluster '{request.cluster.name}'."
        existing = ", ".join(sorted(facts.contents.namespaces))
        yield Problem("--namespace", message, expected=request.namespace, found=existing, fix=CREATE_NAMESPACE)


@rule(
    "C126",
    Severity.ERROR,
    title="Namespace in deletion",
    requires="The namespace of the compute must not be in deletion.",
    source=f"{ISSUES}/26",
)
def terminating_namespace(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Namespaces in phase Terminating."""
    if facts.contents and facts.contents.namespaces.get(request.namespace, "").lower() == "terminating":
        message = f"Namespace '{request.namespace}' is being deleted."
        fix = (
            f"{request.kubectl(f'wait --for=delete namespace/{request.namespace} --timeout=10m')}\n"
            f"Then run the same command with {CREATE_NAMESPACE}."
        )
        yield Problem("--namespace", message, expected="Active", found="Terminating", fix=fix)


@rule(
    "C121",
    Severity.ERROR,
    title="Roles of the workspace identity",
    requires="The workspace's user-assigned identity must have its roles on the cluster.",
    source=ATTACH_GUIDE,
)
def missing_workspace_roles(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Roles that no assignment grants, each with what happens without it."""
    for index, role in enumerate(facts.missing_roles, 1):
        message = f"The workspace identity lacks role '{role.role}' on '{role.scope_name}'. {role.symptom}"
        last = "\nOr add --assign-roles to grant all of them." if index == len(facts.missing_roles) else ""
        yield Problem("role", message, expected=role.role, fix=role.command + last)


@rule(
    "C137",
    Severity.WARNING,
    title="Access to role assignments",
    requires="The role assignments of the workspace's user-assigned identity should be readable.",
    source=ATTACH_GUIDE,
)
def unreadable_roles(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Role assignments that the user may not read."""
    if facts.roles_unreadable:
        message = "Could not read which roles the workspace's user-assigned identity has on the cluster."
        fix = join(["az", "role", "assignment", "list", "--scope", request.cluster.id, "--include-inherited"])
        yield Problem("role", message, fix=f"{fix} -o table")


@rule(
    "C122",
    Severity.WARNING,
    title="Similar role names",
    requires="The role that is granted must be the one that is required, not one with a similar name.",
    source=ATTACH_GUIDE,
)
def similar_roles(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Granted roles whose names resemble that of a missing one."""
    for name in facts.look_alikes:
        message = f"Role '{name}' is granted; it does not replace the required role of a similar name."
        yield Problem("role", message, found=name)


@rule(
    "C136",
    Severity.ERROR,
    title="Identity of the compute",
    requires="The user-assigned identity of the compute must exist.",
    source=ATTACH_GUIDE,
)
def missing_identity(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Identities that Azure does not find."""
    if facts.missing_identity:
        message = f"Identity '{facts.missing_identity.rsplit('/', 1)[-1]}' not found."
        fix = LIST_IDENTITIES
        yield Problem("--user-assigned-identities", message, expected=facts.missing_identity, fix=fix)


@rule(
    "C123",
    Severity.WARNING,
    title="Identity for data access",
    requires="A compute should have a managed identity.",
    source=f"{ISSUES}/118",
)
def compute_without_identity(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Jobs on such a compute reach data by account keys only."""
    if request.identity is None:
        message = "The compute has no managed identity; its jobs can access data by account keys only."
        yield Problem("--identity-type", message, fix="--identity-type SystemAssigned")


RULES = (
    stopped_cluster,
    disconnected_cluster,
    unready_cluster,
    unsupported_kubernetes,
    service_principal,
    disabled_local_accounts,
    restricted_api_server,
    missing_extension,
    unready_extension,
    disabled_workload,
    absent_instance_types,
    failed_health_checks,
    pod_identity,
    shared_namespace,
    retired_attachment,
    unreadable_cluster,
    missing_namespace,
    terminating_namespace,
    missing_workspace_roles,
    unreadable_roles,
    similar_roles,
    missing_identity,
    compute_without_identity,
)


# The IDs of all rules of attachments.
ATTACH_RULE_IDS = tuple(rule.id for rule in (*RULES, uncreatable_namespace))


def check_attach(
    request: AttachRequest,
    facts: AttachFacts,
    *,
    create_namespace: bool = False,
    only: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """The findings of all rules, or of those with the IDs `only`; create_namespace: the namespace is to be created."""
    rules = (*RULES, *([uncreatable_namespace] if create_namespace else []))
    return tuple(
        finding
        for attach_rule in rules
        if only is None or attach_rule.id in only
        for finding in attach_rule(request, facts)
    )


def resolved_by_options(*, create_namespace: bool, assign_roles: bool) -> frozenset[str]:
    """The IDs of the rules whose violations these options of `compute attach` resolve."""
    return frozenset(
        [*([missing_namespace.id] if create_namespace else []), *([missing_workspace_roles.id] if assign_roles else [])]
    )
