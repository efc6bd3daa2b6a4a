"""Rules over settings alone: workloads, the router of inference, HTTPS."""

from __future__ import annotations

from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.reading_rules import DEPLOY, assignment, quoted, shown_value
from azext_amlk8s.settings.schema import (
    describe_values,
    invalid_keys,
    scenarios_of_key,
    setting_schema,
    values_of_key,
)

TROUBLESHOOT = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
HTTPS = "https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint"
# Where one of these speaks of a key, a rule that misses the key's value is a consequence.
UNREAD = ("S001", "S002", "S003", "S004", "S014", "S015", "S016")
UNREADABLE_FILES = ("T100", "T101", "T102", "T103", "T112")
CERTIFICATE_FILES = ("sslCertPemFile", "sslKeyPemFile")
CERTIFICATE_CONTENTS = ("scoringFe.sslCert", "scoringFe.sslKey")
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def has_certificate(settings: Settings) -> bool:
    """Whether a certificate is given, in whatever form."""
    keys = ("sslSecret", "scoringFe.sslSecret", *CERTIFICATE_FILES, *CERTIFICATE_CONTENTS)
    return any(settings.get(key) for key in keys)


@rule(
    "S100",
    ERROR,
    title="Form of values",
    requires="A value has the form that its key expects.",
    source=DEPLOY,
    why="The service passes any value on; the installation fails later, or the setting has no effect.",
)
def value_form(settings: Settings) -> Problems:
    """The values that the schema rejects. A protected value is not shown, and one that is not known not examined."""
    known = {key: value for key, value in settings.protected.items() if value != BLANK}
    for section, values in (("config", settings.config), ("protected", known)):
        for key in invalid_keys(values):
            expected, shown = describe_values(setting_schema(key)), shown_value(key, values[key], section)
            fix = f"Correct the value of {key}."
            if key == "sslCname" and "://" in shown:
                fix = assignment("--config", key, shown.partition("://")[2].split("/")[0].split(":")[0])
            elif values_of_key(key):
                fix = assignment("--config", key, values_of_key(key)[0])
            message = f"{key}: invalid value{quoted(shown)}; expected {expected}."
            yield Problem(key, message, expected=expected, found=shown, fix=fix)


@rule(
    "S101",
    ERROR,
    title="Enabled workloads",
    requires="At least one of enableTraining and enableInference is True.",
    source=DEPLOY,
    why="The extension would have nothing to run.",
    follows=UNREAD,
    follows_any=("S013",),
)
def enabled_workloads(settings: Settings) -> Problems:
    """Neither training nor inference."""
    if not settings.is_enabled("enableTraining") and not settings.is_enabled("enableInference"):
        message = "enableTraining, enableInference: neither is True; expected at least one of them."
        fix = "--config enableTraining=True"
        yield Problem("enableTraining", message, expected="True", fix=fix, related=("enableInference",))


@rule(
    "S102",
    ERROR,
    title="Service type of the inference router",
    requires="Inference has inferenceRouterServiceType.",
    source=DEPLOY,
    why="The router cannot be reached without a service, and there is no default.",
    follows=UNREAD,
    follows_any=("S013",),
)
def router_service_type(settings: Settings) -> Problems:
    """Inference without a service type."""
    key = "inferenceRouterServiceType"
    if settings.is_enabled("enableInference") and not settings.get(key):
        expected = describe_values(setting_schema(key))
        message = f"{key}: required for inference; expected {expected}."
        fix = f"--config {key}={'loadBalancer' if settings.get('internalLoadBalancerProvider') else 'nodePort'}"
        yield Problem(key, message, expected=expected, fix=fix)


@rule(
    "S103",
    ERROR,
    title="HTTPS or HTTP",
    requires="Inference has a certificate, or allowInsecureConnections=True.",
    source=DEPLOY,
    why="The router needs a certificate for HTTPS, and serves HTTP only where that is chosen.",
    follows=UNREAD,
    follows_any=("S013",),
)
def https_or_http(settings: Settings) -> Problems:
    """Inference with neither."""
    if (
        settings.is_enabled("enableInference")
        and not has_certificate(settings)
        and not settings.is_enabled("allowInsecureConnections")
    ):
        message = (
            "allowInsecureConnections: inference needs a certificate (sslCertPemFile and sslKeyPemFile, or sslSecret), "
            "or allowInsecureConnections=True for plain HTTP in tests."
        )
        fix = "--config allowInsecureConnections=True"
        related = (*CERTIFICATE_FILES, "sslSecret")
        yield Problem("allowInsecureConnections", message, fix=fix, related=related)


@rule(
    "S104",
    ERROR,
    title="Certificate and private key",
    requires="A certificate comes with its private key.",
    source=HTTPS,
    why="The router cannot serve HTTPS with one of them.",
    follows=(*UNREAD, *UNREADABLE_FILES),
)
def certificate_and_key(settings: Settings) -> Problems:
    """One of the two files or contents without the other."""
    for pair in (CERTIFICATE_FILES, CERTIFICATE_CONTENTS):
        for given, missing in (pair, pair[::-1]):
            if settings.get(given) and not settings.get(missing):
                message = f"{missing}: missing; {given} is given and needs it."
                fix = f"Add {missing} to --config-protected."
                yield Problem(missing, message, fix=fix)


