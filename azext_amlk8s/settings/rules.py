"""Rules over settings alone: each a small pure function, found by its id."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from azext_amlk8s.findings import Finding, Severity
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.read import GUIDE
from azext_amlk8s.settings.schema import schema

Rule = Callable[[Settings], Iterator[Finding]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule."""
    RULES.append(function)
    return function


def judge(settings: Settings) -> tuple[Finding, ...]:
    """All that the rules say of settings, in the order of the rules; first what the schema says."""
    return (*_by_schema(settings), *(finding for one in RULES for finding in one(settings)))


def judge_version(version: str | None, auto_upgrade: bool | None) -> tuple[Finding, ...]:
    """A version and automatic upgrades exclude each other (service rule since API 2023-05-01)."""
    if version and auto_upgrade:
        return (
            _error(
                "V101",
                "--version",
                f"Version {version} cannot be kept while minor versions are upgraded automatically.",
                fix="--auto-upgrade-minor-version false",
            ),
        )
    return ()


def _by_schema(settings: Settings) -> Iterator[Finding]:
    from jsonschema import Draft202012Validator

    whole = {**settings.config, **settings.protected}
    for error in Draft202012Validator(schema()).iter_errors(whole):
        key = str(error.path[0]) if error.path else "settings"
        yield _error("S100", key, f"{key} does not have a value that the schema allows.")


@rule
def a_workload(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations: a scenario must be chosen."""
    if not settings.on("enableTraining") and not settings.on("enableInference"):
        yield _error(
            "S101",
            "enableTraining",
            "Neither training nor inference is enabled: set enableTraining=True, enableInference=True or both.",
            fix="--config enableTraining=True",
        )


@rule
def a_service_type(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations: inference needs a way in."""
    if settings.on("enableInference") and not settings.get("inferenceRouterServiceType"):
        yield _error(
            "S102",
            "inferenceRouterServiceType",
            "Inference needs inferenceRouterServiceType, which is loadBalancer, nodePort or clusterIP.",
            fix="--config inferenceRouterServiceType=nodePort",
        )


@rule
def https_or_http(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations: HTTPS is expected unless HTTP is chosen."""
    files = settings.get("sslCertPemFile") or settings.get("sslKeyPemFile") or settings.get("scoringFe.sslCert")
    if settings.on("enableInference") and not (
        files or settings.get("sslSecret") or settings.on("allowInsecureConnections")
    ):
        yield _error(
            "S103",
            "allowInsecureConnections",
            "Inference needs a certificate (sslCertPemFile and sslKeyPemFile, or "
            "sslSecret), or allowInsecureConnections=True for plain HTTP.",
            fix="--config allowInsecureConnections=True",
        )


@rule
def both_files(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II: certificate and key come together."""
    for one, other in (("sslCertPemFile", "sslKeyPemFile"), ("sslKeyPemFile", "sslCertPemFile")):
        if settings.get(one) and not settings.get(other):
            yield _error("S104", other, f"{one} is given without {other}.", fix=f"--config-protected {other}=PATH")


@rule
def files_or_secret(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II: one source of the certificate."""
    if settings.get("sslSecret") and settings.get("sslCertPemFile"):
        yield _error(
            "S105",
            "sslSecret",
            "The certificate is given twice, as files and as sslSecret.",
            fix="Leave out sslSecret.",
        )


@rule
def a_name_for_https(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II: sslCname is required with HTTPS; for files it can be read from the certificate."""
    if settings.on("enableInference") and settings.get("sslSecret") and not settings.get("sslCname"):
        yield _error(
            "S106",
            "sslCname",
            "HTTPS needs sslCname, the host name that the certificate covers.",
            fix="--config sslCname=HOST.NAME",
        )


@rule
def internal_load_balancer(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 step 6e: an internal load balancer is one for loadBalancer only."""
    service = settings.get("inferenceRouterServiceType")
    if settings.get("internalLoadBalancerProvider") and service in ("nodePort", "clusterIP"):
        yield _error(
            "S107",
            "internalLoadBalancerProvider",
            f"internalLoadBalancerProvider goes with inferenceRouterServiceType=loadBalancer only, not with {service}.",
            required="loadBalancer",
            found=service,
            fix="--config inferenceRouterServiceType=loadBalancer",
        )


@rule
def plain_http(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations: HTTP is for development and tests."""
    if settings.on("enableInference") and settings.on("allowInsecureConnections") and not settings.get("sslSecret"):
        yield Finding(
            "S108",
            Severity.WARNING,
            "allowInsecureConnections",
            "Endpoints will answer over plain HTTP; this is for development and tests.",
            source=GUIDE,
        )


def _error(rule_id: str, subject: str, message: str, *, required: str = "", found: str = "", fix: str = "") -> Finding:
    return Finding(rule_id, Severity.ERROR, subject, message, required, found, fix, GUIDE)
