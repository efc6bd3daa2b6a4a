"""The instance types of a cluster compared with those of its compute in ARM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types.model import DEFAULT_NAME, InstanceType
from azext_amlk8s.instance_types.sources import GUIDE
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.scheduling.quantities import amount

BOTH, CLUSTER_ONLY, COMPUTE_ONLY, DIFFERS, BUILT_IN = "both", "cluster only", "compute only", "differs", "built-in"
CLUSTER, COMPUTE = "cluster", "compute"  # where the other side was not read


@dataclass(frozen=True)
class Comparison:
    """The types by name; a side that was not read is None. version is that of the extension, empty if unknown."""

    cluster: Mapping[str, InstanceType] | None = None
    compute: Mapping[str, InstanceType] | None = None
    version: str = ""

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*(self.cluster or {}), *(self.compute or {})})

    def views(self) -> list[dict[str, Any]]:
        """What list returns, the default always included."""
        views = [self.view(name) for name in self.names]
        return views if DEFAULT_NAME in self.names else [*views, self.view(DEFAULT_NAME)]

    def view(self, name: str) -> dict[str, Any]:
        """What show returns of a type: where it exists, and where its values come from."""
        in_cluster, on_compute = (self.cluster or {}).get(name), (self.compute or {}).get(name)
        instance_type = in_cluster or on_compute
        where = self.where(name)
        source = CLUSTER if in_cluster else COMPUTE if on_compute else "documentation" if self.version else "unknown"
        view = {
            **(view_of(instance_type) if instance_type else self._default()),
            "where": where,
            "builtIn": where == BUILT_IN,
            "valuesFrom": source,
        }
        if self.cluster is not None and self.compute is not None:
            fields = differences(in_cluster, on_compute) if in_cluster and on_compute else ()
            view["differences"] = [{"field": key, "cluster": ours, "compute": arm} for key, ours, arm in fields]
        return view

    def where(self, name: str) -> str:
        """On which side a type exists."""
        in_cluster, on_compute = (self.cluster or {}).get(name), (self.compute or {}).get(name)
        if in_cluster and on_compute:
            return DIFFERS if any(True for _ in differences(in_cluster, on_compute)) else BOTH
        if in_cluster:
            return CLUSTER if self.compute is None else CLUSTER_ONLY
        if name == DEFAULT_NAME:
            return BUILT_IN
        return COMPUTE if self.cluster is None else COMPUTE_ONLY

    def _default(self) -> dict[str, Any]:
        size = size_of_default(self.version)
        return view_of(InstanceType(DEFAULT_NAME, {}, size.get("requests", {}), size.get("limits", {})))


def size_of_default(version: str) -> Mapping[str, Any]:
    """The documented size of the built-in default in a version of the extension; empty where it is unknown."""
    parts = _version(version)
    known: list[dict[str, Any]] = load("instance_types")["builtInDefault"] if parts else []
    return next((size for size in known if parts >= _version(size["since"])), {})


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def view_of(instance_type: InstanceType) -> dict[str, Any]:
    """The values of a type."""
    return {
        "name": instance_type.name,
        "nodeSelector": dict(instance_type.node_selector),
        "requests": dict(instance_type.requests),
        "limits": dict(instance_type.limits),
    }


def differences(in_cluster: InstanceType, on_compute: InstanceType) -> Iterator[tuple[str, Any, Any]]:
    """Fields that differ, with both values; 1Gi equals 1024Mi, and a GPU of 0 equals none."""
    for path, first, second, numbers in (
        ("nodeSelector", in_cluster.node_selector, on_compute.node_selector, False),
        ("resources.requests", in_cluster.requests, on_compute.requests, True),
        ("resources.limits", in_cluster.limits, on_compute.limits, True),
    ):
        for key in sorted({*first, *second}):
            before, after = first.get(key), second.get(key)
            same = (amount(before) or 0) == (amount(after) or 0) if numbers else before == after
            if not same or (numbers and amount(before) is None and amount(after) is None and before != after):
                yield f"{path}.{key}", before, after


@rule(
    "I140",
    Severity.WARNING,
    title="Types missing on the compute",
    requires="An instance type of the cluster should exist on the compute.",
    source=GUIDE,
)
def missing_on_compute(comparison: Comparison, compute: str, attach: str) -> Problems:
    """Types of the cluster that the compute does not have; attach is the command that attaches it again."""
    for name in _names(comparison, CLUSTER_ONLY):
        message = (
            f"'{name}' is in the cluster but not on compute '{compute}'. It appears there after some minutes; "
            "otherwise attach the compute again with the same name and namespace."
        )
        yield Problem(name, message, fix=attach)


@rule(
    "I141",
    Severity.WARNING,
    title="Types missing in the cluster",
    requires="An instance type of the compute should exist in the cluster.",
    source=GUIDE,
)
def missing_in_cluster(comparison: Comparison, compute: str, attach: str) -> Problems:
    """Types of the compute that the cluster does not have."""
    for name in _names(comparison, COMPUTE_ONLY):
        message = f"'{name}' is on compute '{compute}' but not in the cluster; workloads that use it may not run."
        yield Problem(name, message, fix="Apply the instance type again: az amlk8s instance-type apply.")


@rule(
    "I142",
    Severity.WARNING,
    title="Types that differ",
    requires="An instance type should be the same in the cluster and on the compute.",
    source=GUIDE,
)
def type_differs(comparison: Comparison, compute: str, attach: str) -> Problems:
    """Types with other values on the compute."""
    for name in _names(comparison, DIFFERS):
        fields = differences((comparison.cluster or {})[name], (comparison.compute or {})[name])
        values = ", ".join(f"{key} is {ours} in the cluster and {arm} on the compute" for key, ours, arm in fields)
        yield Problem(name, f"'{name}' differs between the cluster and compute '{compute}': {values}.", fix=attach)


COMPARISON_RULES = (missing_on_compute, missing_in_cluster, type_differs)


def _names(comparison: Comparison, where: str) -> list[str]:
    if comparison.cluster is None or comparison.compute is None:
        return []
    return [name for name in comparison.names if comparison.where(name) == where]
