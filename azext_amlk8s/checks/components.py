"""The components of the extension: missing, not ready, restarting, without image, without a node."""

from __future__ import annotations

from collections.abc import Iterable

from azext_amlk8s.checks.component_catalogue import LEFTOVER, is_newer_than_known, newest_known_version
from azext_amlk8s.checks.component_states import (
    MISSING,
    NOT_READY,
    READY,
    RESTARTING,
    Component,
    component_states,
    version_of,
)
from azext_amlk8s.checks.explanations import explained_problem
from azext_amlk8s.checks.facts import (
    CONTROLLERS,
    EVENTS,
    EXTENSIONS,
    INSTALLED,
    NAMESPACE,
    PODS,
    Facts,
    count,
    installed_extension,
    name_some,
)
from azext_amlk8s.diagnosis import PULL_REASONS, Failure, explain_failure, fill_placeholders
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.shell import join

PAGE = "https://learn.microsoft.com/azure/machine-learning/reference-kubernetes"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"

UNSCHEDULED = ("Unschedulable", "FailedScheduling", "SchedulingGated")
COMPONENTS = CheckSpec("components", (EXTENSIONS, CONTROLLERS, PODS), (EVENTS,), INSTALLED, retry=True)
Affected = tuple[Component, Failure]


@rule(
    "K501",
    Severity.ERROR,
    title="Components",
    requires="Every component of the enabled workloads exists.",
    source=PAGE,
    check=COMPONENTS,
)
def components_exist(facts: Facts) -> Results:
    """What is expected depends on the workloads, the settings and the version of the extension."""
    components = _components(facts)
    missing = [one for one in components if one.state == MISSING]
    if missing:
        names = [one.name for one in missing]
        verb = "is" if len(names) == 1 else "are"
        kinds = f"{missing[0].kind} {names[0]}" if len(names) == 1 else f"{count(len(names), 'component')}"
        named = "" if len(names) == 1 else f": {name_some(names, 4)}"
        message = f"{kinds} {verb} missing in namespace {NAMESPACE}{named}."
        name = str(installed_extension(facts).get("name"))
        fix = (
            f"kubectl get deployments,statefulsets,daemonsets -n {NAMESPACE}\n"
            f"az amlk8s extension update {facts.cluster.cli_args} {join(['-n', name])}"
        )
        yield Problem(names[0], message, ", ".join(names), "none", fix, tuple(names[1:]))
    version = version_of(installed_extension(facts))
    if is_newer_than_known(version):
        newest = newest_known_version()
        yield Observation(f"version {version} is newer than {newest}, so the components of {newest} are expected")
    yield Observation(count(len(components) - len(missing), "component"))


@rule(
    "K502",
    Severity.ERROR,
    title="Pod scheduling",
    requires="Every pod of the components is scheduled on a node.",
    source=TROUBLES,
    check=COMPONENTS,
)
def pods_scheduled(facts: Facts) -> Results:
    """One finding for all components that the scheduler rejects for the same reason."""
    yield from _grouped(facts, UNSCHEDULED, "cannot be scheduled")


@rule(
    "K503",
    Severity.ERROR,
    title="Image pull",
    requires="Every image of the components can be pulled.",
    source=TROUBLES,
    check=COMPONENTS,
)
def images_pulled(facts: Facts) -> Results:
    """One finding for all components, since images come from one registry."""
    yield from _grouped(facts, PULL_REASONS, "cannot pull")


@rule(
    "K504",
    Severity.ERROR,
    title="Component readiness",
    requires="Every component is ready.",
    source=TROUBLES,
    follows=("K501", "K502", "K503"),
    check=COMPONENTS,
)
def components_ready(facts: Facts) -> Results:
    """Components that run and are not ready, by cause; unscheduled and unpulled ones follow from K502 and K503."""
    components = _components(facts)
    unready = [one for one in components if one.state in (NOT_READY, MISSING)]
    groups: dict[tuple[object, ...], list[Affected]] = {}
    for one in unready:
        failure = next(
            (failure for failure in one.failures if failure.reason not in (*UNSCHEDULED, *PULL_REASONS)), None
        )
        failure = failure or next(iter(one.failures), Failure("", "", "", ""))
        explanation = explain_failure(failures=(failure,))[0]
        key = (explanation.code, failure.reason) if failure.reason and len(one.failures) else (one.name,)
        groups.setdefault(key, []).append((one, failure))
    for affected in groups.values():
        yield _unready(affected)
    yield Observation(f"{len(components) - len(unready)} of {count(len(components), 'component')} ready")


