"""What the extension adds to every workload pod: labels it asks for, taints it tolerates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from azext_amlk8s.instance_types.nodes import Taint
from azext_amlk8s.knowledge import load

_TOLERATION = re.compile(r"^workLoadToleration\[(\d+)\]\.(key|operator|value|effect)$", re.IGNORECASE)


@dataclass(frozen=True)
class Toleration:
    """As Kubernetes has it: an empty key with Exists tolerates everything, an empty effect every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """Whether a pod with this toleration may go to a node with that taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if not self.key:
            return self.operator == "Exists"
        return self.key == taint.key and (self.operator == "Exists" or self.value == taint.value)


@dataclass(frozen=True)
class Placement:
    """What holds for every workload of the cluster: labels asked for, tolerations, and whether sizes are checked."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    sizes_checked: bool = True

    def tolerates(self, taint: Taint) -> bool:
        """Whether workloads may go to a node with this taint."""
        return any(one.covers(taint) for one in self.tolerations)


def placement(settings: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None) -> Placement:
    """The placement that the extension's configurationSettings make (field guide compute 3.4, cluster-extension 3).

    names holds resourceGroup, workspace and compute as far as they are known: workloads tolerate the taints that bear
    these names, and where a name is not known, the taint with any value is taken to be meant for them.
    """
    told = {key: str(value) for key, value in (settings or {}).items()}
    selector = {
        key.partition(".")[2].replace("\\.", "."): value
        for key, value in told.items()
        if key.lower().startswith("nodeselector.")
    }
    checked = all(
        key.lower() != "amloperator.skipresourcevalidation" or value.lower() != "true" for key, value in told.items()
    )
    return Placement(selector, (*_default_tolerations(names or {}), *_set_tolerations(told.items())), checked)


def _default_tolerations(names: Mapping[str, str]) -> Iterable[Toleration]:
    for one in load("placement")["tolerations"]:
        name = names.get(one.get("of", ""), "")
        yield Toleration(one["key"], "Equal" if name else "Exists", name)


def _set_tolerations(settings: Iterable[tuple[str, str]]) -> Iterable[Toleration]:
    parts: dict[int, dict[str, str]] = {}
    for key, value in settings:
        if found := _TOLERATION.match(key):
            parts.setdefault(int(found.group(1)), {})[found.group(2).lower()] = value
    return [Toleration(**parts[number]) for number in sorted(parts)]
