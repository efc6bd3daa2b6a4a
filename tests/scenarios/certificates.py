"""Certificates and keys for scenarios and tests, made on the spot.

In a scenario's `files` a text is written as it is; a mapping is one of

    cert.pem: {certificate: one, names: [ml.contoso.com], common_name: x, from: -1, until: 365, chain: [intermediate, root]}
    key.pem: {key: one, passphrase: x, kind: rsa}

`one` names a pair of this scenario; days count from now; `chain` lists the issuers that follow the certificate, in that order.
More of a certificate: `ips: [10.0.0.4]` as alternative names; `issuer: intermediate` where the file has no chain;
`server_at: 1` is the position of the server's certificate in the file; `with_key: true` appends the private key. `format`
of a certificate is pem, der, p7b, pfx (with the key), pfx-locked (with a password) or utf-16, that of a key pem or der.

The same mappings, without `format`, can be values in the data of a Secret among the objects of a world.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID


def write_files(folder: Path, files: Mapping[str, Any]) -> None:
    """Write the files of a scenario into its folder."""
    for name, told in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(told, str):
            (folder / name).write_text(told, encoding="utf-8")
        else:
            arguments = dict(told)
            form = arguments.pop("format", "pem")
            made = certificate(**_words(arguments)) if "certificate" in told else key(**_words(arguments))
            (folder / name).write_bytes(_converted(made, form, told.get("certificate", "")))


def fill_secrets(value: Any) -> Any:
    """A world in which the data of Secrets is base64: certificates and keys, in the form of `files`, and texts."""
    if isinstance(value, list):
        return [fill_secrets(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    filled = {key: fill_secrets(item) for key, item in value.items()}
    if value.get("kind") == "Secret" and "data" in value:
        filled["data"] = {key: _encoded(told) for key, told in value["data"].items()}
    return filled


def _encoded(told: Any) -> str:
    if isinstance(told, str):
        return told
    made = certificate(**_words(told)) if "certificate" in told else key(**_words(told))
    return base64.b64encode(made).decode()


def certificate(
    certificate: str,
    names: list[str] | None = None,
    common_name: str = "",
    valid_from: int = -1,
    until: int = 365,
    chain: list[str] | None = None,
    ips: list[str] | None = None,
    issuer: str = "",
    server_at: int = 0,
    with_key: bool = False,
) -> bytes:
    """A PEM chain: a certificate for the key pair of that name, then the certificates of its issuers as listed.

    The issuers are called intermediate and root; the certificate is self-signed where there is no chain.
    """
    issued_by = issuer or ("intermediate" if chain else "")
    subject = common_name or (names or [certificate])[0]
    builder = _builder(subject, _pair(certificate), issued_by or None, valid_from, until)
    if names or ips:
        alternatives = [
            *(x509.DNSName(name) for name in names or []),
            *(x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips or []),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    found = [_signed(_builder(item, _pair(item), "root", -10, 3650), "root") for item in chain or []]
    found.insert(server_at, _signed(builder, issued_by or certificate))
    pem = b"".join(item.public_bytes(serialization.Encoding.PEM) for item in found)
    return pem + (key(certificate) if with_key else b"")


def key(key: str, passphrase: str = "", kind: str = "ec") -> bytes:
    """The private key of the pair of that name, in PEM; encrypted when a passphrase is given."""
    encryption: Any = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return bytes(_pair(key, kind).private_bytes(*form, encryption))


def _converted(pem: bytes, form: str, name: str) -> bytes:
    """A PEM text in another format."""
    if form == "utf-16":
        return pem.decode().encode("utf-16")
    if form == "der" and b"PRIVATE KEY" in pem:
        loaded = serialization.load_pem_private_key(pem, None)
        return loaded.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    if form == "der":
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    if form == "p7b":
        chain = x509.load_pem_x509_certificates(pem)
        return pkcs7.serialize_certificates(chain, serialization.Encoding.PEM)
    if form in ("pfx", "pfx-locked"):
        chain = x509.load_pem_x509_certificates(pem)
        locked = serialization.BestAvailableEncryption(b"secret")
        encryption: Any = locked if form == "pfx-locked" else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(name.encode(), _pair(name), chain[0], chain[1:], encryption)
    return pem


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
