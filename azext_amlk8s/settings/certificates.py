"""Certificate and key files: what they contain, and the order of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

PEM = b"-----BEGIN"
PFX_VERSION = b"\x02\x01\x03\x30"  # version 3 of a PFX, then a sequence: RFC 7292, section 4
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # the object identifier of PKCS #7 signed data
HEAD_BYTES = 24
Moment = Any  # an aware datetime.datetime; pure modules do not import the clock


class Content(Enum):
    """What a file contains; the value completes "the file …"."""

    EMPTY = "is empty"
    CERTIFICATES = "contains certificates"
    CERTIFICATES_AND_KEY = "also contains a private key"
    KEY = "contains a private key"
    ENCRYPTED_KEY = "contains an encrypted private key"
    REQUEST = "contains a certificate signing request"
    BROKEN_PEM = "contains PEM that cannot be parsed"
    PFX = "is in PFX (PKCS #12) format"
    PKCS7 = "is in PKCS #7 format"
    DER_CERTIFICATE = "contains a certificate in DER format"
    DER_KEY = "contains a private key in DER format"
    UTF16 = "is encoded in UTF-16"
    NOT_ASCII = "contains bytes that are not ASCII"
    OTHER = "contains no PEM"


@dataclass(frozen=True)
class CertificateFile:
    """A file of certificates or of a key: the setting that names it, its content, its path as it was given."""

    key: str
    content: bytes = field(repr=False)
    path: str = ""


def identify(content: bytes) -> Content:
    """What a file contains."""
    if not content.strip():
        return Content.EMPTY
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Content.UTF16
    if PEM in content:
        return _identify_pem(content) if content.isascii() else Content.NOT_ASCII
    if content[:1] == b"\x30":
        return _identify_der(content)
    return Content.OTHER if content.isascii() else Content.NOT_ASCII


def _identify_pem(content: bytes) -> Content:
    if b"BEGIN PKCS7" in content or b"BEGIN CMS" in content:
        return Content.PKCS7
    has_key = b"PRIVATE KEY-----" in content
    if b"BEGIN CERTIFICATE-----" in content or b"BEGIN X509 CERTIFICATE-----" in content:
        if not read_chain(content):
            return Content.BROKEN_PEM
        return Content.CERTIFICATES_AND_KEY if has_key else Content.CERTIFICATES
    if b"CERTIFICATE REQUEST-----" in content:
        return Content.REQUEST
    if not has_key:
        return Content.OTHER
    try:
        return Content.KEY if read_key(content) else Content.BROKEN_PEM
    except TypeError:
        return Content.ENCRYPTED_KEY


def _identify_der(content: bytes) -> Content:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    if PFX_VERSION in content[:HEAD_BYTES]:
        return Content.PFX
    if SIGNED_DATA in content[:HEAD_BYTES]:
        return Content.PKCS7
    with suppress(ValueError):
        x509.load_der_x509_certificate(content)
        return Content.DER_CERTIFICATE
    try:
        load_der_private_key(content, password=None)
        return Content.DER_KEY
    except TypeError:
        return Content.DER_KEY
    except (ValueError, UnsupportedAlgorithm):
        return Content.OTHER if content.isascii() else Content.NOT_ASCII


def read_chain(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM text in its order; none where it has none, or one that cannot be parsed."""
    from cryptography import x509

    try:
        return list(x509.load_pem_x509_certificates(pem))
    except ValueError:
        return []


def read_key(pem: bytes) -> PrivateKeyTypes | None:
    """The private key of a PEM text, None where it has none. Raises TypeError for an encrypted key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, UnsupportedAlgorithm):
        return None


def belongs_to(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Whether a private key belongs to a certificate."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def server_certificate(chain: Sequence[x509.Certificate], key: PrivateKeyTypes | None) -> x509.Certificate:
    """The certificate of the server: the one of the key, else the one that issued no other, else the first."""
    by_key = (certificate for certificate in chain if key is not None and belongs_to(key, certificate))
    issuers = [certificate.issuer for certificate in chain if not is_self_signed(certificate)]
    by_issuer = (certificate for certificate in chain if certificate.subject not in issuers)
    return next(by_key, None) or next(by_issuer, None) or chain[0]


def follow_issuers(server: x509.Certificate, chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The server's certificate, its issuer, the issuer of that, and so on, as far as they are in the chain."""
    ordered = [server]
    while not is_self_signed(ordered[-1]):
        issuer = ordered[-1].issuer
        following = next(
            (certificate for certificate in chain if certificate.subject == issuer and certificate not in ordered), None
        )
        if following is None:
            break
        ordered.append(following)
    return ordered


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Whether a certificate is its own issuer."""
    return certificate.issuer == certificate.subject


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names among the subject alternative names."""
    from cryptography import x509

    names = _alternative_names(certificate)
    return list(names.get_values_for_type(x509.DNSName)) if names else []


def ip_addresses(certificate: x509.Certificate) -> list[str]:
    """The IP addresses among the subject alternative names."""
    from cryptography import x509

    names = _alternative_names(certificate)
    return [str(address) for address in names.get_values_for_type(x509.IPAddress)] if names else []


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def common_name(certificate: x509.Certificate) -> str:
    """The common name of the subject, or an empty string."""
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def subject_name(certificate: x509.Certificate) -> str:
    """A name of the certificate for a message."""
    return common_name(certificate) or certificate.subject.rfc4514_string() or "without a name"


def issuer_name(certificate: x509.Certificate) -> str:
    """A name of the certificate's issuer for a message."""
    from cryptography.x509.oid import NameOID

    names = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.issuer.rfc4514_string()


def covers(pattern: str, host: str) -> bool:
    """Whether a name of a certificate covers a host; a star stands for the leftmost label alone (RFC 6125)."""
    pattern, host = pattern.lower(), host.lower()
    if not pattern.startswith("*."):
        return pattern == host
    return host.partition(".")[2] == pattern[2:] and not host.startswith(".")
