"""How responses leave a server that injects faults: slowly, in pieces, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from aiohttp import web

from sandbox.faults import Fault

PIECES = 10


def reset(request: web.Request) -> web.Response:
    """End the connection without a response."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


async def _wait(request: web.Request, seconds: float) -> None:
    """Sleep as long as the client waits."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and request.transport and not request.transport.is_closing():
        await asyncio.sleep(min(left, 0.2))


async def send(request: web.Request, response: web.Response, faults: Iterable[Fault]) -> web.StreamResponse:
    """Send a response as the faults `slow` (late) and `slow-body` (headers at once, the body in pieces) say."""
    by_kind = {fault.kind: fault for fault in faults}
    if slow := by_kind.get("slow"):
        await _wait(request, slow.seconds)
    dripping = by_kind.get("slow-body")
    if dripping is None or not isinstance(response.body, bytes):
        return response
    body, headers = response.body, response.headers.copy()
    headers["Content-Length"] = str(len(body))
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    step = len(body) // PIECES + 1
    for start in range(0, len(body), step):
        await asyncio.sleep(dripping.seconds / PIECES)
        await stream.write(body[start : start + step])
    await stream.write_eof()
    return stream
