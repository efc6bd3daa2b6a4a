"""az amlk8s instance-type fit: where the pods of each type can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.console.errors import log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.operations.cluster_options import Choice, Reached, on_cluster, reached
from azext_amlk8s.operations.input_files import types_of

PICTURES = (".svg", ".png")


@on_cluster
def fit(
    cmd: Any,
    where: Choice,
    name: str | None = None,
    file: Sequence[str] | None = None,
    config: Sequence[str] | None = None,
    plot: str | None = None,
    strict: bool = False,
) -> list[dict[str, Any]]:
    """For each type of files, or of the cluster: its nodes, how many pods at once, and why none.

    With strict az ends in 1 where a type fits nowhere or its jobs will be refused.
    """
    from azext_amlk8s.instance_types.fit import EXPECTED
    from azext_amlk8s.instance_types.fit import fit as measured
    from azext_amlk8s.instance_types.fit_findings import judge_fit, judge_selectors, views
    from azext_amlk8s.operations.cluster_facts import cluster_facts
    from azext_amlk8s.rules import Severity

    _check_plot(plot)
    settings = _settings(config)
    given = types_of(file) if file else None
    with reached(cmd, where) as found:
        types = given if given is not None else _of_cluster(found)
        types = _named(types, name)
        facts = cluster_facts(found, settings, _names(where))
    fits = measured(types, facts.nodes, facts.placement)
    findings = [*judge_fit(fits, facts.placement), *judge_selectors(types, facts.placement)]
    findings += facts.unknown
    log_findings(found.filled_in(one, facts.extension) for one in findings)
    if plot:
        _draw(fits, plot)
    checked = facts.placement.sizes_checked
    bad = [one for one in fits if not (one.pods or one.grown) or (checked and one.code_nine == EXPECTED)]
    if strict and (bad or any(one.severity is Severity.ERROR for one in findings)):
        set_exit_code(cmd, 1)
    return views(fits)


def _settings(words: Sequence[str] | None) -> Mapping[str, str] | None:
    from azext_amlk8s.settings import read_settings

    if words is None:
        return None
    settings, findings = read_settings(words, (), allow_unknown=True)
    raise_for_errors(findings)
    return dict(settings.config)


def _of_cluster(found: Reached) -> list[Any]:
    """The types of the cluster, and the default as the compute has it where the cluster does not override it."""
    from azext_amlk8s.instance_types.model import DEFAULT_NAME, types_of_compute, types_of_objects

    types = types_of_objects(found.cluster.list_instance_types())
    of_compute = types_of_compute(found.compute) if found.compute else {}
    if DEFAULT_NAME in of_compute:
        types = {DEFAULT_NAME: of_compute[DEFAULT_NAME], **types}
    if not types:
        from knack.log import get_logger

        get_logger(__name__).warning(
            "The cluster has no instance types of its own; name its compute to have the default measured."
        )
    return list(types.values())


def _named(types: Sequence[Any], name: str | None) -> list[Any]:
    from azure.cli.core.azclierror import ResourceNotFoundError

    found = [one for one in types if name in (None, one.name)]
    if name and not found:
        known = ", ".join(one.name for one in types) or "none"
        raise ResourceNotFoundError(
            f"There is no instance type {name}; there are: {known}.",
            recommendation="az amlk8s instance-type list -o table",
        )
    return found


def _names(where: Choice) -> dict[str, str]:
    """The names that workloads tolerate in taints, as far as the options tell them."""
    if not where.compute_name:
        return {}
    told = {
        "resourceGroup": where.resource_group_name,
        "workspace": where.workspace_name,
        "compute": where.compute_name,
    }
    return {key: value for key, value in told.items() if value}


def _check_plot(plot: str | None) -> None:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    if plot and not plot.lower().endswith(PICTURES):
        raise InvalidArgumentValueError(
            f"{plot} is neither an .svg nor a .png file.", recommendation="--plot instance-types.svg"
        )


def _draw(fits: Sequence[Any], plot: str) -> None:
    """Write the picture. Raises FileOperationError, CLIInternalError without the library that draws."""
    from pathlib import Path

    from azure.cli.core.azclierror import CLIInternalError, FileOperationError
    from knack.log import get_logger

    from azext_amlk8s.instance_types import fit_chart as picture

    try:
        drawn = picture.svg(fits)
        data = picture.png(drawn) if plot.lower().endswith(".png") else drawn.encode()
    except ModuleNotFoundError as error:
        raise CLIInternalError(
            f"The library {error.name}, which draws, is not installed.", recommendation=f"pip install {error.name}"
        ) from error
    try:
        Path(plot).expanduser().write_bytes(data)
    except OSError as error:
        raise FileOperationError(
            f"{plot} cannot be written: {error.strerror}.", recommendation="--plot PATH"
        ) from error
    get_logger(__name__).warning("The picture is in %s.", plot)
