"""What prevents pods from running, from their status and from events."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.diagnosis.pod_failures import Failure, find_failures
from azext_amlk8s.diagnosis.pod_progress import read_pod_progress


def pod(phase: str = "Running", **status: Any) -> dict[str, Any]:
    """A pod on node n1."""
    return {
        "metadata": {"name": "p", "namespace": "ns"},
        "spec": {"nodeName": "n1"},
        "status": {"phase": phase, **status},
    }


def container(
    waiting: dict[str, Any] | None = None,
    terminated: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    restarts: Any = 0,
) -> dict[str, Any]:
    state = {"waiting": waiting} if waiting is not None else {"terminated": terminated} if terminated else {}
    return {"name": "c", "restartCount": restarts, "state": state, "lastState": {"terminated": last} if last else {}}


def event(reason: str, message: str = "why", type: str = "Warning", about: str = "involvedObject", **ref: str) -> Any:
    subject = {"kind": "Pod", "namespace": "ns", "name": "p", **ref}
    return {"type": type, "reason": reason, about: subject, "message": message}


def of(reason: str, message: str = "", *, restarts: int = 0) -> Failure:
    """A failure of container c of the pod."""
    return Failure("Pod", "p", reason, message, "n1", "c", restarts, "ns")


UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "message": "0/3  nodes\nare available"}
ERROR = {"reason": "Error", "exitCode": 1}
# Case, pod, events, failures.
PODS: list[tuple[str, dict[str, Any], list[Any], list[Failure]]] = [
    ("running", pod(containerStatuses=[container()]), [], []),
    ("succeeded after restarts", pod("Succeeded", containerStatuses=[container(last=ERROR, restarts=9)]), [], []),
    ("unschedulable", pod("Pending", conditions=[{**UNSCHEDULABLE, "reason": "SchedulerError"}]), [], [Failure("Pod", "p", "SchedulerError", "0/3 nodes are available", namespace="ns")]),
    ("unschedulable without a reason", pod("Pending", conditions=[UNSCHEDULABLE]), [], [Failure("Pod", "p", "Unschedulable", "0/3 nodes are available", namespace="ns")]),
    ("scheduled", pod("Pending", conditions=[{**UNSCHEDULABLE, "status": "True"}]), [], []),
    ("another condition", pod("Pending", conditions=[{**UNSCHEDULABLE, "type": "Ready"}]), [], []),
    ("an image that cannot be pulled", pod(containerStatuses=[container({"reason": "ImagePullBackOff", "message": "m"})]), [], [of("ImagePullBackOff", "m")]),
    ("an init container", pod(initContainerStatuses=[container({"reason": "ErrImagePull"})]), [], [of("ErrImagePull")]),
    ("a message from an event", pod(containerStatuses=[container({"reason": "CreateContainerError"})]), [event("Failed")], [of("CreateContainerError", "why")]),
    ("its own message before that of an event", pod(containerStatuses=[container({"reason": "CreateContainerError", "message": "m"})]), [event("Failed")], [of("CreateContainerError", "m")]),
    ("an event of another namespace", pod(containerStatuses=[container({"reason": "CreateContainerError"})]), [event("Failed", namespace="other")], [of("CreateContainerError")]),
    ("an event without a namespace", pod(containerStatuses=[container({"reason": "CreateContainerError"})]), [event("Failed", namespace="")], [of("CreateContainerError", "why")]),
    ("an event that is no warning", pod(containerStatuses=[container({"reason": "CreateContainerError"})]), [event("Failed", type="Normal")], [of("CreateContainerError")]),
    ("a container that is being created", pod(containerStatuses=[container({"reason": "ContainerCreating"})]), [], []),
    ("a container that is being created, with an event", pod(containerStatuses=[container({"reason": "ContainerCreating"})]), [event("Failed")], [of("ContainerCreating", "why")]),
    ("a container that waits without a reason, with an event", pod(containerStatuses=[container({"reason": "", "message": "m"})]), [event("Failed")], [of("Waiting", "why")]),
    ("a running container, with an event", pod(containerStatuses=[container()]), [event("Unhealthy")], []),
    ("out of memory", pod(containerStatuses=[container(last={"reason": "OOMKilled", "exitCode": 137})]), [], [of("OOMKilled", "exit code 137")]),
    ("waiting after out of memory", pod(containerStatuses=[container({"reason": "CrashLoopBackOff", "message": "m"}, last={"reason": "OOMKilled"}, restarts=2)]), [], [of("OOMKilled", "m", restarts=2)]),
    ("two restarts after an error", pod(containerStatuses=[container(last=ERROR, restarts=2)]), [], []),
    ("three restarts after an error", pod(containerStatuses=[container(last=ERROR, restarts=3)]), [], [of("Error", "exit code 1", restarts=3)]),
    ("three restarts after an error without a reason", pod(containerStatuses=[container(last={"exitCode": 2, "message": "m"}, restarts=3)]), [], [of("Error", "m", restarts=3)]),
    ("three restarts without an error", pod(containerStatuses=[container(last={"reason": "Completed", "exitCode": 0}, restarts=3)]), [], []),
    ("a present end before an earlier one", pod(containerStatuses=[container(terminated={"reason": "Error", "exitCode": 1}, last={"reason": "OOMKilled"}, restarts=3)]), [], [of("Error", "exit code 1", restarts=3)]),
    ("a number of restarts that is none", pod(containerStatuses=[container(last=ERROR, restarts="many")]), [], []),
    ("failed", pod("Failed", reason="Evicted", message="m"), [], [Failure("Pod", "p", "Evicted", "m", "n1", namespace="ns")]),
    ("failed without a reason", pod("Failed"), [], [Failure("Pod", "p", "Failed", "", "n1", namespace="ns")]),
    ("failed with a container that ended", pod("Failed", containerStatuses=[container(terminated=ERROR)]), [], []),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "events", "failures"), [case[1:] for case in PODS], ids=[case[0] for case in PODS])
def test_failures_of_a_pod(obj: dict[str, Any], events: list[Any], failures: list[Failure]) -> None:
    assert find_failures([obj], events) == tuple(failures)


EVENTS: list[tuple[str, Any, list[Failure]]] = [
    ("a ReplicaSet that creates no pod", event("FailedCreate", kind="ReplicaSet", name="r"), [Failure("ReplicaSet", "r", "FailedCreate", "why", namespace="ns")]),
    ("an event of events.k8s.io", {"type": "Warning", "reason": "FailedMount", "regarding": {"kind": "Pod", "name": "q", "namespace": "ns"}, "note": "why"}, [Failure("Pod", "q", "FailedMount", "why", namespace="ns")]),
    ("another reason", event("BackOff", name="q"), []),
    ("no warning", event("FailedCreate", type="Normal", name="q"), []),
    ("no reason", {"type": "Warning"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("item", "failures"), [case[1:] for case in EVENTS], ids=[case[0] for case in EVENTS])
def test_failures_from_events_alone(item: Any, failures: list[Failure]) -> None:
    assert find_failures([], [item, item]) == tuple(failures)


def test_event_about_a_pod_that_is_reported_already() -> None:
    failing = pod(containerStatuses=[container({"reason": "ErrImagePull", "message": "m"})])
    assert find_failures([failing], [event("FailedMount")]) == (of("ErrImagePull", "m"),)


def test_progress_names_an_image_pull_first() -> None:
    ready = {"type": "Ready", "status": "True"}
    crashing = pod(containerStatuses=[container(last=ERROR, restarts=3)])
    pulling = pod(containerStatuses=[container({"reason": "ErrImagePull", "message": "m"})])
    deleted = {**pod(), "metadata": {"name": "d", "deletionTimestamp": "2025-01-01T00:00:00Z"}}
    progress = read_pod_progress([pod(conditions=[ready]), crashing, pulling, deleted, pod("Succeeded")])
    assert (progress.ready, progress.total) == (1, 3)
    assert [failure.reason for failure in progress.failures] == ["ErrImagePull", "Error"]
    assert [pull_failure.reason for pull_failure in progress.pull_failures] == ["ErrImagePull"]
    assert progress.text == "pods ready 1 of 3, p: ErrImagePull: m"
    assert read_pod_progress([]).text == ""
