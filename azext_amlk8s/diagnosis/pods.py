"""What pods and events say of why something does not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Reasons of waiting that pass by themselves.
HARMLESS = ("ContainerCreating", "PodInitializing", "")
# Events that speak of things other than pods, or earlier than any pod.
TELLING = ("FailedCreate", "FailedMount", "FailedAttachVolume", "SyncLoadBalancerFailed", "FailedScheduling")
RESTARTS = 3


@dataclass(frozen=True)
class Trouble:
    """One thing in the cluster that does not run, and the words that say why."""

    kind: str
    name: str
    reason: str
    message: str
    node: str = ""
    container: str = ""
    restarts: int = 0

    @property
    def words(self) -> str:
        """Reason and message as one text."""
        return f"{self.reason}: {self.message}" if self.message else self.reason


def troubles(pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]] = ()) -> tuple[Trouble, ...]:
    """What keeps these pods from running; events fill in what a pod's own status does not say."""
    told = [event for event in events if str(event.get("type")) != "Normal"]
    found = [one for pod in pods for one in _of_pod(pod, told)]
    named = {one.name for one in found}
    found += [one for event in told if (one := _of_event(event)) and one.name not in named]
    return tuple(dict.fromkeys(found))


def _of_pod(pod: Mapping[str, Any], events: list[Mapping[str, Any]]) -> Iterator[Trouble]:
    name, status = _get(pod, "metadata", "name"), _mapping(pod.get("status"))
    node = str(_get(pod, "spec", "nodeName") or "")
    if status.get("phase") == "Succeeded":
        return
    for condition in _dicts(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield Trouble("Pod", str(name), str(condition.get("reason") or "Unschedulable"), _flat(condition))
    containers = [*_dicts(status.get("initContainerStatuses")), *_dicts(status.get("containerStatuses"))]
    for container in containers:
        if one := _of_container(str(name), node, container, events):
            yield one
    if status.get("phase") == "Failed" and not any(_ended(container) for container in containers):
        yield Trouble("Pod", str(name), str(status.get("reason") or "Failed"), _flat(status), node)


def _of_container(pod: str, node: str, container: Mapping[str, Any], events: list[Mapping[str, Any]]) -> Trouble | None:
    waiting = _mapping(_get(container, "state", "waiting"))
    ended = _ended(container)
    restarts = container.get("restartCount") or 0
    restarts = restarts if isinstance(restarts, int) else 0
    name = str(container.get("name") or "")
    if str(waiting.get("reason") or "") not in HARMLESS:
        reason, message = str(waiting["reason"]), _flat(waiting)
        if ended.get("reason") == "OOMKilled":
            reason = "OOMKilled"
        return Trouble("Pod", pod, reason, message or _last_event(pod, events), node, name, restarts)
    if ended.get("reason") == "OOMKilled" or (ended and ended.get("exitCode") and restarts >= RESTARTS):
        reason = str(ended.get("reason") or "Error")
        return Trouble("Pod", pod, reason, _flat(ended) or f"exit code {ended.get('exitCode')}", node, name, restarts)
    if waiting and (message := _last_event(pod, events)):
        return Trouble("Pod", pod, str(waiting.get("reason") or "Waiting"), message, node, name, restarts)
    return None


def _of_event(event: Mapping[str, Any]) -> Trouble | None:
    about = _mapping(event.get("involvedObject")) or _mapping(event.get("regarding"))
    if str(event.get("reason")) not in TELLING:
        return None
    return Trouble(str(about.get("kind") or ""), str(about.get("name") or ""), str(event["reason"]), _flat(event))


def _last_event(pod: str, events: list[Mapping[str, Any]]) -> str:
    about = [event for event in events if _mapping(event.get("involvedObject")).get("name") == pod]
    return _flat(about[-1]) if about else ""


def _ended(container: Mapping[str, Any]) -> Mapping[str, Any]:
    now = _mapping(_get(container, "state", "terminated"))
    return now or _mapping(_get(container, "lastState", "terminated"))


def _get(value: Mapping[str, Any], *keys: str) -> Any:
    found: Any = value
    for key in keys:
        found = _mapping(found).get(key)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _flat(told: Mapping[str, Any]) -> str:
    return " ".join(str(told.get("message") or told.get("note") or "").split())
