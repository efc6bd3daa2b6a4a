"""The running picture of a check on stderr: a line for each check as it is made, what was found indented below."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from azext_amlk8s.checks import CATEGORIES, Check, Outcome, Place, Result, Status, verdict
from azext_amlk8s.rules import Finding, Severity

MARKS = {Status.PASSED: "√", Status.WARNED: "‼", Status.FAILED: "×", Status.SKIPPED: "-"}
PLAIN = {Status.PASSED: "ok", Status.WARNED: "!!", Status.FAILED: "XX", Status.SKIPPED: "--"}
COLOURS = {Status.PASSED: "32", Status.WARNED: "33", Status.FAILED: "31", Status.SKIPPED: "90"}
SEVERITIES = {Severity.ERROR: Status.FAILED, Severity.WARNING: Status.WARNED}
TITLES = {one.id: one.title for one in CATEGORIES}


class Observer:
    """What is told of a run; this one says nothing."""

    def begin(self, check: Check) -> None:
        """A check is about to be made."""

    def note(self, outcome: Outcome) -> None:
        """A check has been made."""

    def pause(self, result: Result, seconds: float) -> None:
        """A run found errors, and another follows."""

    def end(self, result: Result) -> None:
        """The last run is over."""


class Picture(Observer):
    """Draws on a stream; terminal says whether lines can be taken back, brief that only what is wrong is drawn."""

    def __init__(self, stream: TextIO, place: Place, *, terminal: bool, colour: bool, brief: bool) -> None:
        self._stream, self._place = stream, place
        self._terminal, self._colour, self._brief = terminal, colour, brief
        self._marks = MARKS if _can_write(stream, "".join(MARKS.values())) else PLAIN
        self._category = ""
        self._skipped: list[Outcome] = []

    def begin(self, check: Check) -> None:
        """The heading of a category before its first check; on a terminal, what is being looked at."""
        if self._brief:
            return
        if check.category != self._category:
            self._tell_skipped()
            title = TITLES[check.category]
            self._say(f"{'' if not self._category else chr(10)}{title}\n{'-' * len(title)}")
            self._category = check.category
        if self._terminal:
            print(f"  {check.rule.what}", end="", file=self._stream, flush=True)

    def note(self, outcome: Outcome) -> None:
        """The mark and what was required; what was found below it."""
        if self._terminal and not self._brief:
            print("\r\x1b[K", end="", file=self._stream)
        if self._brief and outcome.status is not Status.FAILED:
            return
        if outcome.status is Status.SKIPPED:
            if self._skipped and self._skipped[-1].note != outcome.note:
                self._tell_skipped()
            self._skipped.append(outcome)
            return
        self._tell_skipped()
        self._say(f"{self._mark(outcome.status)} {outcome.check.rule.what}")
        for finding in outcome.findings:
            self._found(finding)

    def pause(self, result: Result, seconds: float) -> None:
        """One line, and the next picture begins anew."""
        self._tell_skipped()
        ids = ", ".join(one.check.id for one in result.of(Status.FAILED))
        self._category = ""
        if not self._brief:
            self._say(f"\n{verdict(self._place, result)} Waiting for {ids}, next look in {seconds:.0f} s.\n")

    def end(self, result: Result) -> None:
        """The verdict, as the last line."""
        self._tell_skipped()
        status = Status.PASSED if result.healthy else Status.FAILED
        if status is Status.PASSED and result.of(Status.WARNED):
            status = Status.WARNED
        if not (self._brief and result.healthy):
            self._say(f"\n{self._mark(status)} {verdict(self._place, result)}")

    def _tell_skipped(self) -> None:
        """What was left out in a row for the same reason, in one line."""
        told, self._skipped = self._skipped, []
        if told:
            what = told[0].check.rule.what if len(told) == 1 else f"{len(told)} checks."
            self._say(f"{self._mark(Status.SKIPPED)} {what} (not checked: {told[0].note})")

    def _found(self, finding: Finding) -> None:
        mark = f"{self._mark(SEVERITIES[finding.severity])} " if finding.severity in SEVERITIES else ""
        self._say(f"    {mark}{finding.message} [{finding.id}]")
        words = (("expected", finding.expected), ("found", finding.found))
        if told := "; ".join(f"{word}: {value}" for word, value in words if value):
            self._say(f"      {told}")
        for line in finding.fix.splitlines():
            self._say(f"      > {line}")
        if finding.source:
            self._say(f"      see {finding.source}")

    def _mark(self, status: Status) -> str:
        mark = self._marks[status]
        return f"\x1b[{COLOURS[status]}m{mark}\x1b[0m" if self._colour else mark

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def observer(cmd: Any, place: Place) -> Observer:
    """The picture for this az: its stderr, its colours, and only errors where az shows only errors."""
    context = cmd.cli_ctx
    terminal = sys.stderr.isatty()
    return Picture(
        sys.stderr,
        place,
        terminal=terminal,
        colour=terminal and bool(getattr(context, "enable_color", False)),
        brief=bool(getattr(context, "only_show_errors", False)),
    )


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
