"""Plans of setup files, and how they were applied, as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s.console.reports import MARKS, count, fix_lines

MARK_OF_ACTION = {
    "create": "+", "update": "~", "detach": "-", "delete": "-", "adopt": "=", "none": " ", "blocked": "✗",
    "unknown": "?",
}  # fmt: skip
WORDS = {
    "create": "to create or complete",
    "update": "to update",
    "detach": "to detach",
    "delete": "to delete from",
    "adopt": "existing, used as it is",
    "none": "unchanged",
    "blocked": "blocked",
    "unknown": "unknown",
}
MARK_OF_STATE = {
    "in sync": "✓", "drifted": "~", "changing": "…", "missing": "+", "unknown": "?", "offline": "!", "failing": "✗",
}  # fmt: skip
# With more clusters, those with the same actions are shown together.
MOST_CLUSTERS = 10
MOST_NAMES = 3
# What differs from cluster to cluster in the text of the same failure: UUIDs and times.
_ID = r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z?"


def plan_text(plan: Mapping[str, Any]) -> list[str]:
    """The lines of a plan that is not applied."""
    *lines, summary = plan_lines(plan)
    return [*lines, *_what_if(plan.get("whatIf") or ()), f"{summary} Nothing was changed."]


def _what_if(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    """What Resource Manager predicts for each cluster, and where the plan differs."""
    lines: list[str] = []
    for cluster in clusters[:MOST_CLUSTERS]:
        changes = [
            f"{resource['change']} {'/'.join(resource['id'].split('/')[-2:])}" for resource in cluster["resources"]
        ]
        lines.append(f"  {cluster['cluster']}: {', '.join(changes) or 'nothing'}")
        lines += [f"      ! {difference}" for difference in cluster["differences"]]
    if len(clusters) > MOST_CLUSTERS:
        lines.append(f"  {len(clusters) - MOST_CLUSTERS} more are in the output of -o json.")
    return ["Azure's what-if", *lines, ""] if lines else []


def apply_text(result: Mapping[str, Any]) -> list[str]:
    """The number of clusters by status; failures were printed before."""
    parts = ", ".join(f"{total} {status}" for status, total in result["summary"].items() if total)
    bad = any(cluster["status"] not in ("succeeded", "unchanged") for cluster in result["clusters"])
    return [f"{'✗' if bad else '✓'} {count(len(result['clusters']), 'cluster')}: {parts or 'nothing to do'}."]


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """A line for each cluster with its state, then the number of clusters by state."""
    clusters = status["clusters"]
    names = max((len(cluster["cluster"]) for cluster in clusters), default=0)
    states = max((len(cluster["state"]) for cluster in clusters), default=0)
    lines = [
        f"{MARK_OF_STATE[cluster['state']]} {cluster['cluster']:{names}}  {cluster['state']:{states}}"
        f"  {cluster['detail']}".rstrip()
        for cluster in clusters
    ]
    total = sum(status["summary"].values())
    parts = ", ".join(f"{number} {state}" for state, number in status["summary"].items() if number)
    return [*lines, *([""] if lines else []), f"{count(total, 'cluster')}: {parts or 'none'}."]


def failure_texts(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    """A text for each cause among clusters that did not succeed: the clusters that have it, and what to do."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for cluster in clusters:
        groups.setdefault(_cause(cluster), []).append(cluster)
    return [_failure_text(group) for group in groups.values()]


def _cause(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    """What a cluster has in common with others that failed for the same reason: its texts without names and IDs."""
    texts = (cluster["status"], cluster["message"], *cluster["pending"], cluster["fix"])
    return tuple(re.sub(_ID, "", str(text)).replace(cluster["cluster"], "") for text in texts)


def _failure_text(clusters: Sequence[Mapping[str, Any]]) -> str:
    first, names = clusters[0], [str(cluster["cluster"]) for cluster in clusters]
    head = f"{first['cluster']}: {first['status']}"
    if len(clusters) > 1:
        head = f"{count(len(clusters), 'cluster')} {first['status']} ({some(names)})"
        # Texts with the names of clusters are shown for the first of them.
        differ = len({(re.sub(_ID, "", str(item["message"])), item["fix"]) for item in clusters}) > 1
        head += f"; {first['cluster']}:" if differ else ":"
    lines = [*first["message"].splitlines(), *first["pending"], *fix_lines(first["fix"])]
    return "\n  ".join([head, *filter(None, lines)])


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """The changes of each cluster, the findings with their clusters, and the number of clusters by action."""
    clusters = plan["clusters"]
    lines = _each(clusters) if len(clusters) <= MOST_CLUSTERS else _together(clusters)
    return [*lines, *_findings(clusters), "", _summary(plan["summary"], len(clusters))]


def _each(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = []
    for cluster in clusters:
        lines += [*([""] if lines else []), f"Cluster '{cluster['cluster']}'"]
        for resource in cluster["resources"]:
            lines += _resource(resource)
    return lines


def _resource(resource: Mapping[str, Any]) -> Iterator[str]:
    action = resource["action"]
    name = f" '{resource['name']}'" if resource["name"] else ""
    note = f": {resource['note']}" if resource["note"] else ""
    yield f"  {MARK_OF_ACTION[action]} {'' if action == 'none' else f'{action} '}{resource['kind']}{name}{note}"
    for key, value in resource["settings"].items():
        yield f"      + {key} = {value}"
    if resource["derived"]:
        yield f"      + derived: {', '.join(resource['derived'])}"
    for change in resource["changes"]:
        before = "not set" if change["before"] is None else change["before"]
        yield f"      ~ {change['key']}: {before} -> {change['after']}"


def _together(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Clusters with the same actions on the same kinds, with some of their names."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for cluster in clusters:
        actions = tuple(
            (resource["action"], resource["kind"]) for resource in cluster["resources"] if resource["action"] != "none"
        )
        groups.setdefault(tuple(dict.fromkeys(actions)), []).append(cluster["cluster"])
    lines = []
    for parts, names in groups.items():
        action = "none" if not parts else parts[0][0]
        what = ", ".join(f"{number} {kind}" for number, kind in parts) or "no changes"
        lines.append(f"{MARK_OF_ACTION[action]} {count(len(names), 'cluster')}: {what} ({some(names)})")
    return lines


def some(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _findings(clusters: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each finding once, errors first, with its first place in the files and the clusters that have it.

    Findings that differ in the name of the cluster alone are one; its text is that of the first cluster.
    """
    groups: dict[tuple[str, ...], tuple[Mapping[str, Any], list[str]]] = {}
    for cluster in clusters:
        for finding in cluster["findings"]:
            texts = (str(finding[name]) for name in ("severity", "id", "message", "fix"))
            key = tuple(text.replace(cluster["cluster"], "") for text in texts)
            groups.setdefault(key, (finding, []))[1].append(cluster["cluster"])
    lines = [""] if groups else []
    for finding, names in sorted(groups.values(), key=lambda group: str(group[0]["severity"])):
        place = f"{finding['place']}: " if finding["place"] else ""
        affected = some(list(dict.fromkeys(names)))
        lines.append(
            f"{MARKS[finding['severity']]} {place}{finding['message'].rstrip()}  [{finding['id']}] ({affected})"
        )
        lines += fix_lines(finding["fix"])
    return lines


def _summary(summary: Mapping[str, int], number: int) -> str:
    parts = ", ".join(f"{total} {WORDS[action]}" for action, total in summary.items() if total)
    return f"{count(number, 'cluster')}: {parts}."
