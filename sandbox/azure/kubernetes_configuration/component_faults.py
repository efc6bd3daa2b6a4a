"""Faults of components after an installation that succeeded, as `component_faults` of the world names them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.azure.kubernetes_configuration.failure_artifacts import leave_events
from sandbox.azure.kubernetes_configuration.install_failures import NAMESPACE, Install

Object = dict[str, Any]
CONTROLLERS = ("Deployment", "DaemonSet", "StatefulSet")
UNSCHEDULABLE = "0/3 nodes are available: 3 Insufficient memory."
ERROR = {"exitCode": 1, "reason": "Error"}
OOM_KILLED = {"exitCode": 137, "reason": "OOMKilled"}
RUNNING: Object = {"running": {}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
NO_CONFIG = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "missing" not found'}}


async def apply_faults(install: Install) -> None:
    """Give the components that the world names their faults. A component that is not installed is ignored."""
    client = install.side.client
    for name, fault in install.cluster.component_faults.items():
        for kind in CONTROLLERS:
            controller = await client.get("apps/v1", kind, name, NAMESPACE)
            if controller is not None:
                pods = await client.list("v1", "Pod", NAMESPACE, f"app={name}")
                await FAULTS[fault](install, controller, pods)


async def _delete(install: Install, controller: Object, pods: list[Object]) -> None:
    client, name = install.side.client, controller["metadata"]["name"]
    await client.delete("apps/v1", controller["kind"], name, NAMESPACE)
    for replica_set in await client.list("apps/v1", "ReplicaSet", NAMESPACE, f"app={name}"):
        await client.delete("apps/v1", "ReplicaSet", replica_set["metadata"]["name"], NAMESPACE)
    for pod in pods:
        await client.delete("v1", "Pod", pod["metadata"]["name"], NAMESPACE)


async def _unschedule(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        name = pod["metadata"]["name"]
        await install.side.client.delete("v1", "Pod", name, NAMESPACE)
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": UNSCHEDULABLE}
        written = _without_server_fields(pod)
        written["spec"] = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
        status = {"phase": "Pending", "conditions": [condition]}
        await install.side.client.apply({**written, "status": status})
        await leave_events(install, "Pod", name, [("FailedScheduling", UNSCHEDULABLE)])


async def _fail_image_pull(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        image = pod["spec"]["containers"][0]["image"]
        waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        await _set_containers(install, pod, {"waiting": waiting}, phase="Pending")


async def _crash(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        await _set_containers(install, pod, BACK_OFF, ERROR, 9)


async def _kill(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        await _set_containers(install, pod, BACK_OFF, OOM_KILLED, 5)


async def _remove_config(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        await _set_containers(install, pod, NO_CONFIG, phase="Pending")


async def _restart(install: Install, controller: Object, pods: list[Object]) -> None:
    for pod in pods:
        await _set_containers(install, pod, RUNNING, ERROR, 9, ready=True)


async def _keep_unready(install: Install, controller: Object, pods: list[Object]) -> None:
    await _set_unready(install, controller)
    for pod in pods:
        await _set_containers(install, pod, RUNNING)


async def _set_unready(install: Install, controller: Object) -> None:
    ready = {"numberReady": 0, "numberAvailable": 0} if controller["kind"] == "DaemonSet" else {"readyReplicas": 0}
    status = {**controller["status"], **ready}
    await install.side.client.apply({**_without_server_fields(controller), "status": status})


async def _set_containers(
    install: Install,
    pod: Object,
    state: Mapping[str, Any],
    terminated: Mapping[str, Any] | None = None,
    restarts: int = 0,
    *,
    ready: bool = False,
    phase: str = "Running",
) -> None:
    last = {"lastState": {"terminated": terminated}} if terminated else {}
    statuses = [
        {**container_status, "state": state, **last, "restartCount": restarts, "ready": ready}
        for container_status in pod["status"]["containerStatuses"]
    ]
    status = {**pod["status"], "phase": phase, "containerStatuses": statuses}
    await install.side.client.apply({**_without_server_fields(pod), "status": status})


def _without_server_fields(obj: Mapping[str, Any]) -> Object:
    """An object as it was written: without what the API server adds."""
    written = ("name", "namespace", "labels", "annotations", "ownerReferences")
    metadata = {key: obj["metadata"][key] for key in written if key in obj["metadata"]}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata, "spec": obj["spec"]}


FAULTS: Mapping[str, Callable[[Install, Object, list[Object]], Awaitable[None]]] = {
    "missing": _delete,
    "unschedulable": _unschedule,
    "image_pull_failure": _fail_image_pull,
    "crashing": _crash,
    "oom_killed": _kill,
    "config_error": _remove_config,
    "restarting": _restart,
    "not_ready": _keep_unready,
}
