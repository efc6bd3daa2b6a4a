"""Run commands against faults, and compare the end state with that of an undisturbed run.

`python -m tests.faults.matrix` runs every cell (command x fault x request), every kill and interruption, and the pairs
of faults. It prints each wrong cell and the totals, and writes them to `--report FILE` as JSON. The exit code is 1
when a cell is wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.cases import Baseline, Cell, Command, by_hash, cells_of, measure, pairs_of, read_commands, read_faults
from tests.faults.evaluation import evaluate
from tests.faults.stage import FaultStage

GROUPS = ("faults", "signals", "pairs")
WORKERS = "Cells at the same time. Most of their time they wait: for polls, retries and time limits."


@dataclass(frozen=True)
class Result:
    """A cell that was run. group: faults, signals or pairs. wrong is empty where all is right."""

    cell: str
    command: str
    fault: str
    group: str
    wrong: tuple[str, ...]

    @classmethod
    def of(cls, cell: Cell, wrong: Iterable[str]) -> Result:
        """The result of a cell."""
        group = "pairs" if cell.then else "signals" if cell.is_signal else "faults"
        return cls(cell.name, cell.command.name, cell.fault.name, group, tuple(wrong))


_stage: FaultStage | None = None


def _start_worker(folder: str) -> None:
    global _stage
    _stage = FaultStage(Path(folder) / f"stage-{os.getpid()}")


def _measure(command: Command) -> tuple[Command, Baseline]:
    assert _stage
    return command, measure(_stage, command)


def _run(task: tuple[Cell, Baseline]) -> Result:
    assert _stage
    cell, baseline = task
    try:
        return Result.of(cell, evaluate(_stage, cell, baseline))
    except Exception as error:
        return Result.of(cell, [f"the cell cannot be evaluated: {type(error).__name__}: {error}"])


def run_matrix(
    folder: Path,
    *,
    workers: int,
    sample: int = 0,
    only: str = "",
    commands: str = "",
    done: Mapping[str, Result] | None = None,
    retried: Collection[str] | None = None,
    most: int = 0,
    on_result: Callable[[Result, int], None] = lambda result, number: None,
) -> tuple[list[Result], int]:
    """Run the matrix in an empty folder, without the cells that are done, or only those to be retried.

    sample: at least as many cells, always the same; only: a regular expression for the names of cells; commands: one
    for the names of commands; most: how many cells
    are run at most, those that are done included. on_result gets each result and its number. Returns the results and
    the number of cells that there are.
    """
    faults, paired = read_faults()
    with multiprocessing.get_context("spawn").Pool(workers, _start_worker, [str(folder)]) as pool:
        cells: list[Cell] = []
        baselines = {}
        for command, baseline in pool.imap(
            _measure, [item for item in read_commands() if re.search(commands, item.name)]
        ):
            baselines[command.name] = baseline
            cells += cells_of(command, baseline, faults)
            if not sample:
                cells += pairs_of(command, baseline, faults, paired)
        names = {cell.name for cell in cells}
        # Cells that there no longer are do not count; those of commands that are not measured now stay.
        results = [
            result for result in (done or {}).values()
            if result.cell in names or not re.search(commands, result.command)
        ]  # fmt: skip
        chosen = sample_of(cells, sample) if sample else cells
        chosen = [cell for cell in chosen if re.search(only, cell.name) and cell.name not in (done or {})]
        chosen = [cell for cell in chosen if retried is None or cell.name in retried]
        chosen = by_hash(chosen, lambda cell: cell.name)
        if most:
            chosen = chosen[: max(most - len(results), 0)]
        tasks = ((cell, baselines[cell.command.name]) for cell in chosen)
        for result in pool.imap_unordered(_run, tasks):
            results.append(result)
            on_result(result, len(results))
    return results, len(cells)


def sample_of(cells: Sequence[Cell], size: int) -> list[Cell]:
    """Always the same cells, without those that wait for long: each fault, each command, and a signal to each command
    that writes; the commands as evenly as possible.
    """
    waiting = by_hash([cell for cell in cells if not cell.fault.first], lambda cell: cell.name)
    chosen: dict[str, Cell] = {}
    counts: Counter[str] = Counter()

    def take(candidates: Iterable[Cell]) -> None:
        """Choose the first cell of the command that has the fewest."""
        cell = min(candidates, key=lambda cell: counts[cell.command.name])
        chosen[cell.name] = cell
        counts[cell.command.name] += 1

    for fault in {cell.fault.name: cell.fault for cell in waiting}:
        take(cell for cell in waiting if cell.fault.name == fault)
    for command in {cell.command.name: cell for cell in waiting if cell.is_signal}:
        if not any(cell.is_signal for cell in chosen.values() if cell.command.name == command):
            take(cell for cell in waiting if cell.is_signal and cell.command.name == command)
    while len(chosen) < min(size, len(waiting)):
        take(cell for cell in waiting if cell.name not in chosen)
    return list(chosen.values())


def totals(results: Sequence[Result], total: int) -> dict[str, Any]:
    """The figures of a run, and its wrong cells. total: the cells of the matrix."""
    wrong = {result.cell: list(result.wrong) for result in results if result.wrong}
    groups = {group: _figures(results, lambda result, name=group: result.group == name) for group in GROUPS}
    names = sorted({result.command for result in results})
    return {
        "total": total,
        "faults": len({result.fault for result in results}),
        "groups": groups,
        "commands": {name: _figures(results, lambda result, name=name: result.command == name) for name in names},
        "secrets": _count(wrong.values(), "a secret in"),
        "foreign": _count(wrong.values(), "to a foreign host"),
        "wrong": sorted(wrong),
    }


def _figures(results: Iterable[Result], belongs: Callable[[Result], bool]) -> dict[str, int]:
    chosen = [result for result in results if belongs(result)]
    return {"cells": len(chosen), "wrong": sum(bool(result.wrong) for result in chosen)}


def _count(cells: Iterable[Iterable[str]], text: str) -> int:
    return sum(any(text in problem for problem in problems) for problems in cells)


def read_log(file: Path) -> dict[str, Result]:
    """The results in a log of an earlier run, by the names of their cells; the last one of a cell counts."""
    if not file.exists():
        return {}
    entries = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {entry["cell"]: Result(**{**entry, "wrong": tuple(entry["wrong"])}) for entry in entries}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="Run this many cells, always the same.")
    parser.add_argument("--only", default="", help="Run cells whose name matches this regular expression.")
    parser.add_argument("--commands", default="", help="Run commands whose name matches this regular expression.")
    parser.add_argument("--workers", type=int, default=4 * (os.cpu_count() or 1), help=WORKERS)
    parser.add_argument("--report", type=Path, help="File for the totals, as JSON.")
    parser.add_argument("--log", type=Path, help="File with a line for each result; what it has is not run again.")
    parser.add_argument("--most", type=int, default=0, help="Run at most this many cells, those of the log included.")
    parser.add_argument("--retry", action="store_true", help="Run only the wrong cells of the log again.")
    options = parser.parse_args()
    done = read_log(options.log) if options.log else {}
    retried = {name for name, result in done.items() if result.wrong} if options.retry else None
    if retried is not None:
        done = {name: result for name, result in done.items() if name not in retried}

    def show(result: Result, number: int) -> None:
        if result.wrong:
            print("\n    ".join([result.cell, *result.wrong]), flush=True)
        if number % 100 == 0:
            print(f"... {number} cells", file=sys.stderr, flush=True)
        if options.log:
            with options.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(dataclasses.asdict(result)) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        results, total = run_matrix(
            Path(folder),
            workers=options.workers,
            sample=options.sample,
            only=options.only,
            commands=options.commands,
            done=done,
            retried=retried,
            most=options.most,
            on_result=show,
        )
    found = totals(results, total)
    print(json.dumps(found["groups"]))
    if options.report:
        options.report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
