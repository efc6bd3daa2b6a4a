"""The probe of `az amlk8s check --probe`: a Job on each node pool, and what its pods report.

The namespace, the Jobs and their pods exist for the time of the probe. It is removed in any case, Ctrl-C and SIGTERM
included; what a killed process leaves behind ends by itself (activeDeadlineSeconds, ttlSecondsAfterFinished), and its
empty namespace is removed by the next probe.
"""

from __future__ import annotations

import datetime
import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from knack.log import get_logger

from azext_amlk8s.checks.facts import Object, PoolProbe, labels_of, name_of
from azext_amlk8s.checks.probe import parse_result
from azext_amlk8s.knowledge import load
from azext_amlk8s.time_limit import is_time_up

if TYPE_CHECKING:
    from azext_amlk8s.kubernetes import Cluster

LABEL, POOL_LABEL = "az-amlk8s-probe", "az-amlk8s-probe-pool"
JOB_PREFIX, JOBS = "probe-", "/apis/batch/v1/namespaces/{namespace}/jobs"
NAMESPACES = "/api/v1/namespaces"
ATTEMPTS = 3
logger = get_logger(__name__)
DEADLINE_SECONDS, TTL_SECONDS = 300, 60
# How long a pod may be missing or unscheduled before that is the result, and the pause between reads.
GRACE_SECONDS, PAUSE_SECONDS = 20.0, 1.0
ABANDONED_SECONDS = 900
PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
START_REASONS = ("CreateContainerError", "CreateContainerConfigError", "RunContainerError")


@dataclass(frozen=True)
class Pool:
    """The nodes that one Job stands for: their name for the user, and the label by which they are selected."""

    name: str
    selector: Mapping[str, str]
    reason: str = ""


def pools_of(nodes: Sequence[Object]) -> list[Pool]:
    """The pools of a cluster by their label; nodes without a pool are probed one by one."""
    found: dict[str, Pool] = {}
    for node in nodes:
        labels = labels_of(node)
        key = next((label for label in load("placement")["poolLabels"] if labels.get(label)), "kubernetes.io/hostname")
        name = labels.get(key) or name_of(node)
        system = labels.get("kubernetes.io/os", "linux")
        reason = "" if system == "linux" else f"its nodes run {system}"
        found.setdefault(name, Pool(name, {key: name}, reason))
    return list(found.values())


def run_probe(
    cluster: Cluster, nodes: Sequence[Object], hosts: Sequence[str], image: str, show: Callable[[str], None]
) -> tuple[PoolProbe, ...]:
    """The result of each pool. show is called with the stage. Raises ClusterRefused, ClusterUnreachable."""
    from azext_amlk8s.kubernetes import ClusterRefused

    pools = pools_of(nodes)
    usable = [pool for pool in pools if not pool.reason]
    skipped = tuple(PoolProbe(pool.name, "skipped", pool.reason) for pool in pools if pool.reason)
    with _interruptible(), _namespace(cluster) as namespace:
        found: dict[str, PoolProbe] = {}
        jobs: dict[str, str] = {}
        for pool in usable:
            job = build_job(pool, namespace, hosts, image)
            jobs[pool.name] = job["metadata"]["name"]
            try:
                cluster.create(JOBS.format(namespace=namespace), job)
            except ClusterRefused as refused:
                found[pool.name] = PoolProbe(pool.name, "rejected", str(refused))
        _collect(cluster, namespace, jobs, found, show)
    return (*(found[pool.name] for pool in usable), *skipped)


def build_job(pool: Pool, namespace: str, hosts: Sequence[str], image: str) -> dict[str, Any]:
    """The Job of a pool: it needs no rights, fits restricted Pod Security, and tolerates every taint."""
    script = files("azext_amlk8s.kubernetes").joinpath("probe_script.py").read_text(encoding="utf-8")
    container = {
        "name": "probe",
        "image": image,
        "command": ["python3", "-c", script, json.dumps(list(hosts))],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    # No service mesh: its sidecar would never end, and would answer for the network.
    no_mesh = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
    labels = {LABEL: "true", "app.kubernetes.io/managed-by": "az-amlk8s", "sidecar.istio.io/inject": "false"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{JOB_PREFIX}{secrets.token_hex(4)}",  # the name of a pool may be no valid name of a Job
            "namespace": namespace,
            "labels": {**labels, POOL_LABEL: pool.name},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": TTL_SECONDS,
            "template": {
                "metadata": {"labels": {**labels, POOL_LABEL: pool.name}, "annotations": no_mesh},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "nodeSelector": dict(pool.selector),
                    "tolerations": [{"operator": "Exists"}],
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65534,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [container],
                },
            },
        },
    }


