"""Certificates with their keys, from the forms in which users have them."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key, pkcs12

from azext_amlk8s.settings.certificate_material import (
    Material,
    UnusableMaterial,
    describe_chain,
    material_from_file,
    material_from_secret,
    material_from_vault,
)
from tests.scenarios.certificates import certificate, key

CHAIN = certificate("server", ["ml.contoso.com"], chain=["intermediate", "root"])
KEY = key("server")
NOW = datetime.datetime.now(datetime.timezone.utc)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def pfx(*, with_key: bool = True) -> bytes:
    """A PFX file whose chain is in another order than that of the issuers."""
    server, intermediate, root = x509.load_pem_x509_certificates(CHAIN)
    private = load_pem_private_key(KEY, None) if with_key else None
    return pkcs12.serialize_key_and_certificates(b"fe", private, server, [root, intermediate], NoEncryption())  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [("cert.pem", "key.pem"), ("tls.crt", "tls.key")])
def test_secret_has_one_of_two_pairs_of_keys(names: tuple[str, str]) -> None:
    material = material_from_secret(dict(zip(names, (encoded(CHAIN), encoded(KEY)), strict=True)))
    assert (material.certificate, material.key) == (CHAIN, KEY)


SECRETS = [
    ({}, "it has the keys none; expected cert.pem and key.pem or tls.crt and tls.key"),
    ({"tls.crt": encoded(CHAIN)}, "it has the keys tls.crt; expected cert.pem and key.pem or tls.crt and tls.key"),
    ({"tls.crt": "***", "tls.key": "***"}, "tls.crt or tls.key is not base64"),
]


@pytest.mark.parametrize(("data", "reason"), SECRETS, ids=["empty", "half", "no base64"])
def test_unusable_secret_says_why(data: dict[str, str], reason: str) -> None:
    with pytest.raises(UnusableMaterial) as error:
        material_from_secret(data)
    assert str(error.value) == reason


@pytest.mark.parametrize(
    ("value", "content_type"),
    [
        (encoded(pfx()), "application/x-pkcs12"),
        ((KEY + CHAIN).decode(), "application/x-pem-file"),
        ((CHAIN + KEY).decode(), ""),
    ],
    ids=["pfx", "key first", "without a type"],
)
def test_vault_returns_pem_or_pfx(value: str, content_type: str) -> None:
    material = material_from_vault(value, content_type)
    names = [each.subject.rfc4514_string() for each in material.chain]
    assert names == ["CN=ml.contoso.com", "CN=intermediate", "CN=root"]
    assert material.fingerprint == Material(CHAIN, KEY).fingerprint


FILES = [
    (CHAIN, "it contains certificates; expected a certificate and its private key in PEM or PFX format"),
    (KEY, "it contains a private key; expected a certificate and its private key in PEM or PFX format"),
    (b"", "it is empty; expected a certificate and its private key in PEM or PFX format"),
    (pfx(with_key=False), "it has no private key: its policy must allow exporting the key"),
    (CHAIN + key("server", passphrase="x"), "its private key is encrypted; expected one without a passphrase"),
]


@pytest.mark.parametrize(("content", "reason"), FILES, ids=["chain", "key", "empty", "sealed pfx", "encrypted key"])
def test_unusable_file_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableMaterial) as error:
        material_from_file(content)
    assert str(error.value) == reason


def test_description_is_public_and_counts_to_the_first_expiry() -> None:
    pem = certificate("server", ["ml.contoso.com"], ips=["10.0.0.4"], until=20, chain=["intermediate"])
    public = describe_chain(x509.load_pem_x509_certificates(pem), NOW)
    assert public["names"] == ["ml.contoso.com", "10.0.0.4"]
    assert public["issuer"] == "CN=intermediate"
    assert public["daysLeft"] in (19, 20)
    assert len(public["sha256"]) == 64
    assert "PRIVATE" not in str(public)


def test_spaces_around_pem_make_no_difference() -> None:
    assert Material(CHAIN, KEY).equals(Material(CHAIN.strip(), KEY + b"\n"))
    assert not Material(CHAIN, KEY).equals(None)
    assert not Material(CHAIN, KEY).equals(Material(CHAIN, key("other")))
