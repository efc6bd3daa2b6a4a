"""One process: Azure on one port, each cluster's Kubernetes API on another."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from sandbox.azure.app import ArmApp
from sandbox.azure.behaviours import Azure
from sandbox.azure.operations import Operations
from sandbox.azure.record import Recorder
from sandbox.azure.seed import build_tree
from sandbox.azure.tree import Tree
from sandbox.cluster_objects import agent_objects, node_objects
from sandbox.key_vault.app import KeyVaultApp
from sandbox.key_vault.entries import DNS_SUFFIX
from sandbox.kubernetes import ClusterSide, start_cluster_side
from sandbox.kubernetes.node_agent import NodeAgent
from sandbox.proxy import Proxy
from sandbox.tls import Authority
from sandbox.world import Cluster, World

OPEN_FILES = 256
# libyaml where PyYAML was built with it: the kubeconfig of a fleet is long.
DUMPER: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Started:
    """A running sandbox: the URL of ARM, its resources, and the cluster sides by name in lower case.

    proxy: the URL of the HTTP proxy through which vaults are reached, empty without vaults.
    """

    azure: str
    tree: Tree
    clusters: Mapping[str, ClusterSide]
    stop: Callable[[], Awaitable[None]]
    proxy: str = ""


async def start(
    world: World,
    directory: Path,
    seconds: float,
    authority: Authority,
    on_request: Callable[[dict[str, Any]], None],
    *,
    listening: socket.socket | None = None,
    record: Path | None = None,
) -> Started:
    """Start on loopback, on a free port or a bound socket. ARM exchanges are appended to record."""
    _allow_files(len(world.clusters))
    clusters = await _clusters(world, directory, authority, on_request)
    operations, tree = Operations(), build_tree(world)
    base = ""
    azure = Azure(world, tree, operations, clusters, seconds, lambda side: kubeconfig([side], authority.ca_pem))
    app = ArmApp(azure, lambda: base, on_request, Recorder(record) if record else None)
    runner = web.AppRunner(app.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    context = authority.server_context()
    agents = [
        NodeAgent(
            clusters[cluster.name.lower()].client,
            {"": cluster.network, **{pool.name: pool.network for pool in cluster.pools if pool.network is not None}},
            cluster.registry,
            cluster.properties.get("httpProxyConfig") or {} if cluster.type == "managedClusters" else {},
        )
        for cluster in world.clusters
        if cluster.network is not None
    ]
    if listening:
        await web.SockSite(runner, listening, ssl_context=context).start()
    else:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    base = f"https://localhost:{runner.addresses[0][1]}"
    _private(directory / "kubeconfig", kubeconfig(list(clusters.values()), authority.ca_pem))

    vaults = Vaults(KeyVaultApp(world, lambda: base, on_request), authority) if world.vaults else None
    proxy = await vaults.start() if vaults else ""
    for agent in agents:
        agent.start([int(runner.addresses[0][1])])

    async def stop() -> None:
        await asyncio.gather(*(agent.stop() for agent in agents))
        await operations.stop()
        if vaults:
            await vaults.stop()
        await runner.cleanup()
        await asyncio.gather(*(side.stop() for side in clusters.values()))

    return Started(base, tree, clusters, stop, proxy)


class Vaults:
    """The data plane of key vaults, and the proxy that leads to it."""

    def __init__(self, app: KeyVaultApp, authority: Authority) -> None:
        self._runner = web.AppRunner(app.application(), access_log=None, shutdown_timeout=0.2)
        self._authority = authority
        self._proxy: Proxy | None = None

    async def start(self) -> str:
        """Start both; returns the URL of the proxy."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._authority.server_context()).start()
        self._proxy = Proxy({DNS_SUFFIX: self._runner.addresses[0][1]})
        return await self._proxy.start()

    async def stop(self) -> None:
        """Stop both."""
        if self._proxy:
            await self._proxy.stop()
        await self._runner.cleanup()


async def serve(world: World, directory: Path, seconds: float, record: Path | None = None) -> None:
    """Run until SIGTERM; DIR/state.json appears when all is ready. ARM exchanges are appended to record."""
    with (directory / "log.jsonl").open("w", encoding="utf-8", buffering=1) as log:

        def on_request(line: dict[str, Any]) -> None:
            log.write(json.dumps(line) + "\n")

        started = await start(world, directory, seconds, Authority(directory), on_request, record=record)
        state = {
            "pid": os.getpid(),
            "azure": started.azure,
            "tenant": world.tenant,
            "subscription": world.subscription,
            "proxy": started.proxy,
            "clusters": {side.name: side.server for side in started.clusters.values()},
        }
        _private(directory / "state.json", json.dumps(state, indent=1))
        await _until_signal()
        await started.stop()
        (directory / "state.json").unlink(missing_ok=True)


def kubeconfig(sides: list[ClusterSide], ca_pem: bytes) -> str:
    """A kubeconfig with a context for each cluster, named as the cluster; the first is current."""
    import base64

    authority = base64.b64encode(ca_pem).decode()
    return yaml.dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": cluster_side.name,
                    "cluster": {"server": cluster_side.server, "certificate-authority-data": authority},
                }
                for cluster_side in sides
            ],
            "users": [
                {"name": f"user-{cluster_side.name}", "user": {"token": cluster_side.token}} for cluster_side in sides
            ],
            "contexts": [
                {
                    "name": cluster_side.name,
                    "context": {"cluster": cluster_side.name, "user": f"user-{cluster_side.name}"},
                }
                for cluster_side in sides
            ],
            "current-context": sides[0].name if sides else "",
        },
        Dumper=DUMPER,
        sort_keys=False,
    )


async def _clusters(
    world: World, directory: Path, authority: Authority, on_request: Callable[[dict[str, Any]], None]
) -> dict[str, ClusterSide]:
    sides = await asyncio.gather(
        *(
            start_cluster_side(
                cluster.name,
                nodes=partial(node_objects, cluster),
                objects=partial(_objects, cluster, world),
                directory=directory / cluster.name,
                authority=authority,
                version=f"v{cluster.version}",
                real=cluster.real,
                lazy=cluster.lazy,
                forbidden_kinds=cluster.forbidden_kinds,
                faults=tuple(fault for fault in world.faults if fault.cluster.lower() == cluster.name.lower()),
                on_request=on_request,
            )
            for cluster in world.clusters
        )
    )
    return {side.name.lower(): side for side in sides}


def _allow_files(clusters: int) -> None:
    """Allow a socket for each cluster, and a few connections to each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES + clusters * 6
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _objects(cluster: Cluster, world: World) -> list[dict[str, Any]]:
    return [*agent_objects(cluster, world), *(dict(obj) for obj in cluster.objects)]


async def _until_signal() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def _private(file: Path, text: str) -> None:
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(text, encoding="utf-8")
    part.rename(file)
