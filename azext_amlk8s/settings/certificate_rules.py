"""Rules for the files of certificate and private key; the health check fails with E40007 where one is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.certificates import (
    CertificateFile,
    Content,
    Moment,
    common_name,
    covers,
    dns_names,
    identify,
    ip_addresses,
    is_self_signed,
    issuer_name,
    subject_name,
)
from azext_amlk8s.settings.setting_rules import HTTPS, TROUBLESHOOT, UNREAD
from azext_amlk8s.shell import quote

if TYPE_CHECKING:
    from cryptography import x509

CERTIFICATE, KEY = "sslCertPemFile", "sslKeyPemFile"
ERROR, WARNING = Severity.ERROR, Severity.WARNING
SOON_DAYS = 30
LONGEST_PATH = 255  # anything longer is no path, and may be the key itself

# How to convert a file to PEM; {path} is the given one.
CONVERT = {
    (CERTIFICATE, Content.PFX): "openssl pkcs12 -in {path} -nokeys -out cert.pem",
    (KEY, Content.PFX): "openssl pkcs12 -in {path} -nocerts -nodes -out key.pem",
    (CERTIFICATE, Content.DER_CERTIFICATE): "openssl x509 -inform DER -in {path} -out cert.pem",
    (KEY, Content.DER_KEY): "openssl pkey -inform DER -in {path} -out key.pem",
    (CERTIFICATE, Content.PKCS7): "openssl pkcs7 -print_certs -in {path} -out cert.pem",
    (KEY, Content.ENCRYPTED_KEY): "openssl pkey -in {path} -out key.pem",
}


@rule(
    "T100",
    ERROR,
    title="Readable certificate files",
    requires="The files of certificate and private key can be read.",
    source=HTTPS,
    why="Their contents are sent, not their paths.",
)
def readable_file(key: str, path: str, reason: str) -> Problems:
    """A file that cannot be read; a value that is longer than a path may be the key itself and is not shown."""
    shown = f"file '{path}'" if len(path) <= LONGEST_PATH else "the value is not a path and"
    yield Problem(key, f"{key}: {shown} cannot be read: {reason}.", fix=f"Give the path of a PEM file to {key}.")


@rule(
    "T101",
    ERROR,
    title="Certificate file",
    requires="The certificate file contains certificates in PEM format.",
    source=HTTPS,
    why="The router cannot load any other file.",
)
def certificate_form(file: CertificateFile, key: CertificateFile | None) -> Problems:
    """A certificate file that is empty or contains anything else."""
    content = identify(file.content)
    if content in (Content.CERTIFICATES, Content.CERTIFICATES_AND_KEY, Content.NOT_ASCII, Content.UTF16):
        return
    message = f"{file.key}: {_named(file)} {content.value}; expected certificates in PEM format."
    fix = _convert(file, content) or "Give a file that begins with -----BEGIN CERTIFICATE-----."
    related: tuple[str, ...] = ()
    if content is Content.PFX and (key is None or key.content == file.content):
        fix += "\n" + CONVERT[KEY, Content.PFX].format(path=quote(file.path or "cert.pfx"))
        related = (KEY,)
    yield Problem(file.key, message, "certificates in PEM format", content.value, fix, related)


@rule(
    "T102",
    ERROR,
    title="Encryption of the private key",
    requires="The private key is not encrypted.",
    source=HTTPS,
    why="The router has no passphrase.",
)
def key_encryption(file: CertificateFile) -> Problems:
    """An encrypted key."""
    if identify(file.content) is Content.ENCRYPTED_KEY:
        message = f"{file.key}: {_named(file)} is encrypted; expected a private key without a passphrase."
        yield Problem(file.key, message, fix=_convert(file, Content.ENCRYPTED_KEY))


@rule(
    "T103",
    ERROR,
    title="Private key file",
    requires="The key file contains a private key in PEM format.",
    source=HTTPS,
    why="The router cannot load any other file.",
    follows=("T101",),
)
def key_form(file: CertificateFile) -> Problems:
    """A key file that is empty or contains anything else."""
    content = identify(file.content)
    allowed = (Content.KEY, Content.CERTIFICATES_AND_KEY, Content.ENCRYPTED_KEY, Content.NOT_ASCII, Content.UTF16)
    if content not in allowed:
        message = f"{file.key}: {_named(file)} {content.value}; expected a private key in PEM format."
        fix = _convert(file, content) or "Give a file that begins with -----BEGIN PRIVATE KEY-----."
        yield Problem(file.key, message, "a private key in PEM format", content.value, fix)


@rule(
    "T104",
    ERROR,
    title="Private key of the certificate",
    requires="The private key belongs to the certificate.",
    source=HTTPS,
    why="The router cannot serve HTTPS with another key.",
)
def matching_key(server: x509.Certificate, matches: bool, files: tuple[CertificateFile, CertificateFile]) -> Problems:
    """A key of another certificate."""
    if not matches:
        message = f"{KEY}: the private key does not belong to the certificate of '{subject_name(server)}'."
        paths = [quote(file.path) for file in files]
        fix = f"openssl x509 -in {paths[0]} -noout -pubkey\nopenssl pkey -in {paths[1]} -pubout"
        if not all(file.path for file in files):
            fix = "Give the key for which the certificate was issued."
        yield Problem(KEY, message, fix=fix)


@rule(
    "T105",
    WARNING,
    title="Host name from the certificate",
    requires="sslCname is given.",
    source=HTTPS,
    why="The first host name of the certificate is used.",
)
def host_name_from_certificate(name: str) -> Problems:
    """sslCname is taken from the certificate."""
    message = f"sslCname: not given; '{name}' is read from the certificate."
    yield Problem("sslCname", message, fix=f"--config sslCname={name}")


@rule(
    "T106",
    ERROR,
    title="Host name for HTTPS with files",
    requires="sslCname is given, or the certificate names a host.",
    source=HTTPS,
    why="Clients reach the endpoints under this name.",
    follows=UNREAD,
)
def host_name_missing(certificate: x509.Certificate) -> Problems:
    """No sslCname, and no host in the certificate that could be taken for it."""
    names, addresses = dns_names(certificate), ip_addresses(certificate)
    has, fix = "no host name", "Renew the certificate with a host name as subject alternative name, and give sslCname."
    if names:
        has = f"only the wildcard {_listed(names)}"
        fix = f"Choose a host name that {_listed(names)} covers, and give it as sslCname."
    elif addresses:
        has = f"only the IP address {_listed(addresses)}"
    message = f"sslCname: required for HTTPS; the certificate has {has}."
    yield Problem("sslCname", message, expected="a host name", found=", ".join(names or addresses), fix=fix)


@rule(
    "T107",
    ERROR,
    title="Expiry of the certificate",
    requires="No certificate of the chain has expired.",
    source=TROUBLESHOOT,
    why="Clients reject it.",
)
def expired_certificate(chain: list[x509.Certificate], now: Moment) -> Problems:
    """Certificates that have expired."""
    for certificate in chain:
        if (end := certificate.not_valid_after_utc) <= now:
            message = f"{CERTIFICATE}: the certificate of '{subject_name(certificate)}' expired on {end:%Y-%m-%d}."
            yield Problem(CERTIFICATE, message, found=f"{end:%Y-%m-%d}", fix="Renew the certificate.")


@rule(
    "T108",
    ERROR,
    title="Start of the certificate's validity",
    requires="Every certificate of the chain is valid already.",
    source=TROUBLESHOOT,
    why="Clients reject it.",
)
def future_certificate(chain: list[x509.Certificate], now: Moment) -> Problems:
    """Certificates that are not valid yet."""
    for certificate in chain:
        if (begin := certificate.not_valid_before_utc) > now:
            message = f"{CERTIFICATE}: the certificate of '{subject_name(certificate)}' is valid from {begin:%Y-%m-%d}."
            fix = "Wait until then, or check the clock of this machine."
            yield Problem(CERTIFICATE, message, found=f"{begin:%Y-%m-%d}", fix=fix)


@rule(
    "T109",
    WARNING,
    title="Upcoming expiry of the certificate",
    requires=f"Every certificate of the chain is valid for another {SOON_DAYS} days.",
    source=TROUBLESHOOT,
    why="Clients reject it from then on.",
)
def expiring_certificate(chain: list[x509.Certificate], now: Moment) -> Problems:
    """Certificates that expire soon."""
    for certificate in chain:
        end = certificate.not_valid_after_utc
        if certificate.not_valid_before_utc <= now < end and (days := (end - now).days) < SOON_DAYS:
            remaining = "today" if days == 0 else f"in {days} {'day' if days == 1 else 'days'}"
            name = subject_name(certificate)
            message = f"{CERTIFICATE}: the certificate of '{name}' expires {remaining}, on {end:%Y-%m-%d}."
            yield Problem(CERTIFICATE, message, found=f"{end:%Y-%m-%d}", fix="Renew the certificate.")


@rule(
    "T110",
    ERROR,
    title="Names of the certificate",
    requires="The certificate covers sslCname.",
    source=TROUBLESHOOT,
    why="Clients reject a certificate for another host.",
    follows=(*UNREAD, "S100"),
)
def covered_host(certificate: x509.Certificate, host: str) -> Problems:
    """A host that no name of the certificate covers."""
    names = dns_names(certificate)
    if not names and common_name(certificate).lower() == host.lower():
        return
    if any(covers(name, host) for name in names):
        return
    shown = [*names, *ip_addresses(certificate)] or [common_name(certificate)]
    hosts = [name for name in names if not name.startswith("*")]
    if hosts:
        fix = f"--config sslCname={hosts[0]}"
    elif names:
        fix = f"Choose a host name that {_listed(names)} covers, or renew the certificate for '{host}'."
    else:
        fix = f"Renew the certificate with '{host}' as subject alternative name."
    message = f"sslCname: '{host}' is not covered by the certificate, which is for {_listed(shown)}."
    yield Problem("sslCname", message, expected=", ".join(shown), found=host, fix=fix)


@rule(
    "T111",
    ERROR,
    title="Order of the certificate chain",
    requires="The chain begins with the server's certificate, and its issuer follows each certificate.",
    source=HTTPS,
    why="Clients read the chain in this order.",
)
def chain_order(chain: list[x509.Certificate], ordered: list[x509.Certificate]) -> Problems:
    """Certificates in another order, or that are not in the chain of the server's certificate."""
    if len(ordered) == len(chain):
        if ordered != chain:
            names = ", ".join(f"'{subject_name(certificate)}'" for certificate in ordered)
            message = f"{CERTIFICATE}: the certificates are not in order; expected {names}."
            yield Problem(CERTIFICATE, message, expected=names, fix=f"Write the certificates in this order: {names}.")
    elif is_self_signed(ordered[-1]):
        extra = [certificate for certificate in chain if certificate not in ordered or chain.count(certificate) > 1][0]
        message = (
            f"{CERTIFICATE}: the certificate of '{subject_name(extra)}' is not in the chain of "
            f"'{subject_name(ordered[0])}', or is repeated."
        )
        yield Problem(CERTIFICATE, message, fix=f"Remove the certificate of '{subject_name(extra)}' from the file.")


