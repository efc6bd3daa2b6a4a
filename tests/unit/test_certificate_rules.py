"""The findings on certificates and keys: their bounds in time, their subjects, their fixes."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509

from azext_amlk8s.settings import Settings, load_certificate_files
from azext_amlk8s.settings import certificate_rules as rules
from azext_amlk8s.settings.certificates import CertificateFile, read_chain
from tests.scenarios.certificates import certificate, key

PATHS = {"sslCertPemFile": "cert.pem", "sslKeyPemFile": "key.pem"}
CHAIN = read_chain(certificate("one", ["ml.contoso.com"]))
BEGIN, END = CHAIN[0].not_valid_before_utc, CHAIN[0].not_valid_after_utc
DAY, SECOND = datetime.timedelta(days=1), datetime.timedelta(seconds=1)

# Name, moment, the findings on validity by rule, with the end of the message.
VALIDITY = [
    ("a second before it is valid", BEGIN - SECOND, {"T108": f"is valid from {BEGIN:%Y-%m-%d}."}),
    ("when it becomes valid", BEGIN, {}),
    ("31 days before it expires", END - 31 * DAY, {}),
    ("30 days before it expires", END - 30 * DAY, {}),
    ("29 days and 23 hours before it expires", END - 30 * DAY + SECOND, {"T109": f"expires in 29 days, on {END:%Y-%m-%d}."}),
    ("two days before it expires", END - 2 * DAY, {"T109": f"expires in 2 days, on {END:%Y-%m-%d}."}),
    ("a day before it expires", END - DAY, {"T109": f"expires in 1 day, on {END:%Y-%m-%d}."}),
    ("a second before it expires", END - SECOND, {"T109": f"expires today, on {END:%Y-%m-%d}."}),
    ("when it expires", END, {"T107": f"expired on {END:%Y-%m-%d}."}),
    ("a day after it expired", END + DAY, {"T107": f"expired on {END:%Y-%m-%d}."}),
]  # fmt: skip


@pytest.mark.parametrize(("now", "expected"), [case[1:] for case in VALIDITY], ids=[case[0] for case in VALIDITY])
def test_validity(now: datetime.datetime, expected: dict[str, str]) -> None:
    findings = (
        *rules.expired_certificate(CHAIN, now),
        *rules.future_certificate(CHAIN, now),
        *rules.expiring_certificate(CHAIN, now),
    )
    assert {finding.id: finding.subject for finding in findings} == dict.fromkeys(expected, "sslCertPemFile")
    assert all(finding.message.endswith(expected[finding.id]) for finding in findings)


def test_validity_is_not_checked_without_a_moment() -> None:
    expired = {"sslCertPemFile": certificate("one", ["ml.contoso.com"], until=0), "sslKeyPemFile": key("one")}
    _, findings = load_certificate_files(Settings({"sslCname": "ml.contoso.com"}, PATHS), expired)
    assert findings == ()


def names(names: list[str], common_name: str = "", ips: list[str] | None = None) -> x509.Certificate:
    return read_chain(certificate("one", names, common_name or "cn.contoso.com", ips=ips))[0]


# Name, certificate, sslCname; expected, found and fix of T110, none where the host is covered.
COVERED: list[tuple[str, x509.Certificate, str, tuple[str, str] | None]] = [
    ("a name", names(["ml.contoso.com"]), "ML.contoso.com", None),
    ("the second name", names(["a.com", "ml.contoso.com"]), "ml.contoso.com", None),
    ("the common name beside other names", names(["ml.contoso.com"]), "cn.contoso.com", ("ml.contoso.com", "--config sslCname=ml.contoso.com")),
    ("the common name alone", names([]), "CN.contoso.com", None),
    ("another common name", names([]), "ml.contoso.com", ("cn.contoso.com", "Renew the certificate with 'ml.contoso.com' as subject alternative name.")),
    ("a wildcard and a name", names(["*.a.com", "b.com"]), "c.com", ("*.a.com, b.com", "--config sslCname=b.com")),
    ("a wildcard of one label", names(["*.a.com"]), "x.a.com", None),
    ("a wildcard and two labels", names(["*.a.com"]), "y.x.a.com", ("*.a.com", "Choose a host name that '*.a.com' covers, or renew the certificate for 'y.x.a.com'.")),
    ("a wildcard and no label", names(["*.a.com"]), "a.com", ("*.a.com", "Choose a host name that '*.a.com' covers, or renew the certificate for 'a.com'.")),
    ("a wildcard and an empty label", names(["*.a.com"]), ".a.com", ("*.a.com", "Choose a host name that '*.a.com' covers, or renew the certificate for '.a.com'.")),
    ("an IP address", names([], ips=["10.0.0.4"]), "ml.contoso.com", ("10.0.0.4", "Renew the certificate with 'ml.contoso.com' as subject alternative name.")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("server", "host", "expected"), [case[1:] for case in COVERED], ids=[case[0] for case in COVERED]
)
def test_covered_host(server: x509.Certificate, host: str, expected: tuple[str, str] | None) -> None:
    findings = rules.covered_host(server, host)
    assert [(finding.subject, finding.expected, finding.found, finding.fix) for finding in findings] == (
        [("sslCname", expected[0], host, expected[1])] if expected else []
    )


@pytest.mark.parametrize(
    ("server", "host", "reported"),
    [
        (names([]), "cn.contoso.com", True),
        (names([]), "CN.Contoso.com", True),
        (names([]), "ml.contoso.com", False),
        (names(["cn.contoso.com"]), "cn.contoso.com", False),
    ],
    ids=["common name alone", "other capitals", "another host", "subject alternative name"],
)
def test_subject_alternative_name(server: x509.Certificate, host: str, reported: bool) -> None:
    assert [finding.subject for finding in rules.subject_alternative_name(server, host)] == ["sslCname"] * reported


# Name, certificate; what the message says that the certificate has, and `found`.
MISSING_HOST = [
    ("no name", names([]), "no host name", ""),
    ("a wildcard", names(["*.a.com"]), "only the wildcard '*.a.com'", "*.a.com"),
    ("an IP address", names([], ips=["10.0.0.4"]), "only the IP address '10.0.0.4'", "10.0.0.4"),
    ("a wildcard and an IP address", names(["*.a.com"], ips=["10.0.0.4"]), "only the wildcard '*.a.com'", "*.a.com"),
]


@pytest.mark.parametrize(
    ("server", "text", "found"), [case[1:] for case in MISSING_HOST], ids=[case[0] for case in MISSING_HOST]
)
def test_host_name_missing(server: x509.Certificate, text: str, found: str) -> None:
    (finding,) = rules.host_name_missing(server)
    assert (finding.subject, finding.found) == ("sslCname", found)
    assert finding.message.endswith(f"the certificate has {text}.")
    assert finding.fix.startswith("Choose" if "wildcard" in text else "Renew")


@pytest.mark.parametrize(
    ("length", "shown"), [(10, True), (255, True), (256, False)], ids=["a path", "the longest path", "a longer value"]
)
def test_unreadable_file_shows_a_path_alone(length: int, shown: bool) -> None:
    path = "k" * length
    (finding,) = rules.readable_file("sslKeyPemFile", path, "no such file")
    assert (path in finding.message, "the value is not a path" in finding.message) == (shown, not shown)


# Name, plain settings, protected settings, contents; the keys that are sent, and the rules that report.
LOADED: list[tuple[str, dict[str, str], dict[str, Any], set[str], set[str]]] = [
    ("a host name is given", {"sslCname": "ml.contoso.com"}, {}, {"sslCname"}, set()),
    ("a host name is read", {}, {}, {"sslCname"}, {"T105"}),
    ("no host name is read for plain HTTP", {"allowInsecureConnections": "True"}, {}, {"allowInsecureConnections"}, set()),
    ("a wildcard is no host name", {}, {"sslCertPemFile": certificate("one", ["*.a.com"])}, set(), {"T106"}),
    ("a key of another certificate", {"sslCname": "ml.contoso.com"}, {"sslKeyPemFile": key("two")}, {"sslCname"}, {"T104"}),
    ("a repeated certificate", {"sslCname": "ml.contoso.com"}, {"sslCertPemFile": certificate("one", ["ml.contoso.com"], until=300) * 2}, {"sslCname"}, {"T111"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "contents", "keys", "expected"), [case[1:] for case in LOADED], ids=[case[0] for case in LOADED]
)
def test_loaded_files(config: dict[str, str], contents: dict[str, Any], keys: set[str], expected: set[str]) -> None:
    """The contents replace the paths, under the keys that the service reads."""
    files = {"sslCertPemFile": certificate("one", ["ml.contoso.com"]), "sslKeyPemFile": key("one"), **contents}
    loaded, findings = load_certificate_files(Settings(config, PATHS), files, BEGIN + DAY)
    assert {finding.id for finding in findings} == expected
    assert set(loaded.config) == keys
    assert set(loaded.protected) == {"scoringFe.sslCert", "scoringFe.sslKey"}


def test_fix_of_a_wrong_key_names_no_file_where_none_is_given() -> None:
    server = names(["ml.contoso.com"])
    pair = (CertificateFile("sslCertPemFile", b"", ""), CertificateFile("sslKeyPemFile", b"", "key.pem"))
    (finding,) = rules.matching_key(server, False, pair)
    assert finding.fix == "Give the key for which the certificate was issued."
    named = (CertificateFile("sslCertPemFile", b"", "my cert.pem"), CertificateFile("sslKeyPemFile", b"", "key.pem"))
    (finding,) = rules.matching_key(server, False, named)
    assert finding.fix == "openssl x509 -in 'my cert.pem' -noout -pubkey\nopenssl pkey -in key.pem -pubout"
