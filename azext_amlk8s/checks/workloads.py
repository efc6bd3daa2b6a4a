"""Jobs and deployments: pods that do not run, jobs that stay queued, and claims for local storage."""

from __future__ import annotations

from azext_amlk8s.checks.compute import compute_namespaces
from azext_amlk8s.checks.explanations import explained_problem
from azext_amlk8s.checks.facts import (
    CLAIMS,
    COMPUTES,
    INSTALLED,
    POD_GROUPS,
    PODS,
    Facts,
    Object,
    count,
    labels_of,
    name_of,
    name_some,
    namespace_of,
)
from azext_amlk8s.diagnosis import group_pods_by_cause
from azext_amlk8s.rules import CheckSpec, NotApplicable, Observation, Problem, Results, Severity, rule

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
STORAGE = "https://learn.microsoft.com/azure/machine-learning/reference-kubernetes"
CLAIM_LABEL, MOUNT_PATH = "ml.azure.com/pvc", "ml.azure.com/mountpath"


@rule(
    "K801",
    Severity.WARNING,
    title="Pods of jobs and deployments",
    requires="No pod in the namespaces of the computes is pending or failing.",
    source=TROUBLES,
    check=CheckSpec("workloads", (PODS, COMPUTES), phase=INSTALLED),
)
def workload_pods(facts: Facts) -> Results:
    """One finding for each cause, however many pods it affects."""
    namespaces = _namespaces(facts)
    pods = [pod for pod in facts[PODS] if namespace_of(pod) in namespaces]
    for group in group_pods_by_cause(pods):
        failure = group.failures[0]
        plural = len(group.subjects) > 1
        message = f"{group.summary} {'are' if plural else 'is'} not running: {failure.text}"
        fix = f"kubectl describe pod -n {failure.namespace or namespaces[0]} {failure.name}"
        yield explained_problem(
            group.explanation,
            group.subjects[0],
            message[0].upper() + message[1:],
            expected="Running or Succeeded",
            found=failure.reason,
            fix=fix,
            related=group.subjects[1:],
        )
    yield Observation(f"{count(len(pods), 'pod')} in {', '.join(namespaces)}")


@rule(
    "K802",
    Severity.WARNING,
    title="Queued jobs",
    requires="No Volcano pod group in the namespaces of the computes is waiting.",
    source=TROUBLES,
    why="The queue has no capacity for the job, or is closed.",
    follows=("K801",),
    check=CheckSpec("workloads", (POD_GROUPS, COMPUTES), phase=INSTALLED),
)
def queued_jobs(facts: Facts) -> Results:
    """The conditions of pod groups say why they are not scheduled."""
    namespaces, groups = _namespaces(facts), facts[POD_GROUPS]
    mine = [group for group in groups if namespace_of(group) in namespaces]
    waiting: dict[str, list[Object]] = {}
    for group in mine:
        status = group.get("status") or {}
        if str(status.get("phase") or "Pending") in ("Pending", "Inqueue"):
            reasons = [str(condition.get("message") or "") for condition in status.get("conditions") or ()]
            waiting.setdefault(reasons[-1] if reasons else "no reason reported", []).append(group)
    for reason, members in waiting.items():
        names = [name_of(member) for member in members]
        verb = "is" if len(names) == 1 else "are"
        message = f"{count(len(names), 'job')} ({name_some(names)}) {verb} queued: {reason}"
        queue = str((members[0].get("spec") or {}).get("queue") or "default")
        fix = f"kubectl describe podgroup -n {namespace_of(members[0])} {names[0]}\nkubectl describe queue {queue}"
        yield Problem(names[0], message, "Running", "queued", fix, tuple(names[1:]))
    yield Observation("none" if not waiting else f"{len(mine)} pod groups")


@rule(
    "K803",
    Severity.WARNING,
    title="Local storage claims",
    requires="Claims for jobs are bound, have a mount path, and are in the namespace of a compute.",
    source=STORAGE,
    why="Jobs do not start, or do not see the volume.",
    check=CheckSpec("workloads", (CLAIMS, COMPUTES), phase=INSTALLED),
)
def local_storage_claims(facts: Facts) -> Results:
    """PersistentVolumeClaims with the label ml.azure.com/pvc."""
    namespaces = _namespaces(facts)
    claims = [claim for claim in facts[CLAIMS] if str(labels_of(claim).get(CLAIM_LABEL) or "").lower() == "true"]
    for claim in claims:
        name, namespace = name_of(claim), namespace_of(claim)
        phase = str((claim.get("status") or {}).get("phase") or "")
        annotations = (claim.get("metadata") or {}).get("annotations") or {}
        if namespace not in namespaces:
            message = f"The claim {name} is in namespace {namespace}; jobs run in {', '.join(namespaces)}."
            yield Problem(
                name, message, ", ".join(namespaces), namespace, "Create the claim in the compute's namespace."
            )
        elif not annotations.get(MOUNT_PATH):
            message = f"The claim {name} in namespace {namespace} has no mount path; jobs do not get the volume."
            fix = f"kubectl annotate pvc -n {namespace} {name} {MOUNT_PATH}=/mnt/{name}"
            yield Problem(name, message, f"annotation {MOUNT_PATH}", "none", fix)
        elif phase != "Bound":
            message = f"The claim {name} in namespace {namespace} is {phase or 'not bound'}; jobs wait for it."
            yield Problem(name, message, "Bound", phase, f"kubectl describe pvc -n {namespace} {name}")
    yield Observation(count(len(claims), "claim"))


def _namespaces(facts: Facts) -> list[str]:
    namespaces = compute_namespaces(facts)
    if not namespaces:
        raise NotApplicable("no compute of a workspace; use --workspace-name")
    return namespaces
