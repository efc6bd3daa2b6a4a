"""az amlk8s instance-type list, show, validate, convert and delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm, finding_object, log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession, open_cluster, with_cluster_options

if TYPE_CHECKING:
    from azext_amlk8s.instance_types.comparison import Comparison


@with_cluster_options
def list_(cmd: Any, options: ClusterOptions) -> list[dict[str, Any]]:
    """The instance types of the cluster and, given a compute, of ARM; the default is always included."""
    from azext_amlk8s.instance_types.comparison import COMPARISON_RULES

    with open_cluster(cmd, options, allow_unreachable=True) as found:
        comparison, attach = _compare(found), _attach_command(options, found)
        for declared in COMPARISON_RULES:
            log_findings(declared(comparison, str(options.compute_name), attach))
        return comparison.views()


@with_cluster_options
def show(cmd: Any, name: str, options: ClusterOptions) -> dict[str, Any]:
    """One instance type; exit code 3 where neither the cluster nor the compute has it."""
    from azext_amlk8s.instance_types.model import DEFAULT_NAME

    with open_cluster(cmd, options, allow_unreachable=True) as found:
        comparison = _compare(found)
        known = sorted({*comparison.names, DEFAULT_NAME})
        if name not in known:
            raise _not_found(f"Instance type '{name}' not found; existing types: {', '.join(known)}.", options)
        return comparison.view(name)


def validate(cmd: Any, file: Sequence[str], strict: bool = False) -> list[dict[str, str]]:
    """All findings on the documents, errors first; the exit code is 1 where there is an error."""
    from azext_amlk8s.instance_types.documents import read_texts
    from azext_amlk8s.operations.input_files import texts
    from azext_amlk8s.rules import Report

    report = Report.of(read_texts(texts(file))[1])
    report = report.strict() if strict else report
    if report.errors:
        set_exit_code(cmd, 1)
    return [finding_object(finding) for finding in report.findings]


def convert(cmd: Any, file: Sequence[str]) -> dict[str, Any]:
    """The instance types of documents in any form, as one InstanceTypeList."""
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.instance_types import conversion
    from azext_amlk8s.operations.input_files import texts

    types, findings = conversion.convert(texts(file))
    raise_for_errors(findings)
    if not types:
        raise ValidationError("No instance type found in the files.")
    return conversion.as_list(types)


@with_cluster_options
def delete(cmd: Any, name: str, options: ClusterOptions, yes: bool = False) -> None:
    """Delete one instance type after naming what uses it. Exit code 3 where it does not exist."""
    from azext_amlk8s.instance_types.usage import in_use, users_of

    with open_cluster(cmd, options) as found:
        if found.cluster.get_instance_type(name) is None:
            raise _not_found(f"Instance type '{name}' not found in the cluster.", options)
        raise_for_errors(in_use(name, users_of(name, found.cluster.workloads()), _default_of(found, name)))
        confirm(cmd, f"Delete instance type '{name}' from the cluster at {found.cluster.server}?", yes)
        found.cluster.delete_instance_type(name)


def _not_found(message: str, options: ClusterOptions) -> Exception:
    return az_error("ResourceNotFoundError", message, [f"az amlk8s instance-type list{options.cli_suffix} -o table"])


def _default_of(found: ClusterSession, name: str) -> list[str]:
    """The compute that the user named, if the type is its default."""
    compute = found.compute or {}
    inner = (compute.get("properties") or {}).get("properties") or {}
    return [str(compute.get("name"))] if inner.get("defaultInstanceType") == name else []


def _attach_command(options: ClusterOptions, found: ClusterSession) -> str:
    """The command that attaches the compute again with the same name and namespace."""
    from azext_amlk8s.shell import join

    inner = ((found.compute or {}).get("properties") or {}).get("properties") or {}
    args = {
        "-n": options.compute_name,
        "-g": options.resource_group_name,
        "-w": options.workspace_name,
        "--resource-id": found.ref.id if found.ref else None,
        "--namespace": inner.get("namespace") or "default",
    }
    return f"az amlk8s compute attach {join(str(word) for pair in args.items() for word in pair)} --replace"


def _compare(found: ClusterSession) -> Comparison:
    """The types of cluster and compute, and the extension's version where it decides the size of the default."""
    from knack.log import get_logger

    from azext_amlk8s.daemon_threads import DaemonPool
    from azext_amlk8s.instance_types.comparison import Comparison
    from azext_amlk8s.instance_types.model import DEFAULT_NAME, types_of_compute, types_of_objects

    compute = types_of_compute(found.compute) if found.compute else None
    if found.cluster is None:
        get_logger(__name__).warning("%s Only the instance types of the compute follow.", found.note)
        return Comparison(None, compute)
    if not found.ref or DEFAULT_NAME in (compute or {}):
        return Comparison(types_of_objects(found.cluster.list_instance_types()), compute)
    with DaemonPool(2) as pool:
        extension = pool.submit(found.extension)
        cluster = types_of_objects(found.cluster.list_instance_types())
        properties = (extension.result() or {}).get("properties") or {}
    return Comparison(cluster, compute, str(properties.get("currentVersion") or ""))
