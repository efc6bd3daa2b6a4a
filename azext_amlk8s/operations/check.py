"""az amlk8s check"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import set_exit_code
from azext_amlk8s.rules import Unavailable

if TYPE_CHECKING:
    from knack.util import CLIError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.checks import Check, CheckTarget, Component, Outcome, Result, UnknownCheck
    from azext_amlk8s.checks.facts import Object, PoolProbe
    from azext_amlk8s.console.check_console import Observer
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.fact_collector import FactCollector
    from azext_amlk8s.rules import Fact

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0


def check(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None = None,
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
    probe: bool = False,
    probe_image: str | None = None,
    leftovers: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Report every problem with its fix; az exits with 1 when there is an error. Without a probe, writes nothing."""
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.checks import CheckTarget, build_report
    from azext_amlk8s.console.check_console import make_observer
    from azext_amlk8s.operations.resource_lookup import named_workspace, open_named_cluster

    if compute_name and not workspace_name:
        raise RequiredArgumentMissingError(
            f"--compute-name '{compute_name}' requires the workspace of the compute.",
            recommendation="Add --workspace-name with the name of the workspace.",
        )
    client, cluster, resource = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
    workspace = None
    if workspace_name:
        workspace = named_workspace(client.subscription_id, workspace_group or resource_group_name, workspace_name)
    target = CheckTarget(
        cluster,
        workspace,
        compute_name or "",
        before=before,
        scenario=scenario or "",
        kubeconfig=kubeconfig or "",
        context=context or "",
        caller=signed_in_account(cmd.cli_ctx),
        probe=probe,
        leftovers=leftovers,
    )
    if leftovers and not only:
        only = ("leftovers",)
    checks = _select(target, only or (), skip or ())
    probes: dict[Fact[Any], Any] = {}
    if any(check.spec.category == "probe" for check in checks):
        probes = probe_node_pools(cmd, client, target, probe_image, yes)
    observer = make_observer(cmd, target)
    result, collector = _check_until_healthy(client, target, checks, observer, probes, resource, (wait or 0) * 60)
    observer.end(result)
    if not result.healthy:
        set_exit_code(cmd, 1)
    return build_report(target, result, find_components(result, collector))


def _check_until_healthy(
    client: AzureClient,
    target: CheckTarget,
    checks: Sequence[Check],
    observer: Observer,
    probes: Mapping[Fact[Any], Any],
    cluster: Object | None,
    seconds: float,
) -> tuple[Result, FactCollector]:
    """The first result, or the last one within the seconds while there are problems that may pass by themselves.

    The facts of the probe are kept; cluster was read a moment ago and is read again from the second time on.
    """
    from azext_amlk8s.checks.facts import CLUSTER

    known = {**probes, CLUSTER: cluster} if cluster else probes
    result, collector = run_checks(client, target, checks, observer, known=known)
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE_SECONDS
    while not result.healthy and result.may_recover and time.monotonic() < deadline:
        pause = min(pause, max(deadline - time.monotonic(), 0))
        observer.pause(result, pause)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        result, collector = run_checks(client, target, checks, observer, known=probes)
    return result, collector