@rule(
    "T112",
    ERROR,
    title="Encoding of certificate and key files",
    requires="Certificate and key files are ASCII text.",
    source=HTTPS,
    why="PEM is ASCII; other bytes come from another format or encoding.",
)
def ascii_text(file: CertificateFile) -> Problems:
    """A file with other bytes, which is in no format that is recognised."""
    content = identify(file.content)
    if content in (Content.NOT_ASCII, Content.UTF16):
        message = f"{file.key}: {_named(file)} {content.value}; expected PEM, which is ASCII text."
        yield Problem(file.key, message, "ASCII text", content.value, "Save the file as ASCII, or give a PEM file.")


@rule(
    "T113",
    WARNING,
    title="Subject alternative name",
    requires="The certificate has sslCname as a subject alternative name.",
    source="https://datatracker.ietf.org/doc/html/rfc9525",
    why="Current clients ignore the common name.",
)
def subject_alternative_name(certificate: x509.Certificate, host: str) -> Problems:
    """The host as common name only."""
    if not dns_names(certificate) and common_name(certificate).lower() == host.lower():
        message = f"sslCname: the certificate has '{host}' as its common name only, which current clients ignore."
        fix = f"Renew the certificate with '{host}' as subject alternative name."
        yield Problem("sslCname", message, fix=fix)


