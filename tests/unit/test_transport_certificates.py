"""Certificates of authorities are read once for all connections to Azure, and each connection is verified with them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from aiohttp import web
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest

from azext_amlk8s.azure.transport import pooled_transport
from sandbox.tls import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    loop, started = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def serve_text(request: web.Request) -> web.Response:
        return web.Response(text="served")

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", serve_text)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context()).start()
        ports.append(runner.addresses[0][1])
        started.set()
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    started.wait(10)
    yield f"https://127.0.0.1:{ports[0]}/"
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_a_server_with_a_certificate_of_the_authority_is_trusted(authority: Authority, server: str) -> None:
    transport = pooled_transport()
    for _ in range(2):
        response = transport.send(HttpRequest("GET", server), connection_verify=str(authority.ca_file))
        assert response.status_code == 200


def test_a_server_is_not_trusted_because_other_requests_have_trusted_it(authority: Authority, server: str) -> None:
    transport = pooled_transport()
    transport.send(HttpRequest("GET", server), connection_verify=str(authority.ca_file))
    with pytest.raises(ServiceRequestError, match="certificate verify failed"):
        transport.send(HttpRequest("GET", server), connection_verify=certifi.where())


def test_a_file_without_certificates_is_an_error_of_the_request(tmp_path: Path, server: str) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate\n", encoding="utf-8")
    with pytest.raises(ServiceRequestError):
        pooled_transport().send(HttpRequest("GET", server), connection_verify=str(broken))
