"""Rules over settings alone: each a small pure function that yields findings of one id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.read import GUIDE
from azext_amlk8s.settings.schema import about, scenarios_of, violations, wanted

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
ARC = "https://learn.microsoft.com/azure/azure-arc/kubernetes/extensions"
AML = "https://github.com/Azure/AML-Kubernetes"
VERSION = re.compile(r"^\d+\.\d+\.\d+(-[\w.]+)?$")
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
Judge = Callable[[Settings], Iterator[Finding]]
JUDGES: list[Judge] = []

S100 = Rule("S100", ERROR, "A value has the form that its setting wants.", GUIDE)
S101 = Rule("S101", ERROR, "At least one of training and inference is enabled.", GUIDE)
S102 = Rule("S102", ERROR, "Inference has a service type for its router.", GUIDE)
S103 = Rule("S103", ERROR, "Inference has a certificate, or plain HTTP is chosen.", GUIDE)
S104 = Rule("S104", ERROR, "Certificate and key come together.", GUIDE)
S105 = Rule("S105", ERROR, "The certificate comes from one place, files or a secret.", GUIDE)
S106 = Rule("S106", ERROR, "HTTPS from a secret has sslCname.", GUIDE)
S107 = Rule("S107", ERROR, "An internal load balancer goes with loadBalancer only.", GUIDE)
S108 = Rule("S108", WARNING, "Plain HTTP is for development and tests.", GUIDE)
S109 = Rule("S109", WARNING, "A certificate has an effect only where plain HTTP is not chosen.", GUIDE)
S110 = Rule("S110", WARNING, "A setting of a workload has an effect only where that workload is enabled.", GUIDE)
S111 = Rule("S111", WARNING, "A relay of one's own is named whole.", AML)
S112 = Rule("S112", ERROR, "The connection string of a relay names its hybrid connection.", AML)
S113 = Rule("S113", ERROR, "A network interface for MPI is enabled and named together.", AML)
S114 = Rule("S114", ERROR, "A toleration is whole, and tolerations are counted from 0 without a gap.", AML)
S115 = Rule("S115", ERROR, "A label below nodeSelector is a valid one, with its dots escaped.", AML)
S116 = Rule("S116", WARNING, "A config map for Volcano has an effect only where Volcano is installed.", TROUBLES)
S117 = Rule("S117", WARNING, "inferenceRouterHA and clusterPurpose say the same.", AML)
S118 = Rule("S118", ERROR, "What the tool derives is not given otherwise.", GUIDE)
S119 = Rule("S119", ERROR, "A Log Analytics workspace of one's own is named whole.", GUIDE)
S120 = Rule("S120", WARNING, "What costs money is told.", GUIDE)
S121 = Rule("S121", INFO, "A secret with the certificate is there before the extension.", GUIDE)
S122 = Rule("S122", INFO, "A Prometheus operator of one's own is told what to watch.", TROUBLES)
V101 = Rule("V101", ERROR, "A version is kept, or minor versions are upgraded automatically.", ARC)
V102 = Rule("V102", ERROR, "A version is written like 1.1.71.", ARC)
V103 = Rule("V103", WARNING, "A release train has an effect only with automatic upgrades.", ARC)


def judges(function: Judge) -> Judge:
    """Have `judge` ask this rule."""
    JUDGES.append(function)
    return function


def judge(settings: Settings) -> tuple[Finding, ...]:
    """All that the rules say of settings, in the order of the rules; first what the schema says."""
    return tuple(finding for one in JUDGES for finding in one(settings))


def judge_version(
    version: str | None, auto_upgrade: bool | None, release_train: str | None = None
) -> tuple[Finding, ...]:
    """A version and automatic upgrades exclude each other (service rule since API 2023-05-01)."""
    found = []
    if version and auto_upgrade:
        message = f"Version {version} cannot be kept while minor versions are upgraded automatically."
        found.append(V101.finding("--version", message, fix="--auto-upgrade-minor-version false"))
    if version and not VERSION.match(version):
        message = f"{version} is not a version: it has three numbers, such as 1.1.71."
        found.append(V102.finding("--version", message, found=version, fix="--version 1.1.71"))
    if version and release_train:
        message = f"The release train {release_train} decides about upgrades, which --version {version} switches off."
        found.append(V103.finding("--release-train", message, fix="Leave out --release-train or --version."))
    return tuple(found)


@judges
def by_schema(settings: Settings) -> Iterator[Finding]:
    """What the schema says, bag by bag; a protected value is never quoted, and one that is not known not judged."""
    known = {key: value for key, value in settings.protected.items() if value != BLANK}
    for option, bag in (("--config", settings.config), ("--config-protected", known)):
        for key in violations(bag):
            wants, found = wanted(about(key)), settings.config[key] if bag is settings.config else ""
            message = f"{key}={found} is not possible: the value is {wants}." if found else f"{key} must be {wants}."
            yield S100.finding(key, message, required=wants, found=found, fix=f"{option} {key}=VALUE")


@judges
def a_workload(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations; field guide cluster-extension 2.1 step 5."""
    if not settings.on("enableTraining") and not settings.on("enableInference"):
        message = "Neither training nor inference is enabled: set enableTraining=True, enableInference=True or both."
        yield S101.finding("enableTraining", message, fix="--config enableTraining=True")


