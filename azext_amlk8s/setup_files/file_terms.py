"""Findings of the rules that other commands share, in terms of a setup file: its keys, and where they are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from azext_amlk8s.rules import Finding
from azext_amlk8s.setup_files.model import ClusterSetup

SETTINGS, PROTECTED = "extension.settings", "extension.protected_settings"
# The keys of a setup file that say what these options of other commands say.
OPTION_KEYS = {
    "--config": SETTINGS,
    "--config-file": SETTINGS,
    "--config-protected": PROTECTED,
    "--config-protected-file": PROTECTED,
    "--release-train": "extension.release_train",
    "--version": "extension.version",
    "--auto-upgrade": "extension.auto_upgrade",
    "--auto-upgrade-minor-version": "extension.auto_upgrade",
    "--auto-upgrade-mode": "extension.auto_upgrade",
    "--namespace": "compute.namespace",
    "--identity-type": "compute.identity.type",
    "--user-assigned-identities": "compute.identity.user_assigned_identities",
    "--description": "compute.description",
    "--tags": "compute.tags",
    "--workload": "compute.workload",
    "--assign-roles": "roles",
    "--context": "clusters.context",
    "--resource-id": "clusters.resource_id",
    "--subscription": "workspace.subscription",
}
VALUES = {"SystemAssigned": "system_assigned", "UserAssigned": "user_assigned"}
# The part of a file that the rules of each letter are about; a cluster is meant by the others.
PARTS = {
    "S": "extension",
    "T": "extension.tls",
    "V": "extension",
    "U": "extension",
    "C": "compute",
    "I": "instance_types",
}
# Where rules of setup files that see live resources point to.
PLACES = {"D116": "compute", "D117": "", "D120": "compute.name", "D122": "instance_types"}
COMMAND = re.compile(r"^(?:az|kubectl|helm|openssl|docker|curl)\s")
OUR_COMMAND = re.compile(r"^az amlk8s (?P<command>extension create|extension update|compute attach)\s")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
IDENTITY_TYPE = re.compile(r"(compute\.identity\.type )(SystemAssigned|UserAssigned)")
LIST_SETTINGS = "az amlk8s extension settings list -o table"


def in_terms_of_file(finding: Finding) -> Finding:
    """The finding with keys of a setup file in place of the options of other commands."""
    name_key = "compute.name" if finding.id.startswith("C") else "extension.name"
    fixes = [line for text in finding.fix.splitlines() for line in _fix_lines(text, name_key)]
    if not fixes and "--allow-unknown-settings" in finding.fix:
        fixes = [LIST_SETTINGS]
    return replace(
        finding,
        subject=_with_keys(finding.subject, name_key),
        message=_with_keys(finding.message, name_key),
        fix="\n".join(dict.fromkeys(fixes)),
    )


def place_of_finding(finding: Finding, cluster_setup: ClusterSetup) -> str:
    """file:line:column of the key that a finding is about; empty where its message says it."""
    letter = finding.id[:1]
    if finding.id in PLACES:
        return cluster_setup.place_of(PLACES[finding.id])
    if finding.id == "D118":
        return cluster_setup.place_of(finding.related[0] if finding.related else "")
    if letter == "D" or finding.message.startswith(f"{finding.subject}:") and ":" in finding.subject:
        return ""
    keys = {key.lower(): key for key in cluster_setup.places}
    for subject in (finding.subject, *finding.related):
        if subject in OPTION_KEYS:
            return cluster_setup.place_of(OPTION_KEYS[subject])
        for key in (f"{SETTINGS}.{subject}", f"{PROTECTED}.{subject}"):
            if key.lower() in keys:
                return cluster_setup.place_of(keys[key.lower()])
    if finding.subject in ("sslCertPemFile", "sslKeyPemFile", "sslCname", "sslSecret"):
        return cluster_setup.place_of("extension.tls")
    return cluster_setup.place_of(PARTS[letter]) if letter in PARTS else cluster_setup.place


def _fix_lines(line: str, name_key: str) -> Iterator[str]:
    """The lines in place of a line of a fix; none for one that a setup file makes unnecessary."""
    text = line.strip()
    options = _options(text, name_key)
    ours = OUR_COMMAND.match(text)
    if text.startswith("--"):
        yield from _sentences(options)
    elif ours and "--replace" not in text:
        yield from _sentences({key: value for key, value in options.items() if key in OPTION_KEYS.values()}) or [
            f"Add {ours['command'].split()[0]} to the file."
        ]
    elif COMMAND.match(text):
        yield line
    else:
        yield _with_keys(line, name_key)


def _options(text: str, name_key: str) -> Mapping[str, list[str]]:
    """The keys that the options of a command stand for, with their values."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return {}
    found: dict[str, list[str]] = {}
    values: list[str] | None = None
    for word in words:
        if word.startswith("-"):
            key = name_key if word == "--name" else OPTION_KEYS.get(word)
            values = found.setdefault(key, []) if key else None
        elif values is not None:
            values.append(VALUES.get(word, word))
    return found


def _sentences(options: Mapping[str, Sequence[str]]) -> list[str]:
    """How to set keys of a file."""
    lines = []
    for key, values in options.items():
        if key in (SETTINGS, PROTECTED):
            for name, _, value in (pair.partition("=") for pair in values):
                shown = "a reference such as {env: NAME}" if key == PROTECTED else value
                lines.append(f"Set {key}.{name} to {shown}.")
        elif key == "roles":
            lines.append("Set roles to ensure.")
        elif values:
            lines.append(f"Set {key} to {' '.join(values)}.")
    return lines


def _with_keys(text: str, name_key: str) -> str:
    """A sentence with keys in place of options."""
    text = text.replace("add --assign-roles", "set roles to ensure")
    keys = {**OPTION_KEYS, "--name": name_key}
    text = OPTION.sub(lambda match: keys.get(match[0], match[0]), text)
    return IDENTITY_TYPE.sub(lambda match: match[1] + VALUES[match[2]], text)
