"""The stand-in of a cluster's API server on a port of its own; it starts at once, or when somebody connects."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from sandbox.kubernetes.api import Api
from sandbox.kubernetes.client import KubeClient, KubernetesError
from sandbox.tls import Authority

log = logging.getLogger(__name__)


class StandIn:
    """An API server with a bound port. Until it starts, it costs one socket: connections wait in its queue."""

    def __init__(
        self, new_api: Callable[[], Api], authority: Authority, seed: Callable[[KubeClient], Awaitable[None]]
    ) -> None:
        self._new_api, self._authority, self._seed = new_api, authority, seed
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._api: Api | None = None
        self._runner: web.AppRunner | None = None
        self._starting: asyncio.Task[None] | None = None
        self.server = f"https://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Create the objects of the cluster, then accept connections. Raises ValueError for an object of the world."""
        api = self._new_api()
        self._runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self._seed(KubeClient(api))
        await web.SockSite(self._runner, self._socket, ssl_context=self._authority.server_context()).start()
        self._api = api

    def start_when_used(self) -> None:
        """Start as soon as there is a connection."""
        asyncio.get_running_loop().add_reader(self._socket, self._begin)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._starting = loop.create_task(self._start_late())

    async def call(
        self, method: str, path: str, query: Mapping[str, str], body: str, content_type: str
    ) -> tuple[int, str]:
        """Status and body of the response to a request of the sandbox itself. Starts what has not started.

        Raises KubernetesError where it cannot start.
        """
        if self._api is None:
            if self._starting is None:
                self._begin()
            if self._starting:
                await asyncio.shield(self._starting)
        if self._api is None:
            raise KubernetesError(503, "the API server did not start")
        return await self._api.call(method, path, query, body, content_type)

    async def stop(self) -> None:
        """Stop the server and release the port."""
        if self._starting:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()
        else:
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def _start_late(self) -> None:
        try:
            await self.start()
        except Exception:
            log.exception("The API server at %s did not start.", self.server)
            self._socket.close()
