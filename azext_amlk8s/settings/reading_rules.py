"""Rules for how settings are written: arguments, files, keys and values. A secret value is in no message."""

from __future__ import annotations

from collections.abc import Sequence

from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.schema import Key, canonical_name, find_key, is_secret, nearest_name
from azext_amlk8s.shell import join

OPTIONS = {"config": "--config", "protected": "--config-protected"}
DEPLOY = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
K8S_EXTENSION = "https://learn.microsoft.com/cli/azure/k8s-extension"
YES = ("yes", "y", "1", "on", "enabled", "enable", "t")
ALIASES = {
    "former": "a former name",
    "misprint": "a misprint in the documentation",
    "template": "the name in ARM templates",
}


def example_value(key: Key) -> str:
    """A value that the key accepts, or an empty string."""
    return key.values[0] if key.values else ""


def shown_value(key: str, value: str, section: str) -> str:
    """The value where it may be shown, else an empty string."""
    return "" if section == "protected" or is_secret(key) else value


def quoted(value: str) -> str:
    """A blank and the value in single quotes; empty where there is none to show."""
    return f" '{value}'" if value else ""


def assignment(option: str, key: str, value: str) -> str:
    """An option with key=value to paste, in quotes where a shell needs them; empty where the value is not known."""
    return assignments(option, [(key, value)])


def assignments(option: str, pairs: Sequence[tuple[str, str]]) -> str:
    """The same for several settings."""
    if not all(value for _, value in pairs):
        return ""
    return f"{option} {join([f'{key}={value}' for key, value in pairs])}"


@rule(
    "S001",
    Severity.ERROR,
    title="Form of settings",
    requires="A setting is written key=value.",
    source=K8S_EXTENSION,
    why="An argument without = sets nothing.",
)
def malformed_setting(name: str, section: str) -> Problems:
    """An argument without =, or without a key before it. A protected one may be the secret itself."""
    option, key = OPTIONS[section], find_key(name)
    if section == "protected" and key is None:
        yield Problem(option, f"{option}: an argument is not in the form key=value.", expected="key=value")
        return
    values = f" with {key.expected}" if key else ""
    message = f"{name or option}: no value; expected key=value{values}."
    fix = assignment(option, key.name, example_value(key)) if key else ""
    subject = key.name if key else name or option
    yield Problem(subject, message, expected="key=value", found=name if section == "config" else "", fix=fix)


@rule(
    "S002",
    Severity.ERROR,
    title="Known settings",
    requires="A key is one that the extension knows; --allow-unknown-settings passes others on.",
    source=DEPLOY,
    why="The service ignores an unknown key without an error.",
)
def unknown_setting(name: str, value: str, option: str, section: str) -> Problems:
    """A key that no setting has, with the one that is spelt most like it. A protected one may be the secret itself."""
    close = nearest_name(name)
    hint = f" Did you mean '{close}'?" if close else ""
    if section == "protected" and not close:
        yield Problem(option, f"{option}: unknown setting.", fix="--allow-unknown-settings")
        return
    known = find_key(close) if close else None
    usable = known is not None and (
        not known.values or value.lower() in [known_value.lower() for known_value in known.values]
    )
    fix = assignment(option, close, shown_value(close, value, section)) if usable else ""
    if known is not None and known.values and not usable:
        fix = assignment(option, close, likely_value(known, value))
    if not close:
        fix = "--allow-unknown-settings"
    related = (close,) if close else ()
    message = f"{name}: unknown setting.{hint}"
    yield Problem(name, message, expected=close, found=name, fix=fix, related=related)


@rule(
    "S003",
    Severity.ERROR,
    title="Values of settings",
    requires="A setting has a value, and one that its key accepts.",
    source=DEPLOY,
    why="The service passes any value on, and the chart treats what it does not know as its default.",
)
def invalid_value(key: Key, name: str, value: str, option: str, section: str) -> Problems:
    """A value outside the list of its key, or an empty one for a key that needs a value."""
    shown = shown_value(key.name, value, section)
    if not value:
        message = f"{name}: empty value; expected {key.expected}."
        fix = assignment(option, key.name, example_value(key))
    else:
        message = f"{name}: invalid value{quoted(shown)}; expected {key.expected}."
        fix = assignment(option, key.name, likely_value(key, value))
    yield Problem(key.name, message, expected=key.expected, found=shown, fix=fix)


