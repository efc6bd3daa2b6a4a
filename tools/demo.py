"""The main job, told with the real az on the sandbox: every command is printed before its output."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.prove_wheel import ROOT, install_extension

STORY = ROOT / "tools" / "story.yaml"


def main() -> int:
    """Exit code 0 only if every command of the story ended as told."""
    with tempfile.TemporaryDirectory(prefix="amlk8s-demo-") as folder:
        sandbox("up", "--dir", folder, "--provisioning-seconds", "3")
        try:
            environment = {**os.environ, **exports(sandbox("env", "--dir", folder)), "PATH": path()}
            install_extension(Path(environment["AZURE_CONFIG_DIR"]))
            return tell(environment, Path(folder) / "work")
        finally:
            sandbox("down", "--dir", folder)


def sandbox(*words: str) -> str:
    """Run a command of the sandbox and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *words], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def exports(lines: str) -> dict[str, str]:
    """The variables that `export NAME=VALUE` lines set."""
    words = (shlex.split(line)[1] for line in lines.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def path() -> str:
    """PATH with the az of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@dataclass(frozen=True)
class Step:
    """One command of the story and the exit code with which it should end."""

    command: str
    why: str = ""
    code: int = 0


def story() -> list[Step]:
    """The steps in tools/story.yaml, with the names filled in."""
    told = yaml.safe_load(STORY.read_text(encoding="utf-8"))
    names = told["names"]

    def fill(command: str) -> str:
        for name, words in names.items():
            command = command.replace("{" + name + "}", words)
        return command

    return [Step(fill(step["run"]), step.get("why", ""), step.get("code", 0)) for step in told["steps"]]


def tell(environment: dict[str, str], work: Path) -> int:
    """Run the story in a folder that holds only the examples; stop at the first surprise."""
    shutil.copytree(ROOT / "examples", work / "examples")
    for step in story():
        command = step.command
        if step.why:
            print(f"\n# {step.why}", flush=True)
        if command.startswith("kubectl ") and not shutil.which("kubectl"):
            print("# (kubectl is not installed here)", flush=True)
            command = without_kubectl(command)
            if not command:
                continue
        print(f"$ {command}", flush=True)
        code = subprocess.run(
            ["bash", "-c", command], cwd=work, env=environment, stderr=subprocess.STDOUT, check=False
        ).returncode
        if code != step.code:
            print(f"\nThe demo expected exit code {step.code} and got {code}.", file=sys.stderr)
            return 1
    return 0


def without_kubectl(command: str) -> str:
    """The command of ours that does what `kubectl apply` of instance types does; empty for what we have none for."""
    if " apply " not in command:
        return ""
    return command.replace("kubectl", "az amlk8s instance-type create").replace(" apply ", " ")


if __name__ == "__main__":
    sys.exit(main())
