"""Which components each version of the extension has: required, optional, or leftovers of older versions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from azext_amlk8s.knowledge import load

REQUIRED, OPTIONAL, LEFTOVER = "required", "optional", "leftover"
SCENARIOS = ("training", "inference")


def newest_known_version() -> str:
    """The newest version whose components are known; newer ones are treated like it."""
    return str(load("components")["newestVersion"])


def is_newer_than_known(version: str) -> bool:
    """Whether nothing is known of this version yet."""
    return _numbers(version) > _numbers(newest_known_version())


def component_role(component: Mapping[str, Any], version: str = "", cluster_type: str = "") -> str:
    """required, optional or leftover, for a version of the extension (empty for the newest) on a cluster type.

    In knowledge/components.json `since` is the first version that requires a component, `until` the first that does
    not, and `leftover` the first in which it is known to be absent; each is a version, or versions by cluster type.
    """
    numbers = _numbers(version) if version and not is_newer_than_known(version) else _numbers(newest_known_version())
    limits = {key: _limit(component.get(key), cluster_type) for key in ("since", "until", "leftover")}
    if limits["leftover"] and numbers >= limits["leftover"]:
        return LEFTOVER
    if component.get("optional") or (limits["until"] and numbers >= limits["until"]) or numbers < limits["since"]:
        return OPTIONAL
    return REQUIRED


def list_components(
    version: str = "", cluster_type: str = "", scenarios: Collection[str] = SCENARIOS
) -> list[dict[str, Any]]:
    """What a version installs in the cluster, then what is created in Azure, without leftovers.

    Each has name, kind, scenarios, role (required or optional), unless (the setting that leaves it out, or None),
    description and cloud (what it exchanges with Azure, or None).
    """
    return [
        {
            "name": record["name"],
            "kind": record["kind"],
            "scenarios": record["scenarios"],
            "role": role,
            "unless": " ".join(f"{key}={value}" for key, value in record.get("unless", {}).items()) or None,
            "description": record["description"],
            "cloud": record.get("cloud"),
        }
        for record in (*load("components")["kubernetes"], *load("components")["azure"])
        if set(scenarios) & set(record["scenarios"])
        and (role := component_role(record, version, cluster_type)) != LEFTOVER
    ]


def _limit(value: str | Mapping[str, str] | None, cluster_type: str) -> tuple[int, ...]:
    if isinstance(value, Mapping):
        by_type = {key.lower(): version for key, version in value.items()}
        return _numbers(by_type.get(cluster_type.lower(), ""))
    return _numbers(value or "")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