@rule(
    "S004",
    Severity.ERROR,
    title="Plain and protected settings",
    requires="A setting is given to --config or to --config-protected, not to both.",
    source=K8S_EXTENSION,
    why="The service rejects a key that is in both.",
)
def given_in_both_sections(key: str) -> Problems:
    """The same key in --config and in --config-protected."""
    message = f"{key}: given to both --config and --config-protected."
    belongs = find_key(key)
    option = OPTIONS["config" if belongs is None or belongs.section == "either" else belongs.section]
    yield Problem(key, message, fix=f"Give {key} to {option} only.")


@rule(
    "S005",
    Severity.WARNING,
    title="Removed settings",
    requires="A setting that the extension no longer has is left out.",
    source=DEPLOY,
    why="It has no effect.",
)
def removed_setting(name: str, reason: str) -> Problems:
    """A key of an older version."""
    message = f"{name}: no longer a setting, ignored. {reason}".rstrip()
    yield Problem(name, message, found=name, fix=f"Leave out {name}.")


@rule(
    "S006",
    Severity.WARNING,
    title="Other names of settings",
    requires="A key has the name that the extension uses today.",
    source=DEPLOY,
    why="The service ignores former names and misprints without an error.",
)
def other_name(name: str, kind: str, successors: Sequence[tuple[str, str]], option: str, inverted: bool) -> Problems:
    """A former name, a misprint of the documentation or a template's name.

    successors are the keys of today with the values that they get, "" for a value that is not shown.
    """
    keys = " ".join(f"{key}={value}" if len(successors) > 1 else key for key, value in successors)
    opposite = " with the opposite value" if inverted else ""
    message = f"{name}: {ALIASES[kind]}; read as '{keys}'{opposite}."
    fix = assignments(option, successors)
    yield Problem(name, message, expected=keys, found=name, fix=fix, related=tuple(key for key, _ in successors))


@rule(
    "S007",
    Severity.WARNING,
    title="Secrets among plain settings",
    requires="A secret is given to --config-protected.",
    source=K8S_EXTENSION,
    why="Plain settings are shown to everyone who can read the cluster.",
    follows=("S004",),
)
def secret_in_plain_settings(key: str) -> Problems:
    """A secret in --config, which is sent as a protected setting."""
    yield Problem(key, f"{key}: a secret, sent as a protected setting.", fix=f"Give {key} to --config-protected.")


@rule(
    "S008",
    Severity.WARNING,
    title="Repeated settings",
    requires="A setting is given once.",
    source=K8S_EXTENSION,
    why="The last value is used.",
)
def repeated_setting(key: str, value: str, section: str) -> Problems:
    """The same key twice with different values."""
    shown = shown_value(key, value, section)
    message = f"{key}: given more than once; the last value{quoted(shown)} is used."
    yield Problem(key, message, found=shown, fix=f"Give {key} once.")


@rule(
    "S009",
    Severity.INFO,
    title="Spelling of keys",
    requires="A key has the upper and lower case that the chart reads.",
    source=DEPLOY,
    why="Helm distinguishes upper and lower case; the tool corrects it.",
)
def other_case(key: str, name: str) -> Problems:
    """A key in other upper and lower case."""
    yield Problem(key, f"{name}: read as '{key}'.", expected=key, found=name)


@rule(
    "S010",
    Severity.WARNING,
    title="Unknown settings passed on",
    requires="A key that is passed on with --allow-unknown-settings is spelt as the chart reads it.",
    source=DEPLOY,
    why="The service ignores an unknown key without an error.",
)
def unknown_setting_passed_on(name: str, value: str, option: str, section: str) -> Problems:
    """An unknown key with --allow-unknown-settings."""
    close = nearest_name(name)
    hint = f" Did you mean '{close}'?" if close else ""
    if section == "protected" and not close:
        yield Problem(option, f"{option}: unknown setting, passed on unchanged.")
        return
    fix = assignment(option, close, shown_value(close, value, section)) if close else ""
    message = f"{name}: unknown setting, passed on unchanged.{hint}"
    yield Problem(name, message, expected=close, found=name, fix=fix)


