"""The client for clusters against an HTTPS server: credentials, certificates, proxies, and what failures say."""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from azext_amlk8s.kubernetes import Cluster, ClusterRefused, ClusterUnreachable, KubeconfigUnusable, connect

CA, CLIENT_CA = trustme.CA(), trustme.CA()
CLIENT = CLIENT_CA.issue_cert("me@example.com", common_name="me")
NODES = {"kind": "NodeList", "items": [{"metadata": {"name": "n"}}]}
Entry = dict[str, Any]


class Server:
    """An API server for one path that knows one Authorization header, or one client certificate."""

    def __init__(self, name: str, authorization: str | None) -> None:
        self.authorization, self.paths, self.connects = authorization, [], []  # type: ignore[var-annotated]
        self.response, self.encoding = json.dumps(NODES).encode(), ""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.paths.append(self.path)
                known = self.headers.get("Authorization") == server.authorization
                content = server.response if known else b'{"kind": "Status", "reason": "Unauthorized"}'
                self.send_response(200 if known else 401)
                self.send_header("Content-Length", str(len(content)))
                if server.encoding:
                    self.send_header("Content-Encoding", server.encoding)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CA.issue_cert(name).configure_cert(context)
        if authorization is None:
            CLIENT_CA.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.address = f"https://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers = []

    def start(authorization: str | None = "Bearer right", name: str = "127.0.0.1") -> Server:
        servers.append(Server(name, authorization))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def data(pem: bytes) -> str:
    return base64.b64encode(pem).decode("ascii")


TRUSTED = {"certificate-authority-data": data(CA.cert_pem.bytes())}


def config_text(address: str, user: Entry, cluster: Entry | None = None) -> str:
    return yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": address, **(TRUSTED if cluster is None else cluster)}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


def open_cluster(address: str, user: Entry, cluster: Entry | None = None) -> Cluster:
    return connect(config_text=config_text(address, user, cluster))


def nodes(cluster: Cluster) -> list[str]:
    return [node["metadata"]["name"] for node in cluster.items("/api/v1/nodes")]


PLUGIN = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh"}}
USERS: dict[str, tuple[str, Entry]] = {
    "token": ("Bearer right", {"token": "right"}),
    "password": ("Basic bWU6cGFzc3dvcmQ=", {"username": "me", "password": "password"}),
    "plugin": (
        "Bearer right",
        {"exec": {**PLUGIN["exec"], "args": ["-c", """echo '{"status": {"token": "right"}}'"""]}},
    ),
    "token before plugin": ("Bearer right", {"token": "right", "exec": {**PLUGIN["exec"], "args": ["-c", "exit 1"]}}),
}


@pytest.mark.parametrize("name", USERS)
def test_credentials(serve: Callable[..., Server], name: str) -> None:
    authorization, user = USERS[name]
    assert nodes(open_cluster(serve(authorization).address, user)) == ["n"]


def test_a_path_of_the_server_comes_before_that_of_the_request(serve: Callable[..., Server]) -> None:
    server = serve()
    nodes(open_cluster(f"{server.address}/k8s/clusters/c-1/", {"token": "right"}))
    assert server.paths == ["/k8s/clusters/c-1/api/v1/nodes"]


def test_a_rejected_token_is_read_again(serve: Callable[..., Server], tmp_path: Path) -> None:
    """As the token of a service account, which the kubelet replaces; its path is relative to the kubeconfig."""
    server, token, file = serve("Bearer old"), tmp_path / "token", tmp_path / "config"
    token.write_text("old\n")
    file.write_text(config_text(server.address, {"tokenFile": "token"}))
    cluster = connect(kubeconfig=str(file))
    assert nodes(cluster) == ["n"]
    server.authorization = "Bearer new"
    token.write_text("new\n")
    assert nodes(cluster) == ["n"]
    token.write_text("wrong\n")
    server.authorization = "Bearer newer"
    with pytest.raises(ClusterRefused) as refused:
        nodes(cluster)
    assert refused.value.status == 401


