"""The components of Appendix I that are expected, against what runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from azext_amlk8s.checks import installation
from azext_amlk8s.checks.facts import Facts, Place, name_of, namespace_of, ours, seen
from azext_amlk8s.diagnosis import Failure, find_failures
from azext_amlk8s.diagnosis.health_report import NAMESPACE
from azext_amlk8s.knowledge import load
from azext_amlk8s.settings import Settings

PLACEHOLDER = "{EXTENSION-NAME}"
READY = {"DaemonSet": ("desiredNumberScheduled", "numberReady"), "": ("replicas", "readyReplicas")}
MISSING, NOT_READY, RESTARTING, RUNS = "missing", "not ready", "restarting", "ready"


@dataclass(frozen=True)
class Component:
    """One component. wanted and ready count pods; nodes are those that its pods are on; outdated is one that newer
    versions of the extension do without.
    """

    name: str
    kind: str
    state: str
    wanted: int = 0
    ready: int = 0
    restarts: int = 0
    nodes: tuple[str, ...] = ()
    troubles: tuple[Failure, ...] = ()
    outdated: bool = False


def expected(settings: Settings, place: Place, extension: str = "azureml-extension") -> list[Mapping[str, Any]]:
    """The components of the scenario with these settings, their names filled in."""
    on = {word for word in ("training", "inference") if settings.on(f"enable{word.capitalize()}")}
    default = {"relayserver.enabled": "False"} if place.is_aks else {}
    return [
        {**one, "name": one["name"].replace(PLACEHOLDER, extension)}
        for one in load("components")["kubernetes"]
        if on & set(one["scenarios"]) and not _left_out(one, settings, default)
    ]


@lru_cache(maxsize=1)
def matrix(facts: Facts) -> tuple[Component, ...]:
    """Every expected component with its state; needs extensions, controllers and pods, events as far as seen."""
    extension = ours(facts.extensions or ())
    settings = installation.settings_of(facts)
    wanted = expected(settings, facts.place, str((extension or {}).get("name") or "azureml-extension"))
    there = {name_of(one): one for one in facts.controllers if namespace_of(one) == NAMESPACE}
    names = {name for one in wanted for name in _names(one) if name in there}
    pods, told = [one for one in facts.pods if namespace_of(one) == NAMESPACE], seen(facts.events) or ()
    pods_of: dict[str, list[Mapping[str, Any]]] = {}
    for pod in pods:
        pods_of.setdefault(_owner(name_of(pod), names), []).append(pod)
    troubles_of: dict[str, list[Failure]] = {}
    for trouble in find_failures(pods, told):
        troubles_of.setdefault(_owner(trouble.name, names), []).append(trouble)
    return tuple(_component(one, there, pods_of, troubles_of) for one in wanted)


def _component(
    one: Mapping[str, Any],
    there: Mapping[str, Mapping[str, Any]],
    pods_of: Mapping[str, list[Mapping[str, Any]]],
    troubles_of: Mapping[str, list[Failure]],
) -> Component:
    name = next((word for word in _names(one) if word in there), "")
    outdated = bool(one.get("outdated"))
    if not name:
        return Component(one["name"], one["kind"], MISSING, outdated=outdated)
    mine = pods_of.get(name, [])
    wanted, ready = _counts(there[name])
    restarts = max((_restarts(pod) for pod in mine), default=0)
    nodes = tuple(sorted({str((pod.get("spec") or {}).get("nodeName") or "") for pod in mine} - {""}))
    state = NOT_READY if ready < wanted else RESTARTING if restarts >= load("checks")["restarts"] else RUNS
    found = tuple(troubles_of.get(name, ()))
    return Component(name, one["kind"], state, wanted, ready, restarts, nodes, found, outdated)


def _names(one: Mapping[str, Any]) -> tuple[str, ...]:
    """The name of today's component and those that other versions give it."""
    return (one["name"], *one.get("also", ()))


def _left_out(one: Mapping[str, Any], settings: Settings, default: Mapping[str, str]) -> bool:
    return any(settings.get(key, default.get(key, "")) == value for key, value in (one.get("unless") or {}).items())


def _counts(controller: Mapping[str, Any]) -> tuple[int, int]:
    status, spec = controller.get("status") or {}, controller.get("spec") or {}
    wanted, ready = READY.get(str(controller.get("kind")), READY[""])
    count = status.get(wanted) if wanted in status else spec.get("replicas", 1)
    return int(count or 0), int(status.get(ready) or 0)


def _owner(name: str, names: Collection[str]) -> str:
    """Whose pod or replica set it is: the longest name that it begins with, up to a hyphen."""
    while name and name not in names:
        name = name.rpartition("-")[0]
    return name


def _restarts(pod: Mapping[str, Any]) -> int:
    told = (pod.get("status") or {}).get("containerStatuses") or []
    return max((int(one.get("restartCount") or 0) for one in told), default=0)
