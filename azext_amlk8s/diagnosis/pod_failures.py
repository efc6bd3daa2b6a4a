"""Why pods do not run, read from their status and from events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.values import mapping, mappings, text

# Reasons of waiting that end by themselves.
TRANSIENT_REASONS = ("ContainerCreating", "PodInitializing", "")
# Events about objects other than pods, or from before a pod exists.
EVENT_REASONS = ("FailedCreate", "FailedMount", "FailedAttachVolume", "SyncLoadBalancerFailed", "FailedScheduling")
# Reasons of waiting for an image.
PULL_REASONS = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "RegistryUnavailable", "ErrImageNeverPull")
# So many restarts make an exit with an error a failure.
MIN_RESTARTS = 3


@dataclass(frozen=True)
class Failure:
    """An object of the cluster that does not run; kind is Pod, or what an event refers to (ReplicaSet, Service …)."""

    kind: str
    name: str
    reason: str
    message: str
    node: str = ""
    container: str = ""
    restarts: int = 0
    namespace: str = ""

    @property
    def text(self) -> str:
        """Reason and message."""
        return f"{self.reason}: {self.message}" if self.message else self.reason


def find_failures(pods: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]] = ()) -> tuple[Failure, ...]:
    """What prevents these pods from running; events add what the status of a pod does not contain."""
    warnings = [event for event in events if isinstance(event, Mapping) and event.get("type") != "Normal"]
    by_object: dict[tuple[str, str], str] = {}
    for event in warnings:
        by_object[_object_of(event)] = _message(event)
    failures = [failure for pod in pods if isinstance(pod, Mapping) for failure in _failures_of(pod, by_object)]
    named = {failure.name for failure in failures}
    failures += [failure for event in warnings if (failure := _failure_of(event)) and failure.name not in named]
    return tuple(dict.fromkeys(failures))


def _failures_of(pod: Mapping[str, Any], events: Mapping[tuple[str, str], str]) -> Iterator[Failure]:
    metadata, status = mapping(pod.get("metadata")), mapping(pod.get("status"))
    name, namespace = text(metadata.get("name")), text(metadata.get("namespace"))
    node = text(mapping(pod.get("spec")).get("nodeName"))
    event = events.get((namespace, name)) or events.get(("", name), "")
    if status.get("phase") == "Succeeded":
        return
    for condition in mappings(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            reason = text(condition.get("reason")) or "Unschedulable"
            yield Failure("Pod", name, reason, _message(condition), namespace=namespace)
    containers = [*mappings(status.get("initContainerStatuses")), *mappings(status.get("containerStatuses"))]
    for container in containers:
        if failure := _container_failure(container, event):
            reason, message, restarts = failure
            yield Failure("Pod", name, reason, message, node, text(container.get("name")), restarts, namespace)
    if status.get("phase") == "Failed" and not any(_terminated(container) for container in containers):
        yield Failure("Pod", name, text(status.get("reason")) or "Failed", _message(status), node, namespace=namespace)


def _container_failure(container: Mapping[str, Any], event: str) -> tuple[str, str, int] | None:
    """Reason, message and restarts of a container that does not run; event is the last warning about its pod."""
    waiting, ended = mapping(mapping(container.get("state")).get("waiting")), _terminated(container)
    restarts = container.get("restartCount")
    restarts = restarts if isinstance(restarts, int) else 0
    out_of_memory = ended.get("reason") == "OOMKilled"
    reason = text(waiting.get("reason"))
    if reason not in TRANSIENT_REASONS:
        return "OOMKilled" if out_of_memory else reason, _message(waiting) or event, restarts
    if out_of_memory or (ended.get("exitCode") and restarts >= MIN_RESTARTS):
        return text(ended.get("reason")) or "Error", _message(ended) or f"exit code {ended.get('exitCode')}", restarts
    if waiting and event:
        return reason or "Waiting", event, restarts
    return None


def _failure_of(event: Mapping[str, Any]) -> Failure | None:
    reason = text(event.get("reason"))
    if reason not in EVENT_REASONS:
        return None
    involved = mapping(event.get("involvedObject")) or mapping(event.get("regarding"))
    namespace, name = _object_of(event)
    return Failure(text(involved.get("kind")), name, reason, _message(event), namespace=namespace)


def _object_of(event: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of what an event is about."""
    involved = mapping(event.get("involvedObject")) or mapping(event.get("regarding"))
    return text(involved.get("namespace")), text(involved.get("name"))


def _terminated(container: Mapping[str, Any]) -> Mapping[str, Any]:
    now = mapping(mapping(container.get("state")).get("terminated"))
    return now or mapping(mapping(container.get("lastState")).get("terminated"))


def _message(value: Mapping[str, Any]) -> str:
    return " ".join(str(value.get("message") or value.get("note") or "").split())