def _collect(
    cluster: Cluster,
    namespace: str,
    jobs: Mapping[str, str],
    found: dict[str, PoolProbe],
    show: Callable[[str], None],
) -> None:
    """Read the pods until each pool has a result; jobs are the names of the Jobs by pool."""
    begin = time.monotonic()
    while waiting := [name for name in jobs if name not in found]:
        show(f"{len(jobs) - len(waiting)}/{len(jobs)} node pools")
        elapsed = time.monotonic() - begin
        pods = cluster.items(f"{NAMESPACES}/{namespace}/pods")
        by_pool = {labels_of(pod).get(POOL_LABEL, ""): pod for pod in pods}
        # A Job that cannot create its pod says so in an event.
        rejections = _rejections(cluster, namespace) if set(waiting) - set(by_pool) else {}
        for name in waiting:
            result = _result_of(name, by_pool.get(name), rejections.get(jobs[name], ""), elapsed)
            if result is not None:
                found[name] = result
        if len(found) < len(jobs):
            time.sleep(PAUSE_SECONDS)


def _result_of(name: str, pod: Object | None, rejection: str, elapsed: float) -> PoolProbe | None:
    """The result of a pool, or None while it may still come."""
    if pod is None:
        if rejection or elapsed > GRACE_SECONDS:
            return PoolProbe(name, "rejected", rejection or "no pod was created")
        return None
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    node = str(spec.get("nodeName") or "")
    state = ((status.get("containerStatuses") or [{}])[0] or {}).get("state") or {}
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    if terminated:
        return parse_result(name, node, int(terminated.get("exitCode") or 0), str(terminated.get("message") or ""))
    if status.get("phase") == "Failed":
        return PoolProbe(name, "failed", str(status.get("message") or status.get("reason") or "the pod failed"), node)
    if waiting.get("reason") in PULL_REASONS:
        return PoolProbe(name, "image", str(waiting.get("message") or waiting["reason"]), node)
    if waiting.get("reason") in START_REASONS:
        return PoolProbe(name, "failed", str(waiting.get("message") or waiting["reason"]), node)
    if not node and elapsed > GRACE_SECONDS / 2:
        conditions = [
            condition for condition in status.get("conditions") or () if condition.get("type") == "PodScheduled"
        ]
        return PoolProbe(name, "pending", str((conditions or [{}])[0].get("message") or "the pod is not scheduled"))
    if elapsed > DEADLINE_SECONDS:
        return PoolProbe(name, "timeout", f"no result after {DEADLINE_SECONDS} seconds", node)
    return None


def _rejections(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Why Jobs could not create their pods, by name of the Job."""
    events = cluster.items(f"{NAMESPACES}/{namespace}/events")
    return {
        str((event.get("involvedObject") or {}).get("name")): str(event.get("message") or "")
        for event in events
        if event.get("reason") == "FailedCreate"
    }


@contextmanager
def _namespace(cluster: Cluster) -> Iterator[str]:
    """A new namespace, which is removed at the end, with abandoned ones of earlier probes."""
    name = f"{LABEL}-{secrets.token_hex(4)}"
    labels = {LABEL: "true", "app.kubernetes.io/managed-by": "az-amlk8s"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    remove_abandoned(cluster)
    uid = ""
    try:
        uid = str((cluster.create(NAMESPACES, body).get("metadata") or {}).get("uid") or "")
        yield name
    finally:
        _remove(cluster, name, uid)


def _remove(cluster: Cluster, name: str, uid: str) -> None:
    """Delete the namespace. One failed request does not stop it, nor does Ctrl-C, which is raised again at the end."""
    failure: BaseException | None = None
    is_interrupted = False
    for _ in range(ATTEMPTS):
        try:
            cluster.delete(f"{NAMESPACES}/{name}", uid or _own_uid(cluster, name))
        except KeyboardInterrupt as error:
            failure, is_interrupted = error, True
        except _errors() as error:
            failure = error
            if is_time_up():
                break
        else:
            failure = None
            break
    if failure:
        reason = str(failure) or "it was interrupted"
        logger.warning("Not deleted: namespace '%s' of the probe (%s). To delete it: kubectl%s delete namespace %s",
                       name, reason, f" --context {cluster.context}" if cluster.context else "", name)  # fmt: skip
    if is_interrupted:
        raise KeyboardInterrupt


def _own_uid(cluster: Cluster, name: str) -> str:
    """The UID of the namespace where the response to its creation was lost; empty where it does not exist."""
    found = cluster.read(f"{NAMESPACES}/{name}") or {}
    return str(found["metadata"].get("uid") or "") if labels_of(found).get(LABEL) else ""


def remove_abandoned(cluster: Cluster, seconds: float = ABANDONED_SECONDS) -> None:
    """Delete the namespaces of probes that were killed, if they are older than this."""
    limit = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    with suppress(*_errors()):
        for namespace in cluster.items(f"{NAMESPACES}?labelSelector={LABEL}%3Dtrue"):
            created = str(namespace["metadata"].get("creationTimestamp") or "")
            if (
                name_of(namespace).startswith(f"{LABEL}-")
                and created
                and created < limit.strftime("%Y-%m-%dT%H:%M:%SZ")
            ):
                cluster.delete(f"{NAMESPACES}/{name_of(namespace)}", str(namespace["metadata"].get("uid") or ""))


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the probe as Ctrl-C does, so that its namespace is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _errors() -> tuple[type[Exception], ...]:
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    return (ClusterRefused, ClusterUnreachable)
