"""Run commands against faults, and compare the end state with that of an undisturbed run.

`python -m tests.faults.matrix` runs every cell (command x request x fault) and every kill; `--sample N` a part of them,
chosen by `--seed`. It prints each wrong cell and the totals, writes them to `--report FILE` as JSON, and exits with 1
if a cell is wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.faults.proxy import Fault, Seen
from tests.faults.stage import UUID, FaultStage, Run

CASES = Path(__file__).with_name("faults.yaml")
LONGEST_SECONDS = 90
EXIT_CODES = (0, 1, 2, 3)
KILLED = -9


@dataclass(frozen=True)
class Command:
    """A command of faults.yaml. reads is true for one that writes nothing; exact for one whose output
    never changes with what could not be read.
    """

    name: str
    run: str
    given: tuple[str, ...] = ()
    reads: bool = False
    exact: bool = False


@dataclass(frozen=True)
class Baseline:
    """An undisturbed run: its requests, the state after it, and the exit code of the same command run again."""

    requests: tuple[Seen, ...]
    state: Any
    exit: int
    exit_again: int
    out: str


@dataclass(frozen=True)
class Cell:
    """One fault at one request of one command; without a fault, a kill -9 there."""

    command: Command
    at: int
    fault: Fault | None

    @property
    def name(self) -> str:
        """The cell in words."""
        return f"{self.command.name}, request {self.at}: {self.fault.name if self.fault else 'kill -9'}"


def read_cases() -> tuple[list[Command], list[Fault]]:
    """The commands and faults of faults.yaml."""
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    commands = [Command(**{**one, "given": tuple(one.get("given", ()))}) for one in cases["commands"]]
    faults = [Fault(**{**one, "methods": tuple(one.get("methods", ()))}) for one in cases["faults"]]
    return commands, faults


def cells_of(command: Command, baseline: Baseline, faults: Sequence[Fault]) -> Iterator[Cell]:
    """Every cell of a command: each request with each fault that fits its method, and each kill of a write command."""
    for at, request in enumerate(baseline.requests):
        for fault in faults:
            if not fault.methods or request.method in fault.methods:
                yield Cell(command, at, fault)
        if not command.reads:
            yield Cell(command, at, None)


def measure(stage: FaultStage, command: Command, folder: Path) -> Baseline:
    """Run a command undisturbed, and again. Raises RuntimeError if it fails."""
    with stage.world(folder) as world:
        _prepare(world, command)
        run = world.az(command.run)
        if run.code not in ((0, 1) if command.reads else (0,)):
            raise RuntimeError(f"{command.name} fails without a fault: {run.err}")
        requests, state = tuple(run.requests), world.state()
        return Baseline(requests, state, run.code, world.az(command.run).code, run.out)


def evaluate(stage: FaultStage, cell: Cell, baseline: Baseline, folder: Path) -> list[str]:
    """What is wrong with a cell, in words; empty when all is right."""
    with stage.world(folder) as world:
        _prepare(world, cell.command)
        started = time.monotonic()
        run = world.az(cell.command.run, cell.fault, cell.at, kill=cell.fault is None)
        seconds = time.monotonic() - started
        state = world.state()
        wrong = [*_of_run(cell, run, seconds), *_of_secrets(run, world.secrets())]
        if run.code == 0 and not cell.command.reads and state != baseline.state:
            wrong.append("exit code 0, but the end state is another: " + _difference(baseline.state, state))
        if cell.command.exact and run.code == 0 and not _alike(cell, run.out, baseline.out):
            wrong.append(f"exit code 0, but the output is another: {run.out[:300]}")
        if not cell.command.reads:
            again = world.az(cell.command.run)
            state = world.state()
            if again.code not in (0, baseline.exit_again):
                wrong.append(f"the same command again ends in {again.code}: {again.err[-600:]}")
            elif state != baseline.state:
                wrong.append("the same command again leads elsewhere: " + _difference(baseline.state, state))
    return [*wrong, f"stderr: {run.err[-800:]}"] if wrong else []


def _prepare(world: Any, command: Command) -> None:
    for given in command.given:
        if (run := world.az(given)).code:
            raise RuntimeError(f"{given} fails without a fault: {run.err}")


def _of_run(cell: Cell, run: Run, seconds: float) -> Iterator[str]:
    if run.code == KILLED and cell.fault is None:
        return
    if run.code not in EXIT_CODES:
        yield f"exit code {run.code}"
    if "Traceback" in run.err or "unexpected error" in run.err:
        yield "a traceback"
    if seconds > LONGEST_SECONDS:
        yield f"{seconds:.0f} seconds"
    if run.foreign:
        yield f"requests to a foreign host: {run.foreign}"
    if run.code and not run.err.strip():
        yield "no message"


def _of_secrets(run: Run, secrets: Sequence[str]) -> Iterator[str]:
    if any(secret in run.out or secret in run.err for secret in secrets):
        yield "a secret is printed"


def _alike(cell: Cell, out: str, expected: str) -> bool:
    return bool(cell.fault and cell.fault.alters) or UUID.sub("", out) == UUID.sub("", expected)


def _difference(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    names = sorted(key for key in {*expected, *found} if expected.get(key) != found.get(key))
    parts = [f"{name}: {json.dumps(expected.get(name))} -> {json.dumps(found.get(name))}" for name in names]
    return "; ".join(parts)[:1500]


def run_matrix(folder: Path, *, sample: int = 0, seed: int = 0, only: str = "") -> dict[str, Any]:
    """Run the matrix in an empty folder. Returns the totals, and the wrong cells with what is wrong."""
    commands, faults = read_cases()
    wrong: dict[str, list[str]] = {}
    count, kills = 0, 0
    stage = FaultStage(folder / "stage")
    try:
        chosen = [one for one in commands if only in one.name]
        baselines = {one.name: measure(stage, one, folder) for one in chosen}
        cells = [cell for one in chosen for cell in cells_of(one, baselines[one.name], faults)]
        if sample:
            cells = random.Random(seed).sample(cells, min(sample, len(cells)))
        for cell in cells:
            count, kills = count + 1, kills + (cell.fault is None)
            if problems := evaluate(stage, cell, baselines[cell.command.name], folder):
                wrong[cell.name] = problems
    finally:
        stage.end()
    return {"cells": count, "kills": kills, "right": count - len(wrong), "wrong": wrong}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="Part of a command's name.")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run_matrix(Path(folder), sample=options.sample, seed=options.seed, only=options.only)
    for name, problems in result["wrong"].items():
        print(name, *(f"    {problem}" for problem in problems), sep="\n")
    print(f"{result['cells']} cells ({result['kills']} kills): {result['right']} right, {len(result['wrong'])} wrong")
    if options.report:
        options.report.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
