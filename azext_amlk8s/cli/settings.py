"""The settings of the extension: the options that take them, their help, and az amlk8s extension settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import completers, options
from azext_amlk8s.cli.declaration import Command, Group, Option, Row
from azext_amlk8s.cli.tables import fit_width, shorten

SETTINGS = tuple(
    option.but(group="Settings")
    for option in (
        Option(
            "config",
            ("--configuration-settings", "--config"),
            "Settings as space-separated key=value pairs. Can be repeated.",
            completer=completers.setting_pairs,
            former=("--config-settings", "--config"),
            settings={"nargs": "+", "action": "append", "validator": options.flatten_pairs},
        ),
        Option(
            "config_protected",
            ("--config-protected-settings", "--config-protected"),
            "Protected settings as space-separated key=value pairs. The value of sslCertPemFile and sslKeyPemFile is "
            "the path of a PEM file. Can be repeated.",
            completer=completers.protected_setting_pairs,
            former=("--configuration-protected-settings", "--config-protected"),
            settings={"nargs": "+", "action": "append"},
        ),
        Option(
            "config_file",
            ("--config-settings-file", "--config-file"),
            "JSON or YAML file of settings, nested or with dotted keys. --config overrides it.",
            completes_files=True,
            former=("--configuration-settings-file", "--config-file"),
        ),
        Option(
            "config_protected_file",
            ("--config-protected-settings-file", "--config-protected-file"),
            "JSON or YAML file of protected settings.",
            completes_files=True,
            former=("--configuration-protected-settings-file", "--config-protected-file"),
        ),
        Option("allow_unknown_settings", help="Pass on unknown settings, with a warning.", is_flag=True),
        options.STRICT,
    )
)
VERSION = (
    Option("release_train", help="Release train of automatic upgrades. Default: stable."),
    Option("version", help="Version to install and keep. Disables automatic upgrades."),
    Option(
        "auto_upgrade",
        ("--auto-upgrade-minor-version", "--auto-upgrade"),
        "Upgrade minor versions automatically.",
        az_type="three_state_flag",
    ),
    Option(
        "auto_upgrade_mode",
        help="Automatic upgrades as newer versions of az k8s-extension name them: compatible or none.",
    ),
)

# knack names a parameter by all its options, sorted.
PARAMETERS = {
    "config": "--config --configuration-settings",
    "protected": "--config-protected --config-protected-settings",
}


def setting_parameters() -> list[dict[str, Any]]:
    """The help of the parameters that take settings, with a reference to the command that lists them."""
    return [{"name": name, "populator-commands": ["az amlk8s extension settings list"]} for name in PARAMETERS.values()]


def documented_setting_parameters() -> list[dict[str, Any]]:
    """The help of the parameters that take settings, with a line for each setting that a user gives."""
    lines = {section: ["Keys are not case-sensitive."] for section in PARAMETERS}
    for key, entry in _user_settings().items():
        lines["protected" if entry["x-section"] == "protected" else "config"].append(_setting_line(key, entry))
    parameters = zip(setting_parameters(), lines.values(), strict=True)
    return [{**parameter, "long-summary": "\n".join(text) + "\n"} for parameter, text in parameters]


def _user_settings() -> Mapping[str, Mapping[str, Any]]:
    from azext_amlk8s import knowledge

    schema = knowledge.load("settings.schema")
    families = {entry["x-name"]: entry for entry in schema["patternProperties"].values() if not entry.get("x-open")}
    every = {**schema["properties"], **families}
    return {key: entry for key, entry in every.items() if entry.get("x-set", "given") == "given"}


def _setting_line(key: str, entry: Mapping[str, Any]) -> str:
    values = "/".join(entry.get("enum", ())) or ("True/False" if entry.get("$ref", "").endswith("/flag") else "")
    default = f" Default: {entry['default']}." if "default" in entry else ""
    return f"{key}={values}: {entry['description']}{default}" if values else f"{key}: {entry['description']}{default}"


def setting_rows(settings: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for one setting or for each of several. Sources and other names are in the other output formats."""
    every = [settings] if isinstance(settings, Mapping) else settings
    rows: list[Row] = [
        {
            "Key": shorten(setting["key"], 44),
            "Section": setting.get("section"),
            "Default": shorten(str(setting.get("default") or ""), 12),
            "Description": setting["description"],
        }
        for setting in every
    ]
    return fit_width(rows, "Description")


GROUP = Group(
    "amlk8s extension settings",
    "Show the settings of the extension.",
    (
        Command(
            "list",
            "settings#settings_list",
            "List the known settings.",
            options=(options.SCENARIO,),
            examples=(
                (
                    "List the settings for inference as a table.",
                    "az amlk8s extension settings list --scenario inference -o table",
                ),
            ),
            table=setting_rows,
        ),
        Command(
            name="show",
            operation="settings#settings_show",
            summary="Show a setting by any of its current or former names.",
            options=(Option("key", ("--key", "-k"), "Name of the setting.", completer=completers.setting_names),),
            examples=(
                (
                    "Show what replaced a former setting.",
                    "az amlk8s extension settings show --key reuseExistingPromOp",
                ),
            ),
            table=setting_rows,
            is_show=True,
        ),
    ),
)
