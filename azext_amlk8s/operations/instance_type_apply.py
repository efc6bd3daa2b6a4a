"""az amlk8s instance-type create, update and apply: what is to stand in the cluster, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azext_amlk8s.console.errors import confirm, log_findings, raise_for_errors, set_exit_code
from azext_amlk8s.instance_types.flags import Flags
from azext_amlk8s.operations.cluster_options import Choice, Reached, on_cluster, reached
from azext_amlk8s.operations.input_files import types_of
from azext_amlk8s.operations.option_groups import gathers


@on_cluster
@gathers("flags", Flags)
def create(
    cmd: Any,
    where: Choice,
    flags: Flags,
    name: str | None = None,
    file: Sequence[str] | None = None,
    from_nodes: bool = False,
    dry_run: bool = False,
    force_conflicts: bool = False,
) -> Any:
    """Bring the cluster to the instance types of flags, of files, or of its own nodes.

    All are judged before the first is written. Returns what stands in the cluster afterwards, each with its action:
    one object for flags, else a list.
    """
    _one_source(name, file, from_nodes, flags)
    _counted(flags)
    types = types_of(file) if file else None if from_nodes else [_of_flags(name, flags)]
    with reached(cmd, where) as found:
        wanted = types if types is not None else _of_nodes(found)
        done = _applied(cmd, found, wanted, where, dry_run=dry_run, force=force_conflicts)
    return done if file or from_nodes else done[0]


@on_cluster
@gathers("flags", Flags)
def update(
    cmd: Any,
    name: str,
    where: Choice,
    flags: Flags,
    dry_run: bool = False,
    force_conflicts: bool = False,
) -> dict[str, Any]:
    """Change what is given of one instance type of the cluster. Exit code 3 when it is not there."""
    from dataclasses import replace

    from azure.cli.core.azclierror import RequiredArgumentMissingError, ResourceNotFoundError

    from azext_amlk8s.instance_types.flags import from_flags
    from azext_amlk8s.instance_types.model import types_of_objects

    _counted(flags)
    if not flags.any:
        raise RequiredArgumentMissingError("There is nothing to update.", recommendation="--cpu-limit 2")
    with reached(cmd, where) as found:
        there = found.cluster.get_instance_type(name)
        if there is None:
            make_it = f"az amlk8s instance-type create -n {name} --cpu-limit 1 --memory-limit 2Gi{where.words}"
            raise ResourceNotFoundError(f"There is no instance type {name} in the cluster.", make_it)
        labels, annotations = _metadata(there)
        base = replace(types_of_objects([there])[name], labels=labels, annotations=annotations)
        made, findings = from_flags(name, flags, base)
        raise_for_errors(findings)
        done = _applied(cmd, found, [made], where, dry_run=dry_run, force=force_conflicts)
    result: dict[str, Any] = done[0]
    return result


@on_cluster
def apply(
    cmd: Any,
    file: Sequence[str],
    where: Choice,
    dry_run: bool = False,
    prune: bool = False,
    force_conflicts: bool = False,
    yes: bool = False,
) -> list[dict[str, Any]]:
    """Server-side apply of the instance types of files; with prune, what we applied before and is no more in them goes.

    Returns each type with its action: created, changed (with each field before and after), unchanged, conflict (with
    the other manager) or pruned. az ends in 1 where there is a conflict.
    """
    types = types_of(file)
    with reached(cmd, where) as found:
        before = {one["metadata"]["name"]: one for one in found.cluster.list_instance_types()}
        superfluous = _superfluous(before, types) if prune else []
        if superfluous and not dry_run:
            _say_users(found, superfluous)
            confirm(cmd, f"These instance types are deleted: {', '.join(superfluous)}.", yes)
        done = _applied(cmd, found, types, where, before, dry_run=dry_run, force=force_conflicts)
        return [*done, *_pruned(found, superfluous, before, dry_run)]


def _metadata(obj: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations, without what kubectl keeps there for itself."""
    metadata = obj["metadata"]
    annotations = (metadata.get("annotations") or {}).items()
    return metadata.get("labels") or {}, {key: value for key, value in annotations if not key.startswith("kubectl.")}


