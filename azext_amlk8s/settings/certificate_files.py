"""Certificate and key files: their contents are examined and sent, their paths never."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.settings import certificate_rules as rules
from azext_amlk8s.settings.certificates import (
    PEM,
    CertificateFile,
    Moment,
    belongs_to,
    dns_names,
    follow_issuers,
    read_chain,
    read_key,
    server_certificate,
)
from azext_amlk8s.settings.model import Settings

if TYPE_CHECKING:
    from cryptography import x509

SENT_AS = {rules.CERTIFICATE: "scoringFe.sslCert", rules.KEY: "scoringFe.sslKey"}


def certificate_paths(settings: Settings) -> Mapping[str, str]:
    """The settings whose value is the path of a local file, with their paths."""
    return {key: path for key in SENT_AS if (path := settings.get(key)) and PEM.decode() not in path}


def load_certificate_files(
    settings: Settings, contents: Mapping[str, bytes], now: Moment | None = None
) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings with the contents in place of the paths, in base64 under the keys that the service reads.

    A value that is PEM itself (key=@file of az) counts as a file. The files are examined; now is an aware datetime,
    None to leave out validity. Where sslCname is absent the first host name of the certificate is used, with a warning.
    A file in another format leaves the settings as they are, and so does one file without the other.
    """
    inline = {key: settings.get(key).encode() for key in SENT_AS if PEM.decode() in settings.get(key)}
    files = {
        key: CertificateFile(key, content, "" if key in inline else settings.get(key))
        for key, content in {**inline, **contents}.items()
    }
    certificate, key = files.get(rules.CERTIFICATE), files.get(rules.KEY)
    findings = _examine_forms(certificate, key)
    if certificate is None or key is None or any(finding.severity is Severity.ERROR for finding in findings):
        return settings, findings
    loaded = _with_contents(settings, (certificate, key))
    chain, host = read_chain(certificate.content), settings.get("sslCname")
    findings += _examine_chain((certificate, key), chain, host, now)
    if not host and not settings.is_enabled("allowInsecureConnections"):
        host, host_findings = _host_from_certificate(server_certificate(chain, read_key(key.content)))
        findings += host_findings
        loaded = Settings({**loaded.config, **({"sslCname": host} if host else {})}, loaded.protected)
    return loaded, findings


def _examine_forms(certificate: CertificateFile | None, key: CertificateFile | None) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for file in (certificate, key):
        findings += rules.ascii_text(file) if file else ()
    if certificate:
        findings += (*rules.certificate_form(certificate, key), *rules.key_in_certificate_file(certificate))
    if key:
        findings += (*rules.key_form(key), *rules.key_encryption(key))
    return tuple(findings)


def _examine_chain(
    files: tuple[CertificateFile, CertificateFile], chain: list[x509.Certificate], host: str, now: Moment | None
) -> tuple[Finding, ...]:
    key = read_key(files[1].content)
    server = server_certificate(chain, key)
    ordered = follow_issuers(server, chain)
    matches = key is not None and belongs_to(key, server)
    return (
        *rules.matching_key(server, matches, files),
        *(rules.expired_certificate(chain, now) if now else ()),
        *(rules.future_certificate(chain, now) if now else ()),
        *(rules.expiring_certificate(chain, now) if now else ()),
        *rules.chain_order(chain, ordered),
        *rules.issuers_in_chain(chain, ordered),
        *(rules.covered_host(server, host) if host else ()),
        *(rules.subject_alternative_name(server, host) if host else ()),
    )


def _with_contents(settings: Settings, files: tuple[CertificateFile, CertificateFile]) -> Settings:
    config = {key: value for key, value in settings.config.items() if key not in SENT_AS}
    protected = {key: value for key, value in settings.protected.items() if key not in SENT_AS}
    protected.update({SENT_AS[file.key]: b64encode(file.content).decode("ascii") for file in files})
    return Settings(config, protected)


def _host_from_certificate(certificate: x509.Certificate) -> tuple[str, tuple[Finding, ...]]:
    host = next((name for name in dns_names(certificate) if not name.startswith("*")), "")
    return host, rules.host_name_from_certificate(host) if host else rules.host_name_missing(certificate)
