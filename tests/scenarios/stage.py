"""Where scenarios run: one sign-in, one address, and a fresh sandbox for each scenario."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from sandbox import login, server
from sandbox.tls import Authority
from sandbox.world import World, load
from tests.support import Output
from tools.prove_wheel import ROOT

TRAFFIC = ROOT / ".traffic"
BASE = Path(__file__).with_name("world.yaml")


@dataclass(frozen=True)
class Scene:
    """A running sandbox, and az in front of it."""

    _process: AzProcess
    _folder: Path
    _lines: list[dict[str, Any]]
    _proxy: str = ""
    _started: server.Started | None = None
    _authority: Authority | None = None

    def az(self, arguments: list[str], cwd: Path, stdin: str = "") -> Output:
        """Run az with these arguments."""
        streams = {name: self._folder / name for name in ("stdin", "out", "err")}
        streams["stdin"].write_text(stdin, encoding="utf-8")
        env = {"KUBECONFIG": str(self._folder / "kubeconfig"), **login.proxy_environment(self._proxy)}
        code = self._process.run(
            {"arguments": arguments, "cwd": str(cwd), "env": env, **{name: str(file) for name, file in streams.items()}}
        )
        return Output(code, streams["out"].read_text(encoding="utf-8"), streams["err"].read_text(encoding="utf-8"))

    def kubectl(self, arguments: list[str], cwd: Path) -> Output:
        """Run the real kubectl, which must be installed, with these arguments."""
        env = {**os.environ, "KUBECONFIG": str(self._folder / "kubeconfig"), "HOME": str(self._folder)}
        done = subprocess.run(
            ["kubectl", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        return Output(done.returncode, done.stdout, done.stderr)

    def log(self) -> list[dict[str, Any]]:
        """The requests so far."""
        return list(self._lines)

    def exchanges(self) -> list[dict[str, Any]]:
        """The exchanges between az and ARM so far, secrets blanked."""
        file = self._folder / "record.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    def resources(self) -> dict[str, Any]:
        """Copies of the resources of ARM by ID in lower case."""
        return self._started.tree.resources() if self._started else {}

    def arm(self, method: str, path: str, body: Any = None) -> Any:
        """The body of the response to a request to ARM without any client. Raises urllib.error.HTTPError."""
        assert self._started and self._authority
        headers = {"Authorization": "Bearer e30.e30.x", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._started.azure}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, context=self._authority.client_context()) as response:
            return json.loads(response.read() or b"null")


class Stage:
    """The surroundings of all scenarios of a test process."""

    def __init__(self, folder: Path, suffixes: Mapping[str, str] | None = None) -> None:
        """suffixes are those of the cloud that az signs in to, where it is not the sandbox's own."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = Authority(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._base = yaml.safe_load(BASE.read_text(encoding="utf-8"))
        self._count = 0
        # Kept open: a port that is released between two scenarios may be taken by another process.
        self._socket = socket.create_server(("127.0.0.1", 0))
        world = replace(load(BASE), suffixes=suffixes or {})
        started = self._do(
            server.start(world, folder, 0, self._authority, lambda line: None, listening=self._socket.dup())
        )
        env = login.environment(folder)
        login.log_in(folder, {"azure": started.azure, "tenant": world.tenant, "subscription": world.subscription})
        self._do(started.stop())
        self._config = Path(env["AZURE_CONFIG_DIR"])
        self._process = AzProcess({**os.environ, **env})

    @contextmanager
    def scene(
        self, world: Mapping[str, Any], folder: Path, seconds: float, *, contract: bool = True
    ) -> Iterator[Scene]:
        """A scene whose world is merged into the base; contract: its traffic is kept for `make contract`."""
        from tests.scenarios.runner import merged

        self._count += 1
        # What an interrupted command left there belongs to the scenario before.
        shutil.rmtree(self._config / "amlk8s", ignore_errors=True)
        here = self._folder / f"scene-{self._count}"
        here.mkdir()
        lines: list[dict[str, Any]] = []
        started = self._do(
            server.start(
                self._world(merged(self._base, world), here),
                here,
                seconds,
                self._authority,
                lines.append,
                listening=self._socket.dup(),
                record=here / "record.jsonl",
            )
        )
        try:
            yield Scene(self._process, here, lines, started.proxy, started, self._authority)
        finally:
            self._do(started.stop())
            if contract:
                self._keep(here / "record.jsonl")

    def end(self) -> None:
        """Stop everything."""
        self._process.end()
        self._socket.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _keep(self, record: Path) -> None:
        """Keep the exchanges for `make contract`."""
        if record.exists():
            TRAFFIC.mkdir(exist_ok=True)
            with (TRAFFIC / f"scenarios-{os.getpid()}.jsonl").open("ab") as file:
                file.write(record.read_bytes())

    def _world(self, content: Mapping[str, Any], here: Path) -> World:
        file = here / "world.yaml"
        file.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
        return load(file)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


class AzProcess:
    """The process that forks for each command."""

    def __init__(self, env: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.scenarios.az_process"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, task: Mapping[str, Any]) -> int:
        """Run one command to its end and return the exit code."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return int(json.loads(self._process.stdout.readline())["code"])

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the command that runs."""
        pid = self._process.pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            os.kill(int(child), number)

    def end(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
