"""What is different around a whole command: its network, the certificates that it trusts, its sign-in."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import trustme

from sandbox.key_vault.entries import DNS_SUFFIX

# What only commands that read vaults meet.
OF_VAULTS = ("no-vault-token", "unknown-vault", "untrusted-vault")


@contextmanager
def surrounded(name: str, config: Path) -> Iterator[Mapping[str, str]]:
    """Change the files in az's configuration folder, and return variables of the process; name is empty for neither."""
    if not name:
        yield {}
    elif name in ("no-tokens", "no-vault-token"):
        # az has to get a token first. MSAL remembers failed requests for tokens, and where it gets them.
        remembered = config / "msal_http_cache.bin"
        remembered.unlink(missing_ok=True)
        target = DNS_SUFFIX if name == "no-vault-token" else ""
        with _changed(config / "msal_token_cache.json", lambda text: _without_tokens(text, target)):
            try:
                yield {}
            finally:
                remembered.unlink(missing_ok=True)
    elif name == "unknown-host":
        with _changed(
            config / "clouds.config",
            lambda text: re.sub(r"(endpoint_resource_manager = )\S+", r"\1https://amlk8s.invalid", text),
        ):
            yield {}
    elif name == "untrusted-certificate":
        import certifi

        yield {"REQUESTS_CA_BUNDLE": certifi.where()}
    elif name == "unknown-vault":  # no name server knows the host
        yield {"NO_PROXY": "*", "no_proxy": "*"}
    elif name == "untrusted-vault":
        with _http_proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", _other_authority()) as port:
            yield _through(f"http://127.0.0.1:{port}")
    elif name == "closed-proxy":
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        yield _through(f"http://127.0.0.1:{port}")
    else:
        with _http_proxy(PROXY_RESPONSES[name]) as port:
            yield _through(f"http://user:proxy-password@127.0.0.1:{port}")


PROXY_RESPONSES = {
    "proxy-authentication": b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    "proxy-forbidden": b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
    "proxy-gateway": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "proxy-reset": b"",
}


@contextmanager
def _http_proxy(response: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """An HTTP proxy that answers every CONNECT with the same bytes, shakes hands, and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(5)
                    try:
                        connection.recv(65536)
                        connection.sendall(response)
                        if tls:
                            tls.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _other_authority() -> ssl.SSLContext:
    """The context of a server for vaults whose certificate is of an authority that az does not trust."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(f"*.{DNS_SUFFIX}").configure_cert(context)
    return context


@contextmanager
def _changed(file: Path, change: Callable[[str], str]) -> Iterator[None]:
    text = file.read_text(encoding="utf-8")
    file.write_text(change(text), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


def _through(proxy: str) -> dict[str, str]:
    return {"HTTPS_PROXY": proxy, "https_proxy": proxy}


def _without_tokens(text: str, target: str) -> str:
    """The cache without the access tokens for a target, a part of its scope."""
    cache = json.loads(text)
    kept = {key: token for key, token in cache["AccessToken"].items() if target not in str(token.get("target"))}
    return json.dumps({**cache, "AccessToken": kept})
