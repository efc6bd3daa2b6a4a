"""The components of the extension that are expected, and the state of each in the cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from azext_amlk8s.checks.component_catalogue import REQUIRED, component_role
from azext_amlk8s.checks.facts import (
    AKS,
    CONTROLLERS,
    DEFAULT_EXTENSION,
    EVENTS,
    EXTENSIONS,
    NAMESPACE,
    PODS,
    Facts,
    Object,
    find_extension,
    name_of,
    namespace_of,
)
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.diagnosis import Failure, find_failures
from azext_amlk8s.knowledge import load
from azext_amlk8s.settings import Settings
from azext_amlk8s.settings.releases import running_version

PLACEHOLDER = "{EXTENSION-NAME}"
COUNTS = {"DaemonSet": ("desiredNumberScheduled", "numberReady"), "": ("replicas", "readyReplicas")}
MISSING, NOT_READY, RESTARTING, READY = "missing", "not ready", "restarting", "ready"


@dataclass(frozen=True)
class Component:
    """A component. expected and ready count pods; nodes are those that its pods are on; role is required, optional or
    leftover in the installed version.
    """

    name: str
    kind: str
    state: str
    expected: int = 0
    ready: int = 0
    restarts: int = 0
    nodes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    role: str = REQUIRED


def expected_components(
    settings: Settings, cluster_type: str, extension: str = DEFAULT_EXTENSION, version: str = ""
) -> list[Mapping[str, Any]]:
    """The components of the enabled workloads with these settings, their names filled in, each with its role."""
    enabled = {word for word in ("training", "inference") if settings.is_enabled(f"enable{word.capitalize()}")}
    is_aks = cluster_type.lower() == AKS.lower()
    default = {"relayserver.enabled": "False"} if is_aks else {"nginxIngress.enabled": "False"}
    return [
        {
            **record,
            "name": record["name"].replace(PLACEHOLDER, extension),
            "role": component_role(record, version, cluster_type),
        }
        for record in load("components")["kubernetes"]
        if enabled & set(record["scenarios"]) and not _is_disabled(record, settings, default)
    ]


@lru_cache(maxsize=1)
def component_states(facts: Facts) -> tuple[Component, ...]:
    """Every required component, and others that exist, with its state.

    Made of extensions, controllers, pods and, where they can be read, events.
    """
    extension = find_extension(facts[EXTENSIONS])
    name = str((extension or {}).get("name") or DEFAULT_EXTENSION)
    known = expected_components(settings_of(facts), facts.cluster.type, name, running_version(extension))
    controllers = {
        name_of(controller): controller for controller in facts[CONTROLLERS] if namespace_of(controller) == NAMESPACE
    }
    names = {name for component in known for name in _names(component) if name in controllers}
    pods = [pod for pod in facts[PODS] if namespace_of(pod) == NAMESPACE]
    pods_of: dict[str, list[Object]] = {}
    for pod in pods:
        pods_of.setdefault(_owner(name_of(pod), names), []).append(pod)
    failures_of: dict[str, list[Failure]] = {}
    for failure in find_failures(pods, facts.get(EVENTS) or ()):
        failures_of.setdefault(_owner(failure.name, names), []).append(failure)
    states = (_component(component, controllers, pods_of, failures_of) for component in known)
    return tuple(state for state in states if state.state != MISSING or state.role == REQUIRED)


def _component(
    known: Mapping[str, Any],
    controllers: Mapping[str, Object],
    pods_of: Mapping[str, list[Object]],
    failures_of: Mapping[str, list[Failure]],
) -> Component:
    name, role = next((name for name in _names(known) if name in controllers), ""), str(known["role"])
    if not name:
        return Component(known["name"], known["kind"], MISSING, role=role)
    pods = pods_of.get(name, [])
    expected, ready = _counts(controllers[name])
    restarts = max((_restarts(pod) for pod in pods), default=0)
    nodes = tuple(sorted({str((pod.get("spec") or {}).get("nodeName") or "") for pod in pods} - {""}))
    state = NOT_READY if ready < expected else RESTARTING if restarts >= load("checks")["restarts"] else READY
    failures = tuple(failures_of.get(name, ()))
    return Component(name, known["kind"], state, expected, ready, restarts, nodes, failures, role)


def _names(known: Mapping[str, Any]) -> tuple[str, ...]:
    """The name of a component and those that other versions give it."""
    return (known["name"], *known.get("also", ()))


def _is_disabled(known: Mapping[str, Any], settings: Settings, default: Mapping[str, str]) -> bool:
    return any(settings.get(key, default.get(key, "")) == value for key, value in (known.get("unless") or {}).items())


def _counts(controller: Object) -> tuple[int, int]:
    """How many pods a controller should have, and how many are ready."""
    status, spec = controller.get("status") or {}, controller.get("spec") or {}
    expected, ready = COUNTS.get(str(controller.get("kind")), COUNTS[""])
    number = status.get(expected) if expected in status else spec.get("replicas", 1)
    return int(number or 0), int(status.get(ready) or 0)


def _owner(name: str, names: Collection[str]) -> str:
    """The controller of a pod or replica set: the longest name that it begins with, up to a hyphen."""
    while name and name not in names:
        name = name.rpartition("-")[0]
    return name


def _restarts(pod: Object) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return max((int(status.get("restartCount") or 0) for status in statuses), default=0)
