"""The stand-in of a cluster's API server on a port of its own; it starts at once, or when somebody connects."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.kubernetes.api import Api
from sandbox.kubernetes.client import KubeClient
from sandbox.tls import Authority

log = logging.getLogger(__name__)


class StandIn:
    """An API server with a bound port. Until it starts, it costs one socket: connections wait in its queue."""

    def __init__(
        self, api: Callable[[], Api], authority: Authority, token: str, seed: Callable[[KubeClient], Awaitable[None]]
    ) -> None:
        self._api, self._authority, self._token, self._seed = api, authority, token, seed
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._runner: web.AppRunner | None = None
        self._starting: asyncio.Task[None] | None = None
        self.server = f"https://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Create the objects of the cluster, then accept connections. Raises ValueError for an object of the world."""
        self._runner = web.AppRunner(self._api().application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        private = web.TCPSite(self._runner, "127.0.0.1", 0)
        await private.start()
        address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        client = KubeClient(address, self._token, self._authority.client_context())
        try:
            await self._seed(client)
        finally:
            await client.close()
        await private.stop()
        await web.SockSite(self._runner, self._socket, ssl_context=self._authority.server_context()).start()

    def start_when_used(self) -> None:
        """Start as soon as there is a connection."""
        loop = asyncio.get_running_loop()

        def begin() -> None:
            loop.remove_reader(self._socket)
            self._starting = loop.create_task(self._start_late())

        loop.add_reader(self._socket, begin)

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
