"""One login and one proxy for all cells; a fresh sandbox behind the proxy for each, in the state that its command needs."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox import login, server
from sandbox.key_vault.entries import DNS_SUFFIX
from sandbox.tls import Authority
from sandbox.world import load
from tests.faults.proxy import UUID, Fault, Proxy, Request
from tests.faults.surroundings import surrounded
from tests.scenarios.runner import merged
from tests.scenarios.stage import BASE, AzProcess

HUNG_SECONDS = 400
SETTLED_SECONDS = 10
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT}
TERMINAL = ("succeeded", "failed", "canceled")
# What differs between two runs that end alike: times, and what the services draw at random.
VOLATILE = {
    *("systemdata", "createdon", "modifiedon", "createdat", "lastmodifiedat", "updatedon", "updatedat"),
    *("etag", "time", "createdby", "keys", "statuses"),
}
PRIVATE_KEY = re.compile(r"BEGIN PRIVATE KEY-----(.+?)-----END", re.DOTALL)
SHARED_KEY = re.compile(r"SharedAccessKey=([^;]+)")
KEY = re.compile(r"(SharedAccessKey=|sharedaccesskey=)[^;\"]+")
# Kinds of objects that a command writes in a cluster; what Azure does there follows from the resources in Azure.
WRITTEN_KINDS = ("Namespace", "InstanceType")
# Files of az itself that hold its own credentials.
TOKEN_CACHES = (
    "msal_token_cache.json",
    "msal_token_cache.bin",
    "service_principal_entries.json",
    "msal_http_cache.bin",
)
# A secret that is shorter could be a part of an ordinary word.
SHORTEST_SECRET = 9


@dataclass(frozen=True)
class Run:
    """A command that has ended: its requests, those to a foreign host, and how many met their fault."""

    code: int
    out: str
    err: str
    seconds: float
    requests: tuple[Request, ...] = ()
    foreign: tuple[str, ...] = ()
    met: int = 0


@dataclass(frozen=True)
class Snapshot:
    """Everything that a sandbox holds: the resources of Azure, and the objects of each cluster."""

    resources: Mapping[str, Any]
    objects: Mapping[str, Any]


class World:
    """A sandbox that runs behind the proxy, and a folder for the files of az."""

    def __init__(self, stage: FaultStage, started: server.Started, folder: Path) -> None:
        self._stage, self._started, self.folder = stage, started, folder

    def az(self, command: str, *faults: tuple[Fault, Request | None]) -> Run:
        """Run a command; each fault meets its request, or the next one after the fault before it."""
        return self._stage.run(command, self.folder, *faults)

    def snapshot(self) -> Snapshot:
        """A copy of what the sandbox holds, once no operation runs."""
        self._settle()
        return Snapshot(
            self._started.tree.resources(),
            {name: side.store.objects() for name, side in self._started.clusters.items() if side.store},
        )

    def state(self) -> dict[str, Any]:
        """What Azure and the clusters hold, without what differs from run to run, once no operation runs.

        By ID for most; role assignments by their scope and role, with the number of equal ones.
        """
        snapshot = self.snapshot()
        state: dict[str, Any] = {}
        assignments: Counter[str] = Counter()
        for name, resource in snapshot.resources.items():
            if "/roleassignments/" in name:
                properties = resource.get("properties") or {}
                role = str(properties.get("roleDefinitionId", "")).rpartition("/")[2]
                assignments[f"{name.rpartition('/')[0]} {role}"] += 1
            elif "/deployments/" not in name:
                state[name] = _stable({key: value for key, value in resource.items() if key not in ("id", "name")})
        for cluster, objects in snapshot.objects.items():
            for (_, kind, namespace, name), value in objects.items():
                if kind in WRITTEN_KINDS or _is_ours(value):
                    labels = value["metadata"].get("labels")
                    state[f"{cluster}: {kind} {namespace}/{name}"] = [labels, _stable(value.get("spec"))]
                elif (kind, namespace) == ("Deployment", "default"):
                    annotations = value["metadata"].get("annotations")
                    state[f"{cluster}: {kind} {namespace}/{name}"] = [annotations, _stable(value.get("spec"))]
        return {**state, **assignments}

    def let_a_day_pass(self) -> None:
        """Have every namespace be a day older."""
        snapshot = self.snapshot()
        for objects in snapshot.objects.values():
            for (_, kind, _, _), value in objects.items():
                if kind == "Namespace":
                    created = datetime.fromisoformat(value["metadata"]["creationTimestamp"].replace("Z", "+00:00"))
                    value["metadata"]["creationTimestamp"] = f"{created - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        self._stage.restore(self._started, snapshot)

    def secrets(self) -> list[str]:
        """The values that may appear nowhere: keys of relays, tokens of kubeconfigs, access tokens of az, secrets."""
        resources = list(self._started.tree.within(""))
        keys = [str(key) for resource in resources for key in (resource.get("keys") or {}).values()]
        tokens = [side.token for side in self._started.clusters.values()]
        secrets = (*keys, *tokens, *self._stage.access_tokens(), *self._stage.vault_secrets())
        return [item for item in secrets if len(item) >= SHORTEST_SECRET]

    def files(self) -> Iterator[Path]:
        """The files that commands have written: streams, logs and records, without az's own credentials."""
        own = {self.folder / name for name in ("kubeconfig", "stdin", *self._started.clusters)}
        for folder in (self.folder, self._stage.config):
            for file in folder.rglob("*"):
                if file.is_file() and file.name not in TOKEN_CACHES and not own & {file, *file.parents}:
                    yield file

    def _settle(self) -> None:
        """Wait until every resource is in a final state."""
        end = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < end and any(map(_is_changing, self._started.tree.resources().values())):
            time.sleep(0.05)


