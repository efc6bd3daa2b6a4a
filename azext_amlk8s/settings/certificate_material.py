"""A certificate with its private key, from any form in which users have them, and its public description."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azext_amlk8s.registered_secrets import register_secret
from azext_amlk8s.settings.certificates import (
    Content,
    Moment,
    dns_names,
    follow_issuers,
    identify,
    ip_addresses,
    read_chain,
    read_key,
    server_certificate,
)

if TYPE_CHECKING:
    from cryptography import x509

# The keys of a Secret: those of the extension, and those of type kubernetes.io/tls, which cert-manager writes.
# https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint
SECRET_KEYS = (("cert.pem", "key.pem"), ("tls.crt", "tls.key"))
PFX_TYPE = "application/x-pkcs12"


class UnusableMaterial(ValueError):
    """A source that has no usable certificate and key; the text says why, and never shows the content."""


@dataclass(frozen=True)
class Material:
    """The certificates (PEM) and the private key (PEM, not encrypted) that a source has, as they were written there.

    The key is redacted wherever it appears from then on.
    """

    certificate: bytes
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        register_secret(self.key.decode("ascii", "replace"))

    def equals(self, other: Material | None) -> bool:
        """Whether another one has the same certificates and key, apart from spaces around them."""
        if other is None:
            return False
        pairs = ((self.certificate, other.certificate), (self.key, other.key))
        return all(mine.strip() == theirs.strip() for mine, theirs in pairs)

    @property
    def chain(self) -> list[x509.Certificate]:
        """The certificates in their order."""
        return read_chain(self.certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate, in lower-case hexadecimal digits; empty where it cannot be read."""
        return fingerprint(self.chain)


def material_from_secret(data: Mapping[str, Any]) -> Material:
    """From the data of a Kubernetes Secret. Raises UnusableMaterial where it has neither pair of keys."""
    for names in SECRET_KEYS:
        if all(data.get(name) for name in names):
            try:
                certificate, key = (base64.b64decode(str(data[name]), validate=True) for name in names)
            except ValueError:
                raise UnusableMaterial(f"{' or '.join(names)} is not base64") from None
            return Material(certificate, key)
    pairs = " or ".join(" and ".join(names) for names in SECRET_KEYS)
    raise UnusableMaterial(f"it has the keys {', '.join(sorted(data)) or 'none'}; expected {pairs}")


def material_from_vault(value: str, content_type: str) -> Material:
    """From the Key Vault secret behind a certificate: PEM, or PFX in base64. Raises UnusableMaterial.

    https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#composition-of-a-certificate
    """
    if content_type.lower() == PFX_TYPE:
        try:
            content = base64.b64decode(value, validate=True)
        except ValueError:
            raise UnusableMaterial("its value is not base64") from None
        return material_from_file(content)
    return material_from_file(value.encode("utf-8", "replace"))


def material_from_file(content: bytes) -> Material:
    """From one file with certificates and key: PFX without a password, or PEM. Raises UnusableMaterial."""
    form = identify(content)
    if form is Content.PFX:
        return _from_pfx(content)
    if form is Content.CERTIFICATES_AND_KEY:
        return _split_pem(content)
    raise UnusableMaterial(f"it {form.value}; expected a certificate and its private key in PEM or PFX format")


def _from_pfx(content: bytes) -> Material:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

    try:
        key, certificate, others = pkcs12.load_key_and_certificates(content, None)
    except ValueError:
        raise UnusableMaterial("it is a PFX file that is damaged or has a password; expected one without") from None
    if key is None or certificate is None:
        missing = "private key: its policy must allow exporting the key" if key is None else "certificate"
        raise UnusableMaterial(f"it has no {missing}")
    ordered = follow_issuers(certificate, [certificate, *others])
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in ordered)
    return Material(pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _split_pem(content: bytes) -> Material:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    try:
        key = read_key(content)
    except TypeError:
        raise UnusableMaterial("its private key is encrypted; expected one without a passphrase") from None
    if key is None:
        raise UnusableMaterial("its private key cannot be read")
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in read_chain(content))
    return Material(pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def fingerprint(chain: Sequence[x509.Certificate]) -> str:
    """SHA-256 of the server's certificate in a chain, in lower-case hexadecimal digits; empty for an empty chain."""
    from cryptography.hazmat.primitives import hashes

    return server_certificate(chain, None).fingerprint(hashes.SHA256()).hex() if chain else ""


def describe_chain(chain: Sequence[x509.Certificate], now: Moment) -> dict[str, Any]:
    """The public part of a chain: subject, names, issuer, validity (ISO 8601), fingerprint and the chain.

    expires and daysLeft, which is negative after the expiry, are those of the certificate that expires first.
    """
    server = server_certificate(chain, None)
    first = min(chain, key=lambda certificate: certificate.not_valid_after_utc)
    return {
        "subject": server.subject.rfc4514_string(),
        "names": [*dns_names(server), *ip_addresses(server)],
        "issuer": server.issuer.rfc4514_string(),
        "notBefore": server.not_valid_before_utc.isoformat(),
        "notAfter": server.not_valid_after_utc.isoformat(),
        "expires": first.not_valid_after_utc.date().isoformat(),
        "daysLeft": (first.not_valid_after_utc - now).days,
        "sha256": fingerprint(chain),
        "chain": [certificate.subject.rfc4514_string() for certificate in chain],
    }
