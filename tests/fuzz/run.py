"""Fuzz everything that reads inputs: `make fuzz`, or `python -m tests.fuzz.run --inputs N [--only NAME]`.

Each target runs in a process of its own, which reports the number of inputs, the longest time for one, the peak
memory, and each distinct exception that is not one of the target's own errors. The exit code is 1 when there is one,
or when an input takes more than a second or a target more than 200 MB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.targets import TARGET_NAMES, TARGETS, Target

MOST_SECONDS = 1.0
BATCH = 1_000
MOST_MEGABYTES = 200
RESULTS = Path(__file__).with_name("results.json")
EXCERPT = 400


@dataclass
class Outcome:
    """What fuzzing a target gave; failures: an excerpt of an input for each distinct exception. Times in CPU seconds."""

    name: str
    inputs: int = 0
    longest: float = 0.0
    slowest: str = ""
    megabytes: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words; empty when all is right."""
        found = [f"{self.name}: {failure}: {text}" for failure, text in self.failures.items()]
        if self.longest > MOST_SECONDS:
            found.append(f"{self.name}: {self.longest:.1f} s for {self.slowest}")
        if self.megabytes > MOST_MEGABYTES:
            found.append(f"{self.name}: {self.megabytes} MB")
        return found


def fuzz(name: str, inputs: int, seed: int) -> Outcome:
    """Run a target with as many inputs, in this process; in batches, because Hypothesis remembers the inputs of one."""
    import hypothesis
    from hypothesis import HealthCheck, Phase

    target = next(target for target in TARGETS if target.name == name)
    outcome = Outcome(name)

    for batch, start in enumerate(range(0, inputs, BATCH)):

        @hypothesis.seed(f"{seed}.{batch}" if batch else seed)
        @hypothesis.settings(
            max_examples=min(BATCH, inputs - start),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(target.inputs)
        def run(value: Any) -> None:
            _run_one(target, value, outcome)

        run()
    outcome.megabytes = _peak_megabytes()
    return outcome


def _peak_megabytes() -> int:
    """The peak memory of this process; the figure of getrusage includes the process that started it."""
    status = Path("/proc/self/status")
    if status.exists() and (peak := re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"), re.M)):
        return int(peak[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _run_one(target: Target, value: Any, outcome: Outcome) -> None:
    outcome.inputs += 1
    started = time.process_time()
    try:
        target.run(value)
    except Exception as error:
        if type(error).__name__ not in target.errors:
            outcome.failures.setdefault(_place(error), repr(value)[:EXCERPT])
    seconds = time.process_time() - started
    if seconds > outcome.longest:
        outcome.longest, outcome.slowest = seconds, repr(value)[:EXCERPT]


def _place(error: Exception) -> str:
    """The exception with the line of the package that it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "azext_amlk8s" in frame.filename]
    where = f" at {frames[-1].filename.rpartition('azext_amlk8s/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {str(error)[:80]}{where}"


def _fuzz(task: tuple[str, int, int]) -> Outcome:
    return fuzz(*task)


def fuzz_all(inputs: int, *, seed: int = 0, workers: int = 1, only: str = "") -> list[Outcome]:
    """Spread the inputs over the targets, each in a process of its own."""
    names = [name for name in TARGET_NAMES if only in name]
    tasks = [(name, -(-inputs // len(names)), seed) for name in names]
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        return list(pool.imap(_fuzz, tasks, chunksize=1))


def merge(before: Sequence[Outcome], after: Sequence[Outcome]) -> list[Outcome]:
    """The figures of two runs with different seeds as those of one."""
    merged = {outcome.name: outcome for outcome in before}
    for outcome in after:
        if earlier := merged.get(outcome.name):
            slower = max(earlier, outcome, key=lambda outcome: outcome.longest)
            failures = {**earlier.failures, **outcome.failures}
            megabytes = max(earlier.megabytes, outcome.megabytes)
            inputs = earlier.inputs + outcome.inputs
            outcome = Outcome(outcome.name, inputs, slower.longest, slower.slowest, megabytes, failures)
        merged[outcome.name] = outcome
    return list(merged.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="Part of a target's name.")
    parser.add_argument("--report", type=Path, help="File for the figures, as JSON.")
    parser.add_argument("--add", action="store_true", help="Add to the figures in the file, of runs with other seeds.")
    options = parser.parse_args(arguments)
    outcomes = fuzz_all(options.inputs, seed=options.seed, workers=options.workers, only=options.only)
    for outcome in outcomes:
        print(f"{outcome.name}: {outcome.inputs} inputs, {outcome.longest:.2f} s at most, {outcome.megabytes} MB")
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    print(*problems, sep="\n")
    print(f"{sum(outcome.inputs for outcome in outcomes)} inputs, {len(problems)} problems")
    if options.report:
        if options.add and options.report.exists():
            before = json.loads(options.report.read_text(encoding="utf-8"))["targets"]
            outcomes = merge([Outcome(**entry) for entry in before], outcomes)
        content = {"targets": [asdict(outcome) for outcome in outcomes]}
        options.report.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
