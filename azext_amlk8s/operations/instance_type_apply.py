"""az amlk8s instance-type create, update and apply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import confirm, log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.instance_types.flags import Flags
from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession, open_cluster, with_cluster_options
from azext_amlk8s.operations.input_files import types_of
from azext_amlk8s.operations.option_groups import group_options
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from azext_amlk8s.instance_types.model import InstanceType
    from azext_amlk8s.rules import Finding


@with_cluster_options
@group_options("flags", Flags)
def create(
    cmd: Any,
    options: ClusterOptions,
    flags: Flags,
    name: str | None = None,
    file: Sequence[str] | None = None,
    from_nodes: bool = False,
    share: Sequence[str] | None = None,
    dry_run: bool = False,
    force_conflicts: bool = False,
) -> Any:
    """Create or change the instance types that flags, files, or the nodes of the cluster describe.

    All are validated before the first is written. Returns each type as the cluster has it afterwards, with its action:
    one object for flags, else a list.
    """
    _check_source(name, file, from_nodes, flags)
    _check_share(share, from_nodes)
    _check_gpu(flags)
    types = types_of(file) if file else None if from_nodes else [_from_flags(name, flags)]
    with open_cluster(cmd, options) as found:
        wanted = types if types is not None else types_from_nodes(found, options, share)
        done = apply_types(found, wanted, dry_run=dry_run, force=force_conflicts)
    _report_conflicts(cmd, done)
    return done if file or from_nodes else done[0]


@with_cluster_options
@group_options("flags", Flags)
def update(
    cmd: Any,
    name: str,
    options: ClusterOptions,
    flags: Flags,
    dry_run: bool = False,
    force_conflicts: bool = False,
) -> dict[str, Any]:
    """Change the given values of an instance type. Exit code 3 where it does not exist."""
    from dataclasses import replace

    from azure.cli.core.azclierror import RequiredArgumentMissingError, ResourceNotFoundError

    from azext_amlk8s.instance_types.flags import from_flags
    from azext_amlk8s.instance_types.model import types_of_objects

    _check_gpu(flags)
    if not flags.any:
        raise RequiredArgumentMissingError(
            "Nothing to update: specify at least one value.", recommendation="--cpu-limit 2"
        )
    with open_cluster(cmd, options) as found:
        existing = found.cluster.get_instance_type(name)
        if existing is None:
            create_command = (
                f"az amlk8s instance-type create -n {name} --cpu-limit 1 --memory-limit 2Gi{options.cli_suffix}"
            )
            raise ResourceNotFoundError(f"Instance type '{name}' not found in the cluster.", create_command)
        labels, annotations = _metadata(existing)
        base = replace(types_of_objects([existing])[name], labels=labels, annotations=annotations)
        changed, findings = from_flags(name, flags, base)
        raise_for_errors(findings)
        done = apply_types(found, [changed] if changed else [], dry_run=dry_run, force=force_conflicts)
    _report_conflicts(cmd, done)
    result: dict[str, Any] = done[0]
    return result


@with_cluster_options
def apply(
    cmd: Any,
    file: Sequence[str],
    options: ClusterOptions,
    dry_run: bool = False,
    prune: bool = False,
    force_conflicts: bool = False,
    yes: bool = False,
) -> list[dict[str, Any]]:
    """Server-side apply of the instance types of files; prune deletes those applied before that no file has any more.

    Returns each type with its action: created, changed (with each field before and after), unchanged, conflict (with
    the other manager) or pruned. The exit code is 1 where there is a conflict.
    """
    types = types_of(file)
    with open_cluster(cmd, options) as found:
        before = {
            instance_type["metadata"]["name"]: instance_type for instance_type in found.cluster.list_instance_types()
        }
        to_prune = _types_to_prune(before, types) if prune else []
        if to_prune and not dry_run:
            _log_users(found, to_prune)
            kind = "instance type" if len(to_prune) == 1 else "instance types"
            confirm(cmd, f"Delete {kind} {', '.join(to_prune)}?", yes)
        done = apply_types(found, types, before, dry_run=dry_run, force=force_conflicts)
        _report_conflicts(cmd, done)
        return [*done, *_prune(found, to_prune, before, dry_run)]


def _metadata(obj: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations, without those of kubectl."""
    metadata = obj["metadata"]
    annotations = (metadata.get("annotations") or {}).items()
    return metadata.get("labels") or {}, {key: value for key, value in annotations if not key.startswith("kubectl.")}


def _check_source(name: str | None, file: Sequence[str] | None, from_nodes: bool, flags: Flags) -> None:
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    described = bool(name) or flags.any
    if (file or from_nodes) and described:
        option = f"--file {file[0]}" if file else "--from-nodes"
        raise MutuallyExclusiveArgumentError(
            f"{option.split()[0]} cannot be combined with --name and the options that describe an instance type.",
            recommendation=f"az amlk8s instance-type create {option}",
        )
    if file and from_nodes:
        raise MutuallyExclusiveArgumentError(
            "--file cannot be combined with --from-nodes.", recommendation="--from-nodes"
        )


def _check_gpu(flags: Flags) -> None:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if flags.gpu_resource and flags.gpu is None:
        raise RequiredArgumentMissingError(
            "--gpu-resource requires --gpu.",
            recommendation=f"--gpu 1 --gpu-resource {flags.gpu_resource}",
        )


