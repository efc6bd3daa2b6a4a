"""A TLS proxy between az and the sandbox, on the side of Azure, vaults and each cluster, and a host that is neither."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from sandbox.key_vault.entries import DNS_SUFFIX
from sandbox.proxy import Proxy as ConnectProxy
from sandbox.tls import Authority
from tests.faults.raw import RAW
from tests.faults.rewrites import REWRITES, Response

HOP_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "content-encoding", "accept-encoding"}
READ_POSTS = re.compile(r"/(listkeys|listclusterusercredential|sharedkeys|token)$|accessreviews?$", re.IGNORECASE)
POLLS = re.compile(r"/(operations|computeoperationsstatus|operationresults|operationstatuses)/[^/]+$", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\*\w+)?", re.IGNORECASE)
# The namespace of a probe.
RANDOM_NAME = re.compile(r"(?<=/az-amlk8s-probe-)[0-9a-f]{8}")
ALL_REQUESTS = 10**6
# How long a hung response is withheld; clients give up earlier.
HUNG_SECONDS = 600
PIECES, PIECES_PER_SECOND = 8, 4
ECHOES: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda value: quote(value, safe=""),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "json": lambda value: json.dumps(json.dumps(value)),
    "html": html.escape,
}


@dataclass(frozen=True)
class Fault:
    """What happens to a request, from faults.yaml.

    side: azure, vault, cluster or login; a fault of azure is one of vaults too. kinds: the kinds of requests that it
    fits (read, write, poll). status, body and headers replace the response, and the sandbox does not see the request
    unless after is true, which forwards it first and loses its response. reset closes the connection; cut closes it in
    the middle of the body; hang never responds. rewrite changes the response of the sandbox: see rewrites.py; raw sends
    it as other bytes: see raw.py. echo has the error repeat what was sent, in one of the ways of ECHOES. delay is in
    seconds before the response, drip in seconds that its body takes. signal is sent to az when the request arrives, or
    after it was processed; again after the delay where signals is 2. times: how many requests of the same method and
    path meet it.

    alters: a valid response with other values comes of it, so that the output may differ. survives: the kinds of
    requests for which the command must succeed nevertheless; fails: for which it must not exit with 0. first: only the
    first request of each kind meets it, because it takes long. written: only reads of a resource that the command
    has written, which follow what becomes of it; with false, none of these. surroundings: what is changed around the
    whole command, see surroundings.py.
    """

    name: str
    side: str = "azure"
    kinds: tuple[str, ...] = ("read", "write", "poll")
    methods: tuple[str, ...] = ()
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    cut: bool = False
    hang: bool = False
    after: bool = False
    rewrite: str = ""
    raw: str = ""
    echo: str = ""
    delay: float = 0
    drip: float = 0
    signal: str = ""
    signals: int = 1
    times: int = 1
    alters: bool = False
    survives: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    first: bool = False
    written: bool | None = None
    surroundings: str = ""


@dataclass(frozen=True, order=True)
class Request:
    """A request that passed: number counts those of the same method and path, from 1. IDs in path are stars."""

    side: str
    method: str
    path: str
    number: int
    kind: str

    @property
    def name(self) -> str:
        """The request in one word for a method, a path and a number."""
        return f"{self.method} {'' if self.side == 'azure' else self.side + ':'}{self.path}#{self.number}"


@dataclass
class _Armed:
    """A fault, and the request that it meets; without one it is the next request of its side and kinds."""

    fault: Fault
    target: Request | None
    left: int
    path: tuple[str, str, str] | None = None


class Proxy:
    """Forwards to Azure and clusters, records what passes, and lets the armed faults happen."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self.base, self.foreign_base, self.upstream = "", "", ""
        self.cluster_bases: dict[str, str] = {}
        self.cluster_upstreams: dict[str, str] = {}
        # The URL of the HTTP proxy that leads to vaults, that of the sandbox's own, the hosts, and what they returned.
        self.vault_proxy, self.vault_upstream = "", ""
        self.vault_hosts: frozenset[str] = frozenset()
        self.vault_values: set[str] = set()
        self.seen: list[Request] = []
        self.foreign: list[str] = []
        self.met = 0
        self._armed: list[_Armed] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._on_signal: Callable[[str], None] | None = None
        self._runners: list[web.AppRunner] = []
        self._session: aiohttp.ClientSession | None = None
        self._connect: ConnectProxy | None = None

    async def start(self, clusters: tuple[str, ...]) -> None:
        """Listen on loopback: for Azure as localhost, for each cluster, and as a foreign host (127.0.0.1)."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._authority.client_context()))
        self.base = await self._listen(self._forward_azure, "localhost")
        self.foreign_base = await self._listen(self._note_foreign, "127.0.0.1")
        for name in clusters:
            self.cluster_bases[name] = await self._listen(self._forward_cluster(name), "localhost")
        vaults = await self._listen(self._forward_vault, "localhost")
        self._connect = ConnectProxy({DNS_SUFFIX: int(vaults.rpartition(":")[2])})
        self.vault_proxy = await self._connect.start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._connect:
            await self._connect.stop()
        if self._session:
            await self._session.close()
        for runner in self._runners:
            await runner.cleanup()

    def arm(self, *faults: tuple[Fault, Request | None], on_signal: Callable[[str], None] | None = None) -> None:
        """Forget what passed; let each fault meet its request, or the next one after the fault before it."""
        self.seen, self.foreign, self.met = [], [], 0
        self._counts.clear()
        self._armed = [_Armed(fault, target, fault.times) for fault, target in faults]
        self._on_signal = on_signal

    async def _listen(self, handler: Any, host: str) -> str:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._authority.server_context()).start()
        self._runners.append(runner)
        return f"https://{host}:{runner.addresses[0][1]}"

    async def _note_foreign(self, request: web.Request) -> web.Response:
        self.foreign.append(f"{request.method} {request.path_qs} {'Authorization' in request.headers}")
        return web.json_response({"status": "Succeeded", "properties": {"provisioningState": "Succeeded"}})

    async def _forward_azure(self, request: web.Request) -> web.StreamResponse:
        side = "login" if "/oauth2/" in request.path or ".well-known" in request.path else "azure"
        return await self._forward(request, side, self.base, self.upstream)

    async def _forward_vault(self, request: web.Request) -> web.StreamResponse:
        if request.host not in self.vault_hosts:
            return await self._note_foreign(request)
        host = f"https://{request.host}"
        return await self._forward(request, "vault", host, host)

    def _forward_cluster(self, name: str) -> Any:
        async def forward(request: web.Request) -> web.StreamResponse:
            return await self._forward(request, "cluster", self.cluster_bases[name], self.cluster_upstreams[name])

        return forward

    async def _forward(self, request: web.Request, side: str, base: str, upstream: str) -> web.StreamResponse:
        body = await request.read()
        fault = self._note(request, side)
        if fault is None:
            return _web_response(await self._send(request, body, base, upstream))
        if fault.after:
            await self._send(request, body, base, upstream)
        armed = self._armed
        for number in range(fault.signals if fault.signal else 0):
            await asyncio.sleep(fault.delay if number else 0)
            if self._on_signal and self._armed is armed:  # the first may have ended the command; the next is another
                self._on_signal(fault.signal)
        await asyncio.sleep(HUNG_SECONDS if fault.hang else fault.delay)
        if fault.reset:
            return _abort(request)
        if fault.echo:
            return _echo(request, body, fault)
        if fault.status:
            headers = {name: value.replace("FOREIGN", self.foreign_base) for name, value in fault.headers.items()}
            return web.Response(status=fault.status, body=fault.body.encode(), headers=headers)
        response = await self._send(request, body, base, upstream)
        if fault.rewrite:
            response = REWRITES[fault.rewrite](response, base + request.path_qs, self.foreign_base)
        if fault.raw:
            return _send_bytes(request, RAW[fault.raw](response))
        return await _in_pieces(request, response, fault) if fault.cut or fault.drip else _web_response(response)

    def _note(self, request: web.Request, side: str) -> Fault | None:
        """Record a request; return the fault that it meets."""
        path = normalize(request.path)
        key = (side, request.method, path)
        self._counts[key] += 1
        seen = Request(side, request.method, path, self._counts[key], _kind(request))
        self.seen.append(seen)
        for armed in self._armed:
            if armed.path is None and _is_met(armed, seen):
                armed.path = key
            if armed.path == key and armed.left:
                armed.left -= 1
                self.met += 1
                return armed.fault
            if armed.path is None and armed.left:
                return None  # a fault that is yet to come delays those after it
        return None

    async def _send(self, request: web.Request, body: bytes, base: str, upstream: str) -> Response:
        assert self._session
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        async with self._session.request(
            request.method,
            upstream + request.path_qs,
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=self.vault_upstream if request.host in self.vault_hosts else None,
        ) as response:
            raw = (await response.read()).replace(upstream.encode(), base.encode())
            kept = {
                name: value.replace(upstream, base)
                for name, value in response.headers.items()
                if name.lower() not in HOP_HEADERS
            }
            if request.host in self.vault_hosts:
                self.vault_values.update(_leaves(raw, "value"))
            return Response(response.status, kept, raw)


def normalize(path: str) -> str:
    """A path without the subscription, its IDs and random names replaced by stars."""
    path = RANDOM_NAME.sub("*", path)
    return UUID.sub("*", re.sub(r"^/subscriptions/[^/]+(?=/)", "", path))


def _kind(request: web.Request) -> str:
    if POLLS.search(request.path):
        return "poll"
    is_read = (
        request.method in ("GET", "HEAD", "OPTIONS") or READ_POSTS.search(request.path) or "dryRun" in request.query
    )
    return "read" if is_read else "write"


def _is_met(armed: _Armed, seen: Request) -> bool:
    if armed.target is not None:
        return armed.target == seen
    fault = armed.fault
    return seen.side == fault.side and seen.kind in fault.kinds and (not fault.methods or seen.method in fault.methods)


def _echo(request: web.Request, body: bytes, fault: Fault) -> web.Response:
    """An error that repeats the body and the token of a request, in its message or in a header."""
    sent = f"{request.headers.get('Authorization', '')} {body.decode(errors='replace')}"
    values = [sent, *_leaves(body)]
    if fault.echo == "header":
        headers = {f"x-ms-echo-{number}": quote(value, safe=" ") for number, value in enumerate(values)}
        return web.json_response({"error": {"code": "Invalid", "message": "No."}}, status=fault.status, headers=headers)
    text = " and ".join(map(ECHOES[fault.echo], values))
    if fault.echo == "html":
        return web.Response(status=fault.status, text=f"<html>{text}</html>", content_type="text/html")
    error = {"code": "InvalidValue", "message": f"The value {text} is not valid.", "details": [{"message": text}]}
    return web.json_response({"error": error}, status=fault.status)


def _leaves(body: bytes, member: str = "") -> list[str]:
    """The texts in a JSON body, or in a member of it."""
    try:
        value = json.loads(body)
        waiting, found = [value.get(member) if member else value], []
    except (ValueError, AttributeError):
        return []
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str):
            found.append(value)
    return found


def _send_bytes(request: web.Request, raw: bytes) -> web.Response:
    if request.transport:
        request.transport.write(raw)
        request.transport.close()
    return web.Response(status=500)


def _abort(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _web_response(response: Response) -> web.Response:
    return web.Response(status=response.status, headers=response.headers, body=response.body)


async def _in_pieces(request: web.Request, response: Response, fault: Fault) -> web.StreamResponse:
    """Send the body slowly, or only half of it before the connection ends."""
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    pieces = max(PIECES, int(fault.drip * PIECES_PER_SECOND))
    step = len(response.body) // pieces + 1
    for start in range(0, len(response.body), step):
        if fault.cut and start >= len(response.body) // 2:
            break
        await asyncio.sleep(fault.drip / pieces)
        await stream.write(response.body[start : start + step])
    if fault.cut:
        return _abort(request)
    await stream.write_eof()
    return stream