def test_a_plugin_runs_again_for_a_rejected_token(serve: Callable[..., Server], tmp_path: Path) -> None:
    server, runs = serve("Bearer 1"), tmp_path / "runs"
    script = f"echo >> {runs}; " + """echo "{\\"status\\": {\\"token\\": \\"$(wc -l < RUNS | tr -d ' ')\\"}}" """
    plugin = {**PLUGIN["exec"], "args": ["-c", script.replace("RUNS", str(runs))]}
    cluster = open_cluster(server.address, {"exec": plugin})
    assert nodes(cluster) == nodes(cluster) == ["n"]
    server.authorization = "Bearer 2"
    assert nodes(cluster) == ["n"]


@pytest.mark.parametrize("as_files", [False, True], ids=["data", "files"])
def test_client_certificate(serve: Callable[..., Server], tmp_path: Path, as_files: bool) -> None:
    certificate, key = CLIENT.cert_chain_pems[0].bytes(), CLIENT.private_key_pem.bytes()
    user = {"client-certificate-data": data(certificate), "client-key-data": data(key)}
    cluster = TRUSTED
    if as_files:
        for name, content in (("me.crt", certificate), ("me.key", key), ("ca.crt", CA.cert_pem.bytes())):
            (tmp_path / name).write_bytes(content)
        user = {"client-certificate": "me.crt", "client-key": str(tmp_path / "me.key")}
        cluster = {"certificate-authority": "ca.crt"}
    file = tmp_path / "config"
    file.write_text(config_text(serve(None).address, user, cluster))
    assert nodes(connect(kubeconfig=str(file))) == ["n"]


def test_an_encrypted_key_is_an_error(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(CLIENT.private_key_pem.bytes(), None)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"secret"),
    )
    user = {"client-certificate-data": data(CLIENT.cert_chain_pems[0].bytes()), "client-key-data": data(pem)}
    with pytest.raises(KubeconfigUnusable, match="A certificate or key in the kubeconfig from Azure cannot be read"):
        open_cluster("https://127.0.0.1:1", user)


TRUST: dict[str, tuple[str, Entry, str]] = {
    "CA": ("127.0.0.1", TRUSTED, ""),
    "no verification": ("other.example", {"insecure-skip-tls-verify": True}, ""),
    "another name": ("other.example", {**TRUSTED, "tls-server-name": "other.example"}, ""),
    "wrong name": ("127.0.0.1", {**TRUSTED, "tls-server-name": "other.example"}, "certificate is not valid"),
    "another CA": ("127.0.0.1", {"certificate-authority-data": data(CLIENT_CA.cert_pem.bytes())}, "issuer certificate"),
    "public CAs": ("127.0.0.1", {}, "issuer certificate"),
}


@pytest.mark.parametrize("name", TRUST)
@pytest.mark.filterwarnings("error")
def test_verification(serve: Callable[..., Server], name: str) -> None:
    certificate_name, cluster, problem = TRUST[name]
    opened = open_cluster(serve(name=certificate_name).address, {"token": "right"}, cluster)
    if not problem:
        assert nodes(opened) == ["n"]
        return
    with pytest.raises(ClusterUnreachable, match=f"Cannot verify the certificate.*{problem}") as error:
        nodes(opened)
    assert "az aks get-credentials" in error.value.fixes[0]


def test_nobody_listens(serve: Callable[..., Server]) -> None:
    server = serve()
    server.close()
    with pytest.raises(ClusterUnreachable) as error:
        nodes(open_cluster(server.address, {"token": "right"}))
    assert str(error.value).endswith("Connection refused.")
    assert error.value.fixes == ("kubectl --context x cluster-info",)


def test_compressed_response(serve: Callable[..., Server]) -> None:
    server = serve()
    server.response, server.encoding = gzip.compress(server.response), "gzip"
    assert nodes(open_cluster(server.address, {"token": "right"})) == ["n"]
    server.response = b"not compressed"
    with pytest.raises(ClusterRefused, match="expected a response that can be decoded"):
        nodes(open_cluster(server.address, {"token": "right"}))


