"""What runs Jobs in a cluster whose world has a `network`: the controller of Jobs, a scheduler and the kubelets.

The command of a container runs as a process of this machine, whatever it is, in the network of its node (see
container_network.py). Images are not pulled: the programs and files are those of the machine, and only whether the
registry could be reached is decided, by the same network. One container per pod is run.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import trustme

from sandbox import container_network
from sandbox.container_network import matches
from sandbox.kubernetes.client import KubeClient, KubernetesError

Object = dict[str, Any]
JOB = ("batch/v1", "Job")
POD = ("v1", "Pod")
PERIOD_SECONDS = 0.2
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TERMINATION_LOG = "/dev/termination-log"
MESSAGE_BYTES = 4096
DEFAULT_ISSUER = "Contoso TLS Inspection"
UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--fork", "--kill-child")
BLOCKING = ("NoSchedule", "NoExecute")


@cache
def can_run_containers() -> bool:
    """Whether this machine lets a process have a network of its own (Linux, and user namespaces are allowed)."""
    if shutil.which(UNSHARE[0]) is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


@dataclass
class _Run:
    """A pod of a job: its process, and when the job began and ended (monotonic seconds)."""

    pod: str
    begin: float
    process: asyncio.subprocess.Process | None = None
    end: float = 0


@dataclass
class NodeAgent:
    """Runs the Jobs of one cluster. networks are by name of a node pool, "" for the others."""

    client: KubeClient
    networks: Mapping[str, Mapping[str, Any]]
    registry: bool
    proxy: Mapping[str, Any]
    _runs: dict[str, _Run] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    def start(self, local_ports: Sequence[int]) -> None:
        """Begin to look for Jobs. local_ports are those of loopback at which containers find Azure."""
        self._local_ports = list(local_ports)
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-node-"))
        authorities = {"public": trustme.CA(organization_name="Sandbox Public CA")}
        for pool, network in self.networks.items():
            organization = str(network.get("issuer") or DEFAULT_ISSUER)
            authorities[f"inspecting-{pool}"] = trustme.CA(organization_name=organization)
        for name, authority in authorities.items():
            authority.cert_pem.write_to_path(str(self._folder / f"{name}.pem"))
            authority.private_key_pem.write_to_path(str(self._folder / f"{name}.key"))
        self._task = asyncio.create_task(self._loop())

    async def stop(self) -> None:
        """Stop all processes."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for run in self._runs.values():
            _kill(run)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _loop(self) -> None:
        while True:
            with contextlib.suppress(KubernetesError, OSError):
                await self._reconcile()
            await asyncio.sleep(PERIOD_SECONDS)

    async def _reconcile(self) -> None:
        jobs = {job["metadata"]["uid"]: job for job in await self.client.list(*JOB)}
        for uid, job in jobs.items():
            if job["metadata"].get("deletionTimestamp"):
                continue
            if uid not in self._runs:
                await self._begin(job)
            else:
                await self._observe(job, self._runs[uid])
        for uid in [run for run in self._runs if run not in jobs]:
            _kill(self._runs.pop(uid))

    async def _begin(self, job: Object) -> None:
        """Create the pod of a job, and run it where a node takes it."""
        metadata, template = job["metadata"], job["spec"]["template"]
        name = f"{metadata['name']}-{uuid.uuid4().hex[:5]}"
        labels = {"job-name": metadata["name"], "batch.kubernetes.io/job-name": metadata["name"]}
        owner = {"apiVersion": JOB[0], "kind": JOB[1], "name": metadata["name"], "uid": metadata["uid"]}
        spec = {**template["spec"]}
        node, reasons = _place(spec, await self.client.list("v1", "Node"))
        pod: Object = {
            "apiVersion": POD[0],
            "kind": POD[1],
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {**((template.get("metadata") or {}).get("labels") or {}), **labels},
                "annotations": dict((template.get("metadata") or {}).get("annotations") or {}),
                "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
            },
            "spec": {**spec, "nodeName": node["metadata"]["name"]} if node else spec,
        }
        run = self._runs[metadata["uid"]] = _Run(name, time.monotonic())
        try:
            await self.client.apply(pod)
        except KubernetesError as error:
            await self._report_event(job, "FailedCreate", f"Error creating: {error.message}")
            return
        await self._set_status(job, {"active": 1, "startTime": _now()})
        if node is None:
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": reasons}
            await self._set_status(pod, {"phase": "Pending", "conditions": [condition]})
            return
        task = asyncio.create_task(self._run(job, pod, node, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: Object, pod: Object, node: Object, run: _Run) -> None:
        container, pool = pod["spec"]["containers"][0], _pool_of(node)
        network = self.networks.get(pool, self.networks.get("", {}))
        problem = self._pull_problem(str(container["image"]), network)
        if problem or not can_run_containers():
            await self._set_waiting(pod, container, problem)
            return
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        file = self._write_spec(folder, container, pool if pool in self.networks else "", network)
        await self._set_status(pod, {"phase": "Running", "containerStatuses": [_state(container, {"running": {}})]})
        run.process = await asyncio.create_subprocess_exec(
            *UNSHARE, sys.executable, container_network.__file__, str(file),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        output, _ = await run.process.communicate()
        code, message = run.process.returncode, (folder / "termination").read_bytes()[:MESSAGE_BYTES].decode()
        terminated = {"exitCode": code, "reason": "Error" if code else "Completed", "message": message}
        pod["metadata"]["annotations"]["sandbox/log"] = output.decode("utf-8", "replace")
        with contextlib.suppress(KubernetesError):  # the pod may have been deleted meanwhile
            await self.client.apply(pod)
        status = {"phase": "Failed" if code else "Succeeded"}
        await self._set_status(pod, {**status, "containerStatuses": [_state(container, {"terminated": terminated})]})
        await self._finish(job, run, "Failed" if code else "Complete")

    def _write_spec(self, folder: Path, container: Object, pool: str, network: Mapping[str, Any]) -> Path:
        (folder / "termination").touch()
        files = {kind: [str(self._folder / f"{name}.{end}") for end in ("pem", "key")]
                 for kind, name in (("public", "public"), ("inspecting", f"inspecting-{pool}"))}  # fmt: skip
        given = {variable["name"]: variable.get("value", "") for variable in container.get("env") or ()}
        spec = {
            "command": [*(container.get("command") or ()), *(container.get("args") or ())],
            "env": {"PATH": PATH, "HOME": "/", "SSL_CERT_FILE": files["public"][0], **_proxy_env(self.proxy), **given},
            "network": dict(network),
            "authorities": files,
            "local_ports": self._local_ports,
            "termination": [container.get("terminationMessagePath") or TERMINATION_LOG, str(folder / "termination")],
        }
        file = folder / "container.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        return file

    def _pull_problem(self, image: str, network: Mapping[str, Any]) -> str:
        """Why the node cannot pull an image, in the words of containerd; empty if it can."""
        host, _, repository = image.partition("/")
        name, _, tag = repository.partition(":")
        url = f"https://{host}/v2/{name}/manifests/{tag or 'latest'}"
        if self.proxy.get("httpsProxy"):
            # containerd of the node uses the proxy of the cluster too.
            reason = "Forbidden" if matches(host, (network.get("proxy") or {}).get("blocked")) else ""
        elif matches(host, network.get("unresolvable")):
            reason = f"dial tcp: lookup {host} on 168.63.129.16:53: no such host"
        elif not self.registry or matches(host, network.get("blocked")):
            reason = "dial tcp 204.79.197.219:443: i/o timeout"
        elif matches(host, network.get("refused")):
            reason = "dial tcp 204.79.197.219:443: connect: connection refused"
        elif matches(host, network.get("intercepted")):
            reason = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        else:
            reason = ""
        return reason and (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
            f'Head "{url}": {reason}'
        )

    async def _set_waiting(self, pod: Object, container: Object, pull_problem: str) -> None:
        message = pull_problem or "assumed: this machine does not allow network namespaces, so no container can run"
        waiting = {"reason": "ErrImagePull" if pull_problem else "CreateContainerError", "message": message}
        await self._set_status(
            pod, {"phase": "Pending", "containerStatuses": [_state(container, {"waiting": waiting})]}
        )

    async def _observe(self, job: Object, run: _Run) -> None:
        """What time does to a job: its deadline, and its removal after its end."""
        spec, now = job["spec"], time.monotonic()
        deadline, ttl = spec.get("activeDeadlineSeconds"), spec.get("ttlSecondsAfterFinished")
        if run.end:
            if ttl is not None and now - run.end >= ttl:
                await self.client.delete(*POD, run.pod, job["metadata"]["namespace"])
                await self.client.delete(*JOB, job["metadata"]["name"], job["metadata"]["namespace"])
        elif deadline is not None and now - run.begin >= deadline:
            _kill(run)
            await self.client.delete(*POD, run.pod, job["metadata"]["namespace"])
            await self._finish(job, run, "Failed")

    async def _finish(self, job: Object, run: _Run, condition: str) -> None:
        run.end = time.monotonic()
        counted = {"failed": 1} if condition == "Failed" else {"succeeded": 1, "completionTime": _now()}
        await self._set_status(job, {"active": 0, **counted, "conditions": [{"type": condition, "status": "True"}]})

    async def _set_status(self, obj: Object, status: Object) -> None:
        """Write the status of an object that may have been deleted meanwhile."""
        with contextlib.suppress(KubernetesError):
            await self.client.merge_status(obj, status)

    async def _report_event(self, job: Object, reason: str, message: str) -> None:
        metadata = job["metadata"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name']}.{uuid.uuid4().hex[:8]}", "namespace": metadata["namespace"]},
            "involvedObject": {"kind": JOB[1], "name": metadata["name"], "namespace": metadata["namespace"]},
            "type": "Warning",
            "reason": reason,
            "message": message,
        }
        await self.client.apply(event)


def _place(spec: Object, nodes: list[Object]) -> tuple[Object | None, str]:
    """The node that takes a pod, or the scheduler's sentence."""
    reasons: dict[str, int] = {}
    for node in nodes:
        reason = _reason_against(spec, node)
        if not reason:
            return node, ""
        reasons[reason] = reasons.get(reason, 0) + 1
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return None, f"0/{len(nodes)} nodes are available: {listed}."


def _reason_against(spec: Object, node: Object) -> str:
    labels, tolerations = node["metadata"].get("labels") or {}, spec.get("tolerations") or ()
    conditions = (node.get("status") or {}).get("conditions") or ()
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    if not any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions):
        return "node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint.get("effect") in BLOCKING and not any(_tolerates(toleration, taint) for toleration in tolerations):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return ""


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint.get("key"))
    return (toleration.get("key"), toleration.get("value", "")) == (taint.get("key"), taint.get("value", ""))


def _pool_of(node: Object) -> str:
    return str((node["metadata"].get("labels") or {}).get("agentpool") or "")


def _proxy_env(config: Mapping[str, Any]) -> dict[str, str]:
    """The variables that AKS adds to pods of a cluster with a proxy. https://learn.microsoft.com/azure/aks/http-proxy"""
    values = {
        "HTTP_PROXY": config.get("httpProxy") or "",
        "HTTPS_PROXY": config.get("httpsProxy") or "",
        "NO_PROXY": ",".join(config.get("noProxy") or ()),
    }
    present = {key: str(value) for key, value in values.items() if value}
    return {**present, **{key.lower(): value for key, value in present.items()}}


def _state(container: Object, state: Object) -> Object:
    return {"name": container["name"], "image": container["image"], "ready": False, "restartCount": 0, "state": state}


def _kill(run: _Run) -> None:
    if run.process and run.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
