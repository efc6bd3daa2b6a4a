"""Removal of everything that belongs to the extension of a cluster, in order, and the list of what remains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm
from azext_amlk8s.operations import backing_resources
from azext_amlk8s.operations.extension_common import (
    DEFAULT_NAME,
    DEFAULT_TIMEOUT_SECONDS,
    choose_extension,
    find_extension,
    former_extension,
    read_cluster,
)
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.leftover_removal import delete_leftovers, not_examined, read_leftovers, why_it_remains
from azext_amlk8s.refs import ClusterRef, ComputeRef, ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.checks.leftover_objects import Leftover
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.federated_credentials import FederatedCredential
    from azext_amlk8s.settings import Dependency


@dataclass(frozen=True)
class Removal:
    """What is to be removed. workloads are endpoints, jobs and deployments that still use the computes, and lists of
    them, or of computes, that Azure refused.

    Endpoints have the command that deletes them, because they stay in Azure; other workloads have none. credentials
    are federated credentials for service accounts of the cluster, which others have created.

    cluster is None where the API of the cluster cannot be reached, and note says why; offline: the agents of an
    Arc-connected cluster are not connected, so that Azure cannot uninstall anything there.
    """

    ref: ClusterRef
    extension: ExtensionRef
    is_installed: bool
    computes: tuple[ComputeRef, ...]
    workloads: Mapping[str, str]
    credentials: tuple[FederatedCredential, ...]
    assignments: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    leftovers: tuple[Leftover, ...]
    cluster: Cluster | None
    note: str
    offline: bool

    @property
    def endpoints(self) -> dict[str, str]:
        """Those of the workloads that stay in Azure."""
        return {workload: command for workload, command in self.workloads.items() if command}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to remove."""
        return not (self.is_installed or self.computes or self.assignments or self.dependencies or self.leftovers)

    @property
    def steps(self) -> list[str]:
        """What is removed, in order."""
        return [
            *(f"detach compute {compute.workspace.name}/{compute.name}" for compute in self.computes),
            *(f"delete role assignment {assignment.rsplit('/', 1)[-1]}" for assignment in self.assignments),
            *([f"delete extension {self.extension.name} with its instance types"] if self.is_installed else []),
            *(f"delete {leftover.label} in the cluster" for leftover in self.leftovers),
            *(f"delete the {each.label} {each.name}" for each in self.dependencies),
        ]


@dataclass
class Outcome:
    """What was removed, and what remains: each with what, why, costs and command, the last two perhaps empty."""

    removed: list[str] = field(default_factory=list)
    remains: list[dict[str, str]] = field(default_factory=list)

    def remain(self, what: str, why: str, *, costs: str = "", command: str = "") -> None:
        """Note something that remains."""
        self.remains.append({"what": what, "why": why, "costs": costs, "command": command})


def remove_everything(
    cmd: AzCliCommand,
    client: AzureClient,
    ref: ClusterRef,
    name: str | None = None,
    *,
    stop_workloads: bool = False,
    force: bool = False,
    kubeconfig: str | None = None,
    context: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
    yes: bool = False,
) -> dict[str, Any]:
    """Remove computes, role assignments, extension, its objects in the cluster, and its resources in Azure.

    Endpoints and jobs on the computes stop it unless stop_workloads is set. Returns removed and remains. A run that was
    interrupted is continued by another.
    """
    from knack.log import get_logger

    log = get_logger(__name__)
    removal = find_removal(client, ref, name, kubeconfig, context)
    if removal.workloads and not stop_workloads:
        raise _blocked(removal)
    if removal.is_empty:
        log.warning("Nothing of the extension remains on cluster '%s' or in Azure.", ref.name)
        return describe(ref, Outcome())
    log.warning("To be removed from cluster '%s' and Azure:%s", ref.name, "".join(f"\n  {s}" for s in removal.steps))
    for workload in removal.workloads:
        log.warning("It stops: %s", workload)
    confirm(cmd, f"Remove all of this from cluster '{ref.name}'?", yes, refusal="Not removed")
    outcome = Outcome()
    _Remover(cmd, client, removal, outcome, force=force, timeout=timeout).run()
    for remaining in outcome.remains:
        costs = f" {remaining['costs']}" if remaining["costs"] else ""
        log.warning("Remains: %s. %s%s", remaining["what"], remaining["why"], costs)
    return describe(ref, outcome)


def describe(ref: ClusterRef, outcome: Outcome) -> dict[str, Any]:
    """The result of a removal."""
    return {"cluster": ref.name, "removed": outcome.removed, "remains": outcome.remains}


def find_removal(
    client: AzureClient, ref: ClusterRef, name: str | None, kubeconfig: str | None = None, context: str | None = None
) -> Removal:
    """Everything that belongs to the extension of a cluster. Writes nothing."""
    from azext_amlk8s.operations.attached_computes import attached_computes
    from azext_amlk8s.operations.federated_credentials import credentials_of
    from azext_amlk8s.operations.role_removal import our_role_assignments
    from azext_amlk8s.operations.running_workloads import workloads_on
    from azext_amlk8s.settings import all_resources, cluster_facts_from_resources, offline_state

    resource, extensions = read_cluster(client, ref)
    extension = ExtensionRef(ref, name) if name else choose_extension(ref, extensions, default=DEFAULT_NAME)
    is_installed = find_extension(extensions, extension) is not None
    if not is_installed and (former := former_extension(extensions)) and name in (None, former["name"]):
        extension, is_installed = ExtensionRef(ref, str(former["name"])), True
    computes, unread = attached_computes(client, ref.id)
    offline = bool(offline_state(resource))
    cluster, note = (
        (None, "its agents are offline") if offline else connect_to_cluster(client, ref, kubeconfig, context)
    )
    created = all_resources(cluster_facts_from_resources(resource, ref.type))
    existing = backing_resources.find_resources(client, created)
    return Removal(
        ref,
        extension,
        is_installed,
        tuple(computes),
        workloads_on(client, computes, cluster) | dict.fromkeys(unread, ""),
        tuple(credentials_of(client, resource, computes)),
        tuple(our_role_assignments(client, ref, [compute.workspace for compute in computes], computes)),
        tuple(dependency for dependency in created if existing[dependency.kind] is not None),
        tuple(() if is_installed else read_leftovers(cluster)) if cluster else (),
        cluster,
        note,
        offline,
    )