@rule(
    "S105",
    ERROR,
    title="Sources of the certificate",
    requires="The certificate comes from files or from sslSecret, not from both.",
    source=HTTPS,
    why="The files would be used, and the secret ignored without a message.",
    follows=("U105",),
)
def one_certificate_source(settings: Settings) -> Problems:
    """Files and a secret."""
    if settings.get("sslSecret") and (settings.get("sslCertPemFile") or settings.get("scoringFe.sslCert")):
        message = "sslSecret: given together with certificate files; expected one of them."
        yield Problem("sslSecret", message, found=settings.get("sslSecret"), fix="Leave out sslSecret.")


@rule(
    "S106",
    ERROR,
    title="Host name for HTTPS",
    requires="HTTPS with sslSecret has sslCname.",
    source=HTTPS,
    why="Clients reach the endpoints under this name, and the certificate in the secret cannot be read for it.",
    follows=UNREAD,
)
def host_name_for_secret(settings: Settings) -> Problems:
    """A secret without sslCname. For files the name is read from the certificate."""
    secure = settings.is_enabled("enableInference") and not settings.is_enabled("allowInsecureConnections")
    if secure and settings.get("sslSecret") and not settings.get("sslCname"):
        message = "sslCname: required with sslSecret; expected a host name that the certificate covers."
        yield Problem("sslCname", message, expected="a host name", fix="Add sslCname to --config.")


@rule(
    "S107",
    ERROR,
    title="Internal load balancer and service type",
    requires="internalLoadBalancerProvider goes with inferenceRouterServiceType=loadBalancer.",
    source=DEPLOY,
    why="Other service types have no load balancer.",
)
def internal_load_balancer_type(settings: Settings) -> Problems:
    """An internal load balancer with another service type."""
    service, key = settings.get("inferenceRouterServiceType"), "internalLoadBalancerProvider"
    if settings.get(key) and service in ("nodePort", "clusterIP"):
        message = f"{key}: not possible with inferenceRouterServiceType '{service}'; expected 'loadBalancer'."
        fix = "--config inferenceRouterServiceType=loadBalancer"
        yield Problem(key, message, expected="loadBalancer", found=service, fix=fix)


@rule(
    "S108",
    WARNING,
    title="Plain HTTP",
    requires="Endpoints in production are served over HTTPS.",
    source=DEPLOY,
    why="Tokens and data of requests can be read on the network.",
)
def plain_http(settings: Settings) -> Problems:
    """Inference with allowInsecureConnections."""
    if settings.is_enabled("enableInference") and settings.is_enabled("allowInsecureConnections"):
        message = "allowInsecureConnections: endpoints are served over plain HTTP, for development and tests only."
        fix = "For production, give a certificate and set allowInsecureConnections=False."
        yield Problem("allowInsecureConnections", message, fix=fix)


@rule(
    "S109",
    WARNING,
    title="Certificate with plain HTTP",
    requires="A certificate is given where HTTPS is used.",
    source=HTTPS,
    why="With allowInsecureConnections=True it has no effect.",
)
def certificate_without_https(settings: Settings) -> Problems:
    """A certificate and allowInsecureConnections."""
    key = "allowInsecureConnections"
    if settings.is_enabled(key) and has_certificate(settings):
        message = f"{key}: True, so the certificate has no effect."
        yield Problem(key, message, fix=f"--config {key}=False")


@rule(
    "S110",
    WARNING,
    title="Settings of disabled workloads",
    requires="A setting of training or inference goes with enableTraining or enableInference.",
    source=DEPLOY,
    why="It has no effect.",
    follows=UNREAD,
    follows_any=UNREADABLE_FILES,
)
def setting_of_disabled_workload(settings: Settings) -> Problems:
    """Settings given for a scenario that is not enabled, other than their defaults."""
    enabled = {name for name in ("training", "inference") if settings.is_enabled(f"enable{name.capitalize()}")}
    for key, value in {**settings.protected, **settings.config}.items():
        declared, scenarios = setting_schema(key), scenarios_of_key(key)
        if not enabled or not scenarios or enabled & set(scenarios) or key in ("enableTraining", "enableInference"):
            continue
        if value in ("", "False", declared.get("default")) or declared.get("x-set") != "given":
            continue
        switch = f"enable{scenarios[0].capitalize()}"
        message = f"{key}: no effect, because {switch} is not True."
        yield Problem(key, message, fix=f"--config {switch}=True", related=(switch,))


@rule(
    "S120",
    WARNING,
    title="Billable resources",
    requires="Resources that cost money are created on purpose.",
    source=DEPLOY,
    why="Log Analytics and Service Bus are billed as long as they exist.",
)
def billable_resources(settings: Settings) -> Problems:
    """Settings for which a billable resource is created."""
    for key, own, resource in (
        ("logAnalyticsWS", "azure_log_analytics.connection_string", "Log Analytics workspace"),
        ("servicebus.enabled", "serviceBusConnectionString", "Service Bus namespace"),
    ):
        if settings.is_enabled(key) and not settings.get(own):
            yield Problem(key, f"{key}: a {resource} will be created, which is billed.", fix=f"--config {key}=False")
