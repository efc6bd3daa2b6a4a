"""az amlk8s destroy"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm, confirm_name
from azext_amlk8s.console.quiet import quiet_thread
from azext_amlk8s.operations.cluster_backup import read_backup, save_backup
from azext_amlk8s.operations.fleet_runner import FleetRunner
from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.operations.leftover_removal import not_examined
from azext_amlk8s.operations.setup_apply import (
    describe_clusters,
    describe_outcome,
    has_failed,
    not_started,
    report_outcomes,
)
from azext_amlk8s.operations.setup_destroy_survey import (
    MOST_WORKLOADS,
    Survey,
    describe_removals,
    raise_for_workloads,
    survey_clusters,
)
from azext_amlk8s.operations.setup_inputs import Clients, load_clusters
from azext_amlk8s.operations.setup_ownership import Ownership
from azext_amlk8s.operations.setup_plan import DEFAULT_PARALLEL
from azext_amlk8s.operations.setup_removing import delete_instance_type, delete_namespace
from azext_amlk8s.refs import ComputeRef, ExtensionRef
from azext_amlk8s.setup_files import OWNER_TAG, ClusterSetup
from azext_amlk8s.setup_files.outcomes import FAILED, PENDING, SUCCEEDED, UNCHANGED, Outcome, outcomes_object
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.kubernetes import Cluster

KEEP, DETACH, DELETE = "keep", "detach", "delete"
DESTROY_SECONDS = 3600


def destroy(
    cmd: AzCliCommand,
    file: Sequence[str],
    on_remove: str | None = None,
    delete_dependencies: bool = False,
    prune_namespaces: bool = False,
    stop_workloads: bool = False,
    max_parallel: int = DEFAULT_PARALLEL,
    operation_timeout: int = DESTROY_SECONDS,
    yes: bool = False,
) -> dict[str, Any]:
    """Detach the computes that the setups of files created, and delete the extensions where on_remove says so.

    on_remove overrides that of the files. A compute without the tag of its setup is kept, and so is the extension below
    it. Endpoints and jobs stop it unless stop_workloads is set. Returns how each cluster ended; the exit code is 1 for
    a failure.
    """
    clients = Clients(cmd, planning=False)
    _, clusters = load_clusters(cmd, texts(file), clients, with_former=True)
    wanted = [cluster for cluster in clusters if (on_remove or cluster.on_remove) != KEEP]
    resume = f"az amlk8s destroy {join(['-f', *file, *(['--on-remove', on_remove] if on_remove else [])])}"
    if wanted:
        deletes = [(on_remove or cluster.on_remove) == DELETE for cluster in wanted]
        surveys = survey_clusters(clients, wanted, deletes=deletes, parallel=max_parallel)
        if not stop_workloads:
            raise_for_workloads(surveys, f"{resume} --stop-workloads")
        _confirm(cmd, wanted, surveys, any(deletes), yes)

    def work(cluster_setup: ClusterSetup) -> Outcome:
        removes = on_remove or cluster_setup.on_remove
        remover = _Remover(
            cmd, clients, cluster_setup, removes, delete_dependencies, prune_namespaces, operation_timeout
        )
        return remover.run(quiet=len(wanted) > 1)

    runner = FleetRunner(cmd, len(wanted), work, has_failed, describe_outcome, resume)
    ended = runner.run(wanted, min(max_parallel, len(wanted)), None) if wanted else []
    done = {outcome.cluster.id: outcome for outcome in ended}
    result = outcomes_object(
        done.get(cluster.cluster.id) or _without_work(cluster, cluster in wanted) for cluster in clusters
    )
    report_outcomes(cmd, result)
    return result


def _confirm(
    cmd: AzCliCommand, clusters: Sequence[ClusterSetup], surveys: Sequence[Survey], deletes: bool, yes: bool
) -> None:
    """Ask before anything is removed; for the name of the setup where there are several clusters."""
    from knack.log import get_logger

    log = get_logger(__name__)
    log.warning("%s", describe_removals(surveys))
    for workload in [workload for survey in surveys for workload in survey.workloads][:MOST_WORKLOADS]:
        log.warning("It stops: %s", workload)
    target = describe_clusters(clusters)
    question = f"{'Detach the computes and delete the extensions' if deletes else 'Detach the computes'} of {target}?"
    if len(clusters) == 1:
        confirm(cmd, question, yes, refusal="Nothing was changed")
    else:
        names = list(dict.fromkeys(cluster.setup for cluster in clusters))
        confirm_name(cmd, question, " ".join(names), yes)


def _without_work(cluster_setup: ClusterSetup, was_wanted: bool) -> Outcome:
    if was_wanted:
        return not_started(cluster_setup)
    return Outcome(cluster_setup.setup, cluster_setup.cluster, UNCHANGED, "Kept: on_remove is keep.")


class _Remover:
    """Removes what a setup created from one cluster: computes, instance types, the extension, what it leaves behind."""

    def __init__(
        self,
        cmd: AzCliCommand,
        clients: Clients,
        cluster_setup: ClusterSetup,
        on_remove: str,
        delete_dependencies: bool,
        prune_namespaces: bool,
        timeout: int,
    ) -> None:
        self._cmd, self._clients, self._setup, self._timeout = cmd, clients, cluster_setup, timeout
        self._deletes, self._delete_dependencies = on_remove == DELETE, delete_dependencies
        self._prune_namespaces = prune_namespaces
        self._client = clients.of(cluster_setup.cluster.subscription)
        self._done: list[str] = []
        self._detached: list[ComputeRef] = []
        self._kept: list[str] = []
        self._pending: list[str] = []
        self._owns_leftovers = self._has_deleted_extension = False

    def run(self, *, quiet: bool) -> Outcome:
        """How the cluster ended; nothing is raised."""
        from contextlib import ExitStack

        from azext_amlk8s.operations.boundary import as_az_error, error_texts

        begin, message, fix = time.monotonic(), "", ""
        with ExitStack() as stack:
            if quiet:
                stack.enter_context(quiet_thread())
            try:
                self._remove()
                status = PENDING if self._pending else SUCCEEDED if self._done else UNCHANGED
                message = " ".join(self._kept)
            except Exception as raised:  # pylint: disable=broad-exception-caught
                status = FAILED
                message, fix = error_texts(as_az_error(raised, ""))
            finally:
                self._clients.release(self._setup)
        setup, seconds = self._setup, time.monotonic() - begin
        return Outcome(
            setup.setup, setup.cluster, status, message, fix, tuple(self._done), tuple(self._pending), seconds
        )

    def _remove(self) -> None:
        setup = self._setup
        names = [*setup.former_computes, *([setup.compute_name] if setup.compute_name else [])]
        for name in names:
            if not self._detach(name):
                self._kept.append(f"Kept: compute '{name}' was not created by setup '{setup.setup}'.")
        self._delete_role_assignments()
        if not self._deletes or self._kept:
            return
        connection, note = self._clients.connect(setup)
        ownership = Ownership(connection, setup.setup) if connection else None
        if connection is not None and ownership is not None:
            for name in ownership.former_types(()):
                delete_instance_type(connection, name)
                self._done.append(f"instance type '{name}'")
        if (setup.extension is not None or setup.has_left) and not self._delete_extension(ownership, connection):
            return
        if connection is not None and ownership is not None:
            self._delete_objects(connection, ownership)
        elif self._has_deleted_extension:
            why, command = not_examined(setup.cluster, note)
            self._kept.append(f"{why} {command}")

    def _detach(self, name: str) -> bool:
        """Detach a compute; False where it belongs to somebody else. One that does not exist is no error."""
        from azext_amlk8s.operations.compute import detach_compute
        from azext_amlk8s.operations.compute_errors import read_compute
        from azext_amlk8s.operations.waiting import Deadline

        setup = self._setup
        assert setup.workspace is not None
        client, ref = self._clients.of(setup.workspace.subscription), ComputeRef(setup.workspace, name)
        compute = read_compute(client, ref)
        if compute is None:
            return True
        if (compute.get("tags") or {}).get(OWNER_TAG) != setup.setup:
            return False
        detach_compute(self._cmd, client, ref, Deadline(self._timeout), yes=True)
        self._detached.append(ref)
        self._done.append(f"compute '{ref.name}'")
        return True

    def _delete_role_assignments(self) -> None:
        """Delete the role assignments that `roles: ensure` has created and that no compute needs any more."""
        from azext_amlk8s.operations.role_removal import our_role_assignments

        setup = self._setup
        if setup.workspace is None or setup.roles != "ensure":
            return
        client = self._clients.of(setup.workspace.subscription)
        for assignment in our_role_assignments(client, setup.cluster, [setup.workspace], self._detached):
            client.begin_delete(assignment)
            self._done.append(f"role assignment {assignment.rsplit('/', 1)[-1]}")

    def _delete_extension(self, ownership: Ownership | None, connection: Cluster | None) -> bool:
        """Delete the extension; False where it, and so what it has created in the cluster, is kept."""
        from azext_amlk8s.operations.extension_common import (
            DEFAULT_NAME,
            azureml_extensions,
            find_extension_of_cluster,
            read_cluster,
        )
        from azext_amlk8s.operations.extension_delete import delete_extension
        from azext_amlk8s.settings import offline_state

        setup = self._setup
        resource, extensions = read_cluster(self._client, setup.cluster)
        existing = find_extension_of_cluster(extensions, setup.cluster, (setup.extension or {}).get("name"))
        if existing is not None:
            name = str(existing["name"])
            # Where the cluster cannot be reached, what its file has is taken to be created by it.
            if not (ownership.created_extension(name) if ownership else not setup.has_left):
                command = f"az amlk8s extension delete {ExtensionRef(setup.cluster, name).cli_args}"
                self._kept.append(
                    f"Kept: extension '{name}' was not created by setup '{setup.setup}'. To delete it: {command}"
                )
                return False
            if use := self._other_use():
                self._kept.append(f"Kept: extension '{name}' {use}.")
                return False
            if connectivity := offline_state(resource):
                self._pending.append(
                    f"extension '{name}': the cluster is {connectivity}, so that Helm cannot remove it there. Run the "
                    "same command again when the cluster is connected."
                )
                return False
            if connection is not None:  # the instance types of others are deleted with their definition
                save_backup(read_backup(connection), setup.cluster.name)
            delete_extension(
                self._cmd, self._client, setup.cluster, name, delete_dependencies=self._delete_dependencies,
                timeout=self._timeout, yes=True, reports_leftovers=False,
            )  # fmt: skip
            self._done.append(f"extension '{name}'")
            self._has_deleted_extension = True
            self._owns_leftovers = len(azureml_extensions(extensions)) == 1
        elif not azureml_extensions(extensions):
            name = (setup.extension or {}).get("name") or DEFAULT_NAME
            self._owns_leftovers = ownership is not None and ownership.created_extension(name)
        self._report_leftovers(resource)
        return True

    def _other_use(self) -> str:
        """Which computes that this run has not detached use the extension, or may use it, as the end of a sentence."""
        from azext_amlk8s.operations.attached_computes import attached_computes

        attached, unread = attached_computes(self._client, self._setup.cluster.id)
        others = [f"{compute.workspace.name}/{compute.name}" for compute in attached if compute not in self._detached]
        if others:
            return f"is used by compute {', '.join(others)}, which setup '{self._setup.setup}' has not created"
        return f"may be used by {', '.join(unread)}" if unread else ""

    def _report_leftovers(self, resource: Mapping[str, Any]) -> None:
        """Say which Azure resources of the extension remain, and what is billed."""
        from azext_amlk8s.operations.extension_delete import find_leftovers
        from azext_amlk8s.settings import cluster_facts_from_resources

        if self._delete_dependencies:
            return
        facts = cluster_facts_from_resources(resource, self._setup.cluster.type)
        for leftover in find_leftovers(self._client, facts):
            self._kept.append(
                f"The {leftover.label} '{leftover.name}' stays in Azure. {leftover.costs} "
                "--delete-dependencies deletes it.".replace("  ", " ")
            )

    def _delete_objects(self, connection: Cluster, ownership: Ownership) -> None:
        """Wait for Helm, then delete what it leaves, the namespaces of the setup, if they may be, and the record."""
        from azext_amlk8s.operations.helm_history import wait_for_uninstall
        from azext_amlk8s.operations.leftover_removal import delete_leftovers, why_it_remains

        if not wait_for_uninstall(connection, self._timeout):
            message = "Helm has not removed its release from namespace 'azureml'. What it installed may still be there."
            raise az_error("AzureResponseError", message, ["helm list -n azureml -a"])
        if self._owns_leftovers:
            deleted, remaining = delete_leftovers(connection, self._timeout)
            self._done += [leftover.label for leftover in deleted]
            self._kept += [f"{leftover.label} remains. {why_it_remains(leftover)}" for leftover in remaining]
        for name in ownership.former_namespaces(()):
            if self._prune_namespaces:
                delete_namespace(connection, name)
                self._done.append(f"namespace '{name}'")
            else:
                self._kept.append(f"The namespace '{name}' stays in the cluster; --prune-namespaces deletes it.")
        ownership.forget()
