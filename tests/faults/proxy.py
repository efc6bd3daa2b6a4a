"""A TLS proxy in front of the sandbox: it counts requests, and does to one of them what a fault says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.tls import Authority

HOP_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "accept-encoding"}
POLL_HEADERS = ("Location", "Azure-AsyncOperation")
READ_POSTS = re.compile(r"/(listkeys|listclusterusercredential|sharedkeys)$|accessreviews?$", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """What happens to a request, from faults.yaml.

    status, body and headers replace the response, and the sandbox never sees the request unless after is true, which
    forwards it first and loses its response. reset closes the connection. rewrite changes the sandbox's response: see
    `_REWRITES`. delay is in seconds. times is how many requests of the same method and path meet it. alters says that a valid
    response with other values comes of it, so that the output of a command may differ.
    """

    name: str
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    after: bool = False
    rewrite: str = ""
    delay: float = 0
    times: int = 1
    methods: tuple[str, ...] = ()
    alters: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that passed."""

    method: str
    path: str
    is_write: bool


class Proxy:
    """Forwards to `upstream`; meets the request number `at` (from 0) with `fault`, or calls `on_boundary` there."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self.base, self.foreign_base, self.upstream = "", "", ""
        self.seen: list[Seen] = []
        self.foreign: list[str] = []
        self._fault: Fault | None = None
        self._at = -1
        self._left = 0
        self._target: tuple[str, str] | None = None
        self._on_boundary: Callable[[], None] | None = None
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen on loopback: once as the user's cloud (localhost), once as a foreign host (127.0.0.1)."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._authority.client_context()), auto_decompress=True
        )
        self.base = await self._listen(self._forward, "localhost")
        self.foreign_base = await self._listen(self._note_foreign, "127.0.0.1")

    async def stop(self) -> None:
        """Stop listening."""
        for runner in self._runners:
            await runner.cleanup()
        if self._session:
            await self._session.close()

    def arm(self, fault: Fault | None, at: int, on_boundary: Callable[[], None] | None = None) -> None:
        """Forget what passed; let `fault` meet request number `at`."""
        self.seen, self.foreign = [], []
        self._fault, self._at, self._on_boundary = fault, at, on_boundary
        self._left, self._target = fault.times if fault else 0, None

    async def _listen(self, handler: Any, host: str) -> str:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._authority.server_context()).start()
        self._runners.append(runner)
        return f"https://{host}:{runner.addresses[0][1]}"

    async def _note_foreign(self, request: web.Request) -> web.Response:
        self.foreign.append(f"{request.method} {request.path_qs} {bool(request.headers.get('Authorization'))}")
        return web.json_response({"status": "Succeeded", "properties": {"provisioningState": "Succeeded"}})

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self._note(request)
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and (fault.status or fault.reset) and not fault.after:
            return self._faulty(request, fault)
        status, headers, text = await self._send(request, body)
        if fault and fault.after:
            return self._faulty(request, fault)
        if fault and fault.rewrite:
            status, headers, text = _REWRITES[fault.rewrite](self, status, headers, text)
        return web.Response(status=status, headers=headers, body=text)

    def _note(self, request: web.Request) -> Fault | None:
        """Record the request; return the fault that it meets."""
        if "/oauth2/" in request.path or ".well-known" in request.path:
            return None
        is_write = request.method in ("PUT", "PATCH", "DELETE", "POST") and not READ_POSTS.search(request.path)
        self.seen.append(Seen(request.method, request.path, is_write))
        if len(self.seen) - 1 == self._at:
            self._target = (request.method, request.path)
            if self._on_boundary:
                self._on_boundary()
        if self._fault and self._left and (request.method, request.path) == self._target:
            self._left -= 1
            return self._fault
        return None

    def _faulty(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.reset:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        headers = {name: value.replace("FOREIGN", self.foreign_base) for name, value in fault.headers.items()}
        return web.Response(status=fault.status, body=fault.body.encode(), headers=headers)

    async def _send(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        assert self._session
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        async with self._session.request(
            request.method, self.upstream + request.path_qs, data=body, headers=headers, allow_redirects=False
        ) as response:
            raw = (await response.read()).replace(self.upstream.encode(), self.base.encode())
            kept = {
                name: value.replace(self.upstream, self.base)
                for name, value in response.headers.items()
                if name.lower() not in HOP_HEADERS
            }
            return response.status, kept, raw


Rewritten = tuple[int, dict[str, str], bytes]


def _truncated(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    return status, headers, text[: len(text) // 2]


def _foreign_polls(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    changed = {
        name: value.replace(proxy.base, proxy.foreign_base) if name in POLL_HEADERS else value
        for name, value in headers.items()
    }
    return status, changed, text


def _next_link(proxy: Proxy, base: str, text: bytes) -> bytes:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        body["nextLink"] = f"{base}/subscriptions?api-version=2022-12-01&$skiptoken=x"
    return json.dumps(body).encode()


def _foreign_next_link(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    return status, headers, _next_link(proxy, proxy.foreign_base, text)


def _padded(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    return status, headers, text + b" " * 2_000_000


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return [7] if isinstance(value, list) else 7


def _wrong_types(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    try:
        return status, headers, json.dumps(_numbers(json.loads(text))).encode()
    except ValueError:
        return status, headers, text


def _unknown_state(proxy: Proxy, status: int, headers: dict[str, str], text: bytes) -> Rewritten:
    state = re.sub(rb'"(provisioningState|status)": ?"(Succeeded|Creating|Updating)"', rb'"\1": "Pondering"', text)
    return status, headers, state


_REWRITES: Mapping[str, Callable[[Proxy, int, dict[str, str], bytes], Rewritten]] = {
    "truncated": _truncated,
    "foreign-polls": _foreign_polls,
    "foreign-next-link": _foreign_next_link,
    "padded": _padded,
    "wrong-types": _wrong_types,
    "unknown-state": _unknown_state,
}