def _one_source(name: str | None, file: Any, from_nodes: bool, flags: Any) -> None:
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    described = bool(name) or flags.any
    if (file or from_nodes) and described:
        option = f"--file {file[0]}" if file else "--from-nodes"
        raise MutuallyExclusiveArgumentError(
            f"{option.split()[0]} excludes --name and the flags that describe an instance type.",
            recommendation=f"az amlk8s instance-type create {option}",
        )
    if file and from_nodes:
        raise MutuallyExclusiveArgumentError("--file excludes --from-nodes.", recommendation="--from-nodes")


def _counted(flags: Flags) -> None:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    if flags.gpu_resource and flags.gpu is None:
        raise RequiredArgumentMissingError(
            "--gpu-resource says what --gpu counts, and --gpu is not given.",
            recommendation=f"--gpu 1 --gpu-resource {flags.gpu_resource}",
        )


def _of_flags(name: str | None, flags: Any) -> Any:
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    from azext_amlk8s.instance_types.flags import from_flags

    if not (name and flags.sized):
        raise RequiredArgumentMissingError(
            "An instance type needs --name, a CPU and a memory, or comes from --file or --from-nodes.",
            recommendation="--name NAME --cpu-limit 1 --memory-limit 2Gi",
        )
    made, findings = from_flags(name, flags)
    raise_for_errors(findings)
    return made


def _of_nodes(found: Reached) -> list[Any]:
    """A type for each node pool, sized to what is allocatable."""
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.instance_types.fit_findings import judge_left_out
    from azext_amlk8s.instance_types.proposal import left_out, propose
    from azext_amlk8s.operations.cluster_facts import cluster_facts

    facts = cluster_facts(found, pools=False)
    made = propose(facts.nodes, facts.placement)
    findings = [*facts.unknown, *judge_left_out(left_out(facts.nodes, facts.placement))]
    log_findings(found.filled_in(one, facts.extension) for one in findings)
    if not made:
        raise ValidationError(
            "No node of the cluster takes workloads, so no type can be made of them.",
            recommendation="az amlk8s instance-type fit -o table",
        )
    return list(made)


def _applied(
    cmd: Any,
    found: Reached,
    types: Iterable[Any],
    where: Choice,
    before: Mapping[str, Any] | None = None,
    *,
    dry_run: bool,
    force: bool,
) -> list[dict[str, Any]]:
    """What came of each type; a conflict is an error, and az ends in 1 after all were tried."""
    from azext_amlk8s.instance_types.changes import conflicts_of, judge_conflict, judge_leftovers, outcome, refused
    from azext_amlk8s.kubernetes import ClusterRefused

    if before is None:
        before = {one["metadata"]["name"]: one for one in found.cluster.list_instance_types()}
    done, conflicts = [], []
    for one in types:
        try:
            after = found.cluster.apply_instance_type(one.to_object(), dry_run=dry_run, force=force)
            done.append({**outcome(before.get(one.name), after), "dryRun": dry_run})
            raise_for_errors(judge_leftovers(one, after))
        except ClusterRefused as refusal:
            if refusal.status != 409 or not refusal.causes:
                raise
            causes = conflicts_of(refusal.causes)
            conflicts.append(judge_conflict(one, causes))
            done.append({**refused(one, causes), "dryRun": dry_run})
    if conflicts:
        log_findings(conflicts)
        set_exit_code(cmd, 1)
    return done


def _superfluous(before: Mapping[str, Any], types: Iterable[Any]) -> list[str]:
    """What we applied and nobody wants any more; what others made is theirs."""
    from azext_amlk8s.instance_types.changes import managed_by
    from azext_amlk8s.kubernetes import FIELD_MANAGER

    wanted = {one.name for one in types}
    return [name for name, obj in before.items() if name not in wanted and managed_by(obj, FIELD_MANAGER)]


def _say_users(found: Reached, names: Sequence[str]) -> None:
    from azext_amlk8s.instance_types.usage import judge_delete, users_of

    workloads = found.cluster.workloads()
    raise_for_errors(*(judge_delete(name, users_of(name, workloads), ()) for name in names))


def _pruned(found: Reached, names: Iterable[str], before: Mapping[str, Any], dry_run: bool) -> list[dict[str, Any]]:
    from azext_amlk8s.instance_types.changes import pruned

    done = []
    for name in names:
        found.cluster.delete_instance_type(name, dry_run=dry_run)
        done.append({**pruned(before[name]), "dryRun": dry_run})
    return done
