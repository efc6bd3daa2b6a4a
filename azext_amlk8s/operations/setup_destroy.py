"""az amlk8s destroy"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import confirm
from azext_amlk8s.console.quiet import quiet_thread
from azext_amlk8s.operations.fleet_runner import FleetRunner
from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.operations.setup_apply import (
    describe_clusters,
    describe_outcome,
    has_failed,
    not_started,
    report_outcomes,
)
from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
from azext_amlk8s.operations.setup_plan import DEFAULT_PARALLEL
from azext_amlk8s.refs import ComputeRef
from azext_amlk8s.setup_files import OWNER_TAG, ClusterSetup
from azext_amlk8s.setup_files.outcomes import FAILED, SUCCEEDED, UNCHANGED, Outcome, outcomes_object
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

KEEP, DETACH, DELETE = "keep", "detach", "delete"
DESTROY_SECONDS = 3600


def destroy(
    cmd: AzCliCommand,
    file: Sequence[str],
    on_remove: str | None = None,
    delete_dependencies: bool = False,
    max_parallel: int = DEFAULT_PARALLEL,
    operation_timeout: int = DESTROY_SECONDS,
    yes: bool = False,
) -> dict[str, Any]:
    """Detach the computes that the setups of files created, and delete the extensions where on_remove says so.

    on_remove overrides that of the files. A compute without the tag of its setup is kept, and so is the extension below
    it. Returns how each cluster ended; the exit code is 1 for a failure.
    """
    clients = Clients(cmd, planning=False)
    _, clusters = load_clusters(cmd, texts(file), clients)
    wanted = [cluster for cluster in clusters if (on_remove or cluster.on_remove) != KEEP]
    if wanted:
        _confirm(cmd, wanted, on_remove, yes)

    def work(one: ClusterSetup) -> Outcome:
        remover = _Remover(cmd, clients, one, on_remove or one.on_remove, delete_dependencies, operation_timeout)
        return remover.run(quiet=len(wanted) > 1)

    resume = f"az amlk8s destroy {join(['-f', *file])}"
    runner = FleetRunner(cmd, len(wanted), work, has_failed, describe_outcome, resume)
    done = {one.cluster.id: one for one in runner.run(wanted, min(max_parallel, len(wanted)), None)} if wanted else {}
    result = outcomes_object(
        done.get(cluster.cluster.id) or _without_work(cluster, cluster in wanted) for cluster in clusters
    )
    report_outcomes(cmd, result)
    return result


def _confirm(cmd: AzCliCommand, clusters: Sequence[ClusterSetup], on_remove: str | None, yes: bool) -> None:
    target = describe_clusters(clusters)
    deletes = any((on_remove or cluster.on_remove) == DELETE for cluster in clusters)
    what = "Detach the computes and delete the extensions" if deletes else "Detach the computes"
    confirm(cmd, f"{what} of {target}? Jobs and endpoints on them end. Continue?", yes, refusal="Nothing was changed")


def _without_work(one: ClusterSetup, was_wanted: bool) -> Outcome:
    if was_wanted:
        return not_started(one)
    return Outcome(one.setup, one.cluster, UNCHANGED, "Kept: on_remove is keep.")


class _Remover:
    """Removes what a setup created from one cluster: first the compute, then the extension."""

    def __init__(
        self,
        cmd: AzCliCommand,
        clients: Clients,
        one: ClusterSetup,
        on_remove: str,
        delete_dependencies: bool,
        timeout: int,
    ) -> None:
        self._cmd, self._clients, self._one, self._timeout = cmd, clients, one, timeout
        self._deletes, self._delete_dependencies = on_remove == DELETE, delete_dependencies
        self._done: list[str] = []

    def run(self, *, quiet: bool) -> Outcome:
        """How the cluster ended; nothing is raised."""
        from contextlib import ExitStack

        from azext_amlk8s.operations.boundary import as_az_error, error_texts

        one, begin, message, fix = self._one, time.monotonic(), "", ""
        with ExitStack() as stack:
            if quiet:
                stack.enter_context(quiet_thread())
            try:
                kept = self._remove()
                status = SUCCEEDED if self._done else UNCHANGED
                message = kept
            except Exception as raised:  # pylint: disable=broad-exception-caught
                status = FAILED
                message, fix = error_texts(as_az_error(raised, ""))
        return Outcome(one.setup, one.cluster, status, message, fix, tuple(self._done), (), time.monotonic() - begin)

    def _remove(self) -> str:
        """A sentence about what was kept, or nothing."""
        one = self._one
        if one.workspace and one.compute_name and not self._detach():
            return f"Kept: compute '{one.compute_name}' was not created by setup '{one.setup}'."
        if self._deletes and one.extension is not None:
            self._delete_extension()
        return ""

    def _detach(self) -> bool:
        """Detach the compute; False where it belongs to somebody else. One that does not exist is no error."""
        from azext_amlk8s.operations.compute import detach_compute
        from azext_amlk8s.operations.compute_errors import read_compute
        from azext_amlk8s.operations.waiting import Deadline

        one = self._one
        assert one.workspace is not None
        client, ref = self._clients.of(one.workspace.subscription), ComputeRef(one.workspace, one.compute_name)
        compute = read_compute(client, ref)
        if compute is None:
            return True
        if (compute.get("tags") or {}).get(OWNER_TAG) != one.setup:
            return False
        detach_compute(self._cmd, client, ref, Deadline(self._timeout), yes=True)
        self._done.append(f"compute '{ref.name}'")
        return True

    def _delete_extension(self) -> None:
        from azext_amlk8s.operations.extension_common import find_extension_of_cluster, read_cluster
        from azext_amlk8s.operations.extension_delete import delete_extension

        one, client = self._one, self._clients.of(self._one.cluster.subscription)
        name = (one.extension or {}).get("name")
        existing = find_extension_of_cluster(read_cluster(client, one.cluster)[1], one.cluster, name)
        if existing is None:
            return
        name = str(existing["name"])
        delete_extension(
            self._cmd, client, one.cluster, name, delete_dependencies=self._delete_dependencies,
            timeout=self._timeout, yes=True,
        )  # fmt: skip
        self._done.append(f"extension '{name}'")