def _is_ours(obj: Mapping[str, Any]) -> bool:
    """Whether a command keeps the object in the cluster for later."""
    return (obj["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "az-amlk8s"


class FaultStage:
    """Made once for many cells. az keeps a debug log of every command, so that the search for secrets covers --debug."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder, self._count = folder, itertools.count()
        self._authority = Authority(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        base = load(BASE)
        third = dataclasses.replace(base.clusters[0], name="aks2")
        self._base = dataclasses.replace(base, compute_updates=True, clusters=(*base.clusters, third))
        self._proxy = Proxy(self._authority)
        self._wait_for(self._proxy.start(tuple(cluster.name.lower() for cluster in self._base.clusters)))
        self._env = login.environment(folder)
        self.config = Path(self._env["AZURE_CONFIG_DIR"])
        with self._sandbox(folder):
            state = {
                "azure": self._proxy.base,
                "tenant": self._base.tenant,
                "subscription": self._base.subscription,
            }
            login.log_in(folder, state)
        # A bundle of one authority is loaded in no time.
        around = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        self._process = AzProcess({**around, **self._env, "REQUESTS_CA_BUNDLE": str(self._authority.ca_file)})

    @contextmanager
    def world(
        self,
        snapshot: Snapshot | None = None,
        files: Mapping[str, str] | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Iterator[World]:
        """A fresh sandbox behind the proxy, which holds what the snapshot has. files are created in its folder.

        changes: what is different from the base world; a snapshot has it already.
        """
        here = self._folder / f"cell-{next(self._count)}"
        here.mkdir()
        for name, text in (files or {}).items():
            (here / name).write_text(text, encoding="utf-8")
        # What an interrupted command left there belongs to the cell before.
        for name in ("amlk8s", "commands"):
            shutil.rmtree(self.config / name, ignore_errors=True)
        with self._sandbox(here, changes) as started:
            if snapshot:
                self.restore(started, snapshot)
            yield World(self, started, here)
        shutil.rmtree(here, ignore_errors=True)

    def run(self, command: str, folder: Path, *faults: tuple[Fault, Request | None]) -> Run:
        """Run az in a process of its own. One that does not end is killed after HUNG_SECONDS."""
        streams = {name: folder / name for name in ("stdin", "out", "err")}
        streams["stdin"].write_text("", encoding="utf-8")
        around = next((fault.surroundings for fault, _ in faults if fault.surroundings), "")
        at_requests = [case for case in faults if not case[0].surroundings or case[0].side == "login"]
        self._proxy.arm(*at_requests, on_signal=self._signal)
        watchdog = threading.Timer(HUNG_SECONDS, self._process.send_signal, [signal.SIGKILL])
        watchdog.start()
        started = time.monotonic()
        try:
            with surrounded(around, self.config) as env:
                code = self._process.run(
                    {
                        "arguments": shlex.split(command)[1:],
                        "cwd": str(folder),
                        "env": {
                            "KUBECONFIG": str(folder / "kubeconfig"),
                            "AZURE_LOGGING_ENABLE_LOG_FILE": "yes",
                            "AZURE_LOGGING_LOG_DIR": str(folder / "logs"),
                            **login.proxy_environment(self._proxy.vault_proxy if self._proxy.vault_hosts else ""),
                            **env,
                        },
                        **{name: str(file) for name, file in streams.items()},
                    }
                )
        finally:
            watchdog.cancel()
        seconds = time.monotonic() - started
        out, err = (streams[name].read_text(encoding="utf-8", errors="replace") for name in ("out", "err"))
        return Run(code, out, err, seconds, tuple(self._proxy.seen), tuple(self._proxy.foreign), self._proxy.met)

    def restore(self, started: server.Started, snapshot: Snapshot) -> None:
        """Have a sandbox hold what a snapshot has."""
        self._wait_for(_restore(started, snapshot))

    def access_tokens(self) -> list[str]:
        """The access tokens that az has cached."""
        file = self.config / "msal_token_cache.json"
        cache = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return [str(item.get("secret")) for item in (cache.get("AccessToken") or {}).values()]

    def vault_secrets(self) -> list[str]:
        """What vaults have returned, and the secret parts of it: lines of private keys, keys of connection strings."""
        values = list(self._proxy.vault_values)
        keys = [line for value in values for key in PRIVATE_KEY.findall(value) for line in key.split()]
        return [*values, *keys, *(match[1] for value in values for match in SHARED_KEY.finditer(value))]

    def end(self) -> None:
        """Stop everything."""
        self._process.end()
        self._wait_for(self._proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _signal(self, name: str) -> None:
        self._process.send_signal(SIGNALS[name])

    @contextmanager
    def _sandbox(self, folder: Path, changes: Mapping[str, Any] | None = None) -> Iterator[server.Started]:
        world = self._base
        if changes:
            file = folder / "world.yaml"
            file.write_text(yaml.safe_dump(merged(yaml.safe_load(BASE.read_text(encoding="utf-8")), changes)))
            world = load(file)
            file.unlink()  # it holds the secrets of vaults
            world = dataclasses.replace(
                world, compute_updates=True, clusters=(*world.clusters, self._base.clusters[-1])
            )
        started = self._wait_for(server.start(world, folder, 0, self._authority, lambda line: None))
        self._proxy.upstream, self._proxy.vault_upstream = started.azure, started.proxy
        self._proxy.vault_hosts = frozenset(f"{vault.name.lower()}.{DNS_SUFFIX}" for vault in world.vaults)
        self._proxy.vault_values.clear()
        kubeconfig = folder / "kubeconfig"
        text = kubeconfig.read_text(encoding="utf-8")
        for name, side in dict(started.clusters).items():
            self._proxy.cluster_upstreams[name] = side.server
            text = text.replace(side.server, self._proxy.cluster_bases[name])
            # The credentials that Azure returns lead to the proxy too.
            started.clusters[name] = dataclasses.replace(side, server=self._proxy.cluster_bases[name])
        kubeconfig.write_text(text, encoding="utf-8")
        try:
            yield started
        finally:
            self._wait_for(started.stop())

    def _wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


async def _restore(started: server.Started, snapshot: Snapshot) -> None:
    started.tree.restore(dict(snapshot.resources))
    for name, objects in snapshot.objects.items():
        if store := started.clusters[name].store:
            await store.restore(copy.deepcopy(objects))


def _is_changing(resource: Mapping[str, Any]) -> bool:
    properties = resource.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, Mapping) else None
    return isinstance(state, str) and state.lower() not in TERMINAL


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items() if key.lower() not in VOLATILE}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_stable(item) for item in value]
    return UUID.sub("uuid", KEY.sub(r"\1key", value)) if isinstance(value, str) else value
