"""An HTTP proxy that knows the hosts of the sandbox which no name server knows, and refuses all others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

MAX_HEADER = 16 * 1024


class Proxy:
    """CONNECT to hosts with known suffixes, each of which is a port of loopback."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = {suffix.lower(): port for suffix, port in ports.items()}
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen on a free port of loopback and return the proxy's URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_HEADER)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and close all tunnels."""
        if self._server:
            self._server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.ensure_future(self._handle(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, *_ = head.decode("latin-1").split()
            port = self._port(target) if method == "CONNECT" else None
            if port is None:
                reason = f"The sandbox knows no host {target}."
                writer.write(f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {len(reason)}\r\n\r\n{reason}".encode())
                return
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_copy(reader, upstream), _copy(upstream_reader, writer))
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _port(self, target: str) -> int | None:
        host = target.rsplit(":", 1)[0].lower()
        return next((port for suffix, port in self._ports.items() if host.endswith(f".{suffix}")), None)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
