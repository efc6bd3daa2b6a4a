"""`make demo`: the main job with the real az on the sandbox. Every command is printed before its output."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.prove_wheel import ROOT, install_extension

STORY = ROOT / "tools" / "story.yaml"
WORLD = ROOT / "sandbox" / "world.yaml"


def main() -> int:
    """Exit code 0 only if every command ended with the expected exit code."""
    with tempfile.TemporaryDirectory(prefix="amlk8s-demo-") as folder:
        world = write_world(Path(folder))
        sandbox("up", "--dir", folder, "--world", str(world), "--provisioning-seconds", "2")
        try:
            environment = {**os.environ, **exports(sandbox("env", "--dir", folder)), "PATH": path()}
            install_extension(Path(environment["AZURE_CONFIG_DIR"]))
            started = time.monotonic()
            code = run_story(environment, Path(folder) / "work")
            print(coloured(f"\n# {time.monotonic() - started:.0f} seconds after set-up.", "2"), flush=True)
            return code
        finally:
            sandbox("down", "--dir", folder)


def write_world(folder: Path) -> Path:
    """The default world of the sandbox with the changes of the story, as a file."""
    world = yaml.safe_load(WORLD.read_text(encoding="utf-8"))
    for section, changes in read_story()["world"].items():
        world[section] = {**world[section], **changes}
    file = folder / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return file


def sandbox(*arguments: str) -> str:
    """Run a command of the sandbox and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def exports(lines: str) -> dict[str, str]:
    """The variables that `export NAME=VALUE` lines set."""
    assignments = (shlex.split(line)[1] for line in lines.splitlines() if line.startswith("export "))
    return dict(assignment.split("=", 1) for assignment in assignments)


def path() -> str:
    """PATH with the az of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@dataclass(frozen=True)
class Step:
    """One command of the story and its expected exit code."""

    command: str
    why: str = ""
    code: int = 0


def read_story() -> dict[str, Any]:
    """The content of tools/story.yaml."""
    content: dict[str, Any] = yaml.safe_load(STORY.read_text(encoding="utf-8"))
    return content


def steps() -> list[Step]:
    """The steps of the story, with the names filled in."""
    story = read_story()

    def fill(command: str) -> str:
        for name, options in story["names"].items():
            command = command.replace("{" + name + "}", options)
        return command

    return [Step(fill(step["run"]), step.get("why", ""), step.get("code", 0)) for step in story["steps"]]


def run_story(environment: dict[str, str], folder: Path) -> int:
    """Run the steps in a folder that has only the examples; stop at the first unexpected exit code."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    for step in steps():
        command = step.command
        if step.why:
            print(coloured(f"\n# {step.why}", "1;36"), flush=True)
        if command.startswith("kubectl ") and not shutil.which("kubectl"):
            command = without_kubectl(command)
        print(coloured(f"$ {command}", "1"), flush=True)
        code = subprocess.run(
            ["bash", "-c", command], cwd=folder, env=environment, stderr=subprocess.STDOUT, check=False
        ).returncode
        if code != step.code:
            print(f"\nExpected exit code {step.code}, got {code}.", file=sys.stderr)
            return 1
    return 0


def coloured(text: str, code: str) -> str:
    """The text in colour where a person sees it."""
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def without_kubectl(command: str) -> str:
    """The command of the extension that does what `kubectl apply` of instance types does."""
    return (
        command.replace("kubectl", "az amlk8s instance-type")
        .replace(" apply ", " ", 1)
        .replace("instance-type ", "instance-type create ", 1)
    )


if __name__ == "__main__":
    sys.exit(main())
