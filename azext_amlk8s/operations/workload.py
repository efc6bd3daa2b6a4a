"""az amlk8s workload check: what will happen to jobs and deployments, before they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.console.errors import azure_errors, finding_object, set_exit_code
from azext_amlk8s.operations.cluster_options import Choice, Reached, on_cluster, reached


@on_cluster
def check(
    cmd: Any,
    file: Sequence[str],
    where: Choice,
    instance_types: Sequence[str] | None = None,
    strict: bool = False,
) -> list[dict[str, str]]:
    """All findings on the files, errors first; az ends in 1 when there is an error.

    Without a workspace, types or a cluster only the files themselves are judged.
    """
    from azext_amlk8s.operations.input_files import texts
    from azext_amlk8s.rules import Report
    from azext_amlk8s.workloads import read_workloads

    asks: list[Any] = []
    findings: list[Any] = []
    for text in texts(file):
        made, found = read_workloads(text.text, text.source)
        asks += made
        findings += found
    findings += _judged(cmd, asks, where, instance_types)
    report = Report.of(findings)
    report = report.strict() if strict else report
    if report.errors:
        set_exit_code(cmd, 1)
    return [finding_object(one) for one in report.findings]


@dataclass(frozen=True)
class Ground:
    """What the workloads of one compute stand on: the known types, how these fit, and what could not be seen."""

    known: Any = None
    fits: Mapping[str, Any] = field(default_factory=dict)
    placement: Any = None
    unknown: tuple[Any, ...] = ()

    def judge(self, asks: Sequence[Any]) -> list[Any]:
        """All findings on what is asked for."""
        from azext_amlk8s.workloads import judge_workloads

        return [*judge_workloads(asks, self.known, self.fits, self.placement), *self.unknown]


def _judged(cmd: Any, asks: Sequence[Any], where: Choice, files: Sequence[str] | None) -> Iterable[Any]:
    from azext_amlk8s.workloads.computes import with_endpoints

    asks = with_endpoints(asks)
    if where.workspace_name:
        return _in_workspace(cmd, asks, where, files)
    types = _types_of(files) if files else None
    ground = Ground(types)
    if where.kubeconfig or where.context or where.cluster_name:
        with reached(cmd, where) as found:
            ground = _of_cluster(found, types, {})
    return ground.judge(asks)


def _types_of(files: Sequence[str]) -> Any:
    """The types of documents; those documents must be right."""
    from azext_amlk8s.operations.input_files import types_of
    from azext_amlk8s.workloads import Known

    return Known(", ".join(files), {one.name: one for one in types_of(files)})


def _in_workspace(cmd: Any, asks: Sequence[Any], where: Choice, files: Sequence[str] | None) -> list[Any]:
    """The asks of each compute, judged by what ARM knows of it and by its cluster; each is asked once."""
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.workloads.computes import judge_computes, unreachable

    with azure_errors():
        arm = AzureClient(cmd.cli_ctx)
        computes = _computes(arm, where)
        asks = _at_endpoints(arm, asks, where)
        found: list[Any] = [*judge_computes(asks, computes, str(where.workspace_name))]
        types = _types_of(files) if files else None
        for name, group in _by_compute(asks, computes, where).items():
            compute = computes.get(name)
            ground, note = _of_compute(cmd, arm, compute, where, types) if compute else (Ground(types), "")
            found += ground.judge(group)
            found += unreachable(name, note) if note else ()
    return found


def _by_compute(asks: Sequence[Any], computes: Mapping[str, Any], where: Choice) -> dict[str, list[Any]]:
    """Asks by the compute that they name, else --compute-name; those of computes of other kinds are left out."""
    made: dict[str, list[Any]] = {}
    for ask in asks:
        name = ask.compute_name or where.compute_name or ""
        kind = ((computes.get(name) or {}).get("properties") or {}).get("computeType")
        if kind in (None, "Kubernetes"):
            made.setdefault(name, []).append(ask)
    return made


def _computes(arm: Any, where: Choice) -> dict[str, Any]:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found

    if not where.resource_group_name:
        raise RequiredArgumentMissingError(
            "--workspace-name needs --resource-group.", recommendation="--resource-group GROUP"
        )
    workspace = arm.workspace_ref(where.resource_group_name, str(where.workspace_name))
    try:
        return {str(one.get("name")): one for one in arm.list_computes(workspace)}
    except not_found() as error:
        raise workspace_not_found(error, workspace) from error


def _at_endpoints(arm: Any, asks: Sequence[Any], where: Choice) -> list[Any]:
    """Deployments get the compute of their endpoint, as Azure has it."""
    from dataclasses import replace

    names = {ask.endpoint for ask in asks if ask.kind == "deployment" and ask.endpoint and not ask.compute}
    root = arm.workspace_ref(str(where.resource_group_name), str(where.workspace_name)).id
    told = {name: (arm.find(f"{root}/onlineEndpoints/{name}") or {}).get("properties") or {} for name in sorted(names)}
    return [
        replace(ask, compute=told[ask.endpoint].get("compute")) if ask.endpoint in told and not ask.compute else ask
        for ask in asks
    ]


def _of_compute(cmd: Any, arm: Any, compute: Mapping[str, Any], where: Choice, types: Any) -> tuple[Ground, str]:
    """The types as ARM has them (or those of the files), and the fit, or a note why the cluster was not asked."""
    from azext_amlk8s.instance_types.model import types_of_compute
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable
    from azext_amlk8s.operations.failure_context import connect_to_cluster
    from azext_amlk8s.refs import ClusterRef
    from azext_amlk8s.workloads import Known

    name = str(compute.get("name"))
    known = types or Known(f"the compute {name}", types_of_compute(compute))
    cluster_id = str((compute.get("properties") or {}).get("resourceId") or "")
    cluster, note = connect_to_cluster(arm, ClusterRef.parse(cluster_id), where.kubeconfig, where.context)
    if cluster is None:
        return Ground(known), note
    found = Reached(cluster, "", arm, cluster_id, compute)
    names = {
        "resourceGroup": str(where.resource_group_name),
        "workspace": str(where.workspace_name),
        "compute": name,
    }
    try:
        return _of_cluster(found, known, names), ""
    except (ClusterUnreachable, ClusterRefused) as error:
        return Ground(known), str(error)


def _of_cluster(found: Reached, known: Any, names: Mapping[str, str]) -> Ground:
    """The fit of the known types, or of those of the cluster."""
    from azext_amlk8s.instance_types.fit import fit
    from azext_amlk8s.instance_types.model import types_of_objects
    from azext_amlk8s.operations.cluster_facts import cluster_facts
    from azext_amlk8s.workloads import Known

    if known is None:
        known = Known("the cluster", types_of_objects(found.cluster.list_instance_types()))
    facts = cluster_facts(found, None, names)
    fits = fit(known.types.values(), facts.nodes, facts.placement)
    return Ground(known, {one.name: one for one in fits}, facts.placement, facts.unknown)