@rule(
    "S011",
    Severity.WARNING,
    title="Plain settings among protected ones",
    requires="A setting that the service reads from the plain settings is given to --config.",
    source=K8S_EXTENSION,
    why="Among the protected settings it has no effect.",
)
def plain_setting_in_protected(key: str) -> Problems:
    """A setting in --config-protected, which is sent as a plain one."""
    yield Problem(key, f"{key}: not a secret, sent as a plain setting.", fix=f"Give {key} to --config.")


@rule(
    "S012",
    Severity.WARNING,
    title="Settings in a file and on the command line",
    requires="A setting is given in a file or on the command line.",
    source=K8S_EXTENSION,
    why="The value of the command line is used.",
)
def command_line_overrides(key: str, file: str) -> Problems:
    """A key with different values in a file and on the command line."""
    message = f"{key}: given in {file} and on the command line; the value of the command line is used."
    yield Problem(key, message, fix=f"Give {key} once.")


@rule(
    "S013",
    Severity.ERROR,
    title="Files of settings",
    requires="A file of settings is a JSON or YAML mapping of keys to values.",
    source=K8S_EXTENSION,
    why="Nothing can be read from any other file.",
)
def unreadable_document(name: str, reason: str) -> Problems:
    """A file that cannot be used; reason is a clause without a quotation of the file."""
    message = f"{name}: cannot be read as settings: {reason}."
    yield Problem(name, message, fix="Write one setting on each line, for example enableTraining: true")


@rule(
    "S014",
    Severity.ERROR,
    title="Files behind @",
    requires="A file that is named with @ can be read.",
    source=K8S_EXTENSION,
    why="az passes the argument on as it is where the file cannot be read.",
)
def unreadable_value_file(key: str, path: str) -> Problems:
    """key=@file, or @file, where the file cannot be read."""
    yield Problem(key, f"{key}: cannot read file '{path}'.", found=path, fix=f"Check the path '{path}'.")


@rule(
    "S015",
    Severity.ERROR,
    title="Placeholders",
    requires="A placeholder of an example, such as <name>, is replaced.",
    source=DEPLOY,
    why="The service takes it as the value.",
)
def placeholder(key: Key, name: str, value: str, option: str) -> Problems:
    """A value in angle brackets."""
    shown = shown_value(key.name, value, "config")
    message = f"{name}: placeholder{quoted(shown)} instead of a value; expected {key.expected}."
    fix = assignment(option, key.name, example_value(key)) or f"Replace the placeholder of {key.name}."
    yield Problem(key.name, message, expected=key.expected, found=shown, fix=fix)


@rule(
    "S016",
    Severity.ERROR,
    title="Separation of settings",
    requires="Settings are separated with spaces.",
    source=K8S_EXTENSION,
    why="What follows the comma would become part of the first value.",
)
def comma_separated_settings(parts: Sequence[tuple[str, str]], option: str, section: str) -> Problems:
    """key=value,key=value in one argument; parts are its keys and values."""
    keys = [canonical_name(name) for name, _ in parts]
    secret = section == "protected" or any(is_secret(key) for key in keys)
    fix = "Separate the settings with spaces instead of commas." if secret else assignments(option, parts)
    message = f"{keys[0]}: followed by a comma; settings are separated with spaces."
    yield Problem(keys[0], message, expected="spaces", found=",", fix=fix, related=tuple(keys[1:]))


def likely_value(key: Key, value: str) -> str:
    """The listed value that was probably meant."""
    if key.is_flag:
        return "True" if value.lower() in YES else "False"
    close = [listed for listed in key.values if listed.lower().startswith(value.lower()[:2])]
    return (close or [*key.values, ""])[0]
