"""The certificate of the inference router: its expiry, and whether the router serves the one that it was given."""

from __future__ import annotations

from azext_amlk8s.checks.extension import TLS_PAGE, extension_ref
from azext_amlk8s.checks.facts import EXTENSIONS, INSTALLED, ROUTER_CERTIFICATE, CertificateView, Facts, count
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule
from azext_amlk8s.settings.certificate_rules import SOON_DAYS


@rule(
    "K409",
    Severity.ERROR,
    title="Router certificate",
    requires=f"The certificate of the router is valid for another {SOON_DAYS} days, and the router serves it.",
    source=TLS_PAGE,
    why="Clients reject endpoints whose certificate has expired.",
    follows=("K408",),
    check=CheckSpec("extension", (EXTENSIONS, ROUTER_CERTIFICATE), phase=INSTALLED),
)
def router_certificate(facts: Facts) -> Results:
    """An error for an expired certificate, a warning before that and for a router that serves another one."""
    certificates = facts[ROUTER_CERTIFICATE]
    if certificates is None:
        yield Observation("not used")
        return
    given, served = certificates.given, certificates.served
    rotate = f"az amlk8s extension certificate rotate {extension_ref(facts).cli_args} --cert cert.pem --key key.pem"
    differ = given is not None and served is not None and given.sha256 != served.sha256
    if given is not None:
        yield from _expiry(given, "that the router was given", rotate)
    if served is not None and (given is None or differ):
        yield from _expiry(served, f"that the router serves at {certificates.address}", rotate)
    if differ:
        message = (
            f"The router at {certificates.address} serves another certificate than it was given: the one that expires "
            f"on {served.expires if served else ''}."
        )
        show = f"az amlk8s extension certificate show {extension_ref(facts).cli_args}"
        yield Problem("served", message, given.sha256 if given else "", served.sha256 if served else "", show,
                      severity=Severity.WARNING)  # fmt: skip
    if known := served or given:
        yield Observation(f"valid until {known.expires}{', served' if served else ', not verified at the router'}")
    else:
        yield Observation("cannot be read")


def _expiry(certificate: CertificateView, which: str, fix: str) -> Results:
    if certificate.days_left < 0:
        message = f"The certificate {which} expired on {certificate.expires}."
        yield Problem("certificate", message, "a valid certificate", certificate.expires, fix)
    elif certificate.days_left < SOON_DAYS:
        when = f"in {count(certificate.days_left, 'day')}" if certificate.days_left else "today"
        message = f"The certificate {which} expires {when}, on {certificate.expires}."
        yield Problem("certificate", message, f"{SOON_DAYS} days or more", certificate.expires, fix,
                      severity=Severity.WARNING)  # fmt: skip
