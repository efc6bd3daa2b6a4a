"""What the extension adds to pods: the labels that nodes must have, and the taints that pods tolerate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azext_amlk8s.knowledge import load
from azext_amlk8s.scheduling.nodes import Taint

TOLERATION = re.compile(r"^workLoadToleration\[(\d+)\]\.(key|operator|value|effect)$", re.IGNORECASE)
SELECTOR = "nodeselector."


@dataclass(frozen=True)
class Toleration:
    """As in Kubernetes: an empty key with Exists tolerates every taint, an empty effect every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """Whether a pod with this toleration may run on a node with that taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if not self.key:
            return self.operator == "Exists"
        return self.key == taint.key and (self.operator == "Exists" or self.value == taint.value)


@dataclass(frozen=True)
class Placement:
    """Where pods may run: the labels nodes must have, the tolerations, and what to call the pods in messages.

    sizes_checked says whether the extension refuses jobs that are larger than every node (Code 9).
    """

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    sizes_checked: bool = True
    pods: str = "workloads"

    def tolerates(self, taint: Taint) -> bool:
        """Whether these pods may run on a node with this taint."""
        return any(toleration.covers(taint) for toleration in self.tolerations)


def workload_placement(settings: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None) -> Placement:
    """The placement of workloads under the extension's configurationSettings.

    names holds resourceGroup, workspace and compute as far as they are known: workloads tolerate the taints with these
    values; where a name is unknown, any value is assumed to match.
    https://learn.microsoft.com/azure/machine-learning/reference-kubernetes
    """
    values = {key: str(value) for key, value in (settings or {}).items()}
    skipped = any(
        key.lower() == "amloperator.skipresourcevalidation" and value.lower() == "true" for key, value in values.items()
    )
    tolerations = (*_default_tolerations(names or {}), *_set_tolerations(values.items()))
    return Placement(node_selector(values), tolerations, not skipped)


def system_placement(settings: Mapping[str, str] | None = None) -> Placement:
    """The placement of the extension's own pods: workLoadToleration does not apply to them."""
    tolerated = tuple(Toleration(key, "Exists") for key in load("placement")["systemTolerations"])
    return Placement(node_selector(settings or {}), tolerations=tolerated, pods="the extension's pods")


def node_selector(settings: Mapping[str, str]) -> dict[str, str]:
    """The labels of the settings nodeSelector.KEY; Helm's escaped dots are unescaped, and an empty value resets one."""
    return {
        key[len(SELECTOR) :].replace("\\.", "."): str(value)
        for key, value in settings.items()
        if key.lower().startswith(SELECTOR) and str(value)
    }


def _default_tolerations(names: Mapping[str, str]) -> Iterable[Toleration]:
    for toleration in load("placement")["tolerations"]:
        name = names.get(toleration.get("of", ""), "")
        yield Toleration(toleration["key"], "Equal" if name else "Exists", name)


def _set_tolerations(settings: Iterable[tuple[str, str]]) -> Iterable[Toleration]:
    parts: dict[int, dict[str, str]] = {}
    for key, value in settings:
        if match := TOLERATION.match(key):
            parts.setdefault(int(match.group(1)), {})[match.group(2).lower()] = value
    return [Toleration(**parts[number]) for number in sorted(parts)]