@rule(
    "K505",
    Severity.WARNING,
    title="Component restarts",
    requires="No component restarts repeatedly.",
    source=TROUBLES,
    check=COMPONENTS,
)
def component_restarts(facts: Facts) -> Results:
    """A component that is ready now and was not a moment ago."""
    for one in _components(facts):
        if one.state == RESTARTING:
            failure = next(iter(one.failures), Failure("Pod", one.name, "", ""))
            where = f" on {', '.join(one.nodes)}" if one.nodes else ""
            reason = f": {failure.text}" if failure.reason else "."
            message = f"{one.name} has restarted {count(one.restarts, 'time')}{where}{reason}"
            yield _explained(failure, message, [one], "0", str(one.restarts))


@rule(
    "K506",
    Severity.INFO,
    title="Components of older versions",
    requires="Components that the installed version does not have are ready or deleted.",
    source=PAGE,
    why="Nothing needs them; they only take capacity.",
    check=CheckSpec("components", (EXTENSIONS, CONTROLLERS, PODS), (EVENTS,), INSTALLED),
)
def leftover_components(facts: Facts) -> Results:
    """For example the CSI drivers of Azure Blob, and fluent-bit, which sidecars replaced in 1.1.17."""
    leftovers = [one for one in _all_components(facts) if one.role == LEFTOVER]
    for one in leftovers:
        if one.state != READY:
            message = f"{one.kind} {one.name} of an older version is not ready; the installed version does not use it."
            yield Problem(one.name, message, found=one.state)
    yield Observation(", ".join(one.name for one in leftovers) or "none")


def _grouped(facts: Facts, reasons: Iterable[str], verb: str) -> Results:
    """One problem for all components with the same cause."""
    groups: dict[tuple[str, str], list[Affected]] = {}
    for one in _components(facts):
        failure = next((failure for failure in one.failures if failure.reason in reasons), None)
        if failure:
            explanation = explain_failure(failures=(failure,))[0]
            key = "image" if verb == "cannot pull" else failure.message
            groups.setdefault((str(explanation.code), key), []).append((one, failure))
    for affected in groups.values():
        components = [one for one, _ in affected]
        failure = affected[0][1]
        objects = "its image" if len(components) == 1 else "their images"
        what = f" {objects}" if verb == "cannot pull" else ""
        reason = failure.message or failure.reason
        message = f"{_subjects(components)} {verb}{what}{_where(affected)}: {reason}"
        ready = f"{sum(one.ready for one in components)} of {sum(one.expected for one in components)} pods ready"
        yield _explained(failure, message, components, "ready", ready)


def _unready(affected: list[Affected]) -> Problem:
    components, failure = [one for one, _ in affected], affected[0][1]
    expected, ready = (sum(getattr(one, name) for one in components) for name in ("expected", "ready"))
    verb = "is" if len(components) == 1 else "are"
    message = f"{_subjects(components)} {verb} not ready ({ready} of {count(expected, 'pod')}){_where(affected)}"
    if not failure.reason:
        first = components[0]
        fix = f"kubectl describe {first.kind.lower()} -n {NAMESPACE} {first.name}"
        names = tuple(one.name for one in components[1:])
        return Problem(first.name, f"{message}.", str(expected), str(ready), fix, names)
    return _explained(failure, f"{message}: {failure.text}", components, str(expected), str(ready))


def _explained(failure: Failure, message: str, components: list[Component], expected: str, found: str) -> Problem:
    explanation = explain_failure(failures=(failure,))[0]
    problem = explained_problem(
        explanation,
        components[0].name,
        message,
        expected=expected,
        found=found,
        fix=f"kubectl describe pod -n {NAMESPACE} {failure.name}",
        related=tuple(one.name for one in components[1:]),
    )
    steps = fill_placeholders(problem.fix, {"pod": failure.name, "namespace": NAMESPACE})
    return Problem(problem.subject, problem.message, expected, found, steps, problem.related)


def _subjects(components: list[Component]) -> str:
    names = [one.name for one in components]
    return names[0] if len(names) == 1 else f"{count(len(names), 'component')} ({name_some(names)})"


def _where(affected: list[Affected]) -> str:
    nodes = list(dict.fromkeys(failure.node for _, failure in affected if failure.node))
    return f" on {name_some(nodes)}" if nodes else ""


def _components(facts: Facts) -> tuple[Component, ...]:
    """The components that the installed version uses."""
    return tuple(one for one in _all_components(facts) if one.role != LEFTOVER)


def _all_components(facts: Facts) -> tuple[Component, ...]:
    installed_extension(facts)
    return component_states(facts)
