"""The live view of a fleet at a real pseudo-terminal: its line fits, what fails stays visible, and Ctrl-C is answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import Sandbox
from tests.terminal import COLOUR, run_at_terminal

COUNTS = re.compile(r"(\d+) of 6 done, (\d+) failed, (\d+) waiting")
WORLD = """
tenant: 11111111-aaaa-4bbb-8ccc-222222222222
location: eastus
subscriptions: [{id: 33333333-dddd-4eee-8fff-444444444444, name: Rehearsal}]
groups: [{name: ml-rg}]
fleets: [{name: "store{number}", count: 6, type: managedClusters, group: ml-rg, pools: [{name: node, count: 3}]}]
workspaces: [{name: ml-ws, group: ml-rg, identity: SystemAssigned}]
providers: {Microsoft.ContainerService: Registered, Microsoft.KubernetesConfiguration: Registered, Microsoft.MachineLearningServices: Registered, Microsoft.Kubernetes: Registered}
faults: [{kind: error, method: PUT, path: store1/.*extensions/ext$, status: 400, code: BadRequest, message: not today, times: 9}]
"""
SETUP = """
name: retail
clusters: [{select: {resource_group: ml-rg}}]
extension: {name: ext, settings: {enableTraining: true}}
"""


@pytest.fixture
def fleet(start: Callable[..., Any], tmp_path: Path) -> Sandbox:
    """Six clusters, of which the first cannot be set up; each takes some seconds."""
    world = tmp_path / "fleet.yaml"
    world.write_text(WORLD, encoding="utf-8")
    box: Sandbox = start("--world", str(world), "--provisioning-seconds", "4")
    (Path(box.folder) / "azureml.yaml").write_text(SETUP, encoding="utf-8")
    return box


def apply_at_terminal(box: Sandbox, columns: int, keys: Sequence[bytes] = ()) -> tuple[int, list[str]]:
    """Exit code of an apply, and everything that was shown as a line, rewritten ones too.

    The first of the keys is pressed when two clusters run, each other one a second after it.
    """
    words = ("amlk8s", "apply", "-f", "azureml.yaml", "--yes", "--max-parallel", "2")
    code, output = run_at_terminal(box, *words, columns=columns, keys=keys, after=b"of 6 done")
    return code, [COLOUR.sub("", line) for line in re.split(r"\r|\n", output)]


@pytest.mark.parametrize("columns", [80, 120])
def test_live_view(fleet: Sandbox, columns: int) -> None:
    code, lines = apply_at_terminal(fleet, columns)
    assert code == 1
    views = [line for line in lines if COUNTS.match(line)]
    assert views and all(len(line) < columns for line in views)
    assert any("2 extension" in line for line in views)
    assert any("per minute" in line and "left" in line for line in views)
    assert any(line.startswith("store1: failed") and "not today" in line for line in lines)
    done = [int(COUNTS.match(line)[1]) for line in views]  # type: ignore[index]
    assert done == sorted(done)


def test_ctrl_c_starts_no_other_cluster(fleet: Sandbox) -> None:
    code, lines = apply_at_terminal(fleet, 100, [b"\x03"])
    text = "\n".join(lines)
    assert code == 1
    assert "No other cluster is started" in text and "az amlk8s apply -f azureml.yaml" in text
    assert "not started" in text and "Traceback" not in text


def test_a_second_ctrl_c_ends_the_command(fleet: Sandbox) -> None:
    begin = time.monotonic()
    code, lines = apply_at_terminal(fleet, 100, [b"\x03", b"\x03"])
    text = "\n".join(lines)
    assert code == 1 and time.monotonic() - begin < 60
    assert "Stopped. What was started continues in Azure." in text and "Traceback" not in text
