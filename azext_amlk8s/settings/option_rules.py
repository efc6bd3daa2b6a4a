"""Rules over the options of create and update that are not settings: name, version, release train."""

from __future__ import annotations

import re

from azext_amlk8s.refs import EXTENSION_TYPE, former_type_message, is_former_type
from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.shell import quote

ARC = "https://learn.microsoft.com/azure/azure-arc/kubernetes/extensions"
VERSION = re.compile(r"^\d+\.\d+\.\d+(-[\w.]+)?$")
ERROR, WARNING = Severity.ERROR, Severity.WARNING


@rule(
    "F111",
    ERROR,
    title="Name of the extension",
    requires="A cluster has one extension of this type.",
    source=ARC,
    why="Azure rejects a second one under another name.",
)
def extension_name(name: str, facts: ClusterFacts) -> Problems:
    """The extension exists under another name than the given one; an empty name is that of no extension."""
    for extension in facts.extensions:
        if is_former_type(extension.type):
            yield Problem(
                extension.name,
                f"Cluster '{facts.name}' has the extension '{extension.name}' of the former type '{extension.type}', "
                "whose objects in the cluster are the same.",
                found=extension.name,
                fix=former_type_message(extension.name, extension.type),
            )
        if extension.type == EXTENSION_TYPE and extension.name.lower() != name.lower():
            where = "under the name" if name else "as"
            message = (
                f"Cluster '{facts.name}' already has the extension {where} '{extension.name}' ({extension.state}); a "
                "cluster can have one."
            )
            fix = f"--name {quote(extension.name)}"
            if not name:
                fix += "\nTo change its settings, use az amlk8s extension update."
            yield Problem(extension.name, message, found=extension.name, fix=fix)


@rule(
    "V101",
    ERROR,
    title="Version and automatic upgrades",
    requires="A version is pinned, or minor versions are upgraded automatically.",
    source=ARC,
    why="The service rejects a version together with automatic upgrades.",
)
def pinned_version(version: str | None, auto_upgrade: bool | None, release_train: str | None) -> Problems:
    """--version with --auto-upgrade true."""
    if version and auto_upgrade:
        message = f"--version: '{version}' cannot be combined with --auto-upgrade true."
        yield Problem("--version", message, found=version, fix="--auto-upgrade false")


@rule(
    "V102",
    ERROR,
    title="Form of versions",
    requires="A version has three numbers separated by dots.",
    source=ARC,
    why="The service has no other versions.",
)
def version_form(version: str | None, auto_upgrade: bool | None, release_train: str | None) -> Problems:
    """--version with something else."""
    if version and not VERSION.match(version):
        message = f"--version: invalid value '{version}'; expected three numbers separated by dots."
        fix = "Leave out --version to get the newest version."
        yield Problem("--version", message, expected="MAJOR.MINOR.PATCH", found=version, fix=fix)


@rule(
    "V103",
    WARNING,
    title="Release train and version",
    requires="A release train goes with automatic upgrades.",
    source=ARC,
    why="It has no effect on an extension that stays on one version.",
    follows=("V101", "V102"),
)
def release_train_of_pinned_version(
    version: str | None, auto_upgrade: bool | None, release_train: str | None
) -> Problems:
    """--release-train with --version."""
    if version and release_train:
        message = f"--release-train: '{release_train}' has no effect on the pinned version '{version}'."
        fix = "Leave out --release-train or --version."
        yield Problem("--release-train", message, found=release_train, fix=fix, related=("--version",))
