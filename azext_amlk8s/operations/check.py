"""az amlk8s check"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import azure_errors, set_exit_code

if TYPE_CHECKING:
    from azext_amlk8s.checks import Check, Facts, Outcome, Place, Result
    from azext_amlk8s.console.check_console import Observer
    from azext_amlk8s.operations.fact_collector import Sources

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0


def check(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    before: bool = False,
    scenario: str | None = None,
    workspace_name: str | None = None,
    workspace_group: str | None = None,
    compute_name: str | None = None,
    only: Sequence[str] | None = None,
    skip: Sequence[str] | None = None,
    wait: float | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
) -> dict[str, Any]:
    """Look at everything, say what is wrong and what mends it; az ends in 1 when there is an error. Writes nothing."""
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.checks import Place, report
    from azext_amlk8s.console.check_console import observer

    if compute_name and not workspace_name:
        raise RequiredArgumentMissingError(
            "A compute is in a workspace, which must be named too.", recommendation="--workspace-name WORKSPACE"
        )
    with azure_errors(), _interruptible():
        arm = AzureClient(cmd.cli_ctx)
        place = Place(
            subscription=arm.subscription_id,
            group=resource_group_name,
            cluster_type=cluster_type,
            cluster=cluster_name,
            before=before,
            scenario=scenario or "",
            workspace=workspace_name or "",
            workspace_group=workspace_group or resource_group_name,
            compute=compute_name or "",
        )
        checks = _chosen(place, only or (), skip or ())
        watcher = observer(cmd, place)
        result, sources = run(arm, place, checks, watcher, kubeconfig, context)
        result, sources = _until_healthy(arm, place, checks, watcher, (result, sources), wait, kubeconfig, context)
    watcher.end(result)
    if not result.healthy:
        set_exit_code(cmd, 1)
    return report(place, result, components_of(place, result, sources))


def run(
    arm: Any,
    place: Place,
    checks: Sequence[Check],
    watcher: Observer,
    kubeconfig: str | None = None,
    context: str | None = None,
    also: Sequence[str] = (),
) -> tuple[Result, Sources]:
    """Ask for what the checks look at, side by side, and judge each as soon as its facts are there.

    also are facts that are asked for beside them.
    """
    from azext_amlk8s.checks import Facts, Result, Unseen, facts_of, judged
    from azext_amlk8s.operations.fact_collector import Sources

    sources = Sources(arm, place, kubeconfig, context)
    outcomes: list[Outcome] = []
    # Checks of the same facts share them, and what is reckoned from them.
    shared: dict[tuple[str, ...], Facts] = {}
    try:
        sources.start((*facts_of(checks), *also))
        for one in checks:
            watcher.begin(one)
            told = {name: sources[name] for name in one.facts}
            missing = {name: told[name] for name in one.needs if isinstance(told[name], Unseen)}
            if missing and isinstance(sources["cluster"], Unseen):
                missing = {"cluster": Unseen("the cluster cannot be read")}
            found = judged(one, shared.setdefault(one.facts, Facts(place, **told)), missing)
            outcomes.append(_filled_in(found, place, told.get("extensions")))
            watcher.note(outcomes[-1])
        sources.wait(also)
    finally:
        sources.close()
    return Result(tuple(outcomes)), sources


def components_of(place: Place, result: Result, sources: Sources) -> Any:
    """The matrix of components, where it was looked at and could be seen."""
    from azext_amlk8s.checks import Facts, Status, matrix

    if not any(one.check.category == "components" and one.status is not Status.SKIPPED for one in result.outcomes):
        return ()
    names = ("extensions", "controllers", "pods", "events")
    facts = Facts(place, **{name: sources[name] for name in names})
    return matrix(facts)


def _until_healthy(
    arm: Any,
    place: Place,
    checks: Sequence[Check],
    watcher: Observer,
    now: tuple[Result, Sources],
    minutes: float | None,
    kubeconfig: str | None,
    context: str | None,
) -> tuple[Result, Sources]:
    """Again and again until there is no error, none that waiting could mend, or no time left."""
    deadline, pause = time.monotonic() + (minutes or 0) * 60, FIRST_PAUSE_SECONDS
    while not now[0].healthy and now[0].waits_help and time.monotonic() < deadline:
        pause = min(pause, max(deadline - time.monotonic(), 0))
        watcher.pause(now[0], pause)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        now = run(arm, place, checks, watcher, kubeconfig, context)
    return now


def _chosen(place: Place, only: Sequence[str], skip: Sequence[str]) -> tuple[Check, ...]:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.checks import CATEGORIES, UnknownWord, chosen

    try:
        checks = chosen(place, only, skip)
    except UnknownWord as unknown:
        option = "--only" if unknown.word in only else "--skip"
        near = unknown.nearest or CATEGORIES[0].id
        raise InvalidArgumentValueError(
            f"{unknown.word} is neither a check nor a category; categories are "
            f"{', '.join(one.id for one in CATEGORIES)}.",
            recommendation=f"{option} {near}",
        ) from unknown
    if not checks:
        asked = " ".join([*(f"--only {word}" for word in only), *(f"--skip {word}" for word in skip)])
        why = "" if place.workspace else "; those of the compute need --workspace-name"
        raise InvalidArgumentValueError(f"No check is left by {asked}{why}.", recommendation="--only cluster")
    return checks


def _filled_in(outcome: Outcome, place: Place, extensions: Any) -> Outcome:
    """The same, with the names that are known in the place of placeholders in what is to be pasted."""
    from azext_amlk8s.checks import ours, seen
    from azext_amlk8s.operations.failure_context import fill_placeholders

    extension = str((ours(seen(extensions) or ()) or {}).get("name") or "")
    known = {"GROUP": place.group, "TYPE": place.cluster_type, "CLUSTER": place.cluster, "WORKSPACE": place.workspace}
    own = {"extension NAME": extension, "compute NAME": place.compute}
    return replace(
        outcome,
        findings=tuple(replace(one, fix=fill_placeholders(one.fix, known, own)) for one in outcome.findings),
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    from azure.cli.core.azclierror import ManualInterrupt

    try:
        yield
    except KeyboardInterrupt:
        raise ManualInterrupt("The check was interrupted; nothing was changed.") from None
