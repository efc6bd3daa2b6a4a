"""The result of a run as the object that the command returns, and as the sentence that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from azext_amlk8s.checks.catalogue import CATEGORIES
from azext_amlk8s.checks.component_states import Component
from azext_amlk8s.checks.facts import CheckTarget, count
from azext_amlk8s.checks.model import Outcome, Result, Status
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.rules import Finding


def build_report(target: CheckTarget, result: Result, components: Iterable[Component] = ()) -> dict[str, Any]:
    """The report: a summary, the checks by category, all findings with the errors first, and the components."""
    return {
        "summary": {
            "cluster": target.cluster.name,
            "clusterType": target.cluster.type,
            "resourceGroup": target.cluster.resource_group,
            "mode": "before" if target.before else "installed",
            "verdict": verdict(target, result),
            "healthy": result.healthy,
            "passed": len(result.of(Status.PASSED)),
            "warnings": len(result.of(Status.WARNING)),
            "errors": len(result.of(Status.FAILED)),
            "skipped": len(result.of(Status.SKIPPED)),
        },
        "categories": [
            {"id": category.id, "title": category.title, "checks": [check_view(outcome) for outcome in outcomes]}
            for category in CATEGORIES
            if (outcomes := [outcome for outcome in result.outcomes if outcome.check.spec.category == category.id])
        ],
        "findings": [finding_view(finding) for finding in result.findings],
        "components": [component_view(component) for component in components],
    }


def verdict(target: CheckTarget, result: Result) -> str:
    """The last line."""
    problems = ((Status.FAILED, "error"), (Status.WARNING, "warning"))
    counts = [count(number, noun) for status, noun in problems if (number := len(result.of(status)))]
    skipped = len(result.of(Status.SKIPPED))
    state = {
        (True, True): "is ready for the installation",
        (True, False): "is not ready for the installation",
        (False, True): "is healthy",
        (False, False): "is not healthy",
    }[target.before, result.healthy]
    ending = " and ".join(counts) or f"{count(len(result.of(Status.PASSED)), 'check')} passed"
    return f"{target.cluster.name} {state}: {ending}{f', {skipped} skipped' if skipped else ''}."


def check_view(outcome: Outcome) -> dict[str, Any]:
    """A check as it is returned."""
    check = outcome.check
    return {
        "id": check.id,
        "title": check.title,
        "severity": "fatal" if check.fatal else "warning",
        "retry": check.spec.retry,
        "status": outcome.status.value,
        "note": outcome.note or None,
        "findings": [finding_view(finding) for finding in outcome.findings],
    }


def finding_view(finding: Finding) -> dict[str, str]:
    """A finding as it is returned."""
    return {key: getattr(value, "value", value) for key, value in vars(finding).items() if key != "related"}


def component_view(component: Component) -> dict[str, Any]:
    """A component as it is returned."""
    return {
        "name": component.name,
        "kind": component.kind,
        "role": component.role,
        "state": component.state,
        "wanted": component.expected,
        "ready": component.ready,
        "restarts": component.restarts,
        "nodes": list(component.nodes),
        "reasons": [redact_text(failure.text) for failure in component.failures],
    }
