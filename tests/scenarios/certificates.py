"""Certificates and keys for scenarios and tests, made on the spot.

In a scenario's `files` a text is written as it is; a mapping is one of

    cert.pem: {certificate: one, names: [ml.contoso.com], common_name: x, from: -1, until: 365, chain: [intermediate, root]}
    key.pem: {key: one, passphrase: x, kind: rsa}

`one` names a pair of this scenario; days count from now; `chain` lists the issuers that follow the certificate, in that order.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


def write_files(folder: Path, files: Mapping[str, Any]) -> None:
    """Write the files of a scenario into its folder."""
    for name, told in files.items():
        if isinstance(told, str):
            (folder / name).write_text(told, encoding="utf-8")
        else:
            (folder / name).write_bytes(certificate(**_words(told)) if "certificate" in told else key(**_words(told)))


def certificate(
    certificate: str,
    names: list[str] | None = None,
    common_name: str = "",
    valid_from: int = -1,
    until: int = 365,
    chain: list[str] | None = None,
) -> bytes:
    """A PEM chain: a certificate for the key pair of that name, then the certificates of its issuers as listed.

    The issuers are called intermediate and root; the certificate is self-signed where there is no chain.
    """
    issuer = "intermediate" if chain else None
    builder = _builder(common_name or (names or [certificate])[0], _pair(certificate), issuer, valid_from, until)
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    found = [_signed(builder, issuer or certificate)]
    for one in chain or []:
        above = "root"
        found.append(_signed(_builder(one, _pair(one), above, -10, 3650), above))
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in found)


def key(key: str, passphrase: str = "", kind: str = "ec") -> bytes:
    """The private key of the pair of that name, in PEM; encrypted when a passphrase is given."""
    encryption: Any = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return bytes(_pair(key, kind).private_bytes(*form, encryption))


def _pair(name: str, kind: str = "ec") -> Any:
    return _made(name, kind)


@lru_cache
def _made(name: str, kind: str) -> Any:
    return rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


def _builder(subject: str, pair: Any, issuer: str | None, valid_from: int, until: int) -> x509.CertificateBuilder:
    today = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer or subject))
        .public_key(pair.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today + datetime.timedelta(days=valid_from))
        .not_valid_after(today + datetime.timedelta(days=until))
    )


def _signed(builder: x509.CertificateBuilder, by: str) -> x509.Certificate:
    return builder.sign(_pair(by), hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


def _words(told: Mapping[str, Any]) -> dict[str, Any]:
    return {("valid_from" if name == "from" else name): value for name, value in told.items()}
