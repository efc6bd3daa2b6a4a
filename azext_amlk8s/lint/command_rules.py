"""Rules over command lines of az in scripts."""

from __future__ import annotations

from azext_amlk8s.lint.commands import FILES, MANY, Arguments
from azext_amlk8s.lint.languages import COMMAND_LINES, EVERYWHERE
from azext_amlk8s.lint.model import ExtensionUse
from azext_amlk8s.lint.setting_rules import section_name
from azext_amlk8s.lint.settings import ReadSettings
from azext_amlk8s.lint.sources import HTTPS, K8S_EXTENSION
from azext_amlk8s.rules import Problem, Problems, Severity, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING
# Arguments of `create` that `update` does not have; documented examples pass them.
ONLY_FOR_CREATE = ("--extension-type", "--scope", "--release-namespace", "--target-namespace")


@rule(
    "L160",
    ERROR,
    title="Arguments of az k8s-extension update",
    requires="az k8s-extension update has only arguments that it knows.",
    source=K8S_EXTENSION,
    why="The command ends with an error for unrecognized arguments.",
    languages=(COMMAND_LINES,),
)
def update_arguments(arguments: Arguments) -> Problems:
    """Arguments of `create` with `update`."""
    if not arguments.starts_with("k8s-extension", "update"):
        return
    for option in ONLY_FOR_CREATE:
        if option in arguments.options:
            message = f"{option}: not an argument of az k8s-extension update."
            yield Problem(option, message, found=option, fix=f"Leave out {option}.")


@rule(
    "L161",
    ERROR,
    title="Scope with az k8s-extension",
    requires="The extension is installed with --scope cluster.",
    source=K8S_EXTENSION,
    why="It cannot be installed in a namespace.",
    languages=(COMMAND_LINES,),
)
def cluster_scope(arguments: Arguments) -> Problems:
    """--scope namespace."""
    scope = arguments.text("--scope").lower()
    if arguments.starts_with("k8s-extension", "create") and scope and scope != "cluster":
        message = f"--scope: '{scope}'; expected 'cluster'."
        yield Problem("--scope", message, expected="cluster", found=scope, fix="--scope cluster")


@rule(
    "L163",
    ERROR,
    title="Settings in arguments and files",
    requires="az k8s-extension gets the settings as arguments or in a file.",
    source="https://learn.microsoft.com/azure/azure-arc/kubernetes/extensions",
    why="The command ends with an error where it gets both.",
    languages=(COMMAND_LINES,),
)
def arguments_and_file(arguments: Arguments) -> Problems:
    """--config and --config-file, or those for protected settings."""
    if arguments.words[:1] != ("k8s-extension",):
        return
    for option, file in zip(MANY, FILES, strict=True):
        if option in arguments.options and file in arguments.options:
            message = f"{file}: cannot be combined with {option}."
            yield Problem(file, message, found=file, fix=f"Give all settings with {option}, or all in the file.")


@rule(
    "L162",
    ERROR,
    title="Host name of certificates",
    requires="In a template and with az k8s-extension, HTTPS has sslCname.",
    source=HTTPS,
    why="Only az amlk8s reads the host name from the certificate.",
    follows=("S104", "S106"),
    languages=EVERYWHERE,
)
def host_name(use: ExtensionUse, read: ReadSettings) -> Problems:
    """A certificate without sslCname."""
    settings = read.settings
    settings.reads.clear()
    if use.is_translated or use.is_open or not settings.is_enabled("enableInference"):
        return
    keys = ("scoringFe.sslCert",) if use.is_template else ("sslCertPemFile", "scoringFe.sslCert")
    given = next((key for key in keys if settings.get(key) or key in settings.uncertain), "")
    missing = not settings.get("sslCname") and "sslCname" not in settings.uncertain
    if given and missing and settings.get("allowInsecureConnections") != "True":
        message = f"sslCname: required with {given}; expected a host name that the certificate covers."
        fix = f"Add sslCname to {section_name(use, 'config')}."
        yield Problem("sslCname", message, expected="a host name", fix=fix)
