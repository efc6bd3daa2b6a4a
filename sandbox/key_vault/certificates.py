"""Certificates and their private keys, in the forms in which Key Vault holds them."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from sandbox.key_vault.entries import VaultCertificate

HEADER = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class KeyPair:
    """A certificate with its chain and its key. text: what the secret of the same name holds."""

    certificate: x509.Certificate
    text: str
    format: str

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the certificate in base64url, as x5t has it."""
        digest = self.certificate.fingerprint(hashes.SHA1())  # noqa: S303  # an identifier, as in RFC 7517
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def issue(entry: VaultCertificate) -> KeyPair:
    """A new certificate of a world, signed by itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, entry.cname)])
    names = [x509.DNSName(dns_name) for dns_name in entry.dns_names or (entry.cname,)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=min(entry.days, 0) - 1))
        .not_valid_after(now + datetime.timedelta(days=entry.days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(certificate, _text(entry, key, certificate), entry.format)


def _text(entry: VaultCertificate, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> str:
    if entry.format == "pkcs12":
        blob = pkcs12.serialize_key_and_certificates(
            entry.name.encode(), key if entry.exportable else None, certificate, None, serialization.NoEncryption()
        )
        return base64.b64encode(blob).decode()
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return (_key_text(key) if entry.exportable else "") + pem


def _key_text(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def read(value: str, password: str | None) -> KeyPair:
    """The certificate of an import: PEM, or a file of PEM or PKCS #12 in base64. Raises ValueError."""
    content = value.encode() if HEADER in value else base64.b64decode(value, validate=True)
    if HEADER.encode() in content:
        text = content.decode()
        serialization.load_pem_private_key(content, None)
        return KeyPair(x509.load_pem_x509_certificate(text[text.index(HEADER) :].encode()), text, "pem")
    key, certificate, chain = pkcs12.load_key_and_certificates(content, password.encode() if password else None)
    if key is None or certificate is None:
        raise ValueError("the file has no private key")
    blob = pkcs12.serialize_key_and_certificates(
        None, cast(rsa.RSAPrivateKey, key), certificate, chain, serialization.NoEncryption()
    )
    return KeyPair(certificate, base64.b64encode(blob).decode(), "pkcs12")