def _from_flags(name: str | None, flags: Flags) -> InstanceType:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.instance_types.flags import from_flags

    if not (name and flags.sized):
        raise RequiredArgumentMissingError(
            "Specify --name with CPU and memory, or --file, or --from-nodes.",
            recommendation=f"--name {quote(name or 'cpu-small')} --cpu-limit 1 --memory-limit 2Gi",
        )
    instance_type, findings = from_flags(name, flags)
    raise_for_errors(findings)
    assert instance_type is not None
    return instance_type


def _check_share(share: Sequence[str] | None, from_nodes: bool) -> None:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if share and not from_nodes:
        raise RequiredArgumentMissingError(
            "--share requires --from-nodes.", recommendation=f"--from-nodes --share {' '.join(share)}"
        )


def types_from_nodes(found: ClusterSession, options: ClusterOptions, share: Sequence[str] | None) -> list[InstanceType]:
    """Types for each node pool, sized to what workloads can use of its nodes; warns where none can run now."""
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.instance_types.fit import fit
    from azext_amlk8s.instance_types.fit_findings import evaluate_fit, pools_left_out
    from azext_amlk8s.instance_types.proposal import WHOLE, left_out, propose
    from azext_amlk8s.operations.cluster_facts import cluster_facts

    facts = cluster_facts(found, options, pools=False)
    types = propose(facts.nodes, facts.placement, share or (WHOLE,))
    log_findings([*facts.unknown, *pools_left_out(left_out(facts.nodes, facts.placement), facts.commands)])
    if not types:
        raise ValidationError(
            "No node of the cluster has enough capacity for workloads, so no instance type can be created from them.",
            recommendation=f"az amlk8s instance-type fit{options.cli_suffix} -o table",
        )
    log_findings(evaluate_fit(fit(types, facts.nodes, facts.placement), facts.placement, facts.commands))
    return types


def apply_types(
    found: ClusterSession,
    types: Iterable[InstanceType],
    before: Mapping[str, Any] | None = None,
    *,
    dry_run: bool,
    force: bool,
    owned: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The result for each type; conflicts are logged after all were tried.

    force: fields of other managers are taken over; otherwise only those of the types that are owned, by name.
    """
    from azext_amlk8s.instance_types.changes import (
        applied_view,
        conflict_view,
        conflicts_of,
        field_conflict,
        leftover_fields,
    )
    from azext_amlk8s.kubernetes import ClusterError, ClusterRefused

    if before is None:
        before = {
            instance_type["metadata"]["name"]: instance_type for instance_type in found.cluster.list_instance_types()
        }
    done: list[dict[str, Any]] = []
    conflicts: list[Finding] = []
    types = list(types)
    for instance_type in types:
        try:
            takes_over = force or instance_type.name in owned
            after = found.cluster.apply_instance_type(instance_type.to_object(), dry_run=dry_run, force=takes_over)
        except ClusterRefused as refusal:
            if refusal.status != 409 or not refusal.causes:
                _log_partial([each.name for each in types], done)
                raise
            causes = conflicts_of(refusal.causes)
            conflicts += field_conflict(instance_type, causes)
            done.append({**conflict_view(instance_type, causes), "dryRun": dry_run})
        except ClusterError:
            _log_partial([each.name for each in types], done)
            raise
        else:
            done.append({**applied_view(before.get(instance_type.name), after), "dryRun": dry_run})
            raise_for_errors(leftover_fields(instance_type, after))
    if conflicts:
        log_findings(conflicts)
    return done


def _report_conflicts(cmd: Any, done: Iterable[Mapping[str, Any]]) -> None:
    """Have az exit with 1 where a field belongs to another manager."""
    from azext_amlk8s.instance_types.changes import CONFLICT

    if any(result["action"] == CONFLICT for result in done):
        set_exit_code(cmd, 1)


def _log_partial(names: Sequence[str], done: Sequence[Mapping[str, Any]]) -> None:
    """Log which of several instance types were applied before an error, and which were not."""
    from knack.log import get_logger

    if len(names) == 1:
        return
    applied = [str(result["name"]) for result in done if result["action"] != "conflict"]
    others = [name for name in names if name not in applied]
    text = f"Applied: {', '.join(applied) or 'none'}. Not applied: {', '.join(others)}."
    get_logger(__name__).warning("%s The same command can be run again.", text)


def _types_to_prune(before: Mapping[str, Any], types: Iterable[InstanceType]) -> list[str]:
    """Types that this tool applied and that are not wanted any more; those of other managers stay."""
    from azext_amlk8s.instance_types.changes import is_managed_by
    from azext_amlk8s.kubernetes import FIELD_MANAGER

    wanted = {instance_type.name for instance_type in types}
    return [name for name, obj in before.items() if name not in wanted and is_managed_by(obj, FIELD_MANAGER)]


def _log_users(found: ClusterSession, names: Sequence[str]) -> None:
    from azext_amlk8s.instance_types.usage import in_use, users_of

    workloads = found.cluster.workloads()
    raise_for_errors(*(in_use(name, users_of(name, workloads)) for name in names))


def _prune(
    found: ClusterSession, names: Iterable[str], before: Mapping[str, Any], dry_run: bool
) -> list[dict[str, Any]]:
    from azext_amlk8s.instance_types.changes import pruned_view

    done = []
    for name in names:
        found.cluster.delete_instance_type(name, dry_run=dry_run)
        done.append({**pruned_view(before[name]), "dryRun": dry_run})
    return done
