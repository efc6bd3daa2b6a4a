"""NetworkPolicies that cut off the pods of the extension or of jobs."""

from __future__ import annotations

from azext_amlk8s.checks.compute import compute_namespaces
from azext_amlk8s.checks.facts import (
    ALWAYS,
    COMPUTES,
    NAMESPACE,
    NETWORK_POLICIES,
    Facts,
    Object,
    name_of,
    name_some,
    namespace_of,
)
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule

SOURCE = "https://learn.microsoft.com/azure/machine-learning/how-to-access-azureml-behind-firewall"
# The type of a policy, what it decides about, and what else must be possible in its direction.
DIRECTIONS = {
    "Egress": ("outgoing", "DNS, the API server, the other components and the hosts of Azure"),
    "Ingress": ("incoming", "the other components and, for webhooks, the API server"),
}


@rule(
    "K329",
    Severity.WARNING,
    title="Network policies",
    requires="NetworkPolicies let the pods in azureml and in the computes' namespaces reach each other and Azure.",
    source=SOURCE,
    why="Components do not start, jobs are not received, and routers do not reach deployments.",
    check=CheckSpec("cluster", (NETWORK_POLICIES,), (COMPUTES,), ALWAYS),
)
def network_policies(facts: Facts) -> Results:
    """Policies add up: all connections are denied where one selects every pod and none of the namespace allows any."""
    relevant = {*compute_namespaces(facts), *([] if facts.target.is_attachment else [NAMESPACE])}
    policies = [policy for policy in facts[NETWORK_POLICIES] if namespace_of(policy) in relevant]
    for namespace in sorted(relevant):
        own = [policy for policy in policies if namespace_of(policy) == namespace]
        for direction, (word, needed) in DIRECTIONS.items():
            deciding = [policy for policy in own if direction in _types(policy)]
            denying = [name_of(policy) for policy in deciding if _selects_all(policy)]
            if not denying or any((policy.get("spec") or {}).get(direction.lower()) for policy in deciding):
                continue
            noun = "NetworkPolicy" if len(denying) == 1 else "NetworkPolicies"
            verb = "denies" if len(denying) == 1 else "deny"
            message = (
                f"{noun} {name_some(denying)} of namespace {namespace} {verb} all {word} connections of its pods; they "
                f"need {needed}."
            )
            fix = f"kubectl describe networkpolicy {denying[0]} -n {namespace}"
            yield Problem(denying[0], message, f"allowed {word} connections", "none", fix, (namespace,))
    yield Observation(f"{len(policies)} in {name_some(sorted(relevant))}")


def _types(policy: Object) -> list[str]:
    """The directions that a policy decides about; without policyTypes, Egress only where it has rules for it."""
    spec = policy.get("spec") or {}
    return list(spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])])


def _selects_all(policy: Object) -> bool:
    selector = (policy.get("spec") or {}).get("podSelector") or {}
    return not (selector.get("matchLabels") or selector.get("matchExpressions"))
