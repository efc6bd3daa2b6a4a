"""What each cluster of a setup must have: overrides, names of computes, and the rules over all clusters together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from azext_amlk8s.compute_view import is_kubernetes
from azext_amlk8s.computes.model import COMPUTE_SPEC, cluster_id_of
from azext_amlk8s.computes.request_rules import invalid_compute_name
from azext_amlk8s.refs import ClusterRef, WorkspaceRef
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.setup_files.form_rules import duplicate_part
from azext_amlk8s.setup_files.model import OWNER_TAG, ClusterEntry, ClusterSetup, Part, Resource, Selector, Setup, Wave
from azext_amlk8s.setup_files.reading import workspace_of
from azext_amlk8s.shell import quote

VARIABLE = re.compile(r"\{([^{}]*)\}")
VARIABLES = ("cluster.name", "cluster.resource_group", "cluster.location")
MERGED = ("extension", "compute")
# Parts of these that exclude each other or belong together are replaced as a whole.
REPLACED = ("tls", "identity")

Found = tuple[ClusterEntry, ClusterRef, Resource]


@rule("D111", Severity.ERROR, title="Variables in compute names", requires="A variable must be one that is known.")
def unknown_variable(place: str, variable: str) -> Problems:
    """A variable that does not exist."""
    expected = ", ".join(f"{{{known_variable}}}" for known_variable in VARIABLES)
    message = f"{place}: unknown variable '{{{variable}}}' in the name of the compute; expected {expected}."
    yield Problem(place, message, expected=expected, found=variable)


@rule(
    "D112",
    Severity.ERROR,
    title="Different compute names",
    requires="Each cluster must have a compute with another name in its workspace.",
    why="The second cluster would take over the compute of the first.",
)
def colliding_computes(clusters: Sequence[ClusterSetup]) -> Problems:
    """Clusters whose computes have the same name in one workspace."""
    names: dict[tuple[str, str], list[ClusterSetup]] = {}
    for cluster in clusters:
        # An unknown variable is reported by itself.
        if cluster.workspace and cluster.compute_name and not VARIABLE.search(cluster.compute_name):
            names.setdefault((cluster.workspace.id.lower(), cluster.compute_name.lower()), []).append(cluster)
    for same in names.values():
        if len(same) > 1:
            listed = ", ".join(f"'{cluster_setup.cluster.name}'" for cluster_setup in same)
            message = f"{same[0].place}: the computes of clusters {listed} have the same name '{same[0].compute_name}'."
            fix = "Use {cluster.name} in the name, or give some clusters another name in overrides."
            yield Problem(same[0].place, message, found=same[0].compute_name, fix=fix)


@rule(
    "D115",
    Severity.ERROR,
    title="Compute name of each cluster",
    requires="With its variables filled in, the name of a compute must have 3 to 16 letters, digits and hyphens.",
    source=COMPUTE_SPEC,
)
def invalid_name(place: str, cluster_setup: ClusterSetup) -> Problems:
    """A name that Azure would reject."""
    for finding in invalid_compute_name(cluster_setup.compute_name):
        reason = f"{finding.message[0].lower()}{finding.message[1:]}"
        message = f"{place}: cluster '{cluster_setup.cluster.name}': {reason}"
        fix = "Use a shorter name, or give the cluster another name in overrides."
        yield Problem(place, message, expected=finding.expected, found=cluster_setup.compute_name, fix=fix)


@rule(
    "D121",
    Severity.ERROR,
    title="Clusters of a setup",
    requires="A cluster that is named without its type must exist, as one type only.",
)
def unclear_cluster(place: str, selector: Selector, types: Sequence[str]) -> Problems:
    """A cluster whose type is looked up, and that does not exist or exists as several types."""
    named = f"'{selector.name}'"
    if not types:
        message = f"{place}: cluster {named} not found in resource group '{selector.resource_group}'."
        yield Problem(
            place, message, found=selector.name, fix=f"az aks list -g {quote(selector.resource_group)} -o table"
        )
    elif len(types) > 1:
        message = f"{place}: {named} is both an AKS cluster and an Arc-connected cluster; add type to the entry."
        yield Problem(place, message, expected="type", fix="type: managedClusters\ntype: connectedClusters")


@rule(
    "D123",
    Severity.ERROR,
    title="Resource groups of clusters",
    requires="The resource group of a cluster or a selector must exist.",
)
def missing_group(place: str, group: str) -> Problems:
    """A resource group that does not exist in the subscription."""
    yield Problem(place, f"{place}: resource group '{group}' not found.", found=group, fix="az group list -o table")


@rule("D114", Severity.WARNING, title="Matches of a selector", requires="A selector should match at least one cluster.")
def unmatched_selector(place: str, selector: Selector) -> Problems:
    """A selector without a match."""
    yield Problem(place, f"{place}: no cluster matches {selector}.", found=str(selector))


def needs_resources(setup: Setup) -> bool:
    """Whether clusters have to be read to know what they must have: regions and tags are used."""
    selects = [override["select"] for override in setup.content.get("overrides") or ()]
    selects += [wave["select"] for wave in (setup.content.get("rollout") or {}).get("waves") or () if "select" in wave]
    name = str((setup.content.get("compute") or {}).get("name") or "")
    return any(Selector.of(select).needs_resource for select in selects) or "{cluster.location}" in name


def resolve_clusters(
    setup: Setup, found: Iterable[Found], subscription: str
) -> tuple[tuple[ClusterSetup, ...], tuple[Finding, ...]]:
    """What each cluster must have. found has the clusters of every entry, with what was read of their resources."""
    findings: list[Finding] = []
    clusters: dict[str, ClusterSetup] = {}
    for entry, cluster, resource in found:
        if cluster.id.lower() not in clusters:
            clusters[cluster.id.lower()] = _cluster_setup(setup, entry, cluster, resource, subscription)
    findings += _name_findings(setup, clusters.values())
    return tuple(clusters.values()), tuple(findings)


def check_all(clusters: Sequence[ClusterSetup]) -> tuple[Finding, ...]:
    """The rules over the clusters of all setups together."""
    first: dict[str, ClusterSetup] = {}
    findings = list(colliding_computes(clusters))
    for cluster in clusters:
        other = first.setdefault(cluster.cluster.id.lower(), cluster)
        if other is not cluster:
            findings += duplicate_part(cluster.place, f"cluster '{cluster.cluster.name}'", other.place)
    return tuple(findings)


def with_former_computes(
    setup: Setup, clusters: Sequence[ClusterSetup], workspace: WorkspaceRef, computes: Iterable[Resource]
) -> list[ClusterSetup]:
    """The clusters with the computes of the setup that its files no longer have, and the clusters that have left them.

    computes are those of the workspace; the tag of the setup says which belong to it.
    """
    names = {cluster.compute_name.lower() for cluster in clusters}
    former: dict[str, tuple[ClusterRef, list[str]]] = {}
    for compute in computes:
        owner = str((compute.get("tags") or {}).get(OWNER_TAG) or "")
        if owner != setup.name or not is_kubernetes(compute) or str(compute.get("name")).lower() in names:
            continue
        try:
            cluster = ClusterRef.parse(cluster_id_of(compute))
        except ValueError:
            continue
        former.setdefault(cluster.id.lower(), (cluster, []))[1].append(str(compute["name"]))
    kept = [
        replace(cluster, former_computes=former.pop(cluster.cluster.id.lower(), (None, ()))[1]) for cluster in clusters
    ]
    on_remove, place = str(setup.content.get("on_remove") or "keep"), setup.place("name")
    return kept + [
        ClusterSetup(
            setup.name, cluster, workspace=workspace, on_remove=on_remove, place=place, wave=len(waves_of(setup)) - 1,
            former_computes=former_names, has_left=True,
        )
        for cluster, former_names in former.values()
    ]  # fmt: skip


def _cluster_setup(
    setup: Setup, entry: ClusterEntry, cluster: ClusterRef, resource: Resource, subscription: str
) -> ClusterSetup:
    content, places = dict(setup.content), setup.places
    for number, override in enumerate(content.get("overrides") or ()):
        if Selector.of(override["select"]).matches(cluster, resource):
            content = _overridden(content, override)
            prefix = f"overrides.{number}."
            overridden = {
                key.removeprefix(prefix): place for key, place in setup.places.items() if key.startswith(prefix)
            }
            places = {**places, **overridden}
    compute = content.get("compute")
    variables = {
        "cluster.name": cluster.name,
        "cluster.resource_group": cluster.resource_group,
        "cluster.location": str(resource.get("location") or ""),
    }
    name = VARIABLE.sub(lambda match: variables.get(match[1], match[0]), str((compute or {}).get("name") or ""))
    return ClusterSetup(
        setup.name,
        cluster,
        entry.context,
        workspace_of(setup, subscription),
        content.get("extension"),
        compute,
        name,
        str(content.get("roles") or "check"),
        [str(namespace["name"]) for namespace in content.get("namespaces") or ()],
        content.get("instance_types") or (),
        str(content.get("on_remove") or "keep"),
        entry.place,
        _wave_of(setup, cluster, resource),
        places,
    )


def waves_of(setup: Setup) -> list[Wave]:
    """The waves of a setup; the last one is for the clusters that no other wave selects."""
    rollout = setup.content.get("rollout") or {}
    waves = list(rollout.get("waves") or ())
    if not waves or "select" in waves[-1]:
        waves.append({})
    defaults = {key: value for key, value in rollout.items() if key != "waves"}
    return [_wave({**defaults, **wave}) for wave in waves]


def _wave(part: Part) -> Wave:
    pause = str(part.get("pause") or "0s")
    seconds = int(pause[:-1]) * {"s": 1, "m": 60, "h": 3600}[pause[-1]]
    return Wave(part.get("max_parallel"), part.get("max_failures"), seconds, str(part.get("name") or ""))


def _wave_of(setup: Setup, cluster: ClusterRef, resource: Resource) -> int:
    waves = (setup.content.get("rollout") or {}).get("waves") or ()
    selecting = (number for number, wave in enumerate(waves) if _selects(wave, cluster, resource))
    return next(selecting, len(waves_of(setup)) - 1)


def _selects(wave: Part, cluster: ClusterRef, resource: Resource) -> bool:
    return "select" in wave and Selector.of(wave["select"]).matches(cluster, resource)


def _overridden(content: Part, override: Part) -> dict[str, Any]:
    """The parts for a cluster: mappings are merged key by key, anything else is replaced."""
    changes = {key: value for key, value in override.items() if key != "select"}
    return {
        **content,
        **{key: _merged(content.get(key), value) if key in MERGED else value for key, value in changes.items()},
    }


def _merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return change
    inner = {key: value if key in REPLACED else _merged(base.get(key), value) for key, value in change.items()}
    return {**base, **inner}


def _name_findings(setup: Setup, clusters: Iterable[ClusterSetup]) -> Iterator[Finding]:
    """Unknown variables once; each name that Azure would reject."""
    place, reported = setup.place("compute"), set[str]()
    for cluster in clusters:
        unknown = set(VARIABLE.findall(cluster.compute_name)) - reported
        for variable in sorted(unknown):
            reported.add(variable)
            yield from unknown_variable(place, variable)
        if cluster.compute_name and not VARIABLE.search(cluster.compute_name):
            yield from invalid_name(place, cluster)
