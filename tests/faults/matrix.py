"""Run commands against faults, and compare the end state with that of an undisturbed run.

`python -m tests.faults.matrix` runs every cell (command x fault x request), every kill and interruption, and the pairs
of faults. It prints each wrong cell and the totals, and writes them to `--report FILE` as JSON. The exit code is 1
when a cell is wrong that known.yaml does not list, or when a listed one is right.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.faults.cases import Baseline, Cell, Command, by_hash, cells_of, measure, pairs_of, read_commands, read_faults
from tests.faults.evaluation import evaluate
from tests.faults.stage import FaultStage

KNOWN = Path(__file__).with_name("known.yaml")


@dataclass(frozen=True)
class Result:
    """A cell that was run; wrong is empty where all is right."""

    cell: Cell
    wrong: tuple[str, ...]


class Worker:
    """The stage of one process and the baselines measured on it."""

    def __init__(self, folder: Path) -> None:
        self._stage = FaultStage(folder / f"stage-{os.getpid()}")
        self._baselines: dict[str, Baseline] = {}

    def baseline(self, command: Command) -> Baseline:
        """The undisturbed run of a command, measured once."""
        if command.name not in self._baselines:
            self._baselines[command.name] = measure(self._stage, command)
        return self._baselines[command.name]

    def run(self, cell: Cell) -> Result:
        """Run a cell."""
        return Result(cell, tuple(evaluate(self._stage, cell, self.baseline(cell.command))))


_worker: Worker | None = None


def _start_worker(folder: str) -> None:
    global _worker
    _worker = Worker(Path(folder))


def _measure(command: Command) -> tuple[Command, Baseline]:
    assert _worker
    return command, _worker.baseline(command)


def _run(cell: Cell) -> Result:
    assert _worker
    try:
        return _worker.run(cell)
    except Exception as error:
        return Result(cell, (f"the cell cannot be evaluated: {type(error).__name__}: {error}",))


def run_matrix(
    folder: Path,
    *,
    workers: int,
    sample: int = 0,
    only: str = "",
    on_result: Any = None,
) -> list[Result]:
    """Run the matrix in an empty folder; with sample as many cells, always the same; only: part of the cells' names."""
    commands, (faults, paired) = read_commands(), read_faults()
    context = multiprocessing.get_context("spawn")
    results = []
    with context.Pool(workers, _start_worker, [str(folder)]) as pool:
        cells: list[Cell] = []
        for command, baseline in pool.imap(_measure, [one for one in commands if _may_match(one, only)]):
            cells += cells_of(command, baseline, faults)
            if not sample:
                cells += pairs_of(command, baseline, faults, paired)
        chosen = [cell for cell in cells if only in cell.name]
        if sample:
            chosen = sample_of(chosen, sample)
        for result in pool.imap_unordered(_run, by_hash(chosen, lambda cell: cell.name)):
            results.append(result)
            if on_result:
                on_result(result, len(results), len(chosen))
    return results


def sample_of(cells: Sequence[Cell], size: int) -> list[Cell]:
    """Always the same cells: one of each fault that does not wait for long, and others up to the size."""
    ordered = by_hash(
        [cell for cell in cells if not (cell.fault.first or cell.fault.times > 100)], lambda cell: cell.name
    )
    of_faults = list({cell.fault.name: cell for cell in reversed(ordered)}.values())
    chosen = {cell.name for cell in of_faults}
    return [*of_faults, *(cell for cell in ordered if cell.name not in chosen)][:size]


def known_wrong() -> dict[str, str]:
    """The cells of known.yaml, each with the reason why it is wrong."""
    content = yaml.safe_load(KNOWN.read_text(encoding="utf-8")) or {}
    return {name: one["reason"] for one in content.get("wrong") or [] for name in one["cells"]}


def totals(results: Sequence[Result], known: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a run, and its wrong cells; what is known is listed with its reason."""
    wrong = {result.cell.name: list(result.wrong) for result in results if result.wrong}
    signals = [result for result in results if result.cell.is_signal and not result.cell.then]
    pairs = [result for result in results if result.cell.then]
    return {
        "commands": len({result.cell.command.name for result in results}),
        "faults": len({result.cell.fault.name for result in results}),
        "cells": len(results) - len(signals) - len(pairs),
        "kills": len(signals),
        "pairs": len(pairs),
        "right": len(results) - len(wrong),
        "wrong": len(wrong),
        "known": {name: known[name] for name in sorted(wrong) if name in known},
        "by_command": dict(sorted(Counter(result.cell.command.name for result in results).items())),
        "by_fault": dict(sorted(Counter(result.cell.fault.name for result in results).items())),
        "unknown": {name: problems for name, problems in sorted(wrong.items()) if name not in known},
    }


def unexpected(results: Sequence[Result], known: Mapping[str, str]) -> Iterator[str]:
    """A text for each cell that is wrong and not known, or known and right."""
    for result in results:
        name = result.cell.name
        if result.wrong and name not in known:
            yield "\n    ".join([name, *result.wrong])
        if not result.wrong and name in known:
            yield f"{name}\n    is right now: remove it from {KNOWN.name}"


def _may_match(command: Command, only: str) -> bool:
    return only.partition(" | ")[0] in command.name if only else True


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--only", default="", help="Part of the names of cells; before ' | ' part of a command's name.")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()

    def show(result: Result, number: int, count: int) -> None:
        if result.wrong:
            print("\n    ".join([result.cell.name, *result.wrong]), flush=True)
        if number % 100 == 0:
            print(f"... {number} of {count}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        results = run_matrix(
            Path(folder), workers=options.workers, sample=options.sample, only=options.only, on_result=show
        )
    known = known_wrong()
    found = totals(results, known)
    print(*unexpected(results, known), sep="\n")
    print(*(f"{key}: {value}" for key, value in found.items() if isinstance(value, int)), sep=", ")
    if options.report:
        options.report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if any(unexpected(results, known)) else 0


if __name__ == "__main__":
    sys.exit(main())