def _blocked(removal: Removal) -> Exception:
    lines = "".join(f"\n  {workload}" for workload in removal.workloads)
    has_jobs = len(removal.workloads) > len(removal.endpoints)
    return az_error(
        "ValidationError",
        f"Nothing was removed from cluster '{removal.ref.name}', because these would stop:{lines}",
        [
            *removal.endpoints.values(),
            *(["Wait for the jobs, or cancel them: az ml job cancel --help"] if has_jobs else []),
            f"az amlk8s extension delete {removal.extension.cli_args} --everything --stop-workloads",
        ],
    )


class _Remover:
    """Carries out a removal; what cannot be removed is noted as remaining."""

    def __init__(
        self, cmd: AzCliCommand, client: AzureClient, removal: Removal, outcome: Outcome, *, force: bool, timeout: float
    ) -> None:
        self._cmd, self._client, self._removal, self._outcome = cmd, client, removal, outcome
        self._force, self._timeout = force, timeout

    def run(self) -> None:
        """Remove everything, in order."""
        removal = self._removal
        for compute in removal.computes:
            self._detach(compute)
        for assignment in removal.assignments:
            self._client.begin_delete(assignment)
            self._outcome.removed.append(f"role assignment {assignment.rsplit('/', 1)[-1]}")
        if removal.is_installed:
            self._delete_extension()
        if removal.cluster is not None:
            self._clean_cluster(removal.cluster)
        elif removal.is_installed or removal.offline:
            self._note_unreachable()
        self._note_what_others_created()
        backing_resources.delete_resources(self._cmd, self._client, removal.dependencies)
        self._outcome.removed += [f"{each.label} {each.name}" for each in removal.dependencies]

    def _detach(self, compute: ComputeRef) -> None:
        from azext_amlk8s.operations.compute import detach_compute
        from azext_amlk8s.operations.waiting import Deadline

        detach_compute(self._cmd, self._client, compute, Deadline(self._timeout), yes=True)
        self._outcome.removed.append(f"compute {compute.workspace.name}/{compute.name}")

    def _delete_extension(self) -> None:
        from azext_amlk8s.operations.extension_delete import delete_extension

        removal = self._removal
        if removal.cluster is not None:
            self._save(removal.cluster)
        delete_extension(
            self._cmd, self._client, removal.ref, removal.extension.name, force=self._force, timeout=self._timeout,
            yes=True, reports_leftovers=False,
        )  # fmt: skip
        self._outcome.removed.append(f"extension {removal.extension.name}")

    def _save(self, cluster: Cluster) -> None:
        """Save the instance types, which are deleted with their definition."""
        from azext_amlk8s.operations.cluster_backup import read_backup, save_backup

        save_backup(read_backup(cluster), self._removal.ref.name)

    def _clean_cluster(self, cluster: Cluster) -> None:
        """Wait for Helm, then delete what it leaves. Objects with finalizers are named and not touched."""
        from azext_amlk8s.kubernetes import ClusterError

        try:
            self._wait_for_helm(cluster)
            deleted, remaining = delete_leftovers(cluster, self._timeout)
        except ClusterError as error:
            self._outcome.remain(
                "objects of the extension in the cluster", f"The cluster could not be cleaned: {error}"
            )
            return
        self._outcome.removed += [each.label for each in deleted]
        for leftover in remaining:
            self._note_hanging(leftover)

    def _wait_for_helm(self, cluster: Cluster) -> None:
        """Wait until Helm has uninstalled the release."""
        from azext_amlk8s.console.progress import ProgressLine
        from azext_amlk8s.operations.helm_history import wait_for_uninstall

        if self._removal.is_installed:
            line = ProgressLine(self._cmd, "Waiting for Helm to uninstall the extension")
            timeout, release = 0 if self._force else self._timeout, self._removal.extension.name
            wait_for_uninstall(cluster, timeout, release, lambda: line.show("uninstalling"))
            line.clear()

    def _note_what_others_created(self) -> None:
        for endpoint, command in self._removal.endpoints.items():
            self._outcome.remain(endpoint, "It has no compute any more and does not respond.", command=command)
        for credential in self._removal.credentials:
            self._outcome.remain(
                f"federated credential {credential.name} of identity {credential.identity}",
                f"{credential.subject} can sign in with it. Others have created it.",
                command=credential.delete_command,
            )

    def _note_hanging(self, leftover: Leftover) -> None:
        self._outcome.remain(
            leftover.label,
            why_it_remains(leftover),
            command=f"kubectl get {leftover.kind.lower()} {leftover.name} -o yaml",
        )

    def _note_unreachable(self) -> None:
        removal = self._removal
        if removal.offline:
            why = "The agents are offline: Helm uninstalls it when they connect; until then it runs."
            command = f"az connectedk8s show {removal.ref.az_args} --query connectivityStatus"
        else:
            why, command = not_examined(removal.ref, removal.note)
        self._outcome.remain("objects of the extension in the cluster", why, command=command)
