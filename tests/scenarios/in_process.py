"""Scenarios of commands that read neither Azure nor a cluster, run in the process of pytest and without a sandbox.

Not part of the tests: tools/mutation.py names this file, because a scenario that runs here notices a changed function.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
from pathlib import Path

import pytest

from tests.scenarios.az_process import run_az
from tests.scenarios.certificates import write_files
from tests.scenarios.runner import Scenario, output_differences, read
from tests.support import Output

COMMANDS = (
    "extension validate",
    "extension settings",
    "extension components",
    "instance-type validate",
    "instance-type convert",
    "workload check",
)
TARGETS = {"-g", "-c", "-w", "--context", "--kubeconfig", "-n"}
FILES = sorted(Path(__file__).parent.glob("[!e]*.yaml"))


def is_local(scenario: Scenario) -> bool:
    """Whether a scenario reads nothing but its files."""
    words = shlex.split(scenario.run)
    return " ".join(words[2:4]) in COMMANDS and not TARGETS & set(words) and not scenario.setup


SCENARIOS = {
    f"{file.stem}: {scenario.name}": scenario
    for file in FILES
    if file.name != "world.yaml"
    for scenario in read(file)
    if is_local(scenario)
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_scenario(scenario: Scenario, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    write_files(folder, scenario.files)
    for name in ("", "cli", "az", "azure"):  # az configures loggers that have no handler yet
        logging.getLogger(name).handlers.clear()
    with contextlib.chdir(folder):
        try:
            code = run_az(shlex.split(scenario.run)[1:])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    streams = capfd.readouterr()
    assert output_differences(scenario, Output(code, streams.out, streams.err)) == []
