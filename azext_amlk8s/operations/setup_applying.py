"""Apply the plan of one cluster, in order, with the operations that `extension create` and the others run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import state_of
from azext_amlk8s.console.errors import az_error, collect_findings, findings_text
from azext_amlk8s.console.quiet import quiet_thread
from azext_amlk8s.operations.setup_inputs import Clients, extension_settings, extension_versions
from azext_amlk8s.operations.setup_ownership import Ownership, setting_names
from azext_amlk8s.operations.setup_parts import (
    ROLE_ASSIGNMENT,
    apply_own_types,
    attach_options,
    attach_request,
    changed_tags,
    deployed_extension,
    read_types,
    role_plan,
)
from azext_amlk8s.operations.setup_pending import pending_manifest, pending_parts
from azext_amlk8s.operations.setup_removing import remove_planned
from azext_amlk8s.rules import Severity
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.setup_files.outcomes import FAILED, PENDING, SUCCEEDED, Outcome
from azext_amlk8s.setup_files.ownership import owner_labels
from azext_amlk8s.setup_files.plan import CREATE, UPDATE, ClusterPlan

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.kubernetes import Cluster

EXTENSION, NAMESPACE, COMPUTE, INSTANCE_TYPE = "extension", "namespace", "compute", "instance type"


class ClusterApplier:
    """Applies the plan of one cluster. Every step reads the live state, so that a run continues an earlier one.

    quiet: others are worked on at the same time; checked: the plan, with its checks, is recent; on_stage is called with
    the kind of resource that comes next.
    """

    def __init__(
        self,
        cmd: AzCliCommand,
        clients: Clients,
        cluster_setup: ClusterSetup,
        plan: ClusterPlan,
        *,
        send_secrets: bool,
        timeout: int,
        quiet: bool,
        checked: bool,
        on_stage: Callable[[str], None],
        deployed: Callable[[ClusterSetup], str] | None = None,
    ) -> None:
        self._cmd, self._clients, self._cluster_setup, self._plan = cmd, clients, cluster_setup, plan
        self._client = clients.of(cluster_setup.cluster.subscription)
        self._send_secrets, self._timeout = send_secrets, timeout
        self._quiet, self._checked, self._on_stage = quiet, checked, on_stage
        # Verifies the extension that a deployment has installed, and returns its name.
        self._deployed = deployed
        self._done: list[str] = []
        self._manifest = ""
        self._ownership: Ownership | None = None

    def run(self) -> Outcome:
        """How the cluster ended; nothing is raised."""
        from azext_amlk8s.operations.boundary import as_az_error, error_texts
        from azext_amlk8s.redaction import redact_text

        begin = time.monotonic()
        pending = pending_parts(self._plan)
        status, message, fix = PENDING if pending else SUCCEEDED, "", ""
        with ExitStack() as stack:
            if self._quiet:
                stack.enter_context(quiet_thread())
            findings = stack.enter_context(collect_findings())
            try:
                self._apply()
            except Exception as raised:  # pylint: disable=broad-exception-caught
                status = FAILED
                message, fix = error_texts(as_az_error(raised, ""))
                errors = [finding for finding in findings if finding.severity is Severity.ERROR]
                message = message or redact_text(findings_text(errors) if errors else "")
            finally:
                self._clients.release(self._cluster_setup)
        seconds = time.monotonic() - begin
        cluster_setup = self._cluster_setup
        done = tuple(self._done)
        return Outcome(
            cluster_setup.setup, cluster_setup.cluster, status, message, fix, done, pending, seconds, self._manifest
        )

    def _apply(self) -> None:
        self._manifest = pending_manifest(self._cluster_setup, self._plan, self._client)
        # A run that is killed while the extension is installed must not forget who has created it.
        self._record_ownership(keeps_settings=True)
        if self._changes(EXTENSION):
            self._on_stage(EXTENSION)
            if self._deployed:
                self._done.append(f"extension '{self._deployed(self._cluster_setup)}'")
                self._wait_where_types_follow()
            else:
                self._apply_extension()
        self._record_ownership()
        for resource in self._plan.resources:
            if resource.kind == NAMESPACE and resource.action == CREATE:
                self._connect().create_namespace(resource.name, owner_labels(self._cluster_setup.setup))
                self._done.append(f"namespace '{resource.name}'")
        if self._changes(COMPUTE) or self._changes(ROLE_ASSIGNMENT):
            self._on_stage(COMPUTE)
            self._apply_compute()
        if self._changes(INSTANCE_TYPE):
            self._on_stage(INSTANCE_TYPE)
            self._apply_instance_types()
        removed = remove_planned(
            self._cmd, self._clients, self._cluster_setup, self._plan, self._connect, self._timeout
        )
        self._done += [f"{resource} removed" for resource in removed]

    def _changes(self, kind: str) -> bool:
        return any(resource.kind == kind and resource.action in (CREATE, UPDATE) for resource in self._plan.resources)

    def _record_ownership(self, *, keeps_settings: bool = False) -> None:
        """Record in the cluster, where it can be reached, what belongs to the setup."""
        from knack.log import get_logger

        from azext_amlk8s.kubernetes import ClusterError

        cluster_setup = self._cluster_setup
        if cluster_setup.has_left or not any(self._changes(kind) for kind in (EXTENSION, NAMESPACE, INSTANCE_TYPE)):
            return
        connection, _ = self._clients.connect(cluster_setup)
        if connection is None:
            return
        extensions = [resource for resource in self._plan.resources if resource.kind == EXTENSION]
        created = any(resource.action == CREATE for resource in extensions)
        name = extensions[0].name if extensions else ""
        settings = setting_names(cluster_setup) if extensions else ()
        try:
            self._ownership = self._ownership or Ownership(connection, cluster_setup.setup)
            self._ownership.record(name, created, settings, keeps_settings=keeps_settings)
        except ClusterError as error:
            get_logger(__name__).warning("%s: the owner was not recorded: %s", cluster_setup.cluster.name, error)

    def _apply_extension(self) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_create import create_extension
        from azext_amlk8s.operations.setup_certificates import TLS, renewal
        from azext_amlk8s.settings import read_deployed
        from azext_amlk8s.settings.update import RESET

        cluster_setup, client = self._cluster_setup, self._client
        run = RunOptions(
            (cluster_setup.extension or {}).get("name"), timeout=self._timeout, yes=True, checked=self._checked
        )
        existing = deployed_extension(client, cluster_setup)
        deployed = read_deployed(existing).protected if existing else ()
        changes = self._plan.extension.changes if self._plan.extension else ()
        renews = existing is not None and any(change.key == TLS for change in changes)
        sends = self._send_secrets or renews
        reset = [change.key for change in changes if change.after == RESET]
        given = extension_settings(cluster_setup, deployed, self._clients.vaults, send_secrets=sends, reset=reset)

        def connect() -> tuple[Any, Any]:
            return client, cluster_setup.cluster

        rotation, known = None, {}
        if existing is not None and renews:
            vaults, connection = self._clients.vaults, self._clients.connect(cluster_setup)[0]
            rotation = renewal(self._cmd, client, cluster_setup, existing, vaults, connection, self._timeout)
        if rotation:
            known = rotation.known_protected()
            rotation.keep_old()
        result = create_extension(
            self._cmd, connect, given, extension_versions(cluster_setup), run, known, or_update=True
        )
        self._done.append(f"extension '{(result or {}).get('name')}'")
        if rotation:
            rotation.finish()
        if existing is None:
            self._wait_where_types_follow()

    def _wait_where_types_follow(self) -> None:
        """Wait until the new extension serves the kind InstanceType, if it is needed and the cluster can be reached."""
        if not self._changes(COMPUTE) and not self._changes(INSTANCE_TYPE):
            return
        from azext_amlk8s.operations.cluster_options import wait_for_instance_types

        connection, _ = self._clients.connect(self._cluster_setup)
        if connection is not None:
            wait_for_instance_types(connection)

    def _apply_compute(self) -> None:
        from azext_amlk8s.operations.compute_attach import Attachment
        from azext_amlk8s.operations.compute_facts import collect_attach_facts
        from azext_amlk8s.operations.compute_preparation import assign_roles
        from azext_amlk8s.operations.compute_record import ReplacementRecord
        from azext_amlk8s.operations.compute_update import update_compute
        from azext_amlk8s.operations.waiting import Deadline

        cluster_setup, request, deadline = (
            self._cluster_setup,
            attach_request(self._cluster_setup),
            Deadline(self._timeout),
        )
        client = self._clients.of(request.workspace.subscription)
        facts, connection = collect_attach_facts(client, request, requires_context=False)
        existing = facts.find_compute(request.compute.name)
        if existing is not None and state_of(existing).lower() == "succeeded":
            tags = {**(existing.get("tags") or {}), **{key: str(value) for key, value in self._file_tags().items()}}
            if cluster_setup.roles == "ensure" and facts.missing_roles:
                assign_roles(client, request, facts.missing_roles, deadline)
                self._done += [f"role assignment '{role_plan(role).name}'" for role in facts.missing_roles]
            if not changed_tags(cluster_setup, existing):
                return
            update_compute(self._cmd, client, request.compute, existing, None, tags, deadline, yes=True)
        else:
            record = ReplacementRecord.of(self._cmd, request.compute)
            options = attach_options(cluster_setup, checked=self._checked)
            Attachment(self._cmd, client, request, facts, connection, options, record, deadline).run()
        self._done.append(f"compute '{request.compute.name}'")

    def _file_tags(self) -> Mapping[str, Any]:
        return (self._cluster_setup.compute or {}).get("tags") or {}

    def _apply_instance_types(self) -> None:
        from azext_amlk8s.instance_types.changes import CONFLICT
        from azext_amlk8s.operations.cluster_options import ClusterSession

        connection = self._connect()
        types = read_types(self._cluster_setup, self._client, connection)
        session = ClusterSession(connection, "", self._client, self._cluster_setup.cluster)
        done = apply_own_types(session, self._cluster_setup, types, dry_run=False)
        self._done += [f"instance type '{each['name']}'" for each in done if each["action"] in ("created", "changed")]
        if conflicts := [str(each["name"]) for each in done if each["action"] == CONFLICT]:
            message = f"Fields of {', '.join(conflicts)} belong to another manager and were not changed."
            raise az_error("ValidationError", message, ["az amlk8s instance-type apply --help"])

    def _connect(self) -> Cluster:
        """The connection to the cluster. Raises AzureConnectionError."""
        connection, note = self._clients.connect(self._cluster_setup)
        if connection is None:
            raise az_error("AzureConnectionError", note)
        return connection
