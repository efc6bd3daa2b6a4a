"""Mutation testing of the pure packages: which changes of the code does no test notice?

    python -m tools.mutation [PACKAGE_OR_FILE...] [--every N] [--jobs N] [--tests PATH...]

The tests run once to learn which lines each of them reaches. Then each mutant (tools/mutants.py) gets a process of its
own, forked from the one that has loaded the tests; there the code of the changed function is replaced, and the tests
that reach the changed lines run until one fails. A mutant that no test notices is printed: it is a missing test case,
or a change without effect.
"""

from __future__ import annotations

import argparse
import functools
import gc
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tools.mutants import Mutant, find_mutants
from tools.prove_wheel import ROOT

PACKAGES = ("computes", "instance_types", "diagnosis", "settings")
TESTS = ("tests/unit", "tests/scenarios/in_process.py")
PYTEST_OPTIONS = (
    "-o",
    "addopts=",
    "-s",
    "-qq",
    *(f"-pno:{name}" for name in ("xdist", "cacheprovider", "warnings", "logging")),
)
KILLED, SURVIVED, NOT_REACHED = "killed", "survived", "not reached"
EXIT_SURVIVED = 0
MEMORY = 3 << 30
LONGEST_SECONDS = 120


@dataclass
class Coverage:
    """For each file and line the tests that reach it, and how long each test takes."""

    files: frozenset[str]
    tests: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    def run(self, item: pytest.Item, number: int) -> bool:
        """Run a test and record its lines. Returns whether it passed; one that does not is never used."""
        lines: set[tuple[str, int]] = set()

        def trace_line(frame: FrameType, event: str, argument: Any) -> Any:
            lines.add((frame.f_code.co_filename, frame.f_lineno))
            return trace_line

        def trace_call(frame: FrameType, event: str, argument: Any) -> Any:
            return trace_line if frame.f_code.co_filename in self.files else None

        began = time.perf_counter()
        sys.settrace(trace_call)
        try:
            passed = _passes(item)
        finally:
            sys.settrace(None)
        self.seconds[number] = time.perf_counter() - began
        if passed:
            for line in lines:
                self.tests.setdefault(line, set()).add(number)
        return passed

    def reaching(self, mutant: Mutant) -> list[int]:
        """The tests that reach a mutant, the fastest first."""
        file = str(mutant.file.resolve())
        numbers = {number for line in mutant.lines for number in self.tests.get((file, line), ())}
        return sorted(numbers, key=self.seconds.__getitem__)


class MutationRun:
    """A pytest plugin that tests mutants in place of running the tests."""

    def __init__(self, mutants: list[Mutant], jobs: int) -> None:
        self._mutants, self._jobs = mutants, jobs
        self._coverage = Coverage(frozenset(str(mutant.file.resolve()) for mutant in mutants))
        self.outcomes: dict[int, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Make properties fast and the same in every process, before the tests are loaded."""
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "mutation", deadline=None, max_examples=25, derandomize=True, database=None, phases=phases
        )
        hypothesis.settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn what the tests reach, then test every mutant."""
        failing = [item.nodeid for number, item in enumerate(session.items) if not self._coverage.run(item, number)]
        reached = len(self._coverage.tests)
        print(f"{len(session.items)} tests reach {reached} lines; not used: {failing or 'none'}", flush=True)
        loaded = Loaded(self._coverage.files)
        gc.freeze()
        running: dict[int, int] = {}
        for number, mutant in enumerate(self._mutants):
            reaching = self._coverage.reaching(mutant)
            if not reaching:
                self._note(number, NOT_REACHED)
                continue
            if len(running) == self._jobs:
                self._collect(running)
            seconds = min(5 + 5 * sum(self._coverage.seconds[index] for index in reaching), LONGEST_SECONDS)
            running[_fork(mutant, loaded, [session.items[index] for index in reaching], seconds)] = number
        while running:
            self._collect(running)
        return True

    def _collect(self, running: dict[int, int]) -> None:
        pid, status = os.wait()
        survived = os.WIFEXITED(status) and os.WEXITSTATUS(status) == EXIT_SURVIVED
        self._note(running.pop(pid), SURVIVED if survived else KILLED)

    def _note(self, number: int, outcome: str) -> None:
        self.outcomes[number] = outcome
        if outcome != KILLED:
            print(f"{outcome}: {self._mutants[number].description}", flush=True)
        if len(self.outcomes) % 100 == 0:
            print(f"{len(self.outcomes)} of {len(self._mutants)} mutants", file=sys.stderr, flush=True)


def _fork(mutant: Mutant, loaded: Loaded, items: list[pytest.Item], seconds: float) -> int:
    """Test a mutant in a process of its own, and return its ID; a signal ends one that takes too long."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        loaded.apply(mutant)
        gc.disable()
        code = EXIT_SURVIVED if all(_passes(item) for item in items) else 1
    finally:
        os._exit(code)


def _passes(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, nextitem=None, log=False)
    return not any(report.failed for report in reports)


class Loaded:
    """The functions of the files with mutants, and all caches, as they are loaded now."""

    def __init__(self, files: frozenset[str]) -> None:
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._caches: list[functools._lru_cache_wrapper[Any]] = []
        for obj in gc.get_objects():
            if isinstance(obj, functools._lru_cache_wrapper):
                self._caches.append(obj)
            elif isinstance(obj, FunctionType) and obj.__code__.co_filename in files:
                self._functions.setdefault(_key(obj.__code__), []).append(obj)

    def apply(self, mutant: Mutant) -> None:
        """Replace the code of the changed function wherever it is used, and forget what has been computed."""
        code = mutant.code()
        for function in self._functions.get(_key(code), ()):
            function.__code__ = code
        for cache in self._caches:
            cache.cache_clear()


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_name, code.co_firstlineno


def main(arguments: list[str]) -> int:
    """Print how many mutants of each package the tests notice, and those that they do not."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*", default=PACKAGES, metavar="PACKAGE_OR_FILE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", nargs="+", default=TESTS, metavar="PATH")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="test every Nth mutant, as a sample")
    options = parser.parse_args(arguments)
    mutants = [mutant for subject in options.subjects for file in _files(subject) for mutant in find_mutants(file)]
    mutants = mutants[:: options.every]
    run = MutationRun(mutants, options.jobs)
    code = pytest.main([*PYTEST_OPTIONS, *options.tests], plugins=[run])
    if not run.outcomes:
        return int(code) or 1
    for line in _report(mutants, run.outcomes):
        print(line)
    return 0


def _files(subject: str) -> list[Path]:
    path = Path(subject) if subject.endswith(".py") else Path("azext_amlk8s", subject)
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _report(mutants: list[Mutant], outcomes: dict[int, str]) -> Iterator[str]:
    totals: dict[str, Counter[str]] = {}
    for number, mutant in enumerate(mutants):
        totals.setdefault(str(mutant.file.parent), Counter())[outcomes[number]] += 1
    yield ""
    yield f"{'package':32}{'mutants':>9}{KILLED:>9}{SURVIVED:>10}{NOT_REACHED:>13}"
    for package, counts in totals.items():
        columns = f"{counts[KILLED]:>9}{counts[SURVIVED]:>10}{counts[NOT_REACHED]:>13}"
        yield f"{package:32}{counts.total():>9}{columns}"


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
