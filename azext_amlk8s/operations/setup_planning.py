"""The plan of each cluster of setup files, made by the operations that `extension create` and the others run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import (
    AttachFacts,
    compare_compute,
    replace_command,
    resolved_by_options,
    state_of,
)
from azext_amlk8s.computes.model import BUSY_STATES, AttachRequest, find_compute
from azext_amlk8s.console.errors import collect_findings, log_findings, raise_for_errors
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.setup_certificates import certificate_change
from azext_amlk8s.operations.setup_inputs import Clients, extension_settings, extension_versions
from azext_amlk8s.operations.setup_ownership import removed_settings
from azext_amlk8s.operations.setup_parts import (
    apply_own_types,
    attach_options,
    attach_request,
    changed_tags,
    deployed_extension,
    namespaces_of,
    read_types,
    role_plan,
)
from azext_amlk8s.operations.setup_removal_planning import plan_removals
from azext_amlk8s.refs import EXTENSION_TYPE, ClusterRef
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.setup_files import OWNER_TAG, ClusterSetup
from azext_amlk8s.setup_files.file_terms import in_terms_of_file, place_of_finding
from azext_amlk8s.setup_files.limit_rules import settings_of_offline_cluster
from azext_amlk8s.setup_files.model import DEFAULT_EXTENSION
from azext_amlk8s.setup_files.ownership import PART_OF, other_applyset
from azext_amlk8s.setup_files.plan import (
    ADOPT,
    BLOCKED,
    CREATE,
    NONE,
    UNKNOWN,
    UPDATE,
    Change,
    ClusterPlan,
    ResourcePlan,
    cannot_plan,
    failed_resource,
    immutable_compute,
    other_owner,
)

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.compute_attach import Attachment

Resource = Mapping[str, Any]
# Errors of az that say nothing about the setup: what they hide is unknown.
UNREADABLE = ("AzureConnectionError", "AzureResponseError", "AzureInternalError", "ForbiddenError", "UnauthorizedError")
INTERNAL = "CLIInternalError"
# The parts of a file that the kinds of resources come from.
PARTS = {"extension": "extension", "compute": "compute", "namespace": "namespaces", "instance types": "instance_types"}
EXISTING = "It exists, and was not created by this setup."


def plan_clusters(
    cmd: AzCliCommand,
    clusters: Sequence[ClusterSetup],
    clients: Clients,
    parallel: int,
    *,
    send_secrets: bool = False,
    prune_namespaces: bool = False,
) -> list[ClusterPlan]:
    """The plan of each cluster, in order. Nothing is written."""
    from azext_amlk8s.operations.setup_limits import with_limits

    def plan_cluster(cluster_setup: ClusterSetup) -> ClusterPlan:
        try:
            return _ClusterPlanner(cmd, clients, cluster_setup, send_secrets, prune_namespaces).plan()
        finally:
            clients.release(cluster_setup)

    pool = DaemonPool(max(1, min(parallel, len(clusters))))
    try:
        return with_limits(clusters, pool.map(plan_cluster, clusters), clients)
    finally:
        pool.close()


class _ClusterPlanner:
    """Plans one cluster; each part is planned even if another one fails."""

    def __init__(
        self,
        cmd: AzCliCommand,
        clients: Clients,
        cluster_setup: ClusterSetup,
        send_secrets: bool,
        prune_namespaces: bool,
    ) -> None:
        self._cmd, self._clients, self._setup, self._send_secrets = cmd, clients, cluster_setup, send_secrets
        self._prune_namespaces = prune_namespaces
        self._client = clients.of(cluster_setup.cluster.subscription)
        self._findings: list[Finding] = []
        # The extension as it will be, for the rules about what needs it; None where the plan does not change it.
        self._planned_extension: Resource | None = None
        self._creates_extension = False
        self._has_connected = False

    def plan(self) -> ClusterPlan:
        """The plan, with all findings."""
        cluster_setup = self._setup
        resources: list[ResourcePlan] = []
        with collect_findings() as self._findings:
            if cluster_setup.extension is not None:
                name = str(cluster_setup.extension.get("name") or DEFAULT_EXTENSION)
                resources += self._guarded("extension", name, self._extension)
            for namespace in namespaces_of(cluster_setup):
                resources += self._guarded("namespace", namespace, partial(self._namespace, namespace))
            if cluster_setup.compute_name:
                resources += self._guarded("compute", cluster_setup.compute_name, self._compute)
            if cluster_setup.instance_types:
                resources += self._guarded("instance types", "", self._instance_types)
            kinds = {resource.kind: resource.action for resource in resources}
            if kinds.get("instance types") is None:
                wanted = {resource.name for resource in resources if resource.kind == "instance type"}
                resources += self._guarded("removals", "", partial(self._removals, wanted))
        findings = {finding: in_terms_of_file(finding) for finding in self._findings}
        places = {shown: place_of_finding(finding, cluster_setup) for finding, shown in findings.items()}
        return ClusterPlan(cluster_setup.setup, cluster_setup.cluster, resources, tuple(findings.values()), places)

    def _guarded(self, kind: str, name: str, plan: Callable[[], list[ResourcePlan]]) -> list[ResourcePlan]:
        """The plan of a part; blocked or unknown, with the reason, where it cannot be made."""
        from azext_amlk8s.operations.boundary import as_az_error, error_texts

        before = self._errors()
        try:
            return plan()
        except Exception as raised:  # pylint: disable=broad-exception-caught
            error = as_az_error(raised, "")
            message, fix = error_texts(error)
            if type(error).__name__ in (*UNREADABLE, INTERNAL):
                return [ResourcePlan(kind, name, UNKNOWN, note=message.splitlines()[0])]
            if self._errors() == before:
                part = "" if message.startswith("Cluster '") else PARTS.get(kind, "")
                part = "workspace" if message.startswith("Workspace '") else part
                self._findings += cannot_plan(self._setup.cluster.name, message, fix, part)
            return [ResourcePlan(kind, name, BLOCKED)]

    def _connect(self) -> tuple[Cluster | None, str]:
        """The connection to the cluster, or None and why."""
        self._has_connected = True
        return self._clients.connect(self._setup)

    def _errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self._findings)

    def _extension(self) -> list[ResourcePlan]:
        """The Azure resources beneath the extension, and the extension."""
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_create import create_extension
        from azext_amlk8s.settings import read_deployed

        cluster_setup, client = self._setup, self._client
        run = RunOptions((cluster_setup.extension or {}).get("name"), yes=True, dry_run=True)
        existing = deployed_extension(client, cluster_setup)
        deployed = read_deployed(existing).protected if existing else ()
        if existing is None:
            self._creates_extension = True
            self._planned_extension = _extension_after({"name": run.name or DEFAULT_EXTENSION}, {})
        vaults, sends, note = self._clients.vaults, self._send_secrets, ""
        renewed: Change | None = None
        if existing and not sends:
            renewed, note = certificate_change(cluster_setup, existing, vaults, self._connect)
        reset = removed_settings(cluster_setup, existing, lambda: self._connect()[0]) if existing else ()
        given = extension_settings(cluster_setup, deployed, vaults, send_secrets=sends or bool(renewed), reset=reset)

        def connect() -> tuple[AzureClient, ClusterRef]:
            return client, cluster_setup.cluster

        plan = create_extension(self._cmd, connect, given, extension_versions(cluster_setup), run, or_update=True)
        backing = [
            ResourcePlan(each["kind"], each["name"], CREATE if each["action"] == "create" else NONE, note=each["costs"])
            for each in plan["resources"]
        ]
        name = str(plan["id"]).rsplit("/", 1)[-1]
        if plan["action"] == "create":
            self._planned_extension = _extension_after({"name": name}, plan["body"])
            settings, derived = _shown_settings(plan)
            return [*backing, ResourcePlan("extension", name, CREATE, settings=settings, derived=derived)]
        assert existing is not None
        self._planned_extension = _extension_after(existing, plan["body"])
        existing_plan = self._existing_extension(existing, plan, name, [renewed] if renewed else [])
        notes = ". ".join(filter(None, [existing_plan.note.rstrip("."), note]))
        return [*backing, dataclasses.replace(existing_plan, note=notes if note else existing_plan.note)]

    def _existing_extension(
        self, existing: Resource, plan: Mapping[str, Any], name: str, renewed: Sequence[Change]
    ) -> ResourcePlan:
        from azext_amlk8s.settings import offline_state, read_deployed

        changes = [*renewed, *(Change(each["key"], each["before"], each["after"]) for each in plan["changes"])]
        state = state_of(existing)
        if state.lower() in BUSY_STATES:
            offline = offline_state(self._client.get_cluster(self._setup.cluster))
            protected = read_deployed(existing).protected
            log_findings(settings_of_offline_cluster(self._setup.cluster.name, offline, state, protected))
            return ResourcePlan("extension", name, UPDATE, changes, note=f"{state}; apply waits for it.")
        if changes:
            stops = f"Running {' and '.join(plan['stops'])} stop." if plan["stops"] else ""
            return ResourcePlan("extension", name, UPDATE, changes, note=stops)
        if state.lower() != "succeeded":
            target = self._setup.cluster.cli_args
            fix = f"az amlk8s check {target}\naz amlk8s extension delete {target}"
            raise_for_errors(failed_resource("extension", name, state, fix))
        return ResourcePlan("extension", name, NONE)

    def _namespace(self, name: str) -> list[ResourcePlan]:
        connection, note = self._connect()
        if connection is None:
            return [ResourcePlan("namespace", name, UNKNOWN, note=note)]
        exists = connection.read(f"/api/v1/namespaces/{name}") is not None
        return [ResourcePlan("namespace", name, NONE if exists else CREATE)]

    def _compute(self) -> list[ResourcePlan]:
        from azext_amlk8s.computes import check_request
        from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found

        cluster_setup = self._setup
        assert cluster_setup.workspace is not None
        request = attach_request(cluster_setup)
        raise_for_errors(check_request(request, cluster_setup.workspace.subscription))
        client = self._clients.of(cluster_setup.workspace.subscription)
        try:
            computes = client.list_computes(cluster_setup.workspace)
        except not_found() as error:
            raise workspace_not_found(error, cluster_setup.workspace) from error
        existing = find_compute(computes, cluster_setup.compute_name)
        if existing is None:
            return self._new_compute(client, request)
        return [*self._lost_roles(client, request), self._existing_compute(existing, request)]

    def _existing_compute(self, compute: Resource, request: AttachRequest) -> ResourcePlan:
        from azext_amlk8s.computes.existing_compute_rules import other_kind

        cluster_setup, ref, state = self._setup, request.compute, state_of(compute)
        owner = str((compute.get("tags") or {}).get(OWNER_TAG) or "")
        differences = compare_compute(compute, dataclasses.replace(request, tags=None))
        replace = replace_command(
            ref, compute, cluster=request.cluster, namespace=request.namespace, identity=request.identity
        )
        raise_for_errors(other_kind(compute, ref), other_owner(ref.name, owner, cluster_setup.setup))
        if differences:
            texts = [str(difference) for difference in differences]
            self._findings += immutable_compute(ref.name, texts, replace)
            changes = [Change(each.setting, each.existing or None, each.requested) for each in differences]
            return ResourcePlan("compute", ref.name, BLOCKED, [*changes, *changed_tags(cluster_setup, compute)])
        if state.lower() in ("creating", "updating"):
            return ResourcePlan("compute", ref.name, CREATE, note=f"{state}; apply waits for it.")
        if state.lower() != "succeeded":
            wait = f"az amlk8s compute wait {ref.cli_args} --deleted"
            raise_for_errors(
                failed_resource("compute", ref.name, state, wait if state.lower() == "deleting" else replace)
            )
        if changes := changed_tags(cluster_setup, compute):
            return ResourcePlan("compute", ref.name, UPDATE, changes)
        if not owner:
            return ResourcePlan("compute", ref.name, ADOPT, note=EXISTING)
        return ResourcePlan("compute", ref.name, NONE)

    def _lost_roles(self, client: AzureClient, request: AttachRequest) -> list[ResourcePlan]:
        """The roles of the identity of the workspace that somebody has removed, where the setup ensures them."""
        from azext_amlk8s.operations.compute_facts import find_lost_roles

        if self._setup.roles != "ensure":
            return []
        lost = find_lost_roles(client, request, self._client.get_cluster(request.cluster))
        return [role_plan(role) for role in lost]

    def _new_compute(self, client: AzureClient, request: AttachRequest) -> list[ResourcePlan]:
        from azext_amlk8s.operations.compute_attach import Attachment
        from azext_amlk8s.operations.compute_facts import collect_attach_facts
        from azext_amlk8s.operations.compute_record import ReplacementRecord
        from azext_amlk8s.operations.waiting import Deadline

        facts, connection = collect_attach_facts(client, request, requires_context=False)
        record = ReplacementRecord.of(self._cmd, request.compute)
        attachment: Attachment = Attachment(
            self._cmd, client, request, self._after_extension(facts), connection, attach_options(self._setup), record,
            Deadline(0),
        )  # fmt: skip
        ensures = self._setup.roles == "ensure"
        resolved = resolved_by_options(create_namespace=True, assign_roles=ensures)
        raise_for_errors(finding for finding in attachment.findings() if finding.id not in resolved)
        settings = {"namespace": request.namespace}
        roles = [role_plan(role) for role in (facts.missing_roles if ensures else ())]
        return [*roles, ResourcePlan("compute", request.compute.name, CREATE, settings=settings)]

    def _after_extension(self, facts: AttachFacts) -> AttachFacts:
        """The facts as they will be when the extension has been created or updated."""
        if self._planned_extension is None:
            return facts
        contents = facts.contents
        if contents is not None and self._creates_extension:
            contents = dataclasses.replace(contents, instance_types=True, failed_checks=())
        return dataclasses.replace(facts, extensions=[self._planned_extension], contents=contents)

    def _instance_types(self) -> list[ResourcePlan]:
        from azext_amlk8s.kubernetes import NoInstanceTypes
        from azext_amlk8s.operations.cluster_options import ClusterSession

        connection, note = self._connect()
        types = read_types(self._setup, self._client, connection)
        if connection is None:
            names = [each.name for each in types] or [""]
            return [ResourcePlan("instance type", name, UNKNOWN, note=note) for name in names]
        session = ClusterSession(connection, "", self._client, self._setup.cluster)
        try:
            done = apply_own_types(session, self._setup, types, dry_run=True)
        except NoInstanceTypes:
            if not self._creates_extension:
                raise
            return [ResourcePlan("instance type", each.name, CREATE) for each in types]
        return [_type_plan(each) for each in done]

    def _removals(self, types: set[str]) -> list[ResourcePlan]:
        connects = self._has_connected or self._setup.on_remove == "delete"
        return plan_removals(
            self._client,
            self._setup,
            types,
            self._connect if connects else None,
            prune_namespaces=self._prune_namespaces,
        )


def _type_plan(done: Mapping[str, Any]) -> ResourcePlan:
    """What a dry run of `instance-type apply` returned for one type; the label of the setup alone is an adoption."""
    actions = {"created": CREATE, "changed": UPDATE, "unchanged": NONE, "conflict": BLOCKED}
    changes = [
        Change(str(each["field"]), None if each["before"] is None else str(each["before"]), str(each["after"]))
        for each in done.get("changes") or ()
    ]
    owners = [change for change in changes if change.key.endswith(PART_OF)]
    if other := next((change.before for change in owners if change.before), None):
        raise_for_errors(other_applyset("instance type", str(done["name"]), other))
    others = [change for change in changes if change not in owners]
    if changes and not others:
        return ResourcePlan("instance type", str(done["name"]), ADOPT, note=EXISTING)
    return ResourcePlan("instance type", str(done["name"]), actions[str(done["action"])], others)


def _extension_after(existing: Resource, body: Mapping[str, Any]) -> Resource:
    """An extension as it is when the body of a plan has been applied."""
    properties = existing.get("properties") or {}
    planned = (body or {}).get("properties") or {}
    settings = {**(properties.get("configurationSettings") or {}), **(planned.get("configurationSettings") or {})}
    return {
        **existing,
        "properties": {
            "extensionType": EXTENSION_TYPE,
            **properties,
            "configurationSettings": settings,
            "provisioningState": "Succeeded",
        },
    }


def _shown_settings(plan: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings that a new extension gets: those of the file, and those that follow; secrets are blanked."""
    chosen = {key.lower() for key in plan.get("chosen") or ()}
    properties = plan["body"]["properties"]
    sections = (properties.get("configurationSettings"), properties.get("configurationProtectedSettings"))
    values = {key: str(value) for section in sections for key, value in (section or {}).items()}
    shown = {key: value for key, value in values.items() if key.lower() in chosen}
    return shown, {key: value for key, value in values.items() if key not in shown}