@judges
def a_service_type(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations; field guide cluster-extension 2.1 step 6d."""
    if settings.on("enableInference") and not settings.get("inferenceRouterServiceType"):
        message = "Inference needs inferenceRouterServiceType, which is loadBalancer, nodePort or clusterIP."
        fix = "--config inferenceRouterServiceType=nodePort"
        yield S102.finding("inferenceRouterServiceType", message, fix=fix)


@judges
def https_or_http(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations; field guide cluster-extension 2.1 step 6b."""
    if (
        settings.on("enableInference")
        and not _has_certificate(settings)
        and not settings.on("allowInsecureConnections")
    ):
        message = (
            "Inference needs a certificate (sslCertPemFile and sslKeyPemFile, or sslSecret), or "
            "allowInsecureConnections=True for plain HTTP."
        )
        fix = "--config sslCname=HOST.NAME --config-protected sslCertPemFile=CERT.pem sslKeyPemFile=KEY.pem"
        yield S103.finding(
            "allowInsecureConnections", message, fix=f"{fix}   # or --config allowInsecureConnections=True"
        )


@judges
def both_files(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II."""
    pairs = (("sslCertPemFile", "sslKeyPemFile"), ("scoringFe.sslCert", "scoringFe.sslKey"))
    for one, other in (*pairs, *(pair[::-1] for pair in pairs)):
        if settings.get(one) and not settings.get(other):
            value = "PATH" if other.endswith("File") else "BASE64"
            message = f"{one} is given without {other}."
            yield S104.finding(other, message, fix=f"--config-protected {other}={value}")


@judges
def files_or_secret(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II; field guide cluster-extension 2.1 step 7: files win silently elsewhere."""
    if settings.get("sslSecret") and (settings.get("sslCertPemFile") or settings.get("scoringFe.sslCert")):
        message = "The certificate is given twice, as files and as sslSecret."
        yield S105.finding("sslSecret", message, fix="Leave out sslSecret.")


@judges
def a_name_for_https(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II; field guide 2.1 step 6c. For files the name can be read from the certificate."""
    secure = settings.on("enableInference") and not settings.on("allowInsecureConnections")
    if secure and settings.get("sslSecret") and not settings.get("sslCname"):
        message = "HTTPS needs sslCname, the host name that the certificate covers."
        yield S106.finding("sslCname", message, fix="--config sslCname=HOST.NAME")


@judges
def internal_load_balancer(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 step 6e, 3a."""
    service = settings.get("inferenceRouterServiceType")
    if settings.get("internalLoadBalancerProvider") and service in ("nodePort", "clusterIP"):
        message = (
            f"internalLoadBalancerProvider goes with inferenceRouterServiceType=loadBalancer only, not with {service}."
        )
        fix = "--config inferenceRouterServiceType=loadBalancer"
        yield S107.finding("internalLoadBalancerProvider", message, required="loadBalancer", found=service, fix=fix)


@judges
def plain_http(settings: Settings) -> Iterator[Finding]:
    """Seed page, key considerations."""
    if settings.on("enableInference") and settings.on("allowInsecureConnections"):
        message = "Endpoints will answer over plain HTTP; this is for development and tests."
        fix = "--config allowInsecureConnections=False   # and a certificate"
        yield S108.finding("allowInsecureConnections", message, fix=fix)


@judges
def certificate_without_https(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 step 7: with plain HTTP the certificate is not looked at."""
    if settings.on("allowInsecureConnections") and _has_certificate(settings):
        message = "The certificate has no effect, because allowInsecureConnections=True chooses plain HTTP."
        yield S109.finding("allowInsecureConnections", message, fix="--config allowInsecureConnections=False")


@judges
def setting_of_no_workload(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II: the columns of the table."""
    on = {word for word in ("training", "inference") if settings.on(f"enable{word.capitalize()}")}
    for key in (*settings.config, *settings.protected):
        scenarios = scenarios_of(key)
        if not on or not scenarios or on & set(scenarios) or key in ("enableTraining", "enableInference"):
            continue
        given = settings.get(key)
        if given in ("False", about(key).get("default")) or about(key).get("x-set") != "given":
            continue
        word = scenarios[0]
        message = f"{key} has no effect, because {word} is not enabled."
        yield S110.finding(key, message, fix=f"--config enable{word.capitalize()}=True")


@judges
def what_costs_money(settings: Settings) -> Iterator[Finding]:
    """Seed page, Appendix II; field guide 3b: what is made for these is billed."""
    for key, what in (
        ("logAnalyticsWS", "A Log Analytics workspace"),
        ("servicebus.enabled", "A Service Bus namespace"),
    ):
        own = settings.get(
            "azure_log_analytics.connection_string" if key == "logAnalyticsWS" else "serviceBusConnectionString"
        )
        if settings.on(key) and not own:
            yield S120.finding(key, f"{what} will be made, which costs money.", fix=f"--config {key}=False")


def _has_certificate(settings: Settings) -> bool:
    keys = ("sslSecret", "sslCertPemFile", "sslKeyPemFile", "scoringFe.sslCert", "scoringFe.sslSecret")
    return any(settings.get(key) for key in keys)
