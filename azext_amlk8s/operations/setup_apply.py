"""az amlk8s apply"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm, set_exit_code
from azext_amlk8s.console.reports import count
from azext_amlk8s.operations.fleet_runner import FleetRunner
from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.operations.saved_plan import (
    is_saved_plan,
    raise_if_files_changed,
    raise_if_plan_changed,
    read_saved_plan,
)
from azext_amlk8s.operations.setup_applying import ClusterApplier
from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
from azext_amlk8s.operations.setup_pending import pending_manifest, pending_parts, write_manifests
from azext_amlk8s.operations.setup_plan import DEFAULT_PARALLEL, DEPLOYMENT
from azext_amlk8s.operations.setup_planning import plan_clusters
from azext_amlk8s.printable import printable
from azext_amlk8s.rules import Severity
from azext_amlk8s.setup_files import ClusterSetup, Setup, waves_of
from azext_amlk8s.setup_files.outcomes import (
    BLOCKED,
    FAILED,
    GOOD,
    INTERRUPTED,
    NOT_STARTED,
    PENDING,
    UNCHANGED,
    Outcome,
    as_junit,
    failed_clusters,
    outcomes_object,
)
from azext_amlk8s.setup_files.plan import UNKNOWN as UNKNOWN_ACTION
from azext_amlk8s.setup_files.plan import ClusterPlan, plan_object
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.instance_types.documents import Text
    from azext_amlk8s.operations.deployment_engine import DeploymentEngine

APPLY_SECONDS = 3600
# For so long what the checks of a plan found is taken to hold, so that they are not repeated.
CHECKED_SECONDS = 600
Item = tuple[ClusterSetup, ClusterPlan]


def apply(
    cmd: AzCliCommand,
    file: Sequence[str] | None = None,
    plan: str | None = None,
    max_parallel: int | None = None,
    max_failures: int | None = None,
    send_secrets: bool = False,
    prune_namespaces: bool = False,
    report: str | None = None,
    only_failed: str | None = None,
    pending_dir: str | None = None,
    operation_timeout: int = APPLY_SECONDS,
    yes: bool = False,
    engine: str | None = None,
) -> dict[str, Any]:
    """Plan, ask once, and apply the changes to each cluster. Returns how each ended; the exit code is 1 for a failure.

    The live state decides what is done, so that the same command continues after anything that stopped it.
    """
    if not plan and file and len(file) == 1 and is_saved_plan(file[0]):
        plan, file = file[0], None
    saved = read_saved_plan(plan) if plan else None
    arguments = ["--plan", plan] if plan else ["-f", *(file or ())]
    if engine:
        arguments += ["--engine", engine]
    return apply_documents(
        cmd,
        _documents(file, saved),
        f"az amlk8s apply {join(arguments)}",
        saved=saved,
        max_parallel=max_parallel,
        max_failures=max_failures,
        send_secrets=send_secrets,
        prune_namespaces=prune_namespaces,
        report=report,
        only=_read_report(only_failed) if only_failed else None,
        pending_dir=pending_dir,
        operation_timeout=operation_timeout,
        yes=yes,
        engine=engine,
    )


def apply_documents(
    cmd: AzCliCommand,
    documents: Sequence[Text],
    resume: str,
    *,
    saved: Mapping[str, Any] | None = None,
    max_parallel: int | None = None,
    max_failures: int | None = None,
    send_secrets: bool = False,
    prune_namespaces: bool = False,
    report: str | None = None,
    only: set[str] | None = None,
    pending_dir: str | None = None,
    operation_timeout: int = APPLY_SECONDS,
    yes: bool = False,
    engine: str | None = None,
) -> dict[str, Any]:
    """What `apply` does with the texts of setup files; resume is the command that continues it.

    saved is a plan that must still hold; only are the IDs of the clusters to apply, in lower case.
    """
    from azure.cli.core.azclierror import AzCLIError

    if saved:
        raise_if_files_changed(saved)
    if report:
        check_writable(report)
    clients = Clients(cmd, planning=True)
    setups, clusters = load_clusters(cmd, documents, clients, with_former=True)
    if only is not None:
        clusters = _only(clusters, only)
    plans = plan_clusters(
        cmd,
        clusters,
        clients,
        max_parallel or DEFAULT_PARALLEL,
        send_secrets=send_secrets,
        prune_namespaces=prune_namespaces,
    )
    if saved:
        raise_if_plan_changed(saved, plan_object(plans))
    run = _Run(cmd, setups, max_parallel, max_failures, send_secrets, operation_timeout, resume, clients)
    items = list(zip(clusters, plans, strict=True))
    startable = [item for item in items if _is_startable(item[1])]
    _print_plan(cmd, plans)
    if startable:
        target = describe_clusters([cluster for cluster, _ in startable])
        confirm(cmd, f"Apply the changes to {target}?", yes, refusal="Nothing was changed")
    if engine == DEPLOYMENT:
        run.use_deployments(clients)
    outcomes = {
        cluster_setup.cluster.id: run.without_start(cluster_setup, plan)
        for cluster_setup, plan in items
        if not _is_startable(plan)
    }
    try:
        run.apply(startable)
    except (AzCLIError, KeyboardInterrupt):
        # Stopped by Ctrl-C, or out of touch with Azure: the report says how far it came.
        if report:
            outcomes |= run.outcomes(stopped=True)
            _write_report(
                report,
                outcomes_object(
                    outcomes.get(cluster_setup.cluster.id) or not_started(cluster_setup) for cluster_setup in clusters
                ),
            )
        raise
    outcomes |= run.outcomes()
    every = [outcomes.get(cluster_setup.cluster.id) or not_started(cluster_setup) for cluster_setup in clusters]
    result = outcomes_object(write_manifests(every, pending_dir))
    if report:
        _write_report(report, result)
    report_outcomes(cmd, result)
    return result


class _Run:
    """Applies wave after wave, the setups one after the other."""

    def __init__(
        self,
        cmd: AzCliCommand,
        setups: Sequence[Setup],
        max_parallel: int | None,
        max_failures: int | None,
        send_secrets: bool,
        timeout: int,
        resume: str,
        planning: Clients,
    ) -> None:
        self._cmd, self._setups, self._resume = cmd, setups, resume
        self._parallel, self._failures = max_parallel, max_failures
        self._send_secrets, self._timeout = send_secrets, timeout
        self._clients = Clients(cmd, planning=False, before=planning)
        self._planned = time.monotonic()
        self._engine: DeploymentEngine | None = None
        self._started: list[ClusterSetup] = []
        self._outcomes: list[Outcome] = []

    def use_deployments(self, planning: Clients) -> None:
        """Let Resource Manager install the extensions, wave by wave."""
        from azext_amlk8s.operations.deployment_engine import DeploymentEngine

        self._engine = DeploymentEngine(self._cmd, planning, self._clients, self._resume, self._timeout)

    def without_start(self, cluster_setup: ClusterSetup, plan: ClusterPlan) -> Outcome:
        """The outcome of a cluster that is not started: nothing to change, blocked, or unreadable."""
        errors = [finding for finding in plan.findings if finding.severity is Severity.ERROR]
        message = "\n".join(f"{finding.message}  [{finding.id}]" for finding in errors)
        fix = "\n".join(dict.fromkeys(finding.fix for finding in errors if finding.fix))
        pending = pending_parts(plan)
        if plan.action == "blocked":
            return Outcome(plan.setup, plan.cluster, BLOCKED, message, fix, pending=pending)
        if not pending:
            return Outcome(plan.setup, plan.cluster, UNCHANGED)
        manifest = pending_manifest(cluster_setup, plan, self._clients.of(cluster_setup.cluster.subscription))
        return Outcome(plan.setup, plan.cluster, PENDING, pending=pending, manifest=manifest)

    def outcomes(self, *, stopped: bool = False) -> dict[str, Outcome]:
        """How the clusters that were started ended, by ID; with stopped also those that have not ended."""
        begun = self._started if stopped else []
        running = {cluster_setup.cluster.id: interrupted(cluster_setup) for cluster_setup in begun}
        return running | {outcome.cluster.id: outcome for outcome in self._outcomes}

    def apply(self, items: Sequence[Item]) -> None:
        """Apply the changes to the clusters. Raises ManualInterrupt for a second Ctrl-C."""
        quiet = len(items) > 1

        def work(item: Item) -> Outcome:
            cluster_setup, plan = item
            runner.enter("starting")
            checked = time.monotonic() - self._planned < CHECKED_SECONDS
            engine = self._engine if self._engine and self._engine.has_deployed(cluster_setup) else None
            self._started.append(cluster_setup)
            outcome = ClusterApplier(
                self._cmd,
                self._clients,
                cluster_setup,
                plan,
                send_secrets=self._send_secrets,
                timeout=self._timeout,
                quiet=quiet,
                checked=checked,
                deployed=engine.verify if engine else None,
                on_stage=runner.enter,
            ).run()
            outcome = replace(outcome, seconds=outcome.seconds + engine.seconds(cluster_setup)) if engine else outcome
            self._outcomes.append(outcome)
            return outcome

        runner = FleetRunner(self._cmd, len(items), work, has_failed, describe_outcome, self._resume)
        pause = 0
        for setup in self._setups:
            waves = waves_of(setup)
            for number, wave in enumerate(waves):
                members = [item for item in items if item[0].setup == setup.name and item[0].wave == number]
                if not members or runner.stopped:
                    continue
                runner.pause(pause)
                if len(waves) > 1:
                    runner.announce(f"{wave.title(number + 1, len(waves))}: {count(len(members), 'cluster')}")
                parallel = self._parallel or wave.max_parallel or DEFAULT_PARALLEL
                limit = self._failures if self._failures is not None else wave.failure_limit(len(members))
                if self._engine:
                    self._started += [cluster_setup for cluster_setup, _ in members]
                    self._engine.deploy(setup.name, number, members)
                runner.run(members, min(parallel, len(members)), limit)
                pause = wave.pause_seconds


def has_failed(outcome: Outcome) -> bool:
    """Whether it counts as a failure."""
    return outcome.status == FAILED


def describe_outcome(outcome: Outcome) -> str:
    """The outcome on one line, with the beginning of its message: what happened, and the cause below it."""
    first = " ".join(line.strip() for line in outcome.message.splitlines()[:2])
    text = f": {first}" if first else ""
    return f"{outcome.cluster.name}: {outcome.status}, {outcome.seconds:.0f}s{text}"


def _is_startable(plan: ClusterPlan) -> bool:
    """Whether apply can change the cluster: a change is planned and nothing that comes first is unknown."""
    unknown = {resource.kind for resource in plan.resources if resource.action == UNKNOWN_ACTION}
    return plan.changes and not unknown & {"extension", "compute"}


def describe_clusters(clusters: Sequence[ClusterSetup]) -> str:
    """One cluster by its name, several by their number."""
    return f"cluster '{clusters[0].cluster.name}'" if len(clusters) == 1 else f"{len(clusters)} clusters"


def not_started(cluster_setup: ClusterSetup) -> Outcome:
    """The outcome of a cluster that was not reached."""
    return Outcome(
        cluster_setup.setup, cluster_setup.cluster, NOT_STARTED, "Not started, because the command stopped before."
    )


def interrupted(cluster_setup: ClusterSetup) -> Outcome:
    """The outcome of a cluster that was started when the command was stopped."""
    message = "The command was stopped before this cluster had ended. What was started continues in Azure."
    return Outcome(cluster_setup.setup, cluster_setup.cluster, INTERRUPTED, message)


def _documents(file: Sequence[str] | None, saved: Mapping[str, Any] | None) -> list[Text]:
    from azext_amlk8s.instance_types.documents import Text

    if bool(file) == bool(saved):
        raise az_error(
            "RequiredArgumentMissingError", "Specify either --file or --plan.", ["az amlk8s apply -f azureml.yaml"]
        )
    if saved:
        return [Text(str(each["source"]), str(each["text"])) for each in saved["files"]]
    return texts(file or ())


def _only(clusters: Sequence[ClusterSetup], only: set[str]) -> list[ClusterSetup]:
    """The clusters of a report that are to be applied again. Raises ValidationError where the files have none."""
    chosen = [cluster for cluster in clusters if cluster.cluster.id.lower() in only]
    if only and not chosen:
        message = "None of the clusters of the report that did not succeed is in the files."
        raise az_error("ValidationError", message, ["Use the report of an apply with the same files."])
    return chosen


def _read_report(path: str) -> set[str]:
    try:
        return failed_clusters(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise az_error("FileOperationError", f"Cannot read the report '{path}': {reason}.") from error


def check_writable(path: str) -> None:
    """Raise FileOperationError, before anything is changed, for a path that no file can be written to."""
    target = Path(path).expanduser()
    if target.is_dir() or not target.parent.is_dir():
        reason = "it is a folder" if target.is_dir() else f"folder '{target.parent}' not found"
        raise az_error("FileOperationError", f"Cannot write the report '{path}': {reason}.", ["--report report.xml"])


def _write_report(path: str, result: Mapping[str, Any]) -> None:
    """Write a report: JUnit for .xml, else JSON. Raises FileOperationError."""
    text = as_junit(result) if path.lower().endswith(".xml") else json.dumps(result, indent=1) + "\n"
    try:
        Path(path).expanduser().write_text(text, encoding="utf-8")
    except OSError as error:
        raise az_error("FileOperationError", f"Cannot write the report '{path}': {error.strerror}.") from error


def _print_plan(cmd: AzCliCommand, plans: Sequence[ClusterPlan]) -> None:
    from azext_amlk8s.console.setup_reports import plan_lines

    if not getattr(cmd.cli_ctx, "only_show_errors", False):
        print(printable("\n".join(plan_lines(plan_object(plans)))), file=sys.stderr, flush=True)


def report_outcomes(cmd: AzCliCommand, result: Mapping[str, Any]) -> None:
    """Log the failures, those with the same cause together, and let az end in 1 where there is one."""
    from knack.log import get_logger

    from azext_amlk8s.console.setup_reports import failure_texts

    log = get_logger(__name__)
    texts_of_failures = failure_texts([cluster for cluster in result["clusters"] if cluster["status"] not in GOOD])
    for text in texts_of_failures:
        log.warning("%s", text)
    if texts_of_failures:
        set_exit_code(cmd, 1)
