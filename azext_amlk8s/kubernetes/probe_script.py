"""The program of a probe: tests names, connections and certificates from inside a pod. It needs Python alone.

`az amlk8s check --probe` sends the text of this file to the cluster; the argument is a JSON list of hosts, each with a
port or 443. The result is one JSON object in /dev/termination-log, which the kubelet copies to the status of the pod,
and on standard output:

    {"proxy": "http://…" or "", "authorities": 140, "hosts": [{"host", "stage", "error", "issuer", "proxied"}]}

stage is where it ended: dns, connect, proxy, tls (the certificate is not trusted), handshake, or empty for a success.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

SECONDS = 10
LOG = "/dev/termination-log"
MOST_CHARACTERS, MOST_BYTES = 60, 4096


def main(hosts: Any) -> None:
    """Test the hosts in parallel and write the result."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(test_host, hosts))
    text = to_text(results)
    if len(text) > MOST_BYTES:  # the kubelet cuts off what is longer; successes are told by their names alone
        text = to_text([result if result.get("stage") else {"host": result["host"]} for result in results])
    print(text)
    try:
        with open(LOG, "w", encoding="utf-8") as log:
            log.write(text)
    except OSError:
        pass


def to_text(results: list[dict[str, Any]]) -> str:
    """The result of the probe as JSON."""
    result = {
        "proxy": hide_user(getproxies().get("https", "")),
        "authorities": ssl.create_default_context().cert_store_stats()["x509_ca"],
        "hosts": results,
    }
    return json.dumps(result, separators=(",", ":"))


def test_host(host: str) -> dict[str, Any]:
    """Where a connection to a host ends."""
    name, _, port = host.partition(":")
    proxy = proxy_of(name)
    result: dict[str, Any] = {"host": host}
    if proxy:
        result["proxied"] = True
    try:
        issuer, problem = issuer_of(name, int(port or 443), proxy, True)
        if problem:
            issuer, _ = issuer_of(name, int(port or 443), proxy, False)
            result.update(stage="tls", error=problem[:MOST_CHARACTERS])
        result["issuer"] = issuer[:MOST_CHARACTERS]
    except Ended as ended:
        result.update(stage=ended.stage, error=str(ended)[:MOST_CHARACTERS])
    return result


class Ended(Exception):
    """A test that ended at a stage, and why."""

    def __init__(self, stage: str, error: object) -> None:
        super().__init__(str(error))
        self.stage = stage


def issuer_of(name: str, port: int, proxy: tuple[str, int] | None, verify: bool) -> tuple[str, str]:
    """The issuer of a host's certificate, and why it is not trusted. Raises Ended before there is a certificate."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(name, port, proxy) as sock:
        try:
            with context.wrap_socket(sock, server_hostname=name) as tls:
                return read_issuer(tls.getpeercert(True) or b""), ""
        except ssl.SSLCertVerificationError as error:
            return "", error.verify_message or str(error)
        except (OSError, ValueError) as error:
            raise Ended("handshake", error) from None


def connect(name: str, port: int, proxy: tuple[str, int] | None) -> socket.socket:
    """A connection to the host, through the proxy if there is one. Raises Ended."""
    target = proxy or (name, port)
    try:
        socket.getaddrinfo(target[0], target[1], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Ended("dns", error) from None
    try:
        sock = socket.create_connection(target, SECONDS)
    except OSError as error:
        raise Ended("connect", error) from None
    if proxy:
        try:
            sock.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
            answer = sock.recv(4096).split(b"\r\n")[0].decode("ascii", "replace")
        except OSError as error:
            sock.close()
            raise Ended("proxy", error) from None
        if " 200" not in answer:
            sock.close()
            raise Ended("proxy", answer.partition(" ")[2] or "no response")
    return sock


def proxy_of(name: str) -> tuple[str, int] | None:
    """Host and port of the proxy for a host, from the variables of the container."""
    address = getproxies().get("https", "")
    if not address or proxy_bypass(name):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return (parts.hostname or "", parts.port or 80)


def hide_user(address: str) -> str:
    """An address without user and password."""
    scheme, separator, rest = address.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def read_issuer(certificate: bytes) -> str:
    """Organization and name of the issuer of a certificate in DER; empty where this Python cannot decode it."""
    try:
        descriptor = os.memfd_create("certificate")
        with os.fdopen(descriptor, "wb") as file:
            file.write(ssl.DER_cert_to_PEM_cert(certificate).encode())
            file.flush()
            module: Any = ssl
            # The standard library decodes only certificates that it trusts by a public name.
            decoded = module._ssl._test_decode_cert(f"/proc/self/fd/{descriptor}")  # pylint: disable=protected-access
    except (AttributeError, OSError, ValueError):
        return ""
    names = dict(pair for group in decoded.get("issuer", ()) for pair in group)
    return ", ".join(names[key] for key in ("organizationName", "commonName") if key in names)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
