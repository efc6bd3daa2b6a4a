"""`make docs`: docs/images/terminal.svg, what a person sees of a few commands with the real az on the sandbox.

    .venv/bin/python -m tools.picture

The commands show neither times nor paths, so that the picture is always the same. A test in tests/e2e fails when the
file differs from what this writes.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from tools.demo import WORLD, exports, path, sandbox
from tools.prove_wheel import ROOT, install_extension

FILE = ROOT / "docs" / "images" / "terminal.svg"
COLUMNS = 104
CLUSTER = "-g ml-rg -c aks-poc"
# One component whose image cannot be pulled, in the world of the sandbox.
FAULTS = {"metrics-controller-manager": "image_pull_failure"}
SETUP = (
    f"az amlk8s extension create -n azureml {CLUSTER} --config enableTraining=True",
    f"az amlk8s compute attach -n k8s-compute -w ml-ws {CLUSTER} -t managedClusters --identity-type SystemAssigned",
    f"az amlk8s instance-type create -n cpu-small --cpu-request 1 --cpu-limit 1 --memory-limit 2Gi {CLUSTER}",
)
SHOWN = (
    f"az amlk8s extension create {CLUSTER} --config enableTrainning=True enableInference=yes",
    f"az amlk8s status {CLUSTER} -w ml-ws",
)


def main() -> None:
    """Write the file."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(draw(record()), encoding="utf-8")


def record() -> list[tuple[str, str]]:
    """Each command that is shown, with its output at a terminal."""
    with tempfile.TemporaryDirectory(prefix="amlk8s-picture-") as folder:
        world = Path(folder) / "world.yaml"
        world.write_text(yaml.safe_dump(faulty_world()), encoding="utf-8")
        sandbox("up", "--dir", folder, "--world", str(world), "--provisioning-seconds", "0.2")
        try:
            environment = {**os.environ, **exports(sandbox("env", "--dir", folder)), "PATH": path()}
            install_extension(Path(environment["AZURE_CONFIG_DIR"]))
            for command in SETUP:
                subprocess.run(["bash", "-c", command], env=environment, check=True, stdout=subprocess.DEVNULL)
            return [(command, run_at_terminal(command, environment)) for command in SHOWN]
        finally:
            sandbox("down", "--dir", folder)


def faulty_world() -> dict[str, object]:
    """The default world of the sandbox, with the faults."""
    world: dict[str, list[dict[str, object]]] = yaml.safe_load(WORLD.read_text(encoding="utf-8"))
    for cluster in world["clusters"]:
        if cluster["name"] == "aks-poc":
            cluster["component_faults"] = FAULTS
    return {**world}


def run_at_terminal(command: str, environment: Mapping[str, str]) -> str:
    """What a command prints on a terminal of a fixed width, without the progress that it removes again."""
    fixed = {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "AZURE_CORE_DISABLE_PROGRESS_BAR": "true"}
    process, terminal = pty.fork()
    if process == 0:
        variables = {name: value for name, value in environment.items() if name != "NO_COLOR"}
        os.execvpe("bash", ["bash", "-c", command], {**variables, **fixed})
    output = b""
    while part := _read(terminal):
        output += part
    os.waitpid(process, 0)
    return output.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """The next part of the output; nothing at its end, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def draw(runs: Iterable[tuple[str, str]]) -> str:
    """The commands and their outputs as SVG, without fonts from elsewhere."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    for number, (command, output) in enumerate(runs):
        console.print(Text.assemble(*(["\n"] if number else []), ("$ ", "green"), (command, "bold")))
        console.print(Text.from_ansi(output.rstrip()))
    svg = console.export_svg(title="az amlk8s", unique_id="amlk8s")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    main()
