"""Two sides of the same types: the cluster's objects, and what ARM holds of the compute (field guide compute 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.model import DEFAULT_NAME, InstanceType
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding
from azext_amlk8s.scheduling.quantities import amount

BOTH, CLUSTER_ONLY, COMPUTE_ONLY, DIFFERS, BUILT_IN = "both", "cluster only", "compute only", "differs", "built-in"
CLUSTER, COMPUTE = "cluster", "compute"  # where the other side was not asked


@dataclass(frozen=True)
class Sides:
    """The types by name; a side that was not asked, or could not be, is None. version is the extension's, if known."""

    cluster: Mapping[str, InstanceType] | None = None
    compute: Mapping[str, InstanceType] | None = None
    version: str = ""

    def views(self) -> list[dict[str, Any]]:
        """What list and show return, the default always among them."""
        names = [*(self.cluster or {}), *(self.compute or {})]
        made = [self.view(name) for name in sorted(set(names))]
        return made if DEFAULT_NAME in names else [*made, self.view(DEFAULT_NAME)]

    def view(self, name: str) -> dict[str, Any]:
        """One type, with where it is and where its values come from; it must be there, or be the default."""
        ours, theirs = (self.cluster or {}).get(name), (self.compute or {}).get(name)
        one = ours or theirs
        where = self.where(name)
        made = {
            **(view_of(one) if one else self._default()),
            "where": where,
            "builtIn": where == BUILT_IN,
            "valuesFrom": CLUSTER if ours else COMPUTE if theirs else "documentation" if self.version else "unknown",
        }
        if self.cluster is not None and self.compute is not None:
            told = compared(ours, theirs) if ours and theirs else ()
            made["differences"] = [{"field": key, "cluster": low, "compute": high} for key, low, high in told]
        return made

    def where(self, name: str) -> str:
        """On which side a type is."""
        ours, theirs = (self.cluster or {}).get(name), (self.compute or {}).get(name)
        if ours and theirs:
            return DIFFERS if any(True for _ in compared(ours, theirs)) else BOTH
        if ours:
            return CLUSTER if self.compute is None else CLUSTER_ONLY
        if name == DEFAULT_NAME:
            return BUILT_IN
        return COMPUTE if self.cluster is None else COMPUTE_ONLY

    def _default(self) -> dict[str, Any]:
        sized = size_of_default(self.version)
        return view_of(InstanceType(DEFAULT_NAME, {}, sized.get("requests", {}), sized.get("limits", {})))


def size_of_default(version: str) -> Mapping[str, Any]:
    """The documented size of the built-in default in a version of the extension; empty where that is not known."""
    parts = _version(version)
    if not parts:
        return {}
    known = load("instance_types")["builtInDefault"]
    return next((one for one in known if parts >= _version(one["since"])), {})


def _version(text: str) -> tuple[int, ...]:
    words = text.split(".")
    return tuple(int(word) for word in words) if all(word.isdigit() for word in words) else ()


def view_of(one: InstanceType) -> dict[str, Any]:
    """The values of a type."""
    return {
        "name": one.name,
        "nodeSelector": dict(one.node_selector),
        "requests": dict(one.requests),
        "limits": dict(one.limits),
    }


def compared(ours: InstanceType, theirs: InstanceType) -> Iterator[tuple[str, Any, Any]]:
    """Fields that differ, with both values; 1Gi and 1024Mi are the same, so are a GPU of 0 and none."""
    for path, first, second, numbers in (
        ("nodeSelector", ours.node_selector, theirs.node_selector, False),
        ("resources.requests", ours.requests, theirs.requests, True),
        ("resources.limits", ours.limits, theirs.limits, True),
    ):
        for key in sorted({*first, *second}):
            low, high = first.get(key), second.get(key)
            same = (amount(low) or 0) == (amount(high) or 0) if numbers else low == high
            if not same or (numbers and amount(low) is None and amount(high) is None and low != high):
                yield f"{path}.{key}", low, high


def judge_sides(sides: Sides, compute: str, attach: str = "") -> Iterator[Finding]:
    """What is to be said of types that are not the same on both sides; nothing where a side was not asked.

    attach is the command that attaches the compute again as it is.
    """
    if sides.cluster is None or sides.compute is None:
        return
    for name in sorted({*sides.cluster, *sides.compute}):
        where = sides.where(name)
        if where == CLUSTER_ONLY:
            message = (
                f"{name} is in the cluster and not on the compute {compute} yet. It appears there after a while; else "
                "attach the compute again, under the same name and namespace."
            )
            yield rule.I140.finding(name, message, fix=attach)
        elif where == COMPUTE_ONLY:
            message = f"{name} is on the compute {compute} and not in the cluster; workloads that pick it may not run."
            yield rule.I141.finding(name, message, fix="az amlk8s instance-type apply -f FILE")
        elif where == DIFFERS:
            told = (f"{key} {low} and {high}" for key, low, high in compared(sides.cluster[name], sides.compute[name]))
            message = f"{name} differs between the cluster and the compute {compute}: {', '.join(told)}."
            yield rule.I142.finding(name, message)