@rule(
    "T114",
    WARNING,
    title="Intermediate certificates",
    requires="The file contains the certificates of all issuers up to the root.",
    source=HTTPS,
    why="Clients that do not know an intermediate issuer reject the certificate.",
)
def issuers_in_chain(chain: list[x509.Certificate], ordered: list[x509.Certificate]) -> Problems:
    """A server's certificate whose issuer is missing: an error where the file has other issuers."""
    last = ordered[-1]
    gap = len(ordered) < len(chain)
    if not is_self_signed(last) and (gap or len(chain) == 1):
        issuer, name = issuer_name(last), subject_name(last)
        message = f"{CERTIFICATE}: the certificate of '{issuer}', which issued '{name}', is missing in the file."
        fix = f"Add the certificate of '{issuer}' after that of '{name}'."
        yield Problem(CERTIFICATE, message, expected=issuer, fix=fix, severity=ERROR if gap else None)


@rule(
    "T115",
    ERROR,
    title="Private key in the certificate file",
    requires="The certificate file contains no private key.",
    source=HTTPS,
    why="Certificates are public, and files of them are copied without care.",
)
def key_in_certificate_file(file: CertificateFile) -> Problems:
    """Certificates and a private key in one file."""
    if identify(file.content) is Content.CERTIFICATES_AND_KEY:
        message = f"{file.key}: {_named(file)} also contains a private key; expected certificates only."
        fix = f"Move the private key to a separate file, and give that to {KEY}."
        yield Problem(file.key, message, found="a private key", fix=fix)


def _named(file: CertificateFile) -> str:
    return f"file '{file.path}'" if file.path else "the value"


def _convert(file: CertificateFile, content: Content) -> str:
    command = CONVERT.get((file.key, content), "")
    return command.format(path=quote(file.path)) if file.path else ""


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names if name) or "no host"
