"""TLS material: PEM bytes judged, each rule by itself; the clock is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.read import GUIDE

ERROR, WARNING = Severity.ERROR, Severity.WARNING
SOON_DAYS = 30
CERTIFICATE, KEY = "sslCertPemFile", "sslKeyPemFile"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"

T100 = Rule("T100", ERROR, "The files of certificate and key can be read.", GUIDE)
T101 = Rule("T101", ERROR, "The certificate file holds certificates in PEM.", TROUBLES)
T102 = Rule("T102", ERROR, "The private key is not encrypted.", TROUBLES)
T103 = Rule("T103", ERROR, "The key file holds a private key in PEM.", TROUBLES)
T104 = Rule("T104", ERROR, "The private key belongs to the certificate.", TROUBLES)
T105 = Rule("T105", WARNING, "Without sslCname the first name of the certificate is taken.", GUIDE)
T106 = Rule("T106", ERROR, "sslCname is given, or the certificate names a host.", GUIDE)
T107 = Rule("T107", ERROR, "The certificate has not expired.", TROUBLES)
T108 = Rule("T108", ERROR, "The certificate is valid already.", TROUBLES)
T109 = Rule("T109", WARNING, "The certificate is valid for another month.", TROUBLES)
T110 = Rule("T110", ERROR, "The certificate covers sslCname.", TROUBLES)
T111 = Rule("T111", ERROR, "The chain is in order: server, intermediate, root.", GUIDE)
T112 = Rule("T112", ERROR, "Certificate and key files are ASCII.", GUIDE)
T113 = Rule("T113", WARNING, "The certificate names its host as a subject alternative name.", TROUBLES)


def judge_pem(certificate_pem: bytes, key_pem: bytes, name: str, now: Any) -> tuple[Finding, ...]:
    """All that is to be said of a certificate chain and its key (health code E40007 is what they fail with later).

    name is sslCname, empty when it is not given; now an aware datetime, None to leave the clock out.
    """
    found = [*_ascii(certificate_pem, CERTIFICATE), *_ascii(key_pem, KEY)]
    if found:
        return tuple(found)
    chain, key = chain_of(certificate_pem), None
    if not chain:
        what = "a private key, not a certificate" if b"PRIVATE KEY-----" in certificate_pem else "no certificate in PEM"
        fix = f"--config-protected {CERTIFICATE}=CERT.pem"
        found.append(T101.finding(CERTIFICATE, f"The file of {CERTIFICATE} holds {what}.", fix=fix))
    try:
        key = _key(key_pem)
    except TypeError:
        message = "The private key is encrypted; the service needs it without a passphrase."
        found.append(T102.finding(KEY, message, fix="openssl pkey -in KEY.pem -out PLAIN.pem"))
    except ValueError:
        fix = f"--config-protected {KEY}=KEY.pem"
        found.append(T103.finding(KEY, f"The file of {KEY} holds no private key in PEM.", fix=fix))
    if chain and key:
        found += _pair(chain[0], key)
    if chain:
        found += [*_validity(chain, now), *_order(chain), *_cover(chain[0], name)]
    return tuple(found)


def chain_of(pem: bytes) -> list[Any]:
    """The certificates of a PEM text in its order; none where it holds none, or one that does not parse."""
    from cryptography import x509

    try:
        return list(x509.load_pem_x509_certificates(pem))
    except ValueError:
        return []


def names_of(certificate: Any) -> list[str]:
    """The DNS names of a certificate."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return list(names.get_values_for_type(x509.DNSName))


def _ascii(pem: bytes, subject: str) -> Iterator[Finding]:
    if not pem.isascii():
        message = f"The file of {subject} has bytes that are not ASCII; PEM has none."
        yield T112.finding(subject, message, fix=f"openssl x509 -in FILE   # to see whether {subject} is PEM")


def _key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem, password=None)


def _pair(certificate: Any, key: Any) -> Iterator[Finding]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        message = "The private key does not belong to the certificate."
        yield T104.finding(
            KEY, message, fix="openssl x509 -in CERT.pem -noout -pubkey; openssl pkey -in KEY.pem -pubout"
        )


def _validity(chain: list[Any], now: Any) -> Iterator[Finding]:
    if now is None:
        return
    for one in chain:
        whose = f"The certificate of {_subject(one)}"
        begin, end = one.not_valid_before_utc, one.not_valid_after_utc
        if end <= now:
            message = f"{whose} expired on {end:%Y-%m-%d}."
            yield T107.finding(CERTIFICATE, message, found=f"{end:%Y-%m-%d}", fix="Renew the certificate.")
        elif begin > now:
            message = f"{whose} is valid from {begin:%Y-%m-%d} only."
            yield T108.finding(CERTIFICATE, message, found=f"{begin:%Y-%m-%d}", fix="Wait, or check the clock.")
        elif (end - now).days < SOON_DAYS:
            message = f"{whose} expires on {end:%Y-%m-%d}, in {(end - now).days} days."
            yield T109.finding(CERTIFICATE, message, found=f"{end:%Y-%m-%d}", fix="Renew the certificate.")


def _order(chain: list[Any]) -> Iterator[Finding]:
    for one, above in zip(chain, chain[1:], strict=False):
        if one.issuer != above.subject:
            message = (
                f"The chain is not in order: {_subject(one)} is followed by {_subject(above)}, which did not issue it."
            )
            yield T111.finding(CERTIFICATE, message, fix="cat SERVER.pem INTERMEDIATE.pem ROOT.pem > CERT.pem")
            return


def _cover(certificate: Any, name: str) -> Iterator[Finding]:
    names = names_of(certificate)
    if not name:
        return
    if not names and _common_name(certificate).lower() == name.lower():
        message = f"The certificate names {name} as its common name only, which clients of today do not look at."
        yield T113.finding("sslCname", message, fix="Renew the certificate with a subject alternative name.")
    elif not any(_covers(one, name) for one in names):
        shown = ", ".join(names) or _common_name(certificate) or "no host"
        message = f"The certificate does not cover {name}: it is for {shown}."
        fix = f"--config sslCname={names[0].replace('*', 'HOST')}" if names else "Renew the certificate."
        yield T110.finding("sslCname", message, required=shown, found=name, fix=fix)


def _covers(pattern: str, name: str) -> bool:
    """RFC 6125: a star stands for the leftmost label, and for one only."""
    pattern, name = pattern.lower(), name.lower()
    if not pattern.startswith("*."):
        return pattern == name
    return name.partition(".")[2] == pattern[2:] and not name.startswith(".")


def _common_name(certificate: Any) -> str:
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _subject(certificate: Any) -> str:
    return _common_name(certificate) or certificate.subject.rfc4514_string() or "no name"
