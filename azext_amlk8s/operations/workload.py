"""az amlk8s workload check: what will happen to jobs and deployments before they are submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import finding_object, set_exit_code
from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession, open_cluster, with_cluster_options

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.instance_types.fit import TypeFit
    from azext_amlk8s.operations.cluster_facts import ClusterFacts
    from azext_amlk8s.refs import WorkspaceRef
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.workloads import KnownTypes, Workload

Resource = Mapping[str, Any]


@with_cluster_options
def check(
    cmd: Any,
    file: Sequence[str],
    options: ClusterOptions,
    instance_types: Sequence[str] | None = None,
    strict: bool = False,
) -> list[dict[str, str]]:
    """All findings on the files, errors first; the exit code is 1 where there is an error.

    Without a workspace, instance types or a cluster only the files themselves are checked.
    """
    from azext_amlk8s.operations.input_files import texts
    from azext_amlk8s.rules import Report
    from azext_amlk8s.workloads import read_workloads

    workloads: list[Workload] = []
    findings: list[Finding] = []
    for text in texts(file):
        read, found = read_workloads(text.text, text.source, text.of_folder)
        workloads += read
        findings += found
    findings += _evaluate(cmd, workloads, options, instance_types)
    report = Report.of(findings)
    report = report.strict() if strict else report
    if report.errors:
        set_exit_code(cmd, 1)
    return [finding_object(finding) for finding in report.findings]


@dataclass(frozen=True)
class _Compute:
    """What is known of the compute of some workloads: its types, where they fit, and what could not be read."""

    known: KnownTypes | None = None
    fits: Mapping[str, TypeFit] = field(default_factory=dict)
    facts: ClusterFacts | None = None
    note: str = ""

    def evaluate(self, workloads: Iterable[Workload]) -> list[Finding]:
        """The findings on workloads of this compute."""
        from azext_amlk8s.workloads import evaluate_workloads

        if self.facts is None:
            return evaluate_workloads(workloads, self.known)
        facts = self.facts
        findings = evaluate_workloads(workloads, self.known, self.fits, facts.placement, facts.commands)
        return [*findings, *facts.unknown]


def _evaluate(
    cmd: Any, workloads: Sequence[Workload], options: ClusterOptions, files: Sequence[str] | None
) -> Iterable[Finding]:
    from azext_amlk8s.workloads.computes import add_endpoint_computes

    workloads = add_endpoint_computes(workloads)
    if options.workspace_name:
        return _evaluate_in_workspace(cmd, workloads, options, files)
    types = _types_of_files(files)
    compute = _Compute(types)
    if options.kubeconfig or options.context or options.cluster_name:
        with open_cluster(cmd, options) as found:
            compute = _read_cluster(found, options, types, {})
    return compute.evaluate(workloads)


def _types_of_files(files: Sequence[str] | None) -> KnownTypes | None:
    """The types of files, which must be valid; None without files."""
    from azext_amlk8s.operations.input_files import types_of
    from azext_amlk8s.workloads import KnownTypes

    return (
        KnownTypes(", ".join(files), {instance_type.name: instance_type for instance_type in types_of(files)})
        if files
        else None
    )


def _evaluate_in_workspace(
    cmd: Any, workloads: Sequence[Workload], options: ClusterOptions, files: Sequence[str] | None
) -> list[Finding]:
    """The findings by what ARM and the clusters know; each compute is read once."""
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.workloads.computes import cluster_unreachable, evaluate_computes

    if not options.resource_group_name:
        raise RequiredArgumentMissingError(
            "--workspace-name requires --resource-group.",
            recommendation=f"Add the resource group of workspace '{options.workspace_name}' with --resource-group.",
        )
    client = AzureClient(cmd.cli_ctx)
    workspace = client.workspace_ref(options.resource_group_name, str(options.workspace_name))
    computes = _list_computes(client, workspace)
    workloads = _add_endpoint_computes(client, workspace.id, workloads)
    findings = evaluate_computes(workloads, computes, workspace)
    types = _types_of_files(files)
    for name, group in _group_by_compute(workloads, computes, options).items():
        resource = computes.get(name)
        compute = _read_compute(client, resource, options, types) if resource else _Compute(types)
        findings += compute.evaluate(group)
        findings += cluster_unreachable(name, compute.note) if compute.note else ()
    return findings


def _group_by_compute(
    workloads: Sequence[Workload], computes: Mapping[str, Resource], options: ClusterOptions
) -> dict[str, list[Workload]]:
    """Workloads by the compute that they name, else --compute-name, without those on computes of other kinds."""
    groups: dict[str, list[Workload]] = {}
    for workload in workloads:
        name = workload.compute_name or options.compute_name or ""
        kind = ((computes.get(name) or {}).get("properties") or {}).get("computeType")
        if kind in (None, "Kubernetes"):
            groups.setdefault(name, []).append(workload)
    return groups


def _list_computes(client: AzureClient, workspace: WorkspaceRef) -> dict[str, Resource]:
    from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found

    try:
        return {str(compute.get("name")): compute for compute in client.list_computes(workspace)}
    except not_found() as error:
        raise workspace_not_found(error, workspace) from error


def _add_endpoint_computes(client: AzureClient, root: str, workloads: Sequence[Workload]) -> list[Workload]:
    """The workloads; deployments get the compute of their endpoint in Azure."""
    from dataclasses import replace

    names = {
        workload.endpoint
        for workload in workloads
        if workload.kind == "deployment" and workload.endpoint and not workload.compute
    }
    found = {name: client.find(f"{root}/onlineEndpoints/{name}") for name in sorted(names)}
    computes = {name: ((endpoint or {}).get("properties") or {}).get("compute") for name, endpoint in found.items()}
    return [
        replace(workload, compute=computes[workload.endpoint])
        if workload.endpoint in computes and not workload.compute
        else workload
        for workload in workloads
    ]


def _read_compute(
    client: AzureClient, compute: Resource, options: ClusterOptions, types: KnownTypes | None
) -> _Compute:
    """The types of the compute in ARM (or those of files), and where they fit, or a note why that is unknown."""
    from azext_amlk8s.instance_types.model import types_of_compute
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable
    from azext_amlk8s.operations.failure_context import connect_to_cluster
    from azext_amlk8s.refs import ClusterRef
    from azext_amlk8s.workloads import KnownTypes

    name = str(compute.get("name"))
    known = types or KnownTypes(f"compute '{name}'", types_of_compute(compute))
    try:
        ref = ClusterRef.parse(str((compute.get("properties") or {}).get("resourceId") or ""))
        cluster, note = connect_to_cluster(client, ref, options.kubeconfig, options.context)
    except ValueError as error:
        return _Compute(known, note=f"{error}.")
    if cluster is None:
        return _Compute(known, note=note)
    names = {
        "resourceGroup": str(options.resource_group_name),
        "workspace": str(options.workspace_name),
        "compute": name,
    }
    try:
        return _read_cluster(ClusterSession(cluster, "", client, ref, compute), options, known, names)
    except (ClusterUnreachable, ClusterRefused) as error:
        return _Compute(known, note=str(error))


def _read_cluster(
    found: ClusterSession, options: ClusterOptions, known: KnownTypes | None, names: Mapping[str, str]
) -> _Compute:
    """The known types, or those of the cluster, and where they fit."""
    from azext_amlk8s.instance_types.fit import fit
    from azext_amlk8s.instance_types.model import types_of_objects
    from azext_amlk8s.operations.cluster_facts import cluster_facts
    from azext_amlk8s.workloads import KnownTypes

    if known is None:
        known = KnownTypes("the cluster", types_of_objects(found.cluster.list_instance_types()))
    facts = cluster_facts(found, options, None, names)
    fits = fit(known.types.values(), facts.nodes, facts.placement)
    return _Compute(known, {type_fit.name: type_fit for type_fit in fits}, facts)
