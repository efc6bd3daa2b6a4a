"""A container of the sandbox: one process of this machine in a network of its own, which the world describes.

The node agent runs this file under `unshare` with new user, network and mount namespaces, so that the process sees no
other network: DNS is a server here, every name has an address of loopback, and behind it is a TLS server with a
certificate for the name, nothing (`refused`), or silence (`dropped`). Its only argument is a JSON file:

    command, env       what the container runs
    network            blocked, refused, unresolvable, intercepted: patterns of hosts; proxy: {address, blocked}
    authorities        files with the certificate and key of the `public` CA and of the `inspecting` one
    local_ports        ports of 127.0.0.1 at which a host answers, such as Azure Resource Manager of the sandbox
    termination        [path in the container, file of the machine] of the termination message
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import trustme

RESOLVER = "127.0.0.1"
FIRST_ADDRESS = (127 << 24) + (64 << 16) + 1
HTTPS = 443
MS_BIND, IFF_UP_RUNNING, SIOCSIFFLAGS = 4096, 0x41, 0x8914
DEVICES = ("null", "zero", "full", "random", "urandom")
NAME_ERROR, NO_ERROR = 3, 0
ADDRESS_RECORD = 1
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def main(file: Path) -> int:
    """Set the network up, run the command, and return its exit code."""
    spec: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    _raise_loopback()
    _mount(file.parent, *spec["termination"])
    network = Network(spec["network"], {name: _authority(*pair) for name, pair in spec["authorities"].items()})
    network.serve(spec["local_ports"])
    return subprocess.run(spec["command"], env=spec["env"], check=False).returncode


def matches(host: str, patterns: Any) -> bool:
    """Whether a host is one of these, or fits one such as *.example or *."""
    return any(fnmatch(host.lower(), str(pattern).lower()) for pattern in patterns or ())


class Network:
    """The hosts of a world as a container reaches them."""

    def __init__(self, rules: Mapping[str, Any], authorities: Mapping[str, trustme.CA]) -> None:
        self._rules, self._authorities = rules, authorities
        self._proxy = rules.get("proxy") or {}
        self._proxy_host, _, self._proxy_port = str(self._proxy.get("address", "")).rpartition("//")[2].partition(":")
        self._addresses: dict[str, str] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._silent: list[socket.socket] = []
        self._lock = threading.Lock()

    def serve(self, local_ports: list[int]) -> None:
        """Start DNS and what listens on 127.0.0.1 itself."""
        network = self

        class Resolver(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                query, sock = self.request
                sock.sendto(network.resolve(query), self.client_address)

        _start(socketserver.ThreadingUDPServer((RESOLVER, 53), Resolver))
        if not matches("localhost", self._rules.get("blocked")):
            for port in local_ports:
                self._listen(RESOLVER, port, "localhost")

    def resolve(self, query: bytes) -> bytes:
        """The response to a DNS query."""
        labels, position = [], 12
        while query[position]:
            labels.append(query[position + 1 : position + 1 + query[position]].decode("ascii", "replace"))
            position += query[position] + 1
        question, kind = query[12 : position + 5], struct.unpack("!H", query[position + 1 : position + 3])[0]
        name = ".".join(labels).lower()
        found = "" if matches(name, self._rules.get("unresolvable")) else self._address_of(name)
        code = NO_ERROR if found else NAME_ERROR
        has_answer = bool(found) and kind == ADDRESS_RECORD
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, int(has_answer), 0, 0)
        answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(found) if has_answer else b""
        return head + question + answer

    def _address_of(self, name: str) -> str:
        with self._lock:
            if name not in self._addresses:
                address = socket.inet_ntoa(struct.pack("!I", FIRST_ADDRESS + len(self._addresses)))
                self._addresses[name] = address
                self._open(name, address)
            return self._addresses[name]

    def _open(self, name: str, address: str) -> None:
        if name == self._proxy_host:
            self._listen(address, int(self._proxy_port or 3128), name)
        elif matches(name, self._rules.get("refused")):
            return
        elif matches(name, self._rules.get("blocked")):
            # The queue of connections is full and nobody accepts them, so that further ones get no response.
            silent = socket.create_server((address, HTTPS), backlog=0)
            self._silent.append(silent)
            for _ in range(2):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex((address, HTTPS))
                self._silent.append(filler)
        else:
            self._listen(address, HTTPS, name)

    def _listen(self, address: str, port: int, name: str) -> None:
        network = self

        class Host(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    if name == network._proxy_host:
                        network.answer_connect(self.request)
                    else:
                        network.answer_tls(self.request, name)
                except (OSError, ValueError):
                    return  # the client hung up

        _start(socketserver.ThreadingTCPServer((address, port), Host))

    def answer_connect(self, sock: socket.socket) -> None:
        """The proxy: 403 for what it blocks, else the host itself."""
        head = b""
        while b"\r\n\r\n" not in head and (part := sock.recv(4096)):
            head += part
        host = head.split(b" ", 2)[1].decode("ascii").rpartition(":")[0]
        if matches(host, self._proxy.get("blocked")):
            sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.answer_tls(sock, host)

    def answer_tls(self, sock: socket.socket, name: str) -> None:
        """A server with a certificate for this name; that of an inspecting device where the host is intercepted."""
        with self._context(name).wrap_socket(sock, server_side=True) as tls:
            tls.settimeout(2)
            if tls.recv(4096):
                tls.sendall(ANSWER)

    def _context(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._contexts:
                inspected = matches(name, self._rules.get("intercepted"))
                authority = self._authorities["inspecting" if inspected else "public"]
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority.issue_cert(name).configure_cert(context)
                self._contexts[name] = context
            return self._contexts[name]


def _start(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def _authority(certificate: str, key: str) -> trustme.CA:
    return trustme.CA.from_pem(Path(certificate).read_bytes(), Path(key).read_bytes())


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_RUNNING))


def _mount(folder: Path, inside: str, outside: str) -> None:
    """The resolver of the container, and a /dev with the file of its termination message."""
    libc = ctypes.CDLL(None, use_errno=True)

    def bind(source: Path, target: str) -> None:
        if libc.mount(str(source).encode(), target.encode(), None, MS_BIND, None):
            raise OSError(ctypes.get_errno(), f"cannot mount {target}")

    resolver = folder / "resolv.conf"
    resolver.write_text(f"nameserver {RESOLVER}\n", encoding="ascii")
    bind(resolver, os.path.realpath("/etc/resolv.conf"))
    devices = folder / "dev"
    devices.mkdir()
    for name in DEVICES:
        (devices / name).touch()
        bind(Path("/dev", name), str(devices / name))
    (devices / "shm").mkdir()
    bind(Path("/dev/shm"), str(devices / "shm"))  # noqa: S108  # of the container's own file system
    if Path(inside).parent == Path("/dev"):
        (devices / Path(inside).name).touch()
    if libc.mount(str(devices).encode(), b"/dev", None, MS_BIND | 16384, None):
        raise OSError(ctypes.get_errno(), "cannot mount /dev")
    Path(inside).touch()
    bind(Path(outside), inside)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
