"""az amlk8s instance-type fit: where the pods of each type can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession, open_cluster, with_cluster_options
from azext_amlk8s.operations.input_files import types_of

if TYPE_CHECKING:
    from azext_amlk8s.instance_types.fit import TypeFit
    from azext_amlk8s.instance_types.model import InstanceType

CHART_SUFFIXES = (".svg", ".png")


@with_cluster_options
def fit(
    cmd: Any,
    options: ClusterOptions,
    name: str | None = None,
    file: Sequence[str] | None = None,
    config: Sequence[str] | None = None,
    plot: str | None = None,
    strict: bool = False,
) -> list[dict[str, Any]]:
    """For each type of files, or of the cluster: its nodes, how many pods at once, and why none.

    With strict the exit code is 1 where a type fits nowhere or its jobs will be refused.
    """
    from azext_amlk8s.instance_types import fit as instance_type_fit
    from azext_amlk8s.instance_types.fit_findings import contradicting_selectors, evaluate_fit, fit_views
    from azext_amlk8s.operations.cluster_facts import cluster_facts
    from azext_amlk8s.rules import Severity

    _check_plot(plot)
    settings = _settings(config)
    given = types_of(file) if file else None
    with open_cluster(cmd, options) as found:
        types = _select(given if given is not None else _cluster_types(found), name, options)
        facts = cluster_facts(found, options, settings, _compute_names(options))
    fits = instance_type_fit.fit(types, facts.nodes, facts.placement)
    findings = evaluate_fit(fits, facts.placement, facts.commands)
    findings += contradicting_selectors(types, facts.placement, facts.commands)
    findings += facts.unknown
    log_findings(findings)
    if plot:
        _draw(fits, plot)
    refused = instance_type_fit.REFUSED if facts.placement.sizes_checked else None
    failed = any(not (type_fit.pods or type_fit.added) or type_fit.refused == refused for type_fit in fits)
    if strict and (failed or any(finding.severity is Severity.ERROR for finding in findings)):
        set_exit_code(cmd, 1)
    return fit_views(fits, facts.placement)


def _settings(words: Sequence[str] | None) -> Mapping[str, str] | None:
    from azext_amlk8s.settings import read_settings

    if words is None:
        return None
    settings, findings = read_settings(words, (), allow_unknown=True)
    raise_for_errors(findings)
    return dict(settings.config)


def _cluster_types(found: ClusterSession) -> list[InstanceType]:
    """The types of the cluster, and the default of the compute where the cluster does not override it."""
    from knack.log import get_logger

    from azext_amlk8s.instance_types.model import DEFAULT_NAME, types_of_compute, types_of_objects

    types = types_of_objects(found.cluster.list_instance_types())
    compute_types = types_of_compute(found.compute) if found.compute else {}
    if DEFAULT_NAME in compute_types:
        types = {DEFAULT_NAME: compute_types[DEFAULT_NAME], **types}
    if not types:
        get_logger(__name__).warning(
            "The cluster has no custom instance types. To measure the default, name its compute."
        )
    return list(types.values())


def _select(types: Sequence[InstanceType], name: str | None, options: ClusterOptions) -> list[InstanceType]:
    from azure.cli.core.azclierror import ResourceNotFoundError

    selected = [instance_type for instance_type in types if name in (None, instance_type.name)]
    if name and not selected:
        known = ", ".join(instance_type.name for instance_type in types) or "none"
        raise ResourceNotFoundError(
            f"Instance type '{name}' not found; existing types: {known}.",
            recommendation=f"az amlk8s instance-type list{options.cli_suffix} -o table",
        )
    return selected


def _compute_names(options: ClusterOptions) -> dict[str, str]:
    """The names that workloads tolerate in taints, as far as the options name them."""
    if not options.compute_name:
        return {}
    names = {
        "resourceGroup": options.resource_group_name,
        "workspace": options.workspace_name,
        "compute": options.compute_name,
    }
    return {key: value for key, value in names.items() if value}


def _check_plot(plot: str | None) -> None:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    if plot and not plot.lower().endswith(CHART_SUFFIXES):
        raise InvalidArgumentValueError(
            f"--plot: invalid file '{plot}'; expected a name that ends with .svg or .png.",
            recommendation="--plot instance-types.svg",
        )


def _draw(fits: Sequence[TypeFit], plot: str) -> None:
    """Write the chart. Raises FileOperationError, CLIInternalError without the library that draws."""
    from pathlib import Path

    from azure.cli.core.azclierror import CLIInternalError, FileOperationError
    from knack.log import get_logger

    from azext_amlk8s.instance_types import fit_chart

    try:
        svg = fit_chart.svg(fits)
        content = fit_chart.png(svg) if plot.lower().endswith(".png") else svg.encode()
    except ModuleNotFoundError as error:
        raise CLIInternalError(
            f"The library {error.name}, which draws charts, is not installed.",
            recommendation=f"pip install {error.name}",
        ) from error
    try:
        Path(plot).write_bytes(content)
    except OSError as error:
        raise FileOperationError(
            f"Cannot write '{plot}': {error.strerror}.", recommendation="Choose a file in a folder that exists."
        ) from error
    get_logger(__name__).warning("Chart written to %s.", plot)