def probe_node_pools(
    cmd: Any, client: AzureClient, target: CheckTarget, image: str | None, yes: bool
) -> dict[Fact[Any], Any]:
    """The facts of a probe, after the user has agreed to it; why there are none where the cluster cannot be reached."""
    from azext_amlk8s.checks.facts import CLOUD, CLUSTER, EXTENSIONS, NODES, PROBES, WORKSPACE
    from azext_amlk8s.checks.probe import hosts_to_test
    from azext_amlk8s.console.errors import az_error, confirm
    from azext_amlk8s.console.progress import ProgressLine
    from azext_amlk8s.knowledge import load
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable
    from azext_amlk8s.operations.fact_collector import FactCollector
    from azext_amlk8s.operations.probe import run_probe

    facts = (CLOUD, CLUSTER, EXTENSIONS, WORKSPACE)
    collector = FactCollector(client, target)
    try:
        collector.start((*facts, NODES))
        connection, nodes = collector.connection, collector[NODES]
        hosts = hosts_to_test(collector.facts(facts))
    finally:
        collector.close()
    if isinstance(connection, Unavailable):
        return {PROBES: connection}
    if isinstance(nodes, Unavailable):
        return {PROBES: nodes}
    confirm(
        cmd,
        f"Start a pod on each node pool of '{target.cluster.name}', in a namespace that is deleted afterwards?",
        yes,
        refusal="Not probed",
    )
    line = ProgressLine(cmd, f"Probing {target.cluster.name}")
    image = image or f"{client.cloud.images}/{load('checks')['probe']['image']}"
    try:
        probes = run_probe(connection, nodes, hosts, image, line.show)
        return {PROBES: (*probes, *_pools_without_nodes(collector.get(CLUSTER), probes))}
    except (ClusterRefused, ClusterUnreachable) as error:
        return {PROBES: Unavailable(str(error))}
    except KeyboardInterrupt:
        line.clear()
        raise az_error("ManualInterrupt", "Probe stopped. What it created has been deleted.", []) from None
    finally:
        line.clear()


def _pools_without_nodes(cluster: Object | None, probes: Sequence[PoolProbe]) -> list[PoolProbe]:
    """The agent pools of AKS on which nothing could be started, because they have no nodes now."""
    from azext_amlk8s.checks.facts import PoolProbe, properties_of

    probed = {probe.pool for probe in probes}
    names = [
        str(agent_pool_profile.get("name"))
        for agent_pool_profile in properties_of(cluster).get("agentPoolProfiles") or ()
    ]
    return [PoolProbe(name, "skipped", "it has no nodes") for name in names if name not in probed]


def run_checks(
    client: AzureClient,
    target: CheckTarget,
    checks: Sequence[Check],
    observer: Observer,
    extra: Sequence[Fact[Any]] = (),
    known: Mapping[Fact[Any], Any] | None = None,
) -> tuple[Result, FactCollector]:
    """Collect what the checks look at, and evaluate each as soon as its facts are available.

    extra are facts that are collected beside them; known are those that the caller has read already.
    """
    from azext_amlk8s.checks import Facts, Result, evaluate, facts_of
    from azext_amlk8s.operations.fact_collector import FactCollector
    from azext_amlk8s.rules import Finding

    collector = FactCollector(client, target, known)
    outcomes: list[Outcome] = []
    findings: list[Finding] = []
    # Checks of the same facts share them, and what is computed from them.
    shared: dict[tuple[Fact[Any], ...], Facts] = {}
    try:
        collector.start((*facts_of(checks), *extra))
        for selected in checks:
            observer.begin(selected)
            if selected.facts not in shared:
                shared[selected.facts] = collector.facts(selected.facts)
            outcome = _with_complete_fixes(evaluate(selected, shared[selected.facts], findings), collector)
            findings += outcome.findings
            outcomes.append(outcome)
            observer.note(outcome)
        collector.wait(extra)
    finally:
        collector.close()
    return Result(tuple(outcomes)), collector


def run_fatal_checks(
    client: AzureClient, target: CheckTarget, operation: str = "create", skip: Sequence[str] = ()
) -> tuple[Result, Cluster | None]:
    """The outcomes of every fatal check that applies before `create`, `update` or `attach`.

    Those inside the cluster are skipped where it cannot be reached; otherwise the connection that an installation is
    followed with is returned too. skip are
    the words of --skip-checks: ids or categories, all of them known. Give target the settings of the request.
    """
    from azext_amlk8s.checks import Result, facts_of, select_fatal_checks
    from azext_amlk8s.checks.facts import IN_CLUSTER, KUBERNETES
    from azext_amlk8s.console.check_console import Observer

    checks = select_fatal_checks(target, operation, skip)
    if not checks:
        return Result(()), None
    follows_pods = operation != "attach" and set(facts_of(checks)) & set(IN_CLUSTER)
    access: tuple[Fact[str], ...] = (KUBERNETES,) if follows_pods else ()
    target = replace(target, before=operation == "create")
    result, collector = run_checks(client, target, checks, Observer(), access)
    if not access or isinstance(collector[KUBERNETES], Unavailable):
        return result, None
    connection = collector.connection
    return result, None if isinstance(connection, Unavailable) else connection


