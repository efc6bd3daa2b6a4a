"""What came of a run as the object that the command returns, and as the sentence that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from azext_amlk8s.checks.catalogue import CATEGORIES
from azext_amlk8s.checks.facts import Place
from azext_amlk8s.checks.matrix import Component
from azext_amlk8s.checks.model import Outcome, Result, Status
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.rules import Finding


def report(place: Place, result: Result, components: Iterable[Component] = ()) -> dict[str, Any]:
    """The report: a summary, the checks by category, all findings with the errors first, and the components."""
    return {
        "summary": {
            "cluster": place.cluster,
            "clusterType": place.cluster_type,
            "resourceGroup": place.group,
            "mode": "before" if place.before else "installed",
            "verdict": verdict(place, result),
            "healthy": result.healthy,
            "passed": len(result.of(Status.PASSED)),
            "warnings": len(result.of(Status.WARNED)),
            "errors": len(result.of(Status.FAILED)),
            "skipped": len(result.of(Status.SKIPPED)),
        },
        "categories": [
            {"id": one.id, "title": one.title, "checks": [check_view(found) for found in told]}
            for one in CATEGORIES
            if (told := [found for found in result.outcomes if found.check.category == one.id])
        ],
        "findings": [finding_view(one) for one in result.findings],
        "components": [component_view(one) for one in components],
    }


def verdict(place: Place, result: Result) -> str:
    """The last line."""
    told = [
        _counted(len(result.of(status)), word)
        for status, word in ((Status.FAILED, "error"), (Status.WARNED, "warning"))
    ]
    found = " and ".join(one for one in told if one)
    skipped = len(result.of(Status.SKIPPED))
    left = f" {_counted(skipped, 'check')} could not be made." if skipped else ""
    state = {
        (True, True): "is ready for the installation",
        (True, False): "is not ready for the installation",
        (False, True): "is healthy",
        (False, False): "is not healthy",
    }[place.before, result.healthy]
    end = f": {found}." if found else f": {_counted(len(result.of(Status.PASSED)), 'check')} passed."
    return f"{place.cluster} {state}{end}{left}"


def check_view(one: Outcome) -> dict[str, Any]:
    """A check as it is returned."""
    return {
        "id": one.check.id,
        "what": one.check.rule.what,
        "severity": "fatal" if one.check.fatal else "warning",
        "retry": one.check.retry,
        "status": one.status.value,
        "note": one.note or None,
        "findings": [finding_view(found) for found in one.findings],
    }


def finding_view(one: Finding) -> dict[str, str]:
    """A finding as it is returned."""
    return {key: getattr(value, "value", value) for key, value in vars(one).items() if key != "related"}


def component_view(one: Component) -> dict[str, Any]:
    """A component as it is returned."""
    return {
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "wanted": one.wanted,
        "ready": one.ready,
        "restarts": one.restarts,
        "nodes": list(one.nodes),
        "reasons": [redact_text(trouble.text) for trouble in one.troubles],
    }


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""
