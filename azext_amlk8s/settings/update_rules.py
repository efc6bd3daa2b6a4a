"""Rules over an update: requested settings and deployed ones."""

from __future__ import annotations

from azext_amlk8s import knowledge
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.option_rules import ARC
from azext_amlk8s.settings.reading_rules import OPTIONS, assignment, shown_value
from azext_amlk8s.settings.setting_rules import HTTPS
from azext_amlk8s.settings.update import Deployed, Update

ERROR, WARNING = Severity.ERROR, Severity.WARNING
CERTIFICATE = ("scoringFe.sslCert", "sslCertPemFile")


@rule(
    "U101",
    ERROR,
    title="Settings that name the cluster",
    requires="Settings that name the cluster keep their values.",
    source=ARC,
    why="They tie the extension to its cluster.",
)
def fixed_settings(settings: Settings, deployed: Deployed) -> Problems:
    """Another value for one of them."""
    for key in knowledge.load("lifecycle")["immutable"]:
        now, given = deployed.config.get(key), settings.get(key)
        if given and now and given != now:
            message = f"{key}: cannot be changed from '{now}' to '{given}'; it ties the extension to its cluster."
            yield Problem(key, message, expected=now, found=given, fix=f"Leave out {key}.")


@rule(
    "U102",
    ERROR,
    title="Section of a deployed setting",
    requires="A deployed setting stays among the plain or the protected settings.",
    source=ARC,
    why="It would be in both, and an update cannot remove a setting.",
)
def deployed_section(settings: Settings, deployed: Deployed) -> Problems:
    """A key that is given to the other option than before."""
    sections = (
        ("protected", settings.config, deployed.protected),
        ("config", settings.protected, deployed.config.keys()),
    )
    for section, given, names in sections:
        for key in sorted(given.keys() & names):
            option, kind = OPTIONS[section], "protected" if section == "protected" else "plain"
            message = f"{key}: deployed as a {kind} setting; expected in {option}."
            fix = assignment(option, key, shown_value(key, given[key], "config")) or f"Give {key} to {option}."
            yield Problem(key, message, expected=option, fix=fix)


@rule(
    "U103",
    ERROR,
    title="Deployed protected settings",
    requires="An update that changes a protected setting gives all of them.",
    source=ARC,
    why="The service replaces all protected settings together, and does not return their values.",
)
def lost_protected_settings(update: Update) -> Problems:
    """Deployed protected settings that are in neither the update nor what could be read again."""
    inputs = knowledge.load("lifecycle")["input"]
    for key in update.lost:
        given_as = inputs.get(key, key)
        message = f"{key}: it would be lost; an update replaces all protected settings together."
        yield Problem(key, message, fix=f"Give {given_as} again with --config-protected.")


@rule(
    "U104",
    WARNING,
    title="Host name of the deployed certificate",
    requires="The deployed certificate covers a new sslCname.",
    source=HTTPS,
    why="Clients reject it otherwise; the deployed certificate cannot be read to check that.",
)
def deployed_certificate_host(settings: Settings, deployed: Deployed) -> Problems:
    """A new sslCname without a new certificate."""
    before, name = deployed.settings().get("sslCname"), settings.get("sslCname")
    if name and name != before and "scoringFe.sslCert" in deployed.protected - settings.protected.keys():
        message = f"sslCname: the deployed certificate must cover '{name}', which cannot be checked."
        fix = "Give sslCertPemFile and sslKeyPemFile again to have them checked."
        yield Problem("sslCname", message, expected=name, found=before, fix=fix)


@rule(
    "U105",
    ERROR,
    title="Change between sslSecret and certificate files",
    requires="An update uses the source of the certificate that is deployed, or resets sslSecret.",
    source=HTTPS,
    why="Both would be deployed, and the files would be used.",
)
def certificate_source_change(settings: Settings, deployed: Deployed) -> Problems:
    """Files where a secret is deployed, or a secret where files are deployed."""
    given = {*settings.config, *settings.protected}
    gives_files = any(settings.get(key) for key in CERTIFICATE)
    secret = deployed.settings().get("sslSecret")
    if gives_files and secret and "sslSecret" not in given:
        option = OPTIONS["protected" if "sslSecret" in deployed.protected else "config"]
        name = f" '{secret}'" if option == OPTIONS["config"] else ""
        message = f"sslSecret:{name} is deployed, and the certificate files would be added to it; reset it as well."
        yield Problem("sslSecret", message, found=secret, fix=f"{option} sslSecret=")
    elif settings.get("sslSecret") and not gives_files and set(CERTIFICATE) & deployed.protected:
        message = (
            f"sslSecret: '{settings.get('sslSecret')}' would not be used, because certificate files are deployed and "
            "an update cannot remove them."
        )
        fix = "Give the certificate as sslCertPemFile and sslKeyPemFile, or delete the extension and create it again."
        yield Problem("sslSecret", message, fix=fix)