def find_components(result: Result, collector: FactCollector) -> tuple[Component, ...]:
    """The components with their states, where they were checked and could be read."""
    from azext_amlk8s.checks import component_states
    from azext_amlk8s.checks.facts import CONTROLLERS, EVENTS, EXTENSIONS, PODS, find_extension

    if not any(outcome.check.spec.category == "components" for outcome in result.outcomes):
        return ()
    needed = (collector.get(EXTENSIONS), collector.get(CONTROLLERS), collector.get(PODS))
    if any(fact is None for fact in needed) or find_extension(collector.get(EXTENSIONS) or ()) is None:
        return ()
    return component_states(collector.facts((EXTENSIONS, CONTROLLERS, PODS, EVENTS)))


def signed_in_account(cli_ctx: Any) -> str:
    """The user name or application ID of the signed-in account, or nothing."""
    from azure.cli.core._profile import Profile
    from knack.util import CLIError

    try:
        return str(Profile(cli_ctx=cli_ctx).get_current_account_user())
    except (CLIError, KeyError, TypeError):
        return ""


def _select(target: CheckTarget, only: Sequence[str], skip: Sequence[str]) -> tuple[Check, ...]:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.checks import UnknownCheck, missing_option, select_checks

    try:
        checks = select_checks(target, only, skip)
    except UnknownCheck as unknown:
        raise _unknown_check(unknown, "--only" if unknown.word in only else "--skip") from unknown
    if not checks:
        options = " ".join([*(f"--only {word}" for word in only), *(f"--skip {word}" for word in skip)])
        subject, option = missing_option(target, only) or ("", "")
        reason = f"; {subject} require {option}" if option else ""
        raise InvalidArgumentValueError(
            f"No check matches {options}{reason}.",
            recommendation=f"Add {option}." if option else "--only cluster",
        )
    return checks


def require_known_checks(skip: Sequence[str] | None, others: Sequence[str] = ()) -> None:
    """Raise InvalidArgumentValueError for a word of --skip-checks that is no check, no category and none of others."""
    from azext_amlk8s.checks import UnknownCheck, require_known

    try:
        require_known(skip or (), others)
    except UnknownCheck as unknown:
        raise _unknown_check(unknown, "--skip-checks") from unknown


def _unknown_check(unknown: UnknownCheck, option: str) -> CLIError:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.checks import CATEGORIES

    categories = ", ".join(category.id for category in CATEGORIES)
    error: CLIError = InvalidArgumentValueError(
        f"Unknown check or category '{unknown.word}'; categories are {categories}."
        + (f" Did you mean '{unknown.nearest}'?" if unknown.nearest else ""),
        recommendation=f"{option} {unknown.nearest}" if unknown.nearest else "az amlk8s explain --list -o table",
    )
    return error


def _with_complete_fixes(outcome: Outcome, collector: FactCollector) -> Outcome:
    """The outcome with fixes that name the cluster and, where it is known, the extension."""
    from azext_amlk8s.checks import complete_fix, find_extension
    from azext_amlk8s.checks.facts import EXTENSIONS

    if not outcome.findings:
        return outcome
    name = ""
    if EXTENSIONS in outcome.check.facts:
        name = str((find_extension(collector.get(EXTENSIONS) or ()) or {}).get("name") or "")
    findings = tuple(complete_fix(finding, collector.target, name) for finding in outcome.findings)
    return replace(outcome, findings=findings)