class Proxy(BaseHTTPRequestHandler):
    """Refuses every tunnel, and says to whom."""

    def do_CONNECT(self) -> None:
        pair = base64.b64decode((self.headers.get("Proxy-Authorization") or "").removeprefix("Basic ")).decode()
        self.send_error(403, f"{pair or 'nobody'} to {self.path}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


PROXIES: dict[str, tuple[dict[str, str], Entry, str]] = {
    "of the kubeconfig": ({}, {"proxy-url": "http://{proxy}"}, "nobody to cluster.example:443"),
    "with a password": ({}, {"proxy-url": "http://me:p%40ss@{proxy}"}, "me:.* to cluster.example:443"),
    "of the environment": ({"HTTPS_PROXY": "http://{proxy}"}, {}, "nobody to cluster.example:443"),
    "of the kubeconfig before that of the environment": (
        {"HTTPS_PROXY": "http://127.0.0.1:1"}, {"proxy-url": "http://{proxy}"}, "nobody to cluster.example:443"
    ),
    "that is not for this host": ({"HTTPS_PROXY": "http://{proxy}", "NO_PROXY": ".example"}, {}, "reached: (?!Tunnel)"),
    "that is for other schemes": ({"HTTP_PROXY": "http://{proxy}"}, {}, "reached: (?!Tunnel)"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROXIES)
def test_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str, name: str) -> None:
    """Requests go to the proxy, which refuses them, or to the host, which does not exist."""
    environment, entry, reason = PROXIES[name]
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value.format(proxy=proxy))
    cluster = {key: value.format(proxy=proxy) for key, value in entry.items()}
    with pytest.raises(ClusterUnreachable, match=reason):
        nodes(open_cluster("https://cluster.example", {"token": "right"}, cluster))


def test_a_cluster_on_this_computer_is_not_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Server]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert nodes(open_cluster(serve().address, {"token": "right"})) == ["n"]


INVALID: dict[str, tuple[Entry, Entry, str]] = {
    "token that is a number": ({"token": 5}, {}, "expected a string as 'token' of a user"),
    "token with a line break": ({"token": "right\nX-Other: 1"}, {}, "characters that no token may have"),
    "argument that is a number": ({"exec": {"command": "x", "args": [5]}}, {}, "a list of strings as 'exec.args'"),
    "variable without a value": ({"exec": {"command": "x", "env": [{"name": "A"}]}}, {}, "name and a value"),
    "plugin without a command": ({"exec": {"args": []}}, {}, "expected a string as 'exec.command'"),
    "verification that is a text": ({}, {"insecure-skip-tls-verify": "no"}, "expected true or false as"),
    "cluster without a server": ({}, {"server": None}, "cluster 'c' has no server"),
    "server without a scheme": ({}, {"server": "cluster.example"}, "is not an https address"),
    "proxy without a scheme": ({}, {"proxy-url": "proxy"}, "The proxy 'proxy' of the kubeconfig from Azure is not an"),
    "proxy of another kind": ({}, {"proxy-url": "ftp://me:hidden@proxy:1"}, "The proxy 'proxy:1' of"),
    "token file that is missing": ({"tokenFile": "/none/token"}, {}, "does not exist: '/none/token'"),
    "key file that is missing": (
        {"client-certificate-data": "eA==", "client-key": "/none/key"},
        {},
        "does not exist: '/none/key'",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_kubeconfig(name: str) -> None:
    user, cluster, problem = INVALID[name]
    with pytest.raises(KubeconfigUnusable) as error:
        open_cluster("https://127.0.0.1:1", user, cluster)
    assert problem in str(error.value)


def test_entries_that_the_context_does_not_name_do_not_matter(serve: Callable[..., Server]) -> None:
    document = yaml.safe_load(config_text(serve().address, {"token": "right"}))
    document["users"].append({"name": "other", "user": {"token": 5}})
    document["clusters"].append({"name": "other"})
    assert nodes(connect(config_text=yaml.safe_dump(document))) == ["n"]
