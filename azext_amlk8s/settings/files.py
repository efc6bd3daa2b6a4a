"""TLS material: the contents of the files are judged and sent, their paths never."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from azext_amlk8s.findings import Finding, Severity
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.read import GUIDE

SENT_AS = {"sslCertPemFile": "scoringFe.sslCert", "sslKeyPemFile": "scoringFe.sslKey"}


def file_settings(settings: Settings) -> Mapping[str, str]:
    """The settings whose value is the path of a local file, with their paths."""
    return {key: settings.get(key) for key in SENT_AS if settings.get(key)}


def with_file_contents(settings: Settings, contents: Mapping[str, bytes]) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings with the contents in place of the paths, base64-encoded under the keys that the service reads.

    Findings: PEM that does not parse, a key that is encrypted or not the certificate's. Where sslCname is absent the
    first DNS name of the certificate is taken, with a warning.
    """
    config = {key: value for key, value in settings.config.items() if key not in SENT_AS}
    protected = {key: value for key, value in settings.protected.items() if key not in SENT_AS}
    findings: list[Finding] = []
    protected.update({SENT_AS[key]: b64encode(content).decode("ascii") for key, content in contents.items()})
    if set(contents) == set(SENT_AS):
        name, found = _judge_pair(contents["sslCertPemFile"], contents["sslKeyPemFile"])
        findings += found
        if not settings.get("sslCname") and not found:
            if name:
                config["sslCname"] = name
                findings.append(
                    Finding(
                        "T105",
                        Severity.WARNING,
                        "sslCname",
                        f"sslCname is not given; {name} is taken from the certificate.",
                        fix=f"--config sslCname={name}",
                        source=GUIDE,
                    )
                )
            else:
                findings.append(
                    _error(
                        "T106",
                        "sslCname",
                        "HTTPS needs sslCname, and the certificate names no host.",
                        "--config sslCname=HOST.NAME",
                    )
                )
    return Settings(config, protected), tuple(findings)


def _judge_pair(certificate_pem: bytes, key_pem: bytes) -> tuple[str, list[Finding]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    findings: list[Finding] = []
    certificate = key = None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError:
        findings.append(_error("T101", "sslCertPemFile", "The file of sslCertPemFile holds no certificate in PEM.", ""))
    try:
        key = load_pem_private_key(key_pem, password=None)
    except TypeError:
        findings.append(
            _error(
                "T102",
                "sslKeyPemFile",
                "The private key is encrypted; the service needs it without a passphrase.",
                "openssl pkey -in KEY.pem -out PLAIN.pem",
            )
        )
    except ValueError:
        findings.append(_error("T103", "sslKeyPemFile", "The file of sslKeyPemFile holds no private key in PEM.", ""))
    if certificate is None or key is None:
        return "", findings
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        findings.append(_error("T104", "sslKeyPemFile", "The private key does not belong to the certificate.", ""))
    return _first_name(certificate), findings


def _first_name(certificate: object) -> str:
    from cryptography import x509

    assert isinstance(certificate, x509.Certificate)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    found = [name for name in names.get_values_for_type(x509.DNSName) if not name.startswith("*")]
    return found[0] if found else ""


def _error(rule: str, subject: str, message: str, fix: str) -> Finding:
    return Finding(rule, Severity.ERROR, subject, message, fix=fix, source=GUIDE)
