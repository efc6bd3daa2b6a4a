"""The certificate of the inference router: what it was given, and what it serves."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.operations.helm_history import read_release, release_values, value_of
from azext_amlk8s.settings.certificate_material import Material, UnusableMaterial, describe_chain, material_from_secret

if TYPE_CHECKING:
    from cryptography import x509

    from azext_amlk8s.checks.facts import CertificateView, RouterCertificate
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.settings import Deployed

NAMESPACE = "azureml"
SENT = ("scoringFe.sslCert", "scoringFe.sslKey")
SECRET_SETTINGS = ("scoringFe.sslSecret", "sslSecret")
HANDSHAKE_SECONDS, CHECK_SECONDS = 5.0, 3.0


@dataclass(frozen=True)
class GivenCertificate:
    """What the router was given: from a secret of the cluster, from protected settings, or nothing (HTTP).

    secret is the name of the secret, empty for protected settings. material is None where it cannot be read, and note
    says why.
    """

    secret: str
    material: Material | None
    note: str = ""

    @property
    def source(self) -> str:
        """Where it is, for people."""
        return f"secret {NAMESPACE}/{self.secret}" if self.secret else "protected settings"


@dataclass(frozen=True)
class ServedCertificate:
    """What the router presents at an address; der is empty where the handshake failed, and note says why."""

    address: str
    der: tuple[bytes, ...] = ()
    note: str = ""

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificates, none where one of them cannot be read."""
        from cryptography import x509

        try:
            return [x509.load_der_x509_certificate(der) for der in self.der]
        except ValueError:
            return []

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate, the first one, in hexadecimal digits; empty where there is none."""
        import hashlib

        return hashlib.sha256(self.der[0]).hexdigest() if self.der else ""


def serves_https(deployed: Deployed) -> bool:
    """Whether inference is enabled with a certificate."""
    settings = deployed.settings()
    has_certificate = any(settings.get(key) for key in (*SECRET_SETTINGS, SENT[0]))
    return settings.is_enabled("enableInference") and has_certificate and not is_http(deployed)


def is_http(deployed: Deployed) -> bool:
    """Whether the router is told to serve HTTP alone."""
    return deployed.settings().is_enabled("allowInsecureConnections")


def read_given_certificate(cluster: Cluster | None, deployed: Deployed, extension: str) -> GivenCertificate:
    """What the router was given. Raises ClusterUnreachable.

    Azure does not return protected settings; Helm keeps the values of a release in the cluster.
    """
    settings = deployed.settings()
    name = next((settings.get(key) for key in SECRET_SETTINGS if settings.get(key)), "")
    if settings.get(SENT[0]):
        name = ""
    if cluster is None:
        return GivenCertificate(name, None, "the cluster cannot be reached")
    if name:
        return _from_secret(cluster, name)
    release, note = read_release(cluster, extension)
    sent = [value_of(release_values(release), key) for key in SENT]
    if not all(sent):
        return GivenCertificate("", None, note or "the values of the Helm release do not have it")
    try:
        certificate, key = (base64.b64decode(part, validate=True) for part in sent)
    except ValueError:
        return GivenCertificate("", None, "its value in the Helm release is not base64")
    return GivenCertificate("", Material(certificate, key))


def router_address(cluster: Cluster) -> tuple[str, int] | str:
    """Host and port of the router outside of the cluster, or why it has none that can be reached from elsewhere."""
    from azext_amlk8s.kubernetes import ClusterRefused

    knowledge = load("router")
    for name in knowledge["services"]:
        try:
            service = cluster.read(f"/api/v1/namespaces/{NAMESPACE}/services/{name}")
        except ClusterRefused as refused:
            return f"the service of the router cannot be read: {refused.message}"
        if service:
            return _address_of(service, cluster)
    return f"namespace '{NAMESPACE}' has no service of the router"


def _address_of(service: Mapping[str, Any], cluster: Cluster) -> tuple[str, int] | str:
    spec, name = service.get("spec") or {}, (service.get("metadata") or {}).get("name")
    ports = [port for port in spec.get("ports") or () if isinstance(port, dict)]
    default = load("router")["port"]
    https = next((port for port in ports if port.get("name") == "https" or port.get("port") == default), {})
    if spec.get("type") == "LoadBalancer":
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        host = next((str(entry.get("ip") or entry.get("hostname") or "") for entry in ingress), "")
        return (host, int(https.get("port") or default)) if host else f"service '{name}' has no address yet"
    if spec.get("type") == "NodePort" and https.get("nodePort"):
        node = next(iter(cluster.items("/api/v1/nodes")), {})
        listed = (node.get("status") or {}).get("addresses") or ()
        addresses = {entry.get("type"): entry.get("address") for entry in listed}
        host = str(addresses.get("ExternalIP") or addresses.get("InternalIP") or "")
        return (host, int(https["nodePort"])) if host else "no node has an address"
    return f"service '{name}' has the type {spec.get('type')}, which has no address outside of the cluster"


def read_served_certificate(
    cluster: Cluster | None, host_name: str, address: str | None = None, seconds: float = HANDSHAKE_SECONDS
) -> ServedCertificate:
    """What the router serves for a host name, at an address (HOST or HOST:PORT) or at that of its service.

    Without a connection to the cluster the host name itself is the address.
    """
    from azext_amlk8s.kubernetes.handshake import HandshakeFailed, served_certificates

    default = load("router")["port"]
    if address:
        host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
        target: tuple[str, int] | str = (host, int(port) if port.isdigit() else default)
    elif cluster is None:
        target = (host_name, default) if host_name else "the cluster cannot be reached"
    else:
        target = router_address(cluster)
    if isinstance(target, str):
        return ServedCertificate("", note=target)
    shown = f"{target[0]}:{target[1]}"
    try:
        return ServedCertificate(shown, tuple(served_certificates(*target, host_name, seconds)))
    except HandshakeFailed as failed:
        return ServedCertificate(shown, note=str(failed))


def certificate_fact(cluster: Cluster, deployed: Deployed, extension: str) -> RouterCertificate | None:
    """The public parts of what the router was given and serves; None where it does not serve HTTPS."""
    from azext_amlk8s.checks.facts import RouterCertificate

    if not serves_https(deployed):
        return None
    given = read_given_certificate(cluster, deployed, extension)
    host = deployed.settings().get("sslCname")
    served = read_served_certificate(cluster, host, seconds=CHECK_SECONDS)
    return RouterCertificate(
        _view(given.material.chain if given.material else []), _view(served.chain), served.address, given.secret
    )


def _view(chain: list[x509.Certificate]) -> CertificateView | None:
    from azext_amlk8s.checks.facts import CertificateView

    if not chain:
        return None
    public = describe_chain(chain, datetime.now(timezone.utc))
    return CertificateView(public["expires"], public["daysLeft"], public["sha256"])


def _from_secret(cluster: Cluster, name: str) -> GivenCertificate:
    from azext_amlk8s.kubernetes import ClusterRefused

    try:
        secret = cluster.read(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
    except ClusterRefused as refused:
        return GivenCertificate(name, None, f"the secret cannot be read: {refused.message}")
    if secret is None:
        return GivenCertificate(name, None, f"secret '{name}' does not exist in namespace '{NAMESPACE}'")
    try:
        return GivenCertificate(name, material_from_secret(secret.get("data") or {}))
    except UnusableMaterial as reason:
        return GivenCertificate(name, None, f"secret '{name}' cannot be used: {reason}")
