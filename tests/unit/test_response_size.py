"""A response that is larger than any list ends the request, also one that is small while it is compressed."""

from __future__ import annotations

import base64
import gzip
import resource
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.rest import HttpRequest

from azext_amlk8s.azure.transport import pooled_transport
from azext_amlk8s.kubernetes import UnexpectedResponse, connect
from azext_amlk8s.operations import helm_history
from azext_amlk8s.response_size import MOST_BYTES

KUBECONFIG = """
current-context: one
clusters: [{name: one, cluster: {server: "SERVER"}}]
users: [{name: one, user: {token: something}}]
contexts: [{name: one, context: {cluster: one, user: one}}]
"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        size = int(self.path[1:])
        body = gzip.compress(b'{"kind": "Pod"}' + b" " * size, 1)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_large_response_of_azure_is_read(server: str) -> None:
    response = pooled_transport().send(HttpRequest("GET", f"{server}/20000000"))
    assert len(response.content) > 20_000_000


def test_a_response_of_azure_that_is_too_large_is_an_error(server: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ServiceResponseError, match="larger than 100 MB"):
        pooled_transport().send(HttpRequest("GET", f"{server}/{4 * MOST_BYTES}"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000  # kB, the server's own included


def test_a_helm_release_that_is_too_large_is_not_unpacked() -> None:
    packed = base64.b64encode(base64.b64encode(gzip.compress(b" " * 2 * helm_history.MOST_BYTES, 9))).decode()
    secret = {"metadata": {"name": "one", "labels": {"version": "1"}}, "data": {"release": packed}}
    cluster: Any = SimpleNamespace(items=lambda path: [secret])
    assert helm_history.read_release(cluster, "azureml") == (
        {},
        "the cluster has no Helm release 'azureml' that can be read",
    )


def test_a_large_response_of_a_cluster_is_read(server: str) -> None:
    connected = connect(config_text=KUBECONFIG.replace("SERVER", server))
    assert connected.read("/20000000") == {"kind": "Pod"}


def test_a_response_of_a_cluster_that_is_too_large_is_an_error(server: str) -> None:
    connected = connect(config_text=KUBECONFIG.replace("SERVER", server))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnexpectedResponse, match="smaller than 100 MB"):
        connected.read(f"/{4 * MOST_BYTES}")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000  # kB, the server's own included
