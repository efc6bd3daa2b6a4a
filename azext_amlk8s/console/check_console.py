"""Prints a check on stderr while it runs: a line for each outcome, and each fix below its finding."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import Any, TextIO

from azext_amlk8s.checks import CATEGORIES, Check, CheckTarget, Outcome, Result, Status, is_command, verdict
from azext_amlk8s.console.progress import is_progress_shown
from azext_amlk8s.printable import printable
from azext_amlk8s.rules import Finding, Severity

MARKS = {Status.PASSED: "✓", Status.WARNING: "!", Status.FAILED: "✗", Status.SKIPPED: "–"}
ASCII_MARKS = {Status.PASSED: "ok", Status.WARNING: "!!", Status.FAILED: "XX", Status.SKIPPED: "--"}
COLOURS = {Status.PASSED: "32", Status.WARNING: "33", Status.FAILED: "31", Status.SKIPPED: "90"}
SEVERITIES = {Severity.ERROR: Status.FAILED, Severity.WARNING: Status.WARNING, Severity.INFO: Status.PASSED}
CATEGORY_TITLES = {category.id: category.title for category in CATEGORIES}
TITLE_WIDTH, INDENT = 36, 4


class Observer:
    """Follows a run; this one prints nothing."""

    def begin(self, check: Check) -> None:
        """A check is about to be evaluated."""

    def note(self, outcome: Outcome) -> None:
        """A check has been evaluated."""

    def pause(self, result: Result, seconds: float) -> None:
        """A run found errors, and another follows."""

    def end(self, result: Result) -> None:
        """The last run is over."""


class CheckConsole(Observer):
    """Prints on a stream. width is that of a terminal, None elsewhere; brief prints errors alone."""

    def __init__(
        self,
        stream: TextIO,
        target: CheckTarget,
        *,
        width: int | None = None,
        colour: bool = False,
        brief: bool = False,
    ) -> None:
        self._stream, self._target = stream, target
        self._width, self._colour, self._brief = width, colour, brief
        self._marks = MARKS if _can_write(stream, "".join(MARKS.values())) else ASCII_MARKS
        self._category = ""
        self._skipped: list[Outcome] = []
        self._printed: set[str] = set()

    def begin(self, check: Check) -> None:
        """The heading of a category before its first check; on a terminal, the check that is running."""
        if self._brief:
            return
        if check.spec.category != self._category:
            self._print_skipped()
            self._print(f"{chr(10) if self._category else ''}{CATEGORY_TITLES[check.spec.category]}")
            self._category = check.spec.category
        if self._width:
            print(f"  {check.title} ...", end="", file=self._stream, flush=True)

    def note(self, outcome: Outcome) -> None:
        """The mark, the title, and what was observed or found."""
        if self._width and not self._brief:
            print("\r\x1b[K", end="", file=self._stream)
        if self._brief and outcome.status is not Status.FAILED:
            return
        if outcome.status is Status.SKIPPED:
            if self._skipped and self._skipped[-1].note != outcome.note:
                self._print_skipped()
            self._skipped.append(outcome)
            return
        self._print_skipped()
        self._print_outcome(outcome)

    def pause(self, result: Result, seconds: float) -> None:
        """One line, and the next run is printed from the beginning."""
        self._print_skipped()
        ids = ", ".join(outcome.check.id for outcome in result.of(Status.FAILED))
        self._category = ""
        if not self._brief:
            self._print(f"\n{verdict(self._target, result)} Waiting for {ids}, next check in {seconds:.0f} s.\n")

    def end(self, result: Result) -> None:
        """The verdict, as the last line."""
        self._print_skipped()
        status = Status.PASSED if result.healthy else Status.FAILED
        if status is Status.PASSED and result.of(Status.WARNING):
            status = Status.WARNING
        if not (self._brief and result.healthy):
            self._print(f"\n{self._mark(status)} {verdict(self._target, result)}")

    def _print_outcome(self, outcome: Outcome) -> None:
        findings = outcome.findings
        if not findings:
            self._print_line(outcome.status, outcome.check.title, outcome.note)
        elif len(findings) == 1:
            self._print_line(outcome.status, outcome.check.title, f"{findings[0].message}  [{findings[0].id}]")
            self._print_fix(findings[0], INDENT)
        else:
            self._print_line(outcome.status, outcome.check.title, f"{len(findings)} problems")
            for finding in findings:
                mark = self._mark(SEVERITIES[finding.severity])
                self._print(f"{' ' * INDENT}{mark} {self._wrapped(f'{finding.message}  [{finding.id}]', INDENT + 2)}")
                self._print_fix(finding, INDENT + 4)

    def _print_line(self, status: Status, title: str, text: str) -> None:
        if not text:
            self._print(f"{self._mark(status)} {title}")
            return
        self._print(f"{self._mark(status)} {title:{TITLE_WIDTH}} {self._wrapped(text, TITLE_WIDTH + 3)}")

    def _print_fix(self, finding: Finding, indent: int) -> None:
        """Lines of the fix, without a command that was printed before to get the cluster's credentials."""
        for line in finding.fix.splitlines():
            if line.startswith("az aks get-credentials ") and line in self._printed:
                continue
            self._printed.add(line)
            # A command is not wrapped, so that it can be pasted.
            text = f"Try: {printable(line)}" if is_command(line) else self._wrapped(line, indent)
            self._print(f"{' ' * indent}{text}")

    def _print_skipped(self) -> None:
        """What was skipped in a row for the same reason, in one line."""
        skipped, self._skipped = self._skipped, []
        if skipped:
            title = skipped[0].check.title if len(skipped) == 1 else f"{len(skipped)} checks"
            self._print_line(Status.SKIPPED, title, f"skipped: {skipped[0].note}")

    def _wrapped(self, text: str, indent: int) -> str:
        """The text with its further lines indented, at a terminal."""
        text = printable(text)
        if not self._width:
            return text
        width = max(self._width - indent, 30)
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        return f"\n{' ' * indent}".join(lines)

    def _mark(self, status: Status) -> str:
        mark = self._marks[status]
        return f"\x1b[{COLOURS[status]}m{mark}\x1b[0m" if self._colour else mark

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class Activity(Observer):
    """Shows on a terminal what is being read, in one line that is removed at the end."""

    def __init__(self, stream: TextIO, what: str, *, width: int | None) -> None:
        self._stream, self._what, self._width = stream, what, width

    def __enter__(self) -> Activity:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print("\r\x1b[K", end="", file=self._stream, flush=True)

    def begin(self, check: Check) -> None:
        """The check that is running."""
        if self._width:
            text = f"{self._what}: {check.title} ..."[: self._width - 1]
            print(f"\r\x1b[K{text}", end="", file=self._stream, flush=True)


def make_activity(cmd: Any, what: str) -> Activity:
    """The activity of this az: on its stderr, and nothing where that is no terminal or progress is disabled."""
    shown = sys.stderr.isatty() and is_progress_shown(cmd)
    return Activity(sys.stderr, what, width=shutil.get_terminal_size().columns if shown else None)


def make_observer(cmd: Any, target: CheckTarget) -> Observer:
    """The console of this az: its stderr, its colours, and errors alone with --only-show-errors."""
    context = cmd.cli_ctx
    terminal = sys.stderr.isatty()
    return CheckConsole(
        sys.stderr,
        target,
        width=shutil.get_terminal_size().columns if terminal else None,
        colour=terminal and bool(getattr(context, "enable_color", False)),
        brief=bool(getattr(context, "only_show_errors", False)),
    )


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
