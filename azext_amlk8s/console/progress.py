"""Following a long operation: stage and time on stderr, an end that is noticed within two seconds."""

from __future__ import annotations

import sys
import time
from typing import Any

from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.state_poller import StatePoller

TICK_SECONDS = 0.25


def follow(
    cmd: Any, operation: Operation | StatePoller, what: str, resume: str, *, timeout: float | None = None
) -> Any:
    """The result of the operation at its end. Raises what `Operation.result` raises.

    Ctrl-C ends the following, not the operation: ManualInterrupt then holds `resume`, the command with which to go on;
    so does the DeploymentError after timeout seconds.
    """
    from azure.cli.core.azclierror import DeploymentError, ManualInterrupt

    deadline = None if timeout is None else time.monotonic() + timeout
    line = _Line(cmd, what)
    try:
        while not operation.done():
            line.show(operation.status())
            if deadline is not None and time.monotonic() >= deadline:
                line.end("")
                told = f"{what} is {operation.status()} after {timeout:g} seconds; it goes on in Azure."
                raise DeploymentError(told, recommendation=resume)
            operation.wait(TICK_SECONDS)
        line.end(operation.status())
        return operation.result()
    except KeyboardInterrupt:
        line.end("")
        raise ManualInterrupt(f"{what} goes on in Azure; only the waiting has ended.", recommendation=resume) from None


class _Line:
    """One line that is rewritten on a terminal, and a line for each new stage elsewhere."""

    def __init__(self, cmd: Any, what: str) -> None:
        context = cmd.cli_ctx
        quiet = context.config.getboolean("core", "disable_progress_bar", fallback=False)
        self._on = not (quiet or getattr(context, "only_show_errors", False))
        self._terminal = sys.stderr.isatty()
        self._what, self._begin, self._stage = what, time.monotonic(), ""

    def show(self, stage: str) -> None:
        if not self._on:
            return
        if self._terminal:
            print(f"\r\x1b[K{self._what}: {stage}, {self._elapsed()}", end="", file=sys.stderr, flush=True)
        elif stage != self._stage:
            print(f"{self._what}: {stage}, {self._elapsed()}", file=sys.stderr, flush=True)
        self._stage = stage

    def end(self, stage: str) -> None:
        if not self._on:
            return
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr)
        if stage:
            print(f"{self._what}: {stage}, {self._elapsed()}", file=sys.stderr, flush=True)

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._begin), 60)
        return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"
