"""What the cluster's admission would reject: webhooks without a service, and the answers of dry runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from azext_amlk8s.checks.facts import (
    ALWAYS,
    BEFORE,
    DRY_RUNS,
    NAMESPACE,
    SERVICES,
    WEBHOOKS,
    DryRun,
    Facts,
    Object,
    count,
    name_of,
    name_some,
    namespace_of,
)
from azext_amlk8s.diagnosis import explain, fill_placeholders
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.values import mapping, mappings, sequence

WEBHOOK_PAGE = "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/"
DRY_RUN_PAGE = "https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"
RESOURCES = {
    "*",
    "*/*",
    "pods",
    "deployments",
    "daemonsets",
    "statefulsets",
    "jobs",
    "services",
    "secrets",
    "configmaps",
}
PLURALS = {
    "ValidatingWebhookConfiguration": "validatingwebhookconfiguration",
    "MutatingWebhookConfiguration": "mutatingwebhookconfiguration",
}


@rule(
    "K325",
    Severity.ERROR,
    title="Admission webhooks",
    requires="The service of every admission webhook exists.",
    source=WEBHOOK_PAGE,
    why="The API server rejects every object that such a webhook covers: failed calling webhook.",
    check=CheckSpec("cluster", (WEBHOOKS, SERVICES), phase=ALWAYS),
)
def webhook_services(facts: Facts) -> Results:
    """A webhook that may be ignored (failurePolicy Ignore) only delays requests."""
    services = {(namespace_of(obj), name_of(obj)) for obj in facts[SERVICES]}
    for configuration in facts[WEBHOOKS]:
        stale = [webhook for webhook in configuration.get("webhooks") or () if _lacks_service(webhook, services)]
        if not stale:
            continue
        fatal = any(str(webhook.get("failurePolicy") or "Fail") == "Fail" and _covers(webhook) for webhook in stale)
        service = stale[0]["clientConfig"]["service"]
        name, where = name_of(configuration), f"{service.get('namespace')}/{service.get('name')}"
        effect = "objects that it covers cannot be created" if fatal else "requests that it covers are delayed"
        message = f"The webhook {name} calls the service {where}, which does not exist; {effect}."
        kind = PLURALS.get(str(configuration.get("kind")), "validatingwebhookconfiguration")
        fix = f"Install what provides {where} again, or delete the configuration:\nkubectl delete {kind} {name}"
        severity = Severity.ERROR if fatal else Severity.WARNING
        yield Problem(name, message, f"service {where}", "none", fix, severity=severity)
    yield Observation(count(len(facts[WEBHOOKS]), "configuration"))


@rule(
    "K326",
    Severity.ERROR,
    title="Server-side dry run",
    requires="The API server admits the namespace azureml and pods like those of the extension and of jobs.",
    source=DRY_RUN_PAGE,
    why="Policies, quotas, LimitRanges, Pod Security and webhooks of the cluster reject what does not meet them.",
    follows_any=("K311", "K325"),
    check=CheckSpec("cluster", (DRY_RUNS,), phase=BEFORE),
)
def server_side_dry_run(facts: Facts) -> Results:
    """Nothing is stored; the answers are those that the installation would get."""
    runs = facts[DRY_RUNS]
    groups: dict[tuple[str, str], list[DryRun]] = {}
    for run in runs:
        if run.rejection:
            groups.setdefault((run.namespace, _kind(run.rejection)), []).append(run)
    for (namespace, _), rejected in groups.items():
        names = [run.subject for run in rejected]
        verb = "is" if len(names) == 1 else "are"
        message = f"{name_some(names)} {verb} rejected in namespace {namespace}: {rejected[0].rejection}"
        explanation = explain(rejected[0].rejection)[0]
        steps = "\n".join(explanation.fix) if explanation.known else ""
        fix = fill_placeholders(steps, {"namespace": namespace}) or _exemption(namespace)
        yield Problem(names[0], message, "admitted", "rejected", fix, tuple(names[1:]))
    unknown = [run for run in runs if run.unknown]
    if unknown:
        yield Observation(f"{count(len(unknown), 'object')} without a verdict: {unknown[0].unknown}")
    admitted = sum(not run.rejection and not run.unknown for run in runs)
    yield Observation(f"{count(admitted, 'object')} admitted")


def _exemption(namespace: str) -> str:
    return f"Exempt the namespace {namespace} from this policy, or change the policy."


def _kind(rejection: str) -> str:
    """What is the same in the rejections of several objects: the text before the first name in quotes."""
    return rejection.partition('"')[0] + rejection.partition("denied the request")[0][-60:]


def _lacks_service(webhook: Object, services: set[tuple[str, str]]) -> bool:
    service: Any = (webhook.get("clientConfig") or {}).get("service")
    return bool(service) and (str(service.get("namespace")), str(service.get("name"))) not in services


def _covers(webhook: Object) -> bool:
    """Whether a webhook covers objects of the extension, as far as its rules and the name of the namespace tell."""
    selector = mapping(webhook.get("namespaceSelector"))
    for expression in mappings(selector.get("matchExpressions")):
        values = [str(value) for value in sequence(expression.get("values"))]
        is_excluded = (expression.get("operator") == "NotIn") == (NAMESPACE in values)
        if expression.get("key") == "kubernetes.io/metadata.name" and is_excluded:
            return False
    return bool(RESOURCES & set(_resources(webhook)))


def _resources(webhook: Object) -> Iterator[str]:
    for webhook_rule in mappings(webhook.get("rules")):
        yield from (str(resource) for resource in sequence(webhook_rule.get("resources")))
