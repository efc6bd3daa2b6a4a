"""Progress of a long-running operation: one line on stderr with its stage and the elapsed time."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from knack.log import get_logger

from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.poll_schedule import LostTrack
from azext_amlk8s.azure.state_poller import StatePoller
from azext_amlk8s.console.errors import az_error
from azext_amlk8s.console.quiet import is_quiet
from azext_amlk8s.printable import printable
from azext_amlk8s.time_limit import TimeLimitExceeded, extend_time_limit, is_time_up, limit_in_words

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

TICK_SECONDS = 0.25
# Where nothing is shown, because many operations are followed.
QUIET_TICK_SECONDS = 1.0
# How long a command may look for the cause of a failure, although its time limit has passed.
DIAGNOSIS_SECONDS = 60


class LiveView(Protocol):
    """What else is shown while an operation runs, read in the background."""

    def text(self) -> str:
        """The state, as an end of the progress line."""

    def warnings(self) -> Sequence[str]:
        """What has to be reported and was not returned before."""


def follow(
    cmd: AzCliCommand,
    operation: Operation | StatePoller,
    what: str,
    resume: str,
    *,
    timeout: float | None = None,
    then: Callable[[Any], Operation | StatePoller | None] | None = None,
    view: LiveView | None = None,
    line: ProgressLine | None = None,
) -> Any:
    """The result of an operation at its end. Raises what `Operation.result` raises.

    what is its description, such as "Installing azureml on aks-poc"; resume is the command that waits for it. then
    returns, for the result, an operation that is followed as well, as a part of the first. line is the progress line
    of the caller, who then prints how it ended. Raises ManualInterrupt for Ctrl-C, and DeploymentError after timeout
    seconds or when its state can no longer be read; the operation continues in Azure then.
    """
    from azure.core.exceptions import AzureError

    deadline = math.inf if timeout is None else time.monotonic() + timeout
    is_own, line = line is None, line or ProgressLine(cmd, what)
    try:
        _wait(operation, line, view, deadline)
        result = operation.result()
        if then and (further := then(result)):
            operation = further
            _wait(operation, line, view, deadline)
            result = operation.result()
        if is_own:
            line.end(operation.status())
        return result
    except LostTrack as error:
        message = f"Lost track of it: {what} was {operation.status()} when last read; it may still be running. "
        raise az_error("DeploymentError", f"{message}Reading its state failed: {error}.", [resume]) from error
    except TimeLimitExceeded:
        raise _timed_out(operation, what, resume, limit_in_words(timeout)) from None
    except AzureError:
        extend_time_limit(DIAGNOSIS_SECONDS)
        raise
    except KeyboardInterrupt:
        message = f"Stopped waiting. {what} continues in Azure. To follow it:"
        raise az_error("ManualInterrupt", message, [resume]) from None
    finally:
        line.clear()


def _wait(operation: Operation | StatePoller, line: ProgressLine, view: LiveView | None, deadline: float) -> None:
    """Show the progress of an operation until it ends. Raises TimeLimitExceeded."""
    while not operation.done():
        for warning in view.warnings() if view else ():
            line.clear()
            get_logger(__name__).warning("%s", warning)
        line.show(operation.status(), operation.problem, view.text() if view else "")
        if is_time_up() or time.monotonic() >= deadline:
            raise TimeLimitExceeded
        operation.wait(QUIET_TICK_SECONDS if is_quiet() else TICK_SECONDS)


def is_progress_shown(cmd: AzCliCommand) -> bool:
    """Whether the user wants progress: neither --only-show-errors nor core.disable_progress_bar is set."""
    if is_quiet():
        return False
    context = cmd.cli_ctx
    disabled = context.config.getboolean("core", "disable_progress_bar", fallback=False)
    return not (disabled or getattr(context, "only_show_errors", False))


def _timed_out(operation: Operation | StatePoller, what: str, resume: str, waited: str) -> Exception:
    if operation.problem:
        message = (
            f"Lost track of it: {what} was {operation.status()} when last read, {waited} after its start; it may still "
            f"be running. Reading its state failed: {operation.problem}."
        )
    else:
        message = f"Stopped waiting after {waited}: {what} is {operation.status()} and continues in Azure."
    return az_error("DeploymentError", f"{message} To follow it:", [resume])


class ProgressLine:
    """One line that is rewritten on a terminal; elsewhere a line for each stage, once."""

    def __init__(self, cmd: AzCliCommand, what: str) -> None:
        self._on = is_progress_shown(cmd)
        self._terminal = sys.stderr.isatty()
        self._what, self._begin, self._live = what, time.monotonic(), False
        self._printed: set[str] = set()

    def show(self, stage: str, problem: str = "", detail: str = "") -> None:
        """Print the stage; problem says why the last poll failed; detail is shown on a terminal only."""
        if not self._on:
            return
        if problem:
            stage = f"{stage} (its state cannot be read at the moment: {problem})"
        if self._terminal:
            text = f"{self._what}: {', '.join(filter(None, (stage, self._elapsed(), detail)))}"
            # A line that is wrapped could not be rewritten.
            columns = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{printable(text)[: columns - 1]}", end="", file=sys.stderr, flush=True)
            self._live = True
        elif stage not in self._printed:
            print(printable(f"{self._what}: {stage}, {self._elapsed()}"), file=sys.stderr, flush=True)
        self._printed.add(stage)

    def end(self, stage: str) -> None:
        """Print the last stage as a line that stays."""
        self.clear()
        if self._on:
            print(printable(f"{self._what}: {stage}, {self._elapsed()}"), file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the live line, before anything else is printed."""
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._live = False

    def _elapsed(self) -> str:
        return duration_in_words(time.monotonic() - self._begin)


def duration_in_words(seconds: float) -> str:
    """A duration as "45s", "3m05s" or "2h10m"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_of_hour:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
