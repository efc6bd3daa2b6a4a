"""A running sandbox, and programs run as its user runs them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demo import sandbox


@dataclass(frozen=True)
class Output:
    """The exit code and the streams of a process."""

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

    def run(self, *words: str, stdin: str | None = None, **env: str) -> Output:
        """Run a program as a user of the sandbox, from an empty folder."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(
            words, cwd=work, env={**self.env, **env}, text=True, capture_output=True, timeout=150, check=False, **given
        )
        return Output(done.returncode, done.stdout, done.stderr)

    def az(self, *words: str, stdin: str | None = None, **env: str) -> Output:
        """Run the real az."""
        return self.run("az", *words, stdin=stdin, **env)

    def writes(self) -> list[dict[str, Any]]:
        """The requests so far that were meant to change something in Azure or in a cluster."""
        lines = [json.loads(line) for line in sandbox("log", "--dir", str(self.folder)).splitlines() if line]
        return [line for line in lines if is_write(line)]


def is_write(line: dict[str, Any]) -> bool:
    """Whether a line of the sandbox's log was meant to change something, by somebody other than the sandbox."""
    # Tokens, credentials, keys, predictions and access reviews are read by POST.
    reads = ("token", "credential", "accessreviews", "accessreview", "listkeys", "sharedkeys", "/whatif")
    path = line["path"].rstrip("/").lower()
    return (
        line["method"] in ("PUT", "PATCH", "POST", "DELETE")
        and not path.endswith(reads)
        and line.get("agent") != "sandbox"
        # The API server of a cluster checks an object and stores nothing.
        and "dryRun" not in str(line.get("query"))
    )


def our_commands() -> Any:
    """A command loader class for az that knows our commands alone, from the checkout."""
    from azure.cli.core import MainCommandsLoader

    from azext_amlk8s import Amlk8sCommandsLoader

    class OurCommands(MainCommandsLoader):
        def load_command_table(self, args: Any) -> Any:
            ours = Amlk8sCommandsLoader(cli_ctx=self.cli_ctx)
            self.command_table = ours.load_command_table(args)
            self.cmd_to_loader_map = {name: [ours] for name in self.command_table}
            self.loaders = [ours]
            ours.skip_applicability = True
            return self.command_table

    return OurCommands
