"""The pods of the extension while an installation or an update runs: how many are ready, and what prevents others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from knack.log import get_logger

from azext_amlk8s.console.progress import ProgressLine, is_progress_shown
from azext_amlk8s.diagnosis import PodProgress, group_by_cause, read_pod_progress
from azext_amlk8s.operations.failure_context import PATHS, connect_to_cluster
from azext_amlk8s.redaction import redact_text

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.refs import ClusterRef, ExtensionRef

# An operation that ends sooner needs no view; what fails to be pulled is reported at the second read.
FIRST_READ_SECONDS, INTERVAL_SECONDS = 2.0, 5.0
# After so many failed reads in a row the cluster is not read any more.
MOST_FAILED_READS = 3


class InstallationView:
    """Reads the pods in the background, so that a slow or unreachable cluster never delays the command."""

    def __init__(self, connection: Cluster, cluster: ClusterRef) -> None:
        self._connection, self._cluster = connection, cluster
        self._progress, self._earlier = PodProgress(0, 0), PodProgress(0, 0)
        self._stopped, self._warned = Event(), False

    def start(self) -> None:
        """Begin to read. The thread does not keep az from exiting."""
        Thread(target=self._run, name="installation-view", daemon=True).start()

    def stop(self) -> None:
        """Read no more."""
        self._stopped.set()

    def text(self) -> str:
        """`pods ready 9 of 15, gateway-5d4f: ImagePullBackOff: …`; empty as long as nothing has been read."""
        return redact_text(self._progress.text)

    def warnings(self) -> Sequence[str]:
        """Once, which pods cannot pull their images: when the kubelet has given up, or failed in two reads."""
        before = {failure.name for failure in self._earlier.pull_failures}
        failures = self._progress.pull_failures
        if self._warned or not any(failure.reason != "ErrImagePull" or failure.name in before for failure in failures):
            return ()
        self._warned = True
        group = group_by_cause(failures)[0]
        images = "its image" if len(group.subjects) == 1 else "their images"
        fixes = [fix for fix in group.explanation.fix if not fix.startswith("kubectl ")]
        return (
            "\n".join(
                [
                    redact_text(
                        f"{group.summary[0].upper()}{group.summary[1:]} cannot pull {images}: {failures[0].text}"
                    ),
                    *fixes,
                    "Still waiting for the operation, which continues when the images can be pulled. All causes: "
                    f"az amlk8s check {self._cluster.cli_args}",
                ]
            ),
        )

    def _run(self) -> None:
        failed, pause = 0, FIRST_READ_SECONDS
        while failed < MOST_FAILED_READS and not self._stopped.wait(pause):
            pause = INTERVAL_SECONDS
            try:
                pods = self._connection.items(PATHS["pods"])
                progress = read_pod_progress(pods)
            # Whatever happens here must not disturb the command.
            except Exception:  # pylint: disable=broad-exception-caught
                failed, self._progress = failed + 1, PodProgress(0, 0)
            else:
                failed = 0
                self._earlier, self._progress = self._progress, progress


@contextmanager
def view_installation(connection: Cluster | None, cluster: ClusterRef) -> Iterator[InstallationView | None]:
    """A view of the pods while the body runs; None where the cluster cannot be reached."""
    if connection is None:
        yield None
        return
    view = InstallationView(connection, cluster)
    view.start()
    try:
        yield view
    finally:
        view.stop()


@contextmanager
def view_wait(
    cmd: AzCliCommand, client: AzureClient, extension: ExtensionRef
) -> Iterator[Callable[[Mapping[str, Any] | None, str], None]]:
    """A function that shows the state of an extension, and why it was not read, with the pods, on a terminal.

    The cluster is connected to at the first call, so that a condition that is met at once needs no connection.
    """
    line = ProgressLine(cmd, f"Waiting for {extension.name} on {extension.cluster.name}")
    with ExitStack() as stack:
        stack.callback(line.clear)
        views: list[InstallationView | None] = []

        def show(resource: Mapping[str, Any] | None, problem: str) -> None:
            if not (sys.stderr.isatty() and is_progress_shown(cmd)):
                return
            if not views:
                connection, _ = connect_to_cluster(client, extension.cluster)
                views.append(stack.enter_context(view_installation(connection, extension.cluster)))
            view = views[0]
            for warning in view.warnings() if view else ():
                line.clear()
                get_logger(__name__).warning("%s", warning)
            state = ((resource or {}).get("properties") or {}).get("provisioningState") or "NotFound"
            line.show(str(state), problem, view.text() if view else "")

        yield show
