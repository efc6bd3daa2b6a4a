"""The address of the inference router: it serves TLS with the certificate that the extension was given.

A service of the router has the port of a listener on this machine in the place of 443, and 127.0.0.1 as its address.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import ssl
import tempfile
from pathlib import Path
from typing import Any

from sandbox.azure.kubernetes_configuration.install_failures import NAMESPACE, ROUTERS, Install
from sandbox.kubernetes import ClusterSide

SERVICE = "azureml-fe"
RESPONSE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Pair = tuple[bytes, bytes]


class Listener:
    """A TLS server on a free port of loopback; new connections get the certificate that was set last."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._rollout: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Accept connections."""
        first = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The router does not support TLS 1.3:
        # https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint
        first.maximum_version = ssl.TLSVersion.TLSv1_2
        first.sni_callback = self._choose
        self._server = await asyncio.start_server(_respond, "127.0.0.1", 0, ssl=first)
        self.port = self._server.sockets[0].getsockname()[1]

    async def serve(self, pair: Pair | None, install: Install) -> None:
        """Serve a certificate (PEM) and its key once the pods have been replaced; None for no TLS at all."""
        if self._rollout:
            self._rollout.cancel()
        if install.cluster.rollout and self._context is not None:
            await _show_replicas(install, updated=False)
            self._rollout = asyncio.get_running_loop().create_task(self._serve_later(pair, install))
        else:
            self._context = _context(pair)

    async def stop(self) -> None:
        """Release the port."""
        if self._rollout:
            self._rollout.cancel()
        if self._server:
            self._server.close()

    async def _serve_later(self, pair: Pair | None, install: Install) -> None:
        await asyncio.sleep(install.cluster.rollout)
        self._context = _context(pair)
        await _show_replicas(install, updated=True)

    def _choose(self, connection: Any, _name: str | None, _context_of_server: ssl.SSLContext) -> int | None:
        if self._context is None:
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        connection.context = self._context
        return None


_listeners: dict[int, Listener] = {}


async def deploy(install: Install) -> None:
    """Create or remove the router's service, and have its listener serve the certificate of the installation."""
    side = install.side
    if not install.on("enableInference"):
        await remove(side)
        return
    listener = _listeners.get(id(side))
    if listener is None:
        listener = _listeners[id(side)] = Listener()
        await listener.start()
        side.at_stop.append(lambda: _stop(side))
    await listener.serve(await _pair(install), install)
    await side.client.apply(_service(install, listener.port))


async def remove(side: ClusterSide) -> None:
    """Delete the router's service, and stop its listener."""
    await side.client.delete("v1", "Service", SERVICE, NAMESPACE)
    await _stop(side)


async def _stop(side: ClusterSide) -> None:
    listener = _listeners.pop(id(side), None)
    if listener:
        await listener.stop()


async def _pair(install: Install) -> Pair | None:
    """Certificate and key as they were sent, or from the secret that is named; None without either."""
    if install.on("allowInsecureConnections"):
        return None
    sent = [install.protected.get(f"scoringFe.{part}") for part in ("sslCert", "sslKey")]
    name = install.value("scoringFe.sslSecret") or install.value("sslSecret")
    if not all(sent) and name:
        secret = await install.side.client.get("v1", "Secret", name, NAMESPACE)
        sent = [((secret or {}).get("data") or {}).get(key) for key in ("cert.pem", "key.pem")]
    with contextlib.suppress(binascii.Error):
        certificate, key = (base64.b64decode(str(part)) if part else b"" for part in sent)
        return (certificate, key) if certificate and key else None
    return None


def _context(pair: Pair | None) -> ssl.SSLContext | None:
    """A context with this certificate, None where it cannot be used."""
    if pair is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("cert.pem", "key.pem")]
        for file, content in zip(files, pair, strict=True):
            file.touch(mode=0o600)
            file.write_bytes(content)
        try:
            context.load_cert_chain(str(files[0]), str(files[1]))
        except ssl.SSLError:
            return None
    return context


async def _show_replicas(install: Install, *, updated: bool) -> None:
    """Show in the status of the router's Deployment whether its new pods have replaced the old ones."""
    for name in ROUTERS:
        if deployment := await install.side.client.get("apps/v1", "Deployment", name, NAMESPACE):
            count = deployment["spec"]["replicas"] if updated else 0
            await install.side.client.merge_status(deployment, {"updatedReplicas": count})


def _service(install: Install, port: int) -> dict[str, Any]:
    kind = {"loadbalancer": "LoadBalancer", "nodeport": "NodePort"}.get(
        install.value("inferenceRouterServiceType").lower(), "ClusterIP"
    )
    ports: list[dict[str, Any]] = [{"name": "https", "port": port, "protocol": "TCP", "targetPort": 8443}]
    if kind == "NodePort":
        ports[0]["nodePort"] = port
    served: dict[str, Any] = {}
    if kind == "LoadBalancer" and install.cluster.load_balancer:
        served = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"type": kind, "selector": {"app": SERVICE}, "ports": ports},
        **served,
    }


async def _respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(RESPONSE)
        await writer.drain()
    writer.close()
