"""A running sandbox, and the real az with the built wheel installed as a user installs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.demo import exports, path, sandbox
from tools.prove_wheel import ROOT, install_extension


@dataclass(frozen=True)
class Said:
    """What a process said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Sandbox:
    """A sandbox in a folder, and the environment that its `env` prints."""

    folder: Path
    env: dict[str, str]

    def run(self, *words: str, stdin: str | None = None, **env: str) -> Said:
        """Run a program as a user of the sandbox, from an empty folder."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(
            words, cwd=work, env={**self.env, **env}, text=True, capture_output=True, timeout=150, check=False, **given
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def az(self, *words: str, stdin: str | None = None, **env: str) -> Said:
        """Run the real az."""
        return self.run("az", *words, stdin=stdin, **env)

    def writes(self) -> list[dict[str, Any]]:
        """The requests so far that were meant to change something in Azure or in a cluster."""
        lines = [json.loads(line) for line in sandbox("log", "--dir", str(self.folder)).splitlines() if line]
        # Tokens, credentials and access reviews are asked for by POST.
        reads = ("token", "credential", "accessreviews", "accessreview")
        return [
            line
            for line in lines
            if line["method"] in ("PUT", "PATCH", "POST", "DELETE")
            and not line["path"].rstrip("/").lower().endswith(reads)
        ]


@pytest.fixture(scope="session")
def extension_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AZURE_EXTENSION_DIR with the wheel that make built."""
    if not list((ROOT / "dist").glob("amlk8s-*.whl")):
        pytest.skip("no wheel in dist/: run make wheel first")
    config = tmp_path_factory.mktemp("extension")
    install_extension(config)
    return config / "cliextensions"


@pytest.fixture(scope="session")
def start(extension_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts a sandbox of one's own; all are stopped at the end."""
    folders: list[Path] = []

    def _start(*options: str) -> Sandbox:
        folder = tmp_path_factory.mktemp("sandbox")
        folders.append(folder)
        sandbox("up", "--dir", str(folder), *options)
        env = {
            **os.environ,
            **exports(sandbox("env", "--dir", str(folder))),
            "PATH": path(),
            "AZURE_EXTENSION_DIR": str(extension_dir),
        }
        return Sandbox(folder, env)

    yield _start
    for folder in folders:
        sandbox("down", "--dir", str(folder))


@pytest.fixture(scope="module")
def box(start: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox of the default world in which things take a second."""
    return start("--provisioning-seconds", "1")


@pytest.fixture(scope="session")
def kubectl() -> str:
    """kubectl, where it is installed."""
    found = shutil.which("kubectl")
    if not found:
        pytest.skip("kubectl is not installed")
    return found
