"""Progress of a long-running operation: one line on stderr with its stage and the elapsed time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from azext_amlk8s.azure.operation import LostTrack, Operation
from azext_amlk8s.azure.state_poller import StatePoller
from azext_amlk8s.console.errors import az_error

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

TICK_SECONDS = 0.25


def follow(
    cmd: AzCliCommand, operation: Operation | StatePoller, what: str, resume: str, *, timeout: float | None = None
) -> Any:
    """The result of an operation at its end. Raises what `Operation.result` raises.

    what is its description, such as "Installing azureml on aks-poc"; resume is the command that waits for it. Raises
    ManualInterrupt for Ctrl-C, and DeploymentError after timeout seconds or when its state can no longer be read; the
    operation continues in Azure then.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    line = ProgressLine(cmd, what)
    try:
        while not operation.done():
            line.show(operation.status(), operation.problem)
            if deadline is not None and time.monotonic() >= deadline:
                raise _timed_out(operation, what, resume, timeout or 0)
            operation.wait(TICK_SECONDS)
        result = operation.result()
        line.end(operation.status())
        return result
    except LostTrack as error:
        message = f"Lost track of it: {what} was {operation.status()} when last read; it may still be running. "
        raise az_error("DeploymentError", f"{message}Reading its state failed: {error}.", [resume]) from error
    except KeyboardInterrupt:
        message = f"Stopped waiting. {what} continues in Azure. To follow it:"
        raise az_error("ManualInterrupt", message, [resume]) from None
    finally:
        line.clear()


def is_progress_shown(cmd: AzCliCommand) -> bool:
    """Whether the user wants progress: neither --only-show-errors nor core.disable_progress_bar is set."""
    context = cmd.cli_ctx
    disabled = context.config.getboolean("core", "disable_progress_bar", fallback=False)
    return not (disabled or getattr(context, "only_show_errors", False))


def _timed_out(operation: Operation | StatePoller, what: str, resume: str, seconds: float) -> Exception:
    waited = f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
    if operation.problem:
        message = (
            f"Lost track of it: {what} was {operation.status()} when last read, {waited} after its start; it may still "
            f"be running. Reading its state failed: {operation.problem}."
        )
    else:
        message = f"Stopped waiting after {waited}: {what} is {operation.status()} and continues in Azure."
    return az_error("DeploymentError", f"{message} To follow it:", [resume])


class ProgressLine:
    """One line that is rewritten on a terminal; elsewhere a line for each new stage."""

    def __init__(self, cmd: AzCliCommand, what: str) -> None:
        self._on = is_progress_shown(cmd)
        self._terminal = sys.stderr.isatty()
        self._what, self._begin, self._stage, self._live = what, time.monotonic(), "", False

    def show(self, stage: str, problem: str = "") -> None:
        """Print the stage; problem says why the last poll failed."""
        if not self._on:
            return
        if problem:
            stage = f"{stage} (its state cannot be read at the moment: {problem})"
        if self._terminal:
            print(f"\r\x1b[K{self._what}: {stage}, {self._elapsed()}", end="", file=sys.stderr, flush=True)
            self._live = True
        elif stage != self._stage:
            print(f"{self._what}: {stage}, {self._elapsed()}", file=sys.stderr, flush=True)
        self._stage = stage

    def end(self, stage: str) -> None:
        """Print the last stage as a line that stays."""
        self.clear()
        if self._on:
            print(f"{self._what}: {stage}, {self._elapsed()}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the live line, before anything else is printed."""
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._live = False

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._begin), 60)
        return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"
