"""The components of the extension: missing, not ready, restarting, without image, without a node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from azext_amlk8s.checks.explained import explained
from azext_amlk8s.checks.facts import Facts, installed
from azext_amlk8s.checks.matrix import MISSING, NOT_READY, RESTARTING, Component, matrix
from azext_amlk8s.checks.model import Check, When
from azext_amlk8s.diagnosis import Failure, explain_failure
from azext_amlk8s.diagnosis.health_report import NAMESPACE
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

PAGE = "https://learn.microsoft.com/azure/machine-learning/reference-kubernetes"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"

K501 = Rule("K501", Severity.ERROR, "Every component of the scenario is there.", PAGE)
K502 = Rule("K502", Severity.ERROR, "Every pod of the components has found a node.", TROUBLES)
K503 = Rule("K503", Severity.ERROR, "Every image of the components has been pulled.", TROUBLES)
K504 = Rule("K504", Severity.ERROR, "Every component is ready.", TROUBLES)
K505 = Rule("K505", Severity.WARNING, "No component restarts again and again.", TROUBLES)
K506 = Rule("K506", Severity.INFO, "Components that newer versions do without may be there.", PAGE)

UNPLACED = ("Unschedulable", "FailedScheduling", "SchedulingGated")
IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "RegistryUnavailable", "ErrImageNeverPull")
NEEDS = ("extensions", "controllers", "pods")


def missing(facts: Facts) -> Iterator[Finding]:
    """Seed page, Appendix I."""
    for one in _all(facts):
        if one.state == MISSING and not one.outdated:
            message = f"The {one.kind} {one.name} is missing in namespace {NAMESPACE}."
            fix = f"kubectl get {one.kind.lower()} -n {NAMESPACE}   # then: az amlk8s extension update {_words(facts)}"
            yield K501.finding(one.name, message, required=one.kind, found="none", fix=fix)


def outdated(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 3d: the drivers of blobs went with the common runtime in May 2022."""
    for one in _all(facts):
        if one.state == MISSING and one.outdated:
            message = f"The {one.kind} {one.name} is missing; versions since May 2022 do without it."
            yield K506.finding(one.name, message, found="none")


def unplaced(facts: Facts) -> Iterator[Finding]:
    """The scheduler's own words."""
    return _of_pods(facts, K502, UNPLACED, "has no node")


def unpulled(facts: Facts) -> Iterator[Finding]:
    """The kubelet's own words, with the node that it speaks for."""
    return _of_pods(facts, K503, IMAGE, "has no image")


def unready(facts: Facts) -> Iterator[Finding]:
    """What is not ready for another reason, or for none that is told."""
    for one in _all(facts):
        if one.state != NOT_READY:
            continue
        rest = [trouble for trouble in one.troubles if trouble.reason not in (*UNPLACED, *IMAGE)]
        if len(rest) < len(one.troubles) and not rest:
            continue
        count = f"{one.ready} of {one.wanted} pods are ready"
        if not rest:
            fix = f"kubectl describe {one.kind.lower()} -n {NAMESPACE} {one.name}"
            yield K504.finding(
                one.name, f"Of {one.name} {count}.", required=str(one.wanted), found=str(one.ready), fix=fix
            )
            continue
        trouble = rest[0]
        message = f"Of {one.name} {count}{_where(trouble)}: {trouble.text}"
        yield _told(K504, one, trouble, message, str(one.wanted), str(one.ready))


def restarting(facts: Facts) -> Iterator[Finding]:
    """A component that is ready now and was not a moment ago."""
    for one in _all(facts):
        if one.state == RESTARTING:
            where = f" on {', '.join(one.nodes)}" if one.nodes else ""
            message = f"{one.name} has restarted {one.restarts} times{where}."
            trouble = next(iter(one.troubles), Failure("Pod", one.name, "", ""))
            if trouble.reason:
                message = f"{message[:-1]}: {trouble.text}"
            yield _told(K505, one, trouble, message, "0", str(one.restarts))


def _of_pods(facts: Facts, rule: Rule, reasons: tuple[str, ...], what: str) -> Iterator[Finding]:
    """One finding for each component and reason, however many of its pods it befalls."""
    for one in _all(facts):
        found = [trouble for trouble in one.troubles if trouble.reason in reasons]
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            message = f"{found[0].name}{more} {what}{_where(found[0])}: {found[0].message or found[0].reason}"
            yield _told(rule, one, found[0], message, str(one.wanted), str(one.ready))


def _told(rule: Rule, one: Component, trouble: Failure, message: str, required: str, found: str) -> Finding:
    told = explain_failure(failures=(trouble,))[0]
    fix = f"kubectl describe pod -n {NAMESPACE} {trouble.name}"
    finding = explained(rule, told, one.name, message, required=required, found=found, fix=fix)
    return replace(finding, fix=finding.fix.replace("POD", trouble.name).replace("NAMESPACE", NAMESPACE))


def _where(trouble: Failure) -> str:
    return f" on {trouble.node}" if trouble.node else ""


def _all(facts: Facts) -> tuple[Component, ...]:
    installed(facts)
    return matrix(facts)


def _words(facts: Facts) -> str:
    return f"{facts.place.words} -n {installed(facts).get('name')}"


CHECKS = tuple(
    Check(rule, "components", judge, NEEDS, ("events",), When.INSTALLED, retry=rule is not K506)
    for rule, judge in (
        (K501, missing),
        (K502, unplaced),
        (K503, unpulled),
        (K504, unready),
        (K505, restarting),
        (K506, outdated),
    )
)
