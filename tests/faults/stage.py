"""One login and one proxy for all cells; a fresh sandbox behind the proxy for each."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shlex
import shutil
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import login, server
from sandbox.tls import Authority
from sandbox.world import load
from tests.faults.proxy import Fault, Proxy, Seen
from tests.scenarios.stage import BASE, AzProcess

HUNG_SECONDS = 150
# What differs between two runs that end alike: times, and what the services draw at random.
VOLATILE = {
    *("systemdata", "createdon", "modifiedon", "createdat", "lastmodifiedat", "updatedon", "updatedat"),
    *("etag", "time", "createdby", "keys", "statuses"),
}
KEY = re.compile(r"(SharedAccessKey=|sharedaccesskey=)[^;\"]+")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Run:
    """A command that has ended, with the requests that it sent."""

    code: int
    out: str
    err: str
    requests: tuple[Seen, ...]
    foreign: tuple[str, ...]


class World:
    """A sandbox that runs behind the proxy."""

    def __init__(self, stage: FaultStage, started: server.Started, folder: Path) -> None:
        self._stage, self._started, self._folder = stage, started, folder

    def az(self, command: str, fault: Fault | None = None, at: int = -1, *, kill: bool = False) -> Run:
        """Run a command; request number `at` meets the fault, or the process is killed there."""
        return self._stage.run(command, self._folder, fault, at, kill=kill)

    def state(self) -> dict[str, Any]:
        """What ARM holds, without what differs from run to run: by id for most, by place for role assignments."""
        state: dict[str, Any] = {}
        for resource in self._started.tree.within(""):
            name = resource["id"].lower()
            if "/roleassignments/" in name:
                role = str((resource.get("properties") or {}).get("roleDefinitionId", "")).rpartition("/")[2]
                name = f"{name.rpartition('/')[0]} {role}"
            if "/deployments/" not in name:
                state[name] = _stable({key: value for key, value in resource.items() if key not in ("id", "name")})
        return state

    def secrets(self) -> list[str]:
        """The values that no stream may show: keys of relays, and tokens of kubeconfigs."""
        resources = list(self._started.tree.within(""))
        keys = [str(key) for resource in resources for key in (resource.get("keys") or {}).values()]
        return [*(key for key in keys if len(key) > 8), *(side.token for side in self._started.clusters.values())]


class FaultStage:
    """Made once for many cells."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder, self._count = folder, itertools.count()
        self._authority = Authority(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._proxy = Proxy(self._authority)
        self._wait_for(self._proxy.start())
        env = login.environment(folder)
        self._config = Path(env["AZURE_CONFIG_DIR"])
        base = load(BASE)
        with self._sandbox(folder):
            login.log_in(folder, {"azure": self._proxy.base, "tenant": base.tenant, "subscription": base.subscription})
        self._process = AzProcess({**os.environ, **env})

    @contextmanager
    def world(self, folder: Path) -> Iterator[World]:
        """A fresh sandbox behind the proxy."""
        here = folder / f"cell-{next(self._count)}"
        here.mkdir()
        # What an interrupted command left there belongs to the cell before.
        shutil.rmtree(self._config / "amlk8s", ignore_errors=True)
        with self._sandbox(here) as started:
            yield World(self, started, here)

    def run(self, command: str, folder: Path, fault: Fault | None, at: int, *, kill: bool) -> Run:
        """Run az in a process of its own. One that does not end is killed after HUNG_SECONDS."""
        streams = {name: folder / name for name in ("stdin", "out", "err")}
        streams["stdin"].write_text("", encoding="utf-8")
        self._proxy.arm(fault, at, self._process.kill if kill else None)
        watchdog = threading.Timer(HUNG_SECONDS, self._process.kill)
        watchdog.start()
        try:
            code = self._process.run(
                {
                    "arguments": shlex.split(command)[1:],
                    "cwd": str(folder),
                    "env": {"KUBECONFIG": str(folder / "kubeconfig")},
                    **{name: str(file) for name, file in streams.items()},
                }
            )
        finally:
            watchdog.cancel()
        out, err = (streams[name].read_text(encoding="utf-8", errors="replace") for name in ("out", "err"))
        return Run(code, out, err, tuple(self._proxy.seen), tuple(self._proxy.foreign))

    def end(self) -> None:
        """Stop everything."""
        self._process.end()
        self._wait_for(self._proxy.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    @contextmanager
    def _sandbox(self, folder: Path) -> Iterator[server.Started]:
        started = self._wait_for(server.start(load(BASE), folder, 0, self._authority, lambda line: None))
        self._proxy.upstream = started.azure
        try:
            yield started
        finally:
            self._wait_for(started.stop())

    def _wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items() if key.lower() not in VOLATILE}
    if isinstance(value, list):
        return [_stable(item) for item in value]
    return UUID.sub("uuid", KEY.sub(r"\1key", value)) if isinstance(value, str) else value
