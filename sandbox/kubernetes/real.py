"""A real kube-apiserver with etcd, from the folder that KUBEBUILDER_ASSETS names."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.tls import Authority

ASSETS = "KUBEBUILDER_ASSETS"
READY_SECONDS = 60


async def start_real(directory: Path, authority: Authority, token: str) -> tuple[str, Callable[[], Awaitable[None]]]:
    """Start both; returns the URL of the API and a function that stops both. Raises RuntimeError with the log's end."""
    assets = os.environ[ASSETS]
    directory.mkdir(parents=True, exist_ok=True)
    _write_keys(directory)
    _private(directory / "tokens.csv", f'{token},admin,admin,"system:masters"\n'.encode())
    etcd, etcd_url = _start_etcd(assets, directory)
    server, url = _start_server(assets, directory, authority, etcd_url)

    async def stop() -> None:
        for process in (server, etcd):
            process.terminate()
            try:
                await asyncio.get_running_loop().run_in_executor(None, process.wait, 5)
            except subprocess.TimeoutExpired:
                process.kill()

    try:
        await _ready(url, token, authority, server)
    except RuntimeError:
        await stop()
        raise RuntimeError(
            f"kube-apiserver did not become ready; the end of {directory / 'kube-apiserver.log'}:\n"
            + (directory / "kube-apiserver.log").read_text(errors="replace")[-1500:]
        ) from None
    return url, stop


def _start_etcd(assets: str, directory: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The process and the URL for its clients."""
    client, peer = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
    options = {
        "--data-dir": str(directory / "etcd"),
        "--listen-client-urls": client,
        "--advertise-client-urls": client,
        "--listen-peer-urls": peer,
        "--initial-advertise-peer-urls": peer,
        "--initial-cluster": f"default={peer}",
    }
    words = [f"{option}={value}" for option, value in options.items()]
    return _run(directory / "etcd.log", [f"{assets}/etcd", *words, "--unsafe-no-fsync"]), client


def _start_server(
    assets: str, directory: Path, authority: Authority, etcd_url: str
) -> tuple[subprocess.Popen[bytes], str]:
    """The process and the URL of the API."""
    certificate, key = authority.server_files()
    port = _free_port()
    command = [
        f"{assets}/kube-apiserver",
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={directory / 'certs'}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--service-account-key-file={directory / 'sa.pub'}",
        f"--service-account-signing-key-file={directory / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/24",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        # No controller removes the taint of a node that is not ready yet.
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
    ]
    return _run(directory / "kube-apiserver.log", command), f"https://127.0.0.1:{port}"


async def _ready(url: str, token: str, authority: Authority, server: subprocess.Popen[bytes]) -> None:
    connector = aiohttp.TCPConnector(ssl=authority.client_context())
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {token}"}) as session:
        for _ in range(READY_SECONDS * 5):
            if server.poll() is not None:
                break
            try:
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)
    raise RuntimeError("not ready")


def _run(log: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent
        )


def _die_with_parent() -> None:
    """Linux: a sandbox that is killed leaves no API server behind."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _write_keys(directory: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _private(
        directory / "sa.key",
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    )
    (directory / "sa.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _private(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
