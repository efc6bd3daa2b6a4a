"""az amlk8s instance-type: looking, validating, converting, deleting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azext_amlk8s.console.errors import confirm, finding_object, log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.operations.cluster_options import Choice, Reached, on_cluster, reached


@on_cluster
def list_(cmd: Any, where: Choice) -> list[dict[str, Any]]:
    """The instance types of the cluster and, given a compute, of ARM; the default is always among them."""
    from azext_amlk8s.instance_types.comparison import judge_sides

    with reached(cmd, where, may_lack=True) as found:
        sides = _sides(found)
        log_findings(judge_sides(sides, str(where.compute_name), _attach(where, found)))
        return sides.views()


@on_cluster
def show(cmd: Any, name: str, where: Choice) -> dict[str, Any]:
    """One instance type; exit code 3 when it is on neither side."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    from azext_amlk8s.instance_types.model import DEFAULT_NAME

    with reached(cmd, where, may_lack=True) as found:
        sides = _sides(found)
        known = [*(sides.cluster or {}), *(sides.compute or {}), DEFAULT_NAME]
        if name in known:
            return sides.view(name)
    raise ResourceNotFoundError(
        f"There is no instance type {name}; there are: {', '.join(sorted(set(known)))}.",
        recommendation=f"az amlk8s instance-type list{where.words} -o table",
    )


def validate(cmd: Any, file: Sequence[str], strict: bool = False) -> list[dict[str, str]]:
    """All findings on the documents, errors first; az ends in 1 when there is an error."""
    from azext_amlk8s.instance_types.documents import read_texts
    from azext_amlk8s.operations.input_files import texts
    from azext_amlk8s.rules import Report

    report = Report.of(read_texts(texts(file))[1])
    report = report.strict() if strict else report
    if report.errors:
        set_exit_code(cmd, 1)
    return [finding_object(finding) for finding in report.findings]


def convert(cmd: Any, file: Sequence[str]) -> dict[str, Any]:
    """The instance types of documents in whatever form, as one InstanceTypeList of today's."""
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.instance_types.conversion import as_list
    from azext_amlk8s.instance_types.conversion import convert as converted
    from azext_amlk8s.operations.input_files import texts

    types, findings = converted(texts(file))
    raise_for_errors(findings)
    if not types:
        raise ValidationError("There is no instance type in what was given.")
    return as_list(types)


@on_cluster
def delete(cmd: Any, name: str, where: Choice, yes: bool = False) -> None:
    """Delete one instance type; says first who depends on it. Exit code 3 when it is not there."""
    from azure.cli.core.azclierror import ResourceNotFoundError

    from azext_amlk8s.instance_types.usage import judge_delete, users_of

    with reached(cmd, where) as found:
        if found.cluster.get_instance_type(name) is None:
            raise ResourceNotFoundError(
                f"There is no instance type {name} in the cluster.",
                recommendation=f"az amlk8s instance-type list{where.words} -o table",
            )
        raise_for_errors(judge_delete(name, users_of(name, found.cluster.workloads()), _computes_of(found, name)))
        confirm(cmd, f"The instance type {name} is deleted from the cluster at {found.cluster.server}.", yes)
        found.cluster.delete_instance_type(name)


def _computes_of(found: Reached, name: str) -> list[str]:
    """The compute that was named, if the type is its default."""
    compute = found.compute or {}
    inner = (compute.get("properties") or {}).get("properties") or {}
    return [str(compute.get("name"))] if inner.get("defaultInstanceType") == name else []


def _attach(where: Choice, found: Reached) -> str:
    """The command that attaches the compute again, under the same name and namespace."""
    import shlex

    inner = ((found.compute or {}).get("properties") or {}).get("properties") or {}
    told = {
        "-n": where.compute_name,
        "-g": where.resource_group_name,
        "-w": where.workspace_name,
        "--resource-id": found.cluster_id,
        "--namespace": inner.get("namespace") or "default",
    }
    words = [shlex.quote(str(word)) for pair in told.items() for word in pair]
    return f"az amlk8s compute attach {' '.join(words)} --replace"


def _sides(found: Reached) -> Any:
    """Both sides, and the version of the extension where it says how large the default is; asked for side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from knack.log import get_logger

    from azext_amlk8s.instance_types.comparison import Sides
    from azext_amlk8s.instance_types.model import DEFAULT_NAME, types_of_compute, types_of_objects

    compute = types_of_compute(found.compute) if found.compute else None
    if found.cluster is None:
        get_logger(__name__).warning("%s What follows is the compute's side alone.", found.note)
        return Sides(None, compute)
    if not found.cluster_id or DEFAULT_NAME in (compute or {}):
        return Sides(types_of_objects(found.cluster.list_instance_types()), compute)
    with ThreadPoolExecutor(2) as pool:
        extension = pool.submit(found.extension)
        cluster = types_of_objects(found.cluster.list_instance_types())
        told = extension.result() or {}
    return Sides(cluster, compute, str((told.get("properties") or {}).get("currentVersion") or ""))
