"""A client that remembers what it has read, for commands on many clusters; several threads may use it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from azext_amlk8s.azure.client import AzureClient, Resource
from azext_amlk8s.refs import ClusterRef, WorkspaceRef

if TYPE_CHECKING:
    from azure.cli.core import AzCli

T = TypeVar("T")
# The kinds of reads whose value has a connection in a tuple; it is closed when it is released.
CONNECTION, ARC_CONNECTION = CONNECTIONS = ("connection", "arc connection")
# What a refused read says will not change soon; other failures are shared with those that wait, and forgotten.
NOT_FOUND = 404
REMEMBERED_FAILURES = (400, 403, NOT_FOUND)
# The kinds of read of a resource, and of the credentials of a cluster.
GET, KUBECONFIG = ("get",), ("kubeconfig",)


@dataclass
class _Read:
    """A read that is under way or done; at is the time of time.monotonic of its end, until that of its forgetting."""

    future: Future[Any] = field(default_factory=Future)
    at: float = 0.0
    until: float = 0.0


class RememberingClient(AzureClient):
    """An AzureClient that sends each read once, for as long as `seconds_to_keep` says.

    Reads of the same thing at the same time are one request. Subclasses say how long a value is kept.
    """

    shares_reads = True
    # Whether the credentials of a cluster are kept when it is released.
    keeps_credentials = False

    def __init__(self, cli_ctx: AzCli, subscription_id: str | None = None) -> None:
        super().__init__(cli_ctx, subscription_id)
        # By resource ID or another name in lower case, then by the kind of read.
        self._reads: dict[str, dict[tuple[str, ...], _Read]] = {}
        self._reads_lock = Lock()

    def take_over(self, other: RememberingClient) -> None:
        """Remember what another client has not found, as long as if this one had not, and the credentials that it has.

        Everything else is read: it may have changed.
        """
        for about, kind, read in other.reads_to_hand_over():
            until = math.inf if kind == KUBECONFIG else read.at + self.seconds_to_keep(about, None)
            with self._reads_lock:
                self._reads.setdefault(about, {}).setdefault(kind, _Read(read.future, read.at, until))

    def reads_to_hand_over(self) -> list[tuple[str, tuple[str, ...], _Read]]:
        """The reads of resources that do not exist and of credentials: ID in lower case, kind and read."""
        with self._reads_lock:
            reads = [(about, kind, read) for about, kinds in self._reads.items() for kind, read in kinds.items()]
        return [
            (about, kind, read)
            for about, kind, read in reads
            if (kind == GET and _is_missing(read)) or (kind == KUBECONFIG and _has_value(read))
        ]

    def seconds_to_keep(self, resource_id: str, value: Any) -> float:
        """How long the value of a read is kept, in seconds; resource_id is in lower case."""
        raise NotImplementedError

    def get(self, resource_id: str) -> Resource:
        return self.remember(resource_id, partial(super().get, resource_id), *GET)

    def list_all(self, collection_id: str, **query: str) -> list[Resource]:
        words = (f"{name}={value}" for name, value in sorted(query.items()))
        return self.remember(collection_id, partial(super().list_all, collection_id, **query), "list", *words)

    def list_resources(self, resource_type: str) -> list[Resource]:
        return self.remember(resource_type, partial(super().list_resources, resource_type), "resources")

    def list_jobs(self, workspace: WorkspaceRef) -> list[Resource]:
        return self.remember(f"{workspace.id}/jobs", partial(super().list_jobs, workspace), "jobs")

    def get_provider(self, namespace: str) -> Resource:
        return self.remember(namespace, partial(super().get_provider, namespace), "provider")

    def find_feature(self, namespace: str, name: str) -> Resource | None:
        return self.remember(namespace, partial(super().find_feature, namespace, name), "feature", name.lower())

    def kubernetes_versions(self, location: str) -> Resource:
        return self.remember(location, partial(super().kubernetes_versions, location), "versions")

    def user_kubeconfig(self, cluster: ClusterRef) -> str:
        return self.remember(cluster.id, partial(super().user_kubeconfig, cluster), *KUBECONFIG)

    def remember(self, about: str, read: Callable[[], T], *kind: str) -> T:
        with self._reads_lock:
            reads = self._reads.setdefault(about.lower(), {})
            known = reads.get(kind)
            is_first = known is None or (known.future.done() and time.monotonic() >= known.until)
            if known is None or is_first:
                known = reads[kind] = _Read()
        if is_first:
            self._read(about.lower(), known, read)
        result: T = known.future.result()
        return result

    def release(self, cluster: ClusterRef) -> None:
        """Close the connections to a cluster, and forget its credentials unless they are kept for another client."""
        with self._reads_lock:
            reads = self._reads.get(cluster.id.lower(), {})
            kinds = CONNECTIONS if self.keeps_credentials else (*CONNECTIONS, *KUBECONFIG)
            released = [reads.pop(kind) for kind in list(reads) if kind[0] in kinds]
        for read in released:
            if _has_value(read) and isinstance(read.future.result(), tuple):
                for value in read.future.result():
                    getattr(value, "close", lambda: None)()

    def forget(self, resource_id: str) -> None:
        """Forget what was read of a resource and of what is below it."""
        prefix = resource_id.lower()
        with self._reads_lock:
            for about in [path for path in self._reads if path == prefix or path.startswith(f"{prefix}/")]:
                connections = {kind: read for kind, read in self._reads[about].items() if kind[0] in CONNECTIONS}
                self._reads[about] = connections

    def forget_list(self, collection_id: str) -> None:
        """Forget the list of a collection, which changes with each resource; what was read of the others is kept."""
        with self._reads_lock:
            self._reads.pop(collection_id.lower(), None)

    def _read(self, about: str, known: _Read, read: Callable[[], Any]) -> None:
        try:
            value = read()
        except BaseException as error:  # pylint: disable=broad-exception-caught # other threads wait for it
            kept = getattr(error, "status_code", None) in REMEMBERED_FAILURES
            known.at = time.monotonic()
            known.until = known.at + (self.seconds_to_keep(about, None) if kept else 0)
            known.future.set_exception(error)
        else:
            known.at = time.monotonic()
            known.until = known.at + self.seconds_to_keep(about, value)
            known.future.set_result(value)


def _is_missing(read: _Read) -> bool:
    return read.future.done() and getattr(read.future.exception(), "status_code", None) == NOT_FOUND


def _has_value(read: _Read) -> bool:
    return read.future.done() and not read.future.exception()
