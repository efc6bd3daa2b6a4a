"""What befalls components after an installation that went well, as the world's `ails` name it: component -> ail."""

from __future__ import annotations

from typing import Any

from sandbox.azure.failure_artifacts import leave_events
from sandbox.azure.install_failures import NAMESPACE, Install

CONTROLLERS = ("Deployment", "DaemonSet", "StatefulSet")
UNPLACED = "0/3 nodes are available: 3 Insufficient memory."
ENDED = {"exitCode": 1, "reason": "Error"}
KILLED = {"exitCode": 137, "reason": "OOMKilled"}
RUNNING: dict[str, Any] = {"running": {}}
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
NO_CONFIG = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "missing" not found'}}


async def befall(told: Install) -> None:
    """Make the components ail. Raises KeyError for an ail that there is not."""
    for name, ail in told.cluster.component_faults.items():
        for kind in CONTROLLERS:
            there = await told.side.client.get("apps/v1", kind, name, NAMESPACE)
            if there is not None:
                pods = await told.side.client.list("v1", "Pod", NAMESPACE, f"app={name}")
                await AILS[ail](told, there, pods)


async def _missing(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await told.side.client.delete("apps/v1", controller["kind"], controller["metadata"]["name"], NAMESPACE)
    for pod in pods:
        await told.side.client.delete("v1", "Pod", pod["metadata"]["name"], NAMESPACE)


async def _unplaced(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        name = pod["metadata"]["name"]
        await told.side.client.delete("v1", "Pod", name, NAMESPACE)
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": UNPLACED}
        spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
        meta = {key: pod["metadata"][key] for key in ("name", "namespace", "labels")}
        status = {"phase": "Pending", "conditions": [condition]}
        await told.side.client.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}
        )
        await leave_events(told, "Pod", name, [("FailedScheduling", UNPLACED)])


async def _unpulled(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        image = pod["spec"]["containers"][0]["image"]
        waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        await _container(told, pod, {"waiting": waiting}, phase="Pending")


async def _crashing(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        await _container(told, pod, BACK_OFF, ENDED, 9)


async def _killed(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        await _container(told, pod, BACK_OFF, KILLED, 5)


async def _unconfigured(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        await _container(told, pod, NO_CONFIG, phase="Pending")


async def _restarting(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        await _container(told, pod, RUNNING, ENDED, 9, ready=True)


async def _slow(told: Install, controller: dict[str, Any], pods: list[dict[str, Any]]) -> None:
    await _unready(told, controller)
    for pod in pods:
        await _container(told, pod, RUNNING)


async def _unready(told: Install, controller: dict[str, Any]) -> None:
    ready = {"numberReady": 0, "numberAvailable": 0} if controller["kind"] == "DaemonSet" else {"readyReplicas": 0}
    await told.side.client.apply({**_bare(controller), "status": {**controller["status"], **ready}})


async def _container(
    told: Install,
    pod: dict[str, Any],
    state: dict[str, Any],
    ended: dict[str, Any] | None = None,
    restarts: int = 0,
    *,
    ready: bool = False,
    phase: str = "Running",
) -> None:
    last = {"lastState": {"terminated": ended}} if ended else {}
    statuses = [
        {**one, "state": state, **last, "restartCount": restarts, "ready": ready}
        for one in pod["status"]["containerStatuses"]
    ]
    status = {**pod["status"], "phase": phase, "containerStatuses": statuses}
    await told.side.client.apply({**_bare({"apiVersion": "v1", "kind": "Pod", **pod}), "status": status})


def _bare(obj: dict[str, Any]) -> dict[str, Any]:
    """An object as it is written: a server refuses what it has added itself."""
    meta = {
        key: obj["metadata"][key] for key in ("name", "namespace", "labels", "annotations") if key in obj["metadata"]
    }
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta, "spec": obj["spec"]}


AILS = {
    "missing": _missing,
    "unschedulable": _unplaced,
    "image_pull_failure": _unpulled,
    "crashing": _crashing,
    "oom_killed": _killed,
    "config_error": _unconfigured,
    "restarting": _restarting,
    "not_ready": _slow,
}
