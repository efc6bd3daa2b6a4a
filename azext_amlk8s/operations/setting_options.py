"""The options that give settings and versions of the extension, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.option_groups import group_options

if TYPE_CHECKING:
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import Document, Settings

AUTO_UPGRADE_MODES = {"compatible": True, "none": False}


@dataclass(frozen=True)
class SettingOptions:
    """Settings as arguments and files give them."""

    config: Sequence[str] | None = None
    config_protected: Sequence[str] | None = None
    config_file: str | None = None
    config_protected_file: str | None = None
    allow_unknown_settings: bool = False
    strict: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no setting and no file is given."""
        return not any((self.config, self.config_protected, self.config_file, self.config_protected_file))

    def read(self) -> tuple[Settings, list[Finding]]:
        """The settings, with the contents of the PEM files that they name in place of the paths; and findings."""
        settings, findings = self.read_with_paths()
        settings, file_findings = load_named_files(settings)
        return settings, [*findings, *file_findings]

    def read_with_paths(self) -> tuple[Settings, list[Finding]]:
        """The settings as they are written, and findings; the PEM files that they name are not read.

        Raises az's FileOperationError for a file of settings that cannot be read.
        """
        from azext_amlk8s.settings import read_settings

        settings, findings = read_settings(
            self.config or (),
            self.config_protected or (),
            config_file=_read_document(self.config_file, "--config-settings-file"),
            protected_file=_read_document(self.config_protected_file, "--config-protected-settings-file"),
            allow_unknown=self.allow_unknown_settings,
        )
        _register_protected(settings)
        return settings, list(findings)


def _register_protected(settings: Settings) -> None:
    """Have the protected values redacted from the first request on; the name of a file is no secret."""
    from azext_amlk8s.registered_secrets import register_secret

    for key, value in settings.protected.items():
        if not key.lower().endswith("file"):
            register_secret(value)


@dataclass(frozen=True)
class VersionOptions:
    """Which version is installed, and whether it is upgraded automatically."""

    release_train: str | None = None
    version: str | None = None
    auto_upgrade: bool | None = None
    auto_upgrade_mode: str | None = None

    def values(self) -> dict[str, Any]:
        """release_train, version and auto_upgrade; None where the user does not choose.

        Raises MutuallyExclusiveArgumentError when --auto-upgrade and --auto-upgrade-mode contradict each other, and
        InvalidArgumentValueError for a mode that the API version in use does not have.
        """
        return {"release_train": self.release_train, "version": self.version, "auto_upgrade": self._upgrades()}

    def _upgrades(self) -> bool | None:
        mode, chosen = self.auto_upgrade_mode, self.auto_upgrade
        if mode is None:
            return chosen
        upgrades = AUTO_UPGRADE_MODES.get(mode.lower())
        if upgrades is None:
            raise az_error(
                "InvalidArgumentValueError",
                f"Invalid auto-upgrade mode '{mode}'; expected compatible or none.",
                ["--auto-upgrade-mode compatible"],
            )
        if chosen is not None and chosen != upgrades:
            raise az_error(
                "MutuallyExclusiveArgumentError",
                f"--auto-upgrade-mode {mode} contradicts --auto-upgrade-minor-version {str(chosen).lower()}.",
                ["Leave out one of them."],
            )
        return upgrades


# Give an operation these options as the arguments `given` and `versions`.
with_setting_options = group_options("given", SettingOptions)
with_version_options = group_options("versions", VersionOptions)


def version_findings(versions: Mapping[str, Any]) -> Sequence[Finding]:
    """The findings on the values of VersionOptions."""
    from azext_amlk8s.settings import evaluate_version_rules

    return evaluate_version_rules(versions["version"], versions["auto_upgrade"], versions["release_train"])


def load_named_files(settings: Settings) -> tuple[Settings, list[Finding]]:
    """The settings with the contents of the PEM files that they name, and the findings on these files."""
    from datetime import datetime, timezone
    from pathlib import Path

    from azext_amlk8s.settings import certificate_paths, load_certificate_files
    from azext_amlk8s.settings.certificate_rules import readable_file

    contents: dict[str, bytes] = {}
    findings: list[Finding] = []
    for key, path in certificate_paths(settings).items():
        try:
            contents[key] = Path(path).expanduser().read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not a path"
            findings += readable_file(key, path, reason.lower())
    if findings:
        return settings, findings
    settings, found = load_certificate_files(settings, contents, datetime.now(timezone.utc))
    return settings, list(found)


def _read_document(path: str | None, option: str) -> Document | None:
    from pathlib import Path

    from azure.cli.core.azclierror import FileOperationError

    from azext_amlk8s.settings import Document

    if path is None:
        return None
    try:
        return Document(path, Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        message = f"The file {path} cannot be read: {error.strerror}."
        raise FileOperationError(message, recommendation=f"{option} PATH") from error
    except UnicodeDecodeError as error:
        raise FileOperationError(f"The file {path} is not UTF-8 text.", recommendation="Save it as UTF-8.") from error
