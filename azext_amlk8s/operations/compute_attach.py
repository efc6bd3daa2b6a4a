"""az amlk8s compute attach"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import add_studio_url, redact_compute, studio_url
from azext_amlk8s.computes import (
    ATTACH_RULE_IDS,
    AttachFacts,
    AttachRequest,
    attach_command,
    build_attach_body,
    check_attach,
    check_existing,
    check_request,
    compare_compute,
    find_extension_name,
    keep_existing,
    matches_request,
    parse_identity,
    resolved_by_options,
    state_of,
)
from azext_amlk8s.console.errors import confirm, raise_for_errors
from azext_amlk8s.operations import compute_preparation
from azext_amlk8s.operations.compute_facts import collect_attach_facts
from azext_amlk8s.operations.compute_file import ComputeFile, read_compute_file
from azext_amlk8s.operations.compute_options import (
    find_cluster_option,
    open_compute,
    reject_unsupported,
    require_kubernetes,
    require_name,
)
from azext_amlk8s.operations.compute_progress import (
    TrackedOperation,
    begin_attach,
    begin_detach,
    follow_compute,
    follow_detach,
    log_continues,
    poll_compute,
    warn_about_endpoints,
)
from azext_amlk8s.operations.compute_record import ReplacementRecord
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient, Operation, StatePoller
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.refs import ComputeRef

Resource = Mapping[str, Any]
ATTACH_SECONDS = 20 * 60
# The check that asks the cluster whether it would admit the pods of jobs.
DRY_RUN_CHECK = "K326"
# Responses to a DELETE that leave the compute as it is.
REFUSED = (400, 401, 403, 405, 412, 422, 429)
# A compute in one of these states may be one whose replacement was interrupted.
INTERRUPTED_STATES = ("deleting", "failed", "canceled", "cancelled")


def attach(
    cmd: AzCliCommand,
    resource_group_name: str,
    workspace_name: str,
    name: str | None = None,
    resource_id: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    compute_type: str | None = None,
    namespace: str | None = None,
    identity_type: str | None = None,
    user_assigned_identities: Sequence[str] | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    workload: str | None = None,
    context: str | None = None,
    create_namespace: bool = False,
    assign_roles: bool = False,
    replace: bool = False,
    timeout: int = ATTACH_SECONDS,
    no_wait: bool = False,
    yes: bool = False,
    file: str | None = None,
    skip_checks: Sequence[str] | None = None,
    admin_username: str | None = None,
    admin_password: str | None = None,
    ssh_port: str | None = None,
    ssh_private_key_file: str | None = None,
) -> dict[str, Any] | None:
    """Check what would fail, attach the cluster and wait for the end. Returns the compute as ARM describes it.

    With no_wait it returns nothing once Azure has accepted the request. Options override the values of the file.
    """
    from azext_amlk8s.operations.check import require_known_checks

    require_known_checks(skip_checks, ATTACH_RULE_IDS)
    deadline = Deadline(timeout)
    reject_unsupported(
        "virtual machines",
        admin_username=admin_username,
        admin_password=admin_password,
        ssh_port=ssh_port,
        ssh_private_key_file=ssh_private_key_file,
    )
    if cluster_type and cluster_type.lower() == "kubernetes":
        # In `az ml compute attach`, -t is the type of the compute.
        cluster_type, compute_type = None, compute_type or cluster_type
    values = read_compute_file(file) if file else ComputeFile()
    name = require_name(name or values.name)
    require_kubernetes(compute_type or values.compute_type)
    namespace = namespace or values.namespace
    if not (identity_type or user_assigned_identities):
        identity_type, user_assigned_identities = values.identity_type, values.user_assigned_identities
    identity, identity_findings = parse_identity(identity_type, " ".join(user_assigned_identities or ()))
    if not (resource_id or cluster_name):
        resource_id = values.resource_id
    client, ref = open_compute(cmd, resource_group_name, workspace_name, name)
    cluster, cluster_findings = find_cluster_option(client, ref.workspace, resource_id, cluster_name, cluster_type)
    request = AttachRequest(
        ref,
        cluster,
        namespace or "default",
        identity,
        tags if tags is not None else values.tags,
        description if description is not None else values.description,
        workload or "",
        context=context or "",
    )
    raise_for_errors(check_request(request, ref.workspace.subscription), cluster_findings, identity_findings)
    facts, connection = collect_attach_facts(client, request)
    options = AttachOptions(
        create_namespace, assign_roles, replace, namespace is None, no_wait, yes, tuple(skip_checks or ())
    )
    record = ReplacementRecord.of(cmd, ref)
    return Attachment(cmd, client, request, facts, connection, options, record, deadline).run()


@dataclass(frozen=True)
class AttachOptions:
    """The options of a run that are no settings of the compute.

    checked: the fatal checks were run a moment ago, so that they are not repeated.
    """

    create_namespace: bool = False
    assign_roles: bool = False
    replace: bool = False
    keep_namespace: bool = False
    no_wait: bool = False
    yes: bool = False
    skip_checks: tuple[str, ...] = ()
    checked: bool = False


@dataclass(frozen=True)
class Attachment:
    """One run of the command, once its options have been read and its facts collected.

    record is that of a replacement; it exists if an earlier run was interrupted.
    """

    cmd: AzCliCommand
    client: AzureClient
    request: AttachRequest
    facts: AttachFacts
    connection: Cluster | None
    options: AttachOptions
    record: ReplacementRecord
    deadline: Deadline

    @property
    def ref(self) -> ComputeRef:
        """The compute."""
        return self.request.compute

    def run(self) -> dict[str, Any] | None:
        """Attach, wait for an attachment in progress, or replace the existing compute."""
        existing, recorded = self.facts.find_compute(self.ref.name), self.record.read()
        if existing is None:
            return self._completed_with(recorded).attach(detached=recorded is not None)
        if recorded is not None and state_of(existing).lower() in INTERRUPTED_STATES:
            return self._completed_with(recorded)._replace(existing, recorded)
        # Without --replace the request is compared as it is; nothing is kept, since nothing is sent.
        return (self._completed_with(existing) if self.options.replace else self).resume(existing, recorded)

    def _completed_with(self, compute: Resource | None) -> Attachment:
        """The same attachment with what the compute has where no option was given."""
        if compute is None:
            return self
        request = keep_existing(self.request, compute, namespace=self.options.keep_namespace)
        return dataclasses.replace(self, request=request)

    def resume(self, existing: Resource, recorded: Resource | None) -> dict[str, Any] | None:
        """Wait for an attachment in progress, report one that is complete, or replace the compute."""
        # With --replace this is only the new compute if an earlier run of the command recorded another one.
        is_new = not self.options.replace or (recorded is not None and _created_on(recorded) != _created_on(existing))
        in_progress = state_of(existing).lower() in ("creating", "updating")
        if is_new and in_progress and not compare_compute(existing, self.request):
            return self._finish(poll_compute(self.client, self.ref, dict(existing)))
        if is_new and matches_request(existing, self.request):
            self.record.delete()
            _log("Compute '%s' is already attached. Nothing was changed.", self.ref.name)
            return self._output(existing)
        return self._replace(existing, existing)

    def attach(self, *, detached: bool) -> dict[str, Any] | None:
        """Attach a compute that does not exist; detached: an earlier run was interrupted after the detachment."""
        if detached:
            self._log_restored()
        self._check()
        self._prepare()
        return self._put(detached=detached)

    def _replace(self, existing: Resource, source: Resource) -> dict[str, Any] | None:
        """Detach and attach again. source is the compute whose settings are kept: the existing or the recorded one."""
        deleting = source is not existing and state_of(existing).lower() == "deleting"
        if source is not existing:
            self._log_restored()
        if not deleting:
            raise_for_errors(check_existing(existing, self.request, replace=self.options.replace))
        self._check()
        if not deleting:
            warn_about_endpoints(self.client, self.ref)
            question = (
                f"Detach compute '{self.ref.name}' from workspace '{self.ref.workspace.name}' and attach it again?"
            )
            confirm(self.cmd, question, self.options.yes, refusal="Not detached")
        self._prepare()
        self._detach(existing, source, deleting=deleting)
        return self._put(detached=True)

    def findings(self) -> list[Finding]:
        """Everything that would make the attachment fail, and warnings.

        What options resolve is left out if no other error remains.
        """
        create_namespace, assign_roles = self.options.create_namespace, self.options.assign_roles
        findings = check_attach(self.request, self.facts, create_namespace=create_namespace)
        resolved = resolved_by_options(create_namespace=create_namespace, assign_roles=assign_roles)
        if not {finding.id for finding in findings if finding.severity is Severity.ERROR} - resolved:
            findings = tuple(finding for finding in findings if finding.id not in resolved)
        skipped = {name.upper() for name in self.options.skip_checks}
        return [*(finding for finding in findings if finding.id not in skipped), *self._fatal_findings(skipped)]

    def _check(self) -> None:
        """Raise ValidationError for all errors."""
        if self.options.skip_checks:
            _log("Skipped checks: %s.", ", ".join(sorted(name.upper() for name in self.options.skip_checks)))
        raise_for_errors(self.findings())

    def _fatal_findings(self, skipped: set[str]) -> list[Finding]:
        """What the checks of `az amlk8s check` find that would make the attachment or every job on it fail.

        A warning about the namespace is left out where the cluster itself rejects the pods of jobs there.
        """
        from azext_amlk8s.checks.facts import CheckTarget
        from azext_amlk8s.operations.check import run_fatal_checks

        if self.options.checked:
            return []
        request = self.request
        target = CheckTarget(request.cluster, context=request.context, namespace=request.namespace)
        skip = sorted(skipped - set(ATTACH_RULE_IDS))
        findings = run_fatal_checks(self.client, target, "attach", skip)[0].findings
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        return errors if any(error.id == DRY_RUN_CHECK for error in errors) else list(findings)

    def _prepare(self) -> None:
        """Create the namespace and assign the roles, as far as options say so."""
        if self.options.create_namespace:
            compute_preparation.create_namespace(self.connection, self.request, self.facts)
        if self.options.assign_roles and self.facts.missing_roles:
            compute_preparation.assign_roles(self.client, self.request, self.facts.missing_roles, self.deadline)

    def _detach(self, existing: Resource, source: Resource, *, deleting: bool) -> None:
        """Record what has to be restored, then detach the compute and wait until it is deleted."""
        from azure.core.exceptions import HttpResponseError

        title = f"Detaching {self.ref.name} from {self.ref.workspace.name}"
        resume = attach_command(self.request)
        cluster = self.request.cluster
        tracked = TrackedOperation(self.cmd, self.client, self.ref, title, resume, "delete", self.deadline, cluster)
        self.record.write(source)
        with self._interruption_explained():
            try:
                operation = (
                    poll_compute(self.client, self.ref, dict(existing))
                    if deleting
                    else begin_detach(self.client, self.ref)
                )
            except HttpResponseError as error:
                if error.status_code in REFUSED:
                    self.record.delete()
                raise
            follow_detach(tracked, operation)

    def _put(self, *, detached: bool) -> dict[str, Any] | None:
        """Send the request to attach and follow it."""
        body = build_attach_body(self.request, self.facts.workspace)
        with self._interruption_explained() if detached else nullcontext():
            return self._finish(begin_attach(self.client, self.request, body))

    def _finish(self, operation: Operation | StatePoller) -> dict[str, Any] | None:
        """Follow an attachment to its end and report what to do next."""
        resume = f"az amlk8s compute wait {self.ref.cli_args} --created"
        if self.options.no_wait:
            self.record.delete()
            log_continues(resume)
            return None
        title = f"Attaching {self.ref.name} to {self.ref.workspace.name}"
        extension = find_extension_name(self.facts.extensions)
        tracked = TrackedOperation(
            self.cmd, self.client, self.ref, title, resume, "create", self.deadline, self.request.cluster, extension
        )
        compute = follow_compute(tracked, operation)
        self.record.delete()
        url = studio_url(self.ref.id, self.client.cloud)
        args = f"{self.ref.workspace.cli_args} {join(['--compute-name', self.ref.name])}"
        _log("Compute '%s' is attached: %s", self.ref.name, url)
        _log("Next, list its instance types: az amlk8s instance-type list %s", args)
        return self._output(compute)

    @contextmanager
    def _interruption_explained(self) -> Iterator[None]:
        """Log how to continue if the command ends while the compute is detached."""
        try:
            yield
        except BaseException:
            if self.record.path.exists():
                _log(
                    "Compute '%s' was detached and is not attached again yet. Its settings are saved in %s. Run the "
                    "same command again to attach it with these settings, or run: %s",
                    self.ref.name,
                    self.record.path,
                    attach_command(self.request),
                )
            raise

    def _log_restored(self) -> None:
        _log(
            "An earlier replacement of compute '%s' was interrupted. Its settings are restored from %s.",
            self.ref.name,
            self.record.path,
        )

    def _output(self, compute: Resource) -> dict[str, Any]:
        return add_studio_url(redact_compute(compute), self.client.cloud)


def _created_on(compute: Resource) -> str:
    return str((compute.get("properties") or {}).get("createdOn") or "")


def _log(message: str, *args: object) -> None:
    """Print a line to stderr."""
    from knack.log import get_logger

    get_logger(__name__).warning(message, *args)
