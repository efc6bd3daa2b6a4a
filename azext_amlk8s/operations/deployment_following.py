"""Follow deployments that run in Azure until they end, with their progress."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azext_amlk8s.azure.state_poller import TERMINAL
from azext_amlk8s.console.errors import az_error
from azext_amlk8s.console.progress import ProgressLine
from azext_amlk8s.console.reports import count
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure.deployments_client import DeploymentsClient
    from azext_amlk8s.rendering.engine_deployments import EngineDeployment

FIRST_SECONDS, MOST_SECONDS = 0.5, 10.0
TICK_SECONDS = 0.25
# So many polls in a row may fail.
MOST_FAILED_POLLS = 10


@dataclass
class RunningDeployment:
    """A deployment that was submitted: its last known state and the operations of its clusters by resource ID."""

    deployment: EngineDeployment
    client: DeploymentsClient
    state: str = "Accepted"
    error: Mapping[str, Any] = field(default_factory=dict)
    operations: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it has ended in Azure."""
        return self.state.lower() in TERMINAL

    def read(self) -> None:
        """Read the operations, and the state after them so that none is missed. Raises AzureError."""
        state = self.client.get(self.deployment.name)
        for operation in self.client.list_operations(self.deployment.name):
            properties = operation.get("properties") or {}
            if target := (properties.get("targetResource") or {}).get("id"):
                self.operations[str(target)] = properties
        properties = state.get("properties") or {}
        self.state = str(properties.get("provisioningState") or self.state)
        self.error = properties.get("error") or {}

    def count(self, state: str) -> int:
        """The clusters whose deployment is in a state."""
        states = [str(operation.get("provisioningState")) for operation in self.operations.values()]
        return sum(known.lower() == state for known in states)

    @property
    def commands(self) -> list[str]:
        """The commands of az that show it."""
        names = ["--name", self.deployment.name, "--subscription", self.deployment.subscription]
        return [
            join(["az", "deployment", "sub", "show", *names, "--query", "properties.provisioningState"]),
            join(["az", "deployment", "operation", "sub", "list", *names, "-o", "table"]),
        ]


def follow_deployments(cmd: AzCliCommand, running: Sequence[RunningDeployment], resume: str, timeout: float) -> None:
    """Read the deployments until all have ended, or until timeout seconds have passed.

    Raises ManualInterrupt for Ctrl-C, and DeploymentError when a state can no longer be read; the deployments continue
    in Azure then.
    """
    from azure.core.exceptions import AzureError

    line = ProgressLine(cmd, "Deployment in Azure")
    deadline, pause, failed = time.monotonic() + timeout, FIRST_SECONDS, 0
    problem = ""
    try:
        while True:
            try:
                _read(running)
                failed, problem = 0, ""
            except AzureError as error:
                failed, problem = failed + 1, str(error).splitlines()[0]
                if failed > MOST_FAILED_POLLS:
                    message = (
                        f"Lost track of the deployment: reading its state failed: {problem} It may still be running."
                    )
                    raise az_error("DeploymentError", message, _followed_by(running, resume)) from error
            if all(run.is_over for run in running) or time.monotonic() >= deadline:
                line.end(_stage(running))
                return
            line.show(_stage(running), problem)
            _wait(min(pause, deadline - time.monotonic()))
            pause = min(pause * 1.5, MOST_SECONDS)
    except KeyboardInterrupt:
        names = " and ".join(f"'{run.deployment.name}'" for run in running)
        verb = "continues" if len(running) == 1 else "continue"
        message = f"Stopped waiting. Deployment {names} {verb} in Azure, without this command. To follow it:"
        raise az_error("ManualInterrupt", message, _followed_by(running, resume)) from None
    finally:
        line.clear()


def _read(running: Sequence[RunningDeployment]) -> None:
    for run in running:
        if not run.is_over:
            run.read()


def _wait(seconds: float) -> None:
    """Wait in small steps, so that Ctrl-C ends it at once everywhere."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(TICK_SECONDS, left))


def _stage(running: Sequence[RunningDeployment]) -> str:
    """How many clusters are done, as one line."""
    total = sum(len(run.deployment.clusters) for run in running)
    done = sum(run.count("succeeded") for run in running)
    failed = sum(run.count("failed") for run in running)
    text = f"{done} of {count(total, 'cluster')} deployed"
    return f"{text}, {failed} failed" if failed else text


def _followed_by(running: Sequence[RunningDeployment], resume: str) -> list[str]:
    commands = [command for run in running if not run.is_over for command in run.commands]
    return [*(commands if len(commands) < 5 else commands[:4]), f"{resume}   # continues when it has ended"]
