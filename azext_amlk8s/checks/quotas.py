"""What the quotas of azureml and of the computes' namespaces leave: pods, requests, limits and counts of objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from azext_amlk8s.checks.component_catalogue import REQUIRED
from azext_amlk8s.checks.component_states import expected_components
from azext_amlk8s.checks.compute import compute_namespaces
from azext_amlk8s.checks.facts import (
    ALWAYS,
    BEFORE,
    COMPUTES,
    EXTENSIONS,
    INSTANCE_TYPES,
    LIMIT_RANGES,
    NAMESPACE,
    QUOTAS,
    Facts,
    Object,
    name_of,
    name_some,
    namespace_of,
)
from azext_amlk8s.checks.footprint import ROUTERS, footprint
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.scheduling.amounts import amounts, format_amount, thousandths

QUOTA_PAGE = "https://kubernetes.io/docs/concepts/policy/resource-quotas/"
WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
# Objects of which the extension creates at least one.
ALWAYS_CREATED = ("services", "secrets", "configmaps")


@rule(
    "K318",
    Severity.ERROR,
    title="Quota of namespace azureml",
    requires="A quota in namespace azureml allows the pods of the extension, its other objects, and what they request.",
    source=QUOTA_PAGE,
    why="A quota rejects pods before they exist, so no pod shows the reason.",
    check=CheckSpec("cluster", (QUOTAS,), (EXTENSIONS,), BEFORE),
)
def namespace_quota(facts: Facts) -> Results:
    """Every resource of which the extension's needs are known; limits are at least as large as requests."""
    quotas = [quota for quota in facts[QUOTAS] if namespace_of(quota) == NAMESPACE]
    needs = _needs(facts) if quotas else {}
    for quota in quotas:
        name = name_of(quota)
        fix = f"kubectl edit resourcequota {name} -n {NAMESPACE}"
        for key, hard, used in _resources(quota):
            needed = needs.get(key, 0)
            if hard - used < needed:
                left, wanted = _amount(key, hard - used), _amount(key, needed)
                verb = "are created" if _is_count(key) else "is requested"
                noun = key.removeprefix("count/")
                message = f"The quota {name} of namespace {NAMESPACE} has {left} of {key} left; the extension's pods "
                message += f"request {wanted}."
                if _is_count(key):
                    allows = f"allows {_amount(key, hard)} {noun}" if not used else f"has {left} {noun} left"
                    message = f"The quota {name} of namespace {NAMESPACE} {allows}; at least {wanted} {verb}."
                yield Problem(name, message, wanted, f"{key}={left}", fix)
    yield Observation("large enough" if quotas else "none")


@rule(
    "K321",
    Severity.WARNING,
    title="Quotas of the computes' namespaces",
    requires="The quotas of namespaces in which jobs run leave enough for a job on each instance type.",
    source=QUOTA_PAGE,
    why="Pods of jobs and deployments are rejected.",
    check=CheckSpec("cluster", (QUOTAS,), (COMPUTES, INSTANCE_TYPES, LIMIT_RANGES), ALWAYS),
)
def compute_quotas(facts: Facts) -> Results:
    """What is used up, and what is too little for an instance type, or not stated by it."""
    namespaces = compute_namespaces(facts)
    for quota in (quota for quota in facts[QUOTAS] if namespace_of(quota) in namespaces):
        name, namespace = name_of(quota), namespace_of(quota)
        fix = f"kubectl describe quota {name} -n {namespace}"
        full = [key for key, hard, used in _resources(quota) if used * 100 >= hard * 99]
        if full:
            verb = "is" if len(full) == 1 else "are"
            message = f"The quota {name} of namespace {namespace} is exhausted: {', '.join(full)} {verb} used up."
            yield Problem(name, message, "capacity left", ", ".join(full), fix)
        has_defaults = any(namespace_of(limit_range) == namespace for limit_range in facts.get(LIMIT_RANGES) or ())
        for key, hard, used in _resources(quota):
            if key in full or _is_count(key):
                continue
            wanted = {
                name_of(instance_type): _wanted(instance_type, key) for instance_type in facts.get(INSTANCE_TYPES) or ()
            }
            large = [kind for kind, amount in wanted.items() if amount and amount > hard - used]
            silent = [kind for kind, amount in wanted.items() if amount is None and not has_defaults]
            if large:
                left = _amount(key, hard - used)
                message = (
                    f"The quota {name} of namespace {namespace} has {left} of {key} left; a job on "
                    f"{_types(large)} needs more."
                )
                yield Problem(name, message, "enough for a job", f"{key}={left}", fix, tuple(large))
            if silent and key.rpartition(".")[2] in ("cpu", "memory"):
                message = (
                    f"The quota {name} of namespace {namespace} counts {key}, which {_types(silent)} does not state; "
                    "pods are rejected with: must specify."
                )
                fix_type = f"State {key} in the instance type, or add a LimitRange with defaults to {namespace}."
                yield Problem(name, message, key, "not stated", fix_type, tuple(silent))
    yield Observation(", ".join(namespaces) or "no computes")


def _needs(facts: Facts) -> dict[str, int]:
    """What an installation needs of each resource of quotas, in thousandths; a lower bound."""
    settings = settings_of(facts)
    components = [
        component for component in expected_components(settings, facts.cluster.type) if component["role"] == REQUIRED
    ]
    kinds = Counter(str(component["kind"]) for component in components)
    request = footprint(settings, ROUTERS)
    counts = {"pods": len(components), **{f"count/{plural}.apps": kinds[kind] for kind, plural in WORKLOADS.items()}}
    counts |= dict.fromkeys(ALWAYS_CREATED, 1)
    if settings.is_enabled("enableInference"):
        service = settings.get("inferenceRouterServiceType")
        counts["services.loadbalancers"] = int(service == "loadBalancer")
        counts["services.nodeports"] = int(service in ("loadBalancer", "nodePort"))
    needs = {key: number * 1000 for key, number in counts.items()}
    needs |= {f"count/{key}": needs[key] for key in ("pods", *ALWAYS_CREATED)}
    for resource in ("cpu", "memory"):
        needs |= {f"{prefix}{resource}": int(getattr(request, resource)) for prefix in ("", "requests.", "limits.")}
    return needs


def _wanted(instance_type: Object, key: str) -> int | None:
    """What one pod on an instance type takes of a resource of a quota; None where the type does not state it."""
    part, _, resource = key.partition(".")
    if part not in ("requests", "limits"):
        part, resource = "requests", key
    resources = (instance_type.get("spec") or {}).get("resources") or {}
    limits = amounts(resources.get("limits"), up=True)
    stated = limits if part == "limits" else {**limits, **amounts(resources.get("requests"), up=True)}
    return stated.get(resource)


def _resources(quota: Object) -> Iterator[tuple[str, int, int]]:
    """Key, limit and use of every resource of a quota, in thousandths."""
    hard: Mapping[str, object] = (quota.get("spec") or {}).get("hard") or {}
    used: Mapping[str, object] = (quota.get("status") or {}).get("used") or {}
    for key, value in hard.items():
        if value is not None:
            yield key, thousandths(value), thousandths(used.get(key, 0))


def _is_count(key: str) -> bool:
    return key.startswith(("count/", "services.")) or key in ("pods", *ALWAYS_CREATED)


def _amount(key: str, value: int) -> str:
    return str(value // 1000) if _is_count(key) else format_amount(key.rpartition(".")[2] or key, value)


def _types(names: list[str]) -> str:
    return f"instance type{'' if len(names) == 1 else 's'} {name_some(names)}"
