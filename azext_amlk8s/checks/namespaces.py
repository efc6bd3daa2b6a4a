"""What restricts pods in the namespace azureml and in the namespaces of computes."""

from __future__ import annotations

from azext_amlk8s.checks.compute import compute_namespaces
from azext_amlk8s.checks.facts import (
    ALWAYS,
    COMPUTES,
    EXTENSIONS,
    INSTANCE_TYPES,
    LIMIT_RANGES,
    NAMESPACE,
    NAMESPACES,
    Facts,
    Object,
    labels_of,
    name_of,
    namespace_of,
)
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.rules import CheckSpec, Problem, Results, Severity, rule
from azext_amlk8s.scheduling.amounts import format_amount, thousandths

LIMITS_PAGE = "https://kubernetes.io/docs/concepts/policy/limit-range/"
SECURITY_PAGE = "https://kubernetes.io/docs/concepts/security/pod-security-admission/"
MESH_PAGE = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
ENFORCE = "pod-security.kubernetes.io/enforce"
# Labels and annotations by which service meshes inject a sidecar into every pod of a namespace.
INJECTION = {
    "istio-injection": ("enabled",),
    "istio.io/rev": None,
    "linkerd.io/inject": ("enabled", "ingress"),
    "kuma.io/sidecar-injection": ("enabled", "true"),
    "openservicemesh.io/sidecar-injection": ("enabled",),
    "consul.hashicorp.com/connect-inject": ("true",),
}
# The largest container of the extension: the inference router, and what every other fits into.
LARGEST = {"inference": {"cpu": 900, "memory": 800 * 1024**2 * 1000}, "training": {"cpu": 100, "memory": 0}}


@rule(
    "K322",
    Severity.WARNING,
    title="LimitRanges",
    requires="LimitRanges of azureml and of the computes' namespaces allow the containers that are created there.",
    source=LIMITS_PAGE,
    why="Pods are rejected with: maximum cpu usage per Container is ...",
    check=CheckSpec("cluster", (LIMIT_RANGES,), (COMPUTES, INSTANCE_TYPES, EXTENSIONS), ALWAYS),
)
def limit_ranges(facts: Facts) -> Results:
    """The router in azureml, and the limits of each instance type in the namespaces of computes."""
    namespaces, types = compute_namespaces(facts), facts.get(INSTANCE_TYPES) or ()
    workload = "inference" if settings_of(facts).is_enabled("enableInference") else "training"
    for limit_range in facts[LIMIT_RANGES]:
        name, namespace = name_of(limit_range), namespace_of(limit_range)
        wanted = []
        if namespace == NAMESPACE and not facts.target.is_attachment:
            wanted.append(("the extension's largest container", LARGEST[workload]))
        if namespace in namespaces:
            wanted += [(f"instance type {name_of(kind)}", _limits(kind)) for kind in types]
        for resource, maximum in _maximums(limit_range).items():
            above = [subject for subject, amounts in wanted if amounts.get(resource, 0) > maximum]
            if above:
                shown = format_amount(resource, maximum)
                message = (
                    f"The LimitRange {name} of namespace {namespace} allows at most {shown} {resource} for a "
                    f"container; more is requested by {', '.join(above)}."
                )
                yield Problem(
                    name, message, "a larger maximum", shown, f"kubectl edit limitrange {name} -n {namespace}"
                )


@rule(
    "K323",
    Severity.WARNING,
    title="Pod Security",
    requires="Pod Security of azureml and of the computes' namespaces is not restricted.",
    source=SECURITY_PAGE,
    why="Pods without a restricted security context are rejected.",
    check=CheckSpec("cluster", (NAMESPACES,), (COMPUTES,), ALWAYS),
)
def pod_security(facts: Facts) -> Results:
    """The label that enforces a level on a namespace."""
    for namespace in _relevant(facts):
        level = str(labels_of(namespace).get(ENFORCE) or "")
        if level == "restricted":
            name = name_of(namespace)
            message = f"Namespace {name} enforces Pod Security level 'restricted'; pods created there are rejected."
            yield Problem(name, message, "baseline or privileged", level, f"kubectl label namespace {name} {ENFORCE}-")


@rule(
    "K324",
    Severity.WARNING,
    title="Sidecar injection",
    requires="No service mesh injects sidecars into azureml or the computes' namespaces.",
    source=MESH_PAGE,
    why="Jobs do not complete while a sidecar is running, and the router is cut off from deployments.",
    check=CheckSpec("cluster", (NAMESPACES,), (COMPUTES,), ALWAYS),
)
def sidecar_injection(facts: Facts) -> Results:
    """By labels or annotations of the namespace."""
    for namespace in _relevant(facts):
        marks = {**labels_of(namespace), **((namespace.get("metadata") or {}).get("annotations") or {})}
        for key, values in INJECTION.items():
            value = str(marks.get(key) or "")
            if value and (values is None or value.lower() in values):
                name = name_of(namespace)
                kind = "label" if key in labels_of(namespace) else "annotate"
                message = f"A service mesh injects sidecars into namespace {name} ({key}={value})."
                yield Problem(
                    name, message, "no injection", f"{key}={value}", f"kubectl {kind} namespace {name} {key}-"
                )


def _relevant(facts: Facts) -> list[Object]:
    names = set(compute_namespaces(facts))
    if not facts.target.is_attachment:
        names.add(NAMESPACE)
    return [namespace for namespace in facts[NAMESPACES] if name_of(namespace) in names]


def _maximums(limit_range: Object) -> dict[str, int]:
    limits = (limit_range.get("spec") or {}).get("limits") or ()
    found: dict[str, int] = {}
    for limit in limits:
        if limit.get("type") in ("Container", "Pod"):
            for resource, value in (limit.get("max") or {}).items():
                found[resource] = min(found.get(resource, thousandths(value)), thousandths(value))
    return found


def _limits(instance_type: Object) -> dict[str, int]:
    resources = (instance_type.get("spec") or {}).get("resources") or {}
    return {key: thousandths(value, True) for key, value in (resources.get("limits") or {}).items()}
