"""Rules over settings of the extension in templates and commands: what only a CLI translates, and secrets."""

from __future__ import annotations

from dataclasses import replace

from azext_amlk8s.lint.languages import EVERYWHERE, TEMPLATES
from azext_amlk8s.lint.model import ExtensionUse
from azext_amlk8s.lint.sources import DEPLOY, EXTENSION_SPEC, SECRETS
from azext_amlk8s.lint.values import Value
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.settings import reading_rules
from azext_amlk8s.settings.schema import is_secret, nearest_name

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
KINDS = {
    "former": "a former name",
    "misprint": "a misprint of the documentation",
    "template": "a name of the portal's parameters",
    "case": "the name in other upper and lower case",
}


def section_name(use: ExtensionUse, section: str) -> str:
    """What the section of settings is called where the extension is declared."""
    names = {
        "resource": {"config": "configurationSettings", "protected": "configurationProtectedSettings"},
        "azurerm": {"config": "configuration_settings", "protected": "configuration_protected_settings"},
    }
    return names.get(use.dialect, reading_rules.OPTIONS)[section]


@rule(
    "L101",
    ERROR,
    title="Names that Azure ignores",
    requires="In a template and with az k8s-extension, a setting has the name that the chart reads.",
    source=DEPLOY,
    why="Former names, misprints and other upper and lower case are ignored without an error.",
    languages=EVERYWHERE,
)
def ignored_name_in_template(name: str, successor: str, kind: str, inverted: bool) -> Problems:
    """A name that `az amlk8s` would translate, where nothing does."""
    opposite = " with the opposite value" if inverted else ""
    message = f"{name}: {KINDS[kind]}, which the extension ignores; expected '{successor}'{opposite}."
    related = tuple(part.partition("=")[0] for part in successor.split())
    yield Problem(name, message, expected=successor, found=name, fix=f"Use {successor}{opposite}.", related=related)


def ignored_name(
    use: ExtensionUse, name: str, successor: str, kind: str, inverted: bool = False
) -> tuple[Finding, ...]:
    """The finding on another name of a setting: `az amlk8s` translates it, nothing else does."""
    if not use.is_translated:
        return ignored_name_in_template(name, successor, kind, inverted)
    if kind == "case":
        return reading_rules.other_case(successor, name)
    pairs = [(part.partition("=")[0], part.partition("=")[2]) for part in successor.split()]
    return reading_rules.other_name(name, kind, pairs, "--config", inverted)


def unknown_name(use: ExtensionUse, name: str, section: str) -> tuple[Finding, ...]:
    """The finding on a key that no setting has."""
    findings = reading_rules.unknown_setting(name, "", reading_rules.OPTIONS[section], section)
    if use.is_translated:
        return findings
    close = nearest_name(name)
    fix = f"Use {close}, or leave it out." if close else f"Leave out {name}."
    return tuple(replace(finding, fix=fix) for finding in findings)


@rule(
    "L102",
    ERROR,
    title="Values of settings in templates",
    requires="The value of a setting is a string.",
    source=EXTENSION_SPEC,
    why="Azure rejects Booleans, numbers and objects in configurationSettings.",
    languages=TEMPLATES,
)
def text_values(use: ExtensionUse, key: str, value: Value) -> Problems:
    """A Boolean, a number, a list or an object. azurerm converts scalars itself."""
    if not use.is_template or not value.known or isinstance(value.data, str) or value.data is None:
        return
    is_scalar = isinstance(value.data, (bool, int, float))
    if is_scalar and use.dialect == "azurerm":
        return
    kind = "a Boolean" if isinstance(value.data, bool) else "a number" if is_scalar else "an object or a list"
    fix = f"Write {key} as '{value.data}'." if is_scalar else "Join the names with dots, and give each value as text."
    yield Problem(key, f"{key}: {kind}; expected a string.", expected="a string", found=kind, fix=fix)


@rule(
    "L103",
    ERROR,
    title="Secrets in plain settings",
    requires="A secret is among the protected settings.",
    source=EXTENSION_SPEC,
    why="Plain settings are shown to everyone who can read the extension.",
    languages=EVERYWHERE,
)
def plain_secret(use: ExtensionUse, key: str) -> Problems:
    """A secret in configurationSettings, which nothing moves."""
    section = section_name(use, "protected")
    yield Problem(key, f"{key}: secret among the plain settings.", expected=section, fix=f"Move {key} to {section}.")


@rule(
    "L104",
    ERROR,
    title="Secrets in files",
    requires="A secret is a secure parameter, a reference to Key Vault, or read when it is deployed.",
    source=SECRETS,
    why="It is stored in the repository, or in the history of deployments.",
    languages=EVERYWHERE,
)
def unprotected_secret(use: ExtensionUse, key: str, value: Value) -> Problems:
    """A protected setting that is written in the file, or that comes from a parameter without protection."""
    if key.lower().endswith("file"):
        return
    if not use.is_template:
        value = replace(value, plain_inputs=frozenset())  # the environment of a script is no place for a finding
    literal = value.known and value.text and not value.inputs
    if literal and not value.is_secret and "<" not in value.text and is_secret(key):
        fix = _secure_parameter(use) if use.is_template else "Read it from a secret variable or from Key Vault."
        yield Problem(key, f"{key}: secret written in the file.", fix=fix)
    elif value.plain_inputs and not value.is_secret and is_secret(key):
        name = sorted(value.plain_inputs)[0]
        kind = "variable" if _is_terraform(use) else "parameter"
        missing = "sensitive" if kind == "variable" else "secure"
        message = f"{key}: secret from {kind} '{name}', which is not {missing}."
        yield Problem(key, message, found=name, fix=_secure_parameter(use, name))


def _is_terraform(use: ExtensionUse) -> bool:
    return use.resource is not None and use.resource.language == "terraform"


def _secure_parameter(use: ExtensionUse, name: str = "") -> str:
    language = use.resource.language if use.resource is not None else ""
    if language == "terraform":
        return f"Add sensitive = true to variable '{name}'." if name else "Use a variable with sensitive = true."
    if language == "bicep":
        return f"Add @secure() to param {name}." if name else "Use a parameter with @secure()."
    return f"Give parameter '{name}' the type securestring." if name else "Use a parameter of type securestring."


@rule(
    "L105",
    WARNING,
    title="Plain settings among protected ones in templates",
    requires="A setting that the service reads from the plain settings is one of them.",
    source=EXTENSION_SPEC,
    why="Among the protected settings it has no effect.",
    languages=EVERYWHERE,
)
def misplaced_setting(use: ExtensionUse, key: str) -> Problems:
    """A setting among the protected ones that is no secret."""
    section = section_name(use, "config")
    yield Problem(
        key, f"{key}: not a secret; expected in {section}.", expected=section, fix=f"Move {key} to {section}."
    )


def as_default(finding: Finding, keys: set[str]) -> Finding:
    """A finding that only the default values of parameters cause: a hint, because deployments may override them."""
    return replace(finding, severity=INFO, message=f"With the default values of the parameters: {finding.message}")
