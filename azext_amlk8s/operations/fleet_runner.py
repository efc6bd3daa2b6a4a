"""Work on many clusters at the same time: a number of threads, a limit of failures, progress, Ctrl-C."""

from __future__ import annotations

import queue
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.console.progress import duration_in_words, is_progress_shown
from azext_amlk8s.printable import printable

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK_SECONDS = 0.25
LINE_SECONDS = 60.0
# With more clusters, only failures get a line of their own where there is no terminal.
MOST_LINES = 20


class FleetRunner(Generic[Item, Result]):
    """Runs work on items in threads. work must not raise; failed says whether its result counts as a failure.

    The threads are daemons, so that a second Ctrl-C ends the process at once; what was started continues in Azure.
    clock returns seconds; it decides when progress is printed.
    """

    def __init__(
        self,
        cmd: AzCliCommand,
        total: int,
        work: Callable[[Item], Result],
        failed: Callable[[Result], bool],
        describe: Callable[[Result], str],
        resume: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cmd, self._total, self._work, self._failed, self._describe = cmd, total, work, failed, describe
        self._resume, self._clock, self._begin, self._line = resume, clock, clock(), 0.0
        self.stopped = False
        self._done = self._failures = self._running = 0
        self._stages: dict[int, str] = {}
        self._lock = threading.Lock()

    def enter(self, stage: str) -> None:
        """The item that this thread works on has come to a stage, such as "compute"."""
        with self._lock:
            self._stages[threading.get_ident()] = stage

    def run(self, items: Sequence[Item], parallel: int, failure_limit: int | None) -> list[Result]:
        """The results of the items that were started, in the order in which they ended."""
        waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
        for item in items:
            waiting.put(item)
        ended: queue.SimpleQueue[Result] = queue.SimpleQueue()
        arguments = (waiting, ended, failure_limit, self._failures)
        threads = [threading.Thread(target=self._take, args=arguments, daemon=True) for _ in range(parallel)]
        results: list[Result] = []
        for thread in threads:
            try:
                thread.start()
            except KeyboardInterrupt:
                self._interrupt()
        while True:
            try:
                alive = any(thread.is_alive() for thread in threads)
                result = self._next(ended)
                if result is not None:
                    results.append(result)
                    self._report(result)
                elif not alive:
                    self._print("", end="")
                    return results
                self._show()
            except KeyboardInterrupt:
                self._interrupt()

    def announce(self, text: str) -> None:
        """Print a line that stays, such as the name of a wave."""
        self._print(text)

    def pause(self, seconds: float) -> None:
        """Wait before the next wave; Ctrl-C ends it."""
        if seconds and not self.stopped:
            self._print(f"Waiting {seconds:g} seconds before the next wave.")
        end = time.monotonic() + seconds
        while not self.stopped and time.monotonic() < end:
            try:
                time.sleep(min(TICK_SECONDS, max(end - time.monotonic(), 0)))
            except KeyboardInterrupt:
                self._interrupt()

    def _take(
        self,
        waiting: queue.SimpleQueue[Item],
        ended: queue.SimpleQueue[Result],
        failure_limit: int | None,
        failures_before: int,
    ) -> None:
        """Work on items until there is none, or until the limit of failures has been passed."""
        while not self.stopped:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            with self._lock:
                self._running += 1
            result = self._work(item)
            with self._lock:
                self._running -= 1
                self._stages.pop(threading.get_ident(), None)
                self._failures += self._failed(result)
                if failure_limit is not None and self._failures - failures_before > failure_limit:
                    self.stopped = True
            ended.put(result)

    def _next(self, ended: queue.SimpleQueue[Result]) -> Result | None:
        try:
            return ended.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return None

    def _interrupt(self) -> None:
        """The first Ctrl-C starts no more; the second ends the command."""
        if self.stopped:
            message = "Stopped. What was started continues in Azure. To continue from there:"
            raise az_error("ManualInterrupt", message, [self._resume]) from None
        self.stopped = True
        what = (
            "Waiting for it" if self._total == 1 else "No other cluster is started; waiting for those that are running"
        )
        self._print(
            f"{what}. Press Ctrl-C again to stop at once: what was started continues in Azure. "
            f"To continue later: {self._resume}"
        )

    def _report(self, result: Result) -> None:
        self._done += 1
        if self._total <= MOST_LINES or self._failed(result):
            self._print(self._describe(result))

    def _show(self) -> None:
        """The counts: a line that is rewritten on a terminal, elsewhere a line each minute."""
        if not is_progress_shown(self._cmd) or self._total == 1:
            return
        elapsed = self._clock() - self._begin
        parts = self._counts(elapsed)
        text = "; ".join(parts)
        if sys.stderr.isatty():
            # A line that is wrapped could not be rewritten. What matters less is left out of a narrow one.
            columns = shutil.get_terminal_size().columns
            while len(parts) > 2 and len(text) >= columns:
                parts.pop()
                text = "; ".join(parts)
            print(f"\r\x1b[K{text[: columns - 1]}", end="", file=sys.stderr, flush=True)
        elif elapsed - self._line >= LINE_SECONDS:
            self._line = elapsed
            print(text, file=sys.stderr, flush=True)

    def _counts(self, elapsed: float) -> list[str]:
        """The counts, the rate with the time left, the stages of what runs, and the time so far, in this order."""
        with self._lock:
            stages = Counter(self._stages.values())
        running = ", ".join(f"{count} {stage}" for stage, count in stages.most_common()) or f"{self._running} running"
        waiting = self._total - self._done - self._running
        parts = [f"{self._done} of {self._total} done, {self._failures} failed, {waiting} waiting"]
        if self._done and elapsed >= 1:
            left = (self._total - self._done) * elapsed / self._done
            parts.append(f"{self._done / elapsed * 60:.0f} per minute, {duration_in_words(left)} left")
        return [*parts, running, f"{duration_in_words(elapsed)} so far"]

    def _print(self, text: str, end: str = "\n") -> None:
        """Print a line in place of the progress line."""
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        if is_progress_shown(self._cmd):
            print(f"{clear}{printable(text)}", end=end, file=sys.stderr, flush=True)
