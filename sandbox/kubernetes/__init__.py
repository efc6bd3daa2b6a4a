"""The Kubernetes API: a stand-in, or a real kube-apiserver, for each cluster of the world."""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.faults import Fault
from sandbox.kubernetes.api import Api
from sandbox.kubernetes.client import HttpsConnection, KubeClient, KubernetesError
from sandbox.kubernetes.real import ASSETS, start_real
from sandbox.kubernetes.stand_in import StandIn
from sandbox.kubernetes.store import Store
from sandbox.tls import Authority

# Objects that decide about others; they are created after those that the world has beside them.
ADMITTING = (
    "LimitRange",
    "ResourceQuota",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
)


@dataclass(frozen=True)
class ClusterSide:
    """The Kubernetes API of one cluster. store is None for a real API server; at_stop is what runs before it stops.

    counters: what has happened how often, by name.
    """

    name: str
    server: str
    token: str
    client: KubeClient
    _stop: Callable[[], Awaitable[None]]
    store: Store | None = None
    at_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    async def stop(self) -> None:
        """Stop the server."""
        for stop in self.at_stop:
            await stop()
        await self._stop()


async def start_cluster_side(
    name: str,
    *,
    nodes: Callable[[], list[dict[str, Any]]],
    objects: Callable[[], list[dict[str, Any]]],
    directory: Path,
    authority: Authority,
    version: str = "v1.30.9",
    real: bool = False,
    lazy: bool = False,
    forbidden_kinds: tuple[str, ...] = (),
    faults: tuple[Fault, ...] = (),
    on_request: Callable[[dict[str, Any]], None] | None = None,
) -> ClusterSide:
    """Start a cluster's API on a free port of loopback, with its nodes and further objects in it.

    With real, a kube-apiserver where KUBEBUILDER_ASSETS names a folder with one and etcd, the stand-in elsewhere. The
    stand-in refuses its user the kinds in forbidden_kinds; the sandbox itself is an administrator. A lazy stand-in
    starts with the first connection.
    """
    token = secrets.token_urlsafe(32)

    async def seed(client: KubeClient) -> None:
        for namespace in ("default", "kube-node-lease", "kube-public", "kube-system"):
            await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for obj in nodes():
            await client.apply(obj)
        await _seed(client, name, objects())

    if real and ASSETS in os.environ:
        server, stop = await start_real(directory, authority, token)
        connection = HttpsConnection(server, token, authority.client_context())
        client = KubeClient(connection)

        async def close_and_stop() -> None:
            await connection.close()
            await stop()

        try:
            await seed(client)
        except ValueError:
            await close_and_stop()
            raise
        return ClusterSide(name, server, token, client, close_and_stop)
    user = secrets.token_urlsafe(32)
    store = Store()
    stand_in = StandIn(
        lambda: Api(store, token, version, on_request, name, user, forbidden_kinds, faults), authority, seed
    )
    if lazy:
        stand_in.start_when_used()
    else:
        try:
            await stand_in.start()
        except ValueError:
            await stand_in.stop()
            raise
    return ClusterSide(name, stand_in.server, user, KubeClient(stand_in), stand_in.stop, store)


async def _seed(client: KubeClient, cluster: str, objects: list[dict[str, Any]]) -> None:
    """Create the objects of a cluster, those that decide about others last. Raises ValueError naming the entry."""
    numbered = list(enumerate(objects))
    for number, obj in sorted(numbered, key=lambda pair: (pair[1].get("kind") in ADMITTING, pair[0])):
        try:
            await client.apply(obj)
        except (KubernetesError, KeyError, TypeError, AttributeError) as error:
            metadata = obj.get("metadata") or {}
            entry = f"{obj.get('kind')}/{metadata.get('name')}"
            reason = f"missing key {error}" if isinstance(error, KeyError) else error
            raise ValueError(
                f"The world cannot start: cluster '{cluster}', object {number + 1} ({entry}): {reason}"
            ) from error
