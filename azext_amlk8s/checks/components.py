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
from azext_amlk8s.settings.releases import running_version
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
    missing = [component for component in components if component.state == MISSING]
    if missing:
        names = [component.name for component in missing]
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
    version = running_version(installed_extension(facts))
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
    unready = [component for component in components if component.state in (NOT_READY, MISSING)]
    groups: dict[tuple[object, ...], list[Affected]] = {}
    for component in unready:
        failure = next(
            (failure for failure in component.failures if failure.reason not in (*UNSCHEDULED, *PULL_REASONS)), None
        )
        failure = failure or next(iter(component.failures), Failure("", "", "", ""))
        explanation = explain_failure(failures=(failure,))[0]
        key = (explanation.code, failure.reason) if failure.reason and len(component.failures) else (component.name,)
        groups.setdefault(key, []).append((component, failure))
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
    for component in _components(facts):
        if component.state == RESTARTING:
            failure = next(iter(component.failures), Failure("Pod", component.name, "", ""))
            where = f" on {', '.join(component.nodes)}" if component.nodes else ""
            reason = f": {failure.text}" if failure.reason else "."
            message = f"{component.name} has restarted {count(component.restarts, 'time')}{where}{reason}"
            yield _explained(failure, message, [component], "0", str(component.restarts))


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
    leftovers = [component for component in _all_components(facts) if component.role == LEFTOVER]
    for leftover in leftovers:
        if leftover.state != READY:
            subject = f"{leftover.kind} {leftover.name}"
            message = f"{subject} of an older version is not ready; the installed version does not use it."
            yield Problem(leftover.name, message, found=leftover.state)
    yield Observation(", ".join(leftover.name for leftover in leftovers) or "none")


def _grouped(facts: Facts, reasons: Iterable[str], verb: str) -> Results:
    """One problem for all components with the same cause."""
    groups: dict[tuple[str, str], list[Affected]] = {}
    for component in _components(facts):
        failure = next((failure for failure in component.failures if failure.reason in reasons), None)
        if failure:
            explanation = explain_failure(failures=(failure,))[0]
            key = "image" if verb == "cannot pull" else failure.message
            groups.setdefault((str(explanation.code), key), []).append((component, failure))
    for affected in groups.values():
        components = [component for component, _ in affected]
        failure = affected[0][1]
        objects = "its image" if len(components) == 1 else "their images"
        what = f" {objects}" if verb == "cannot pull" else ""
        reason = failure.message or failure.reason
        message = f"{_subjects(components)} {verb}{what}{_where(affected)}: {reason}"
        ready, expected = (sum(getattr(component, key) for component in components) for key in ("ready", "expected"))
        yield _explained(failure, message, components, "ready", f"{ready} of {expected} pods ready")


def _unready(affected: list[Affected]) -> Problem:
    components, failure = [component for component, _ in affected], affected[0][1]
    expected, ready = (sum(getattr(component, name) for component in components) for name in ("expected", "ready"))
    verb = "is" if len(components) == 1 else "are"
    message = f"{_subjects(components)} {verb} not ready ({ready} of {count(expected, 'pod')}){_where(affected)}"
    if not failure.reason:
        first = components[0]
        fix = f"kubectl describe {first.kind.lower()} -n {NAMESPACE} {first.name}"
        names = tuple(component.name for component in components[1:])
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
        related=tuple(component.name for component in components[1:]),
    )
    steps = fill_placeholders(problem.fix, {"pod": failure.name, "namespace": NAMESPACE})
    return Problem(problem.subject, problem.message, expected, found, steps, problem.related)


def _subjects(components: list[Component]) -> str:
    names = [component.name for component in components]
    return names[0] if len(names) == 1 else f"{count(len(names), 'component')} ({name_some(names)})"


def _where(affected: list[Affected]) -> str:
    nodes = list(dict.fromkeys(failure.node for _, failure in affected if failure.node))
    return f" on {name_some(nodes)}" if nodes else ""


def _components(facts: Facts) -> tuple[Component, ...]:
    """The components that the installed version uses."""
    return tuple(component for component in _all_components(facts) if component.role != LEFTOVER)


def _all_components(facts: Facts) -> tuple[Component, ...]:
    installed_extension(facts)
    return component_states(facts)
