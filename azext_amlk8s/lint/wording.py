"""Findings that are written for the options of a command, in the words of the file in which they are found."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from azext_amlk8s.lint.model import ExtensionUse
from azext_amlk8s.lint.setting_rules import section_name
from azext_amlk8s.rules import Finding

OPTION = re.compile(r"--config(-protected)?\b(?!-)")
TEMPLATE_WORDS = {
    "--version": "version",
    "--auto-upgrade true": "autoUpgradeMinorVersion: true",
    "--auto-upgrade false": "autoUpgradeMinorVersion: false",
    "--release-train": "releaseTrain",
}


def adapt(finding: Finding, use: ExtensionUse) -> Finding:
    """A finding in the words of a template, or of the command."""
    if not use.is_template:
        return finding
    message, fix = _in_template(finding.message, use), "\n".join(
        _fix_in_template(line, use) for line in finding.fix.splitlines()
    )  # fmt: skip
    return replace(finding, message=message, fix=fix)


def _fix_in_template(line: str, use: ExtensionUse) -> str:
    match = re.match(r"--config(-protected)? (.+)$", line)
    if not match:
        return _in_template(line, use)
    section = section_name(use, "protected" if match.group(1) else "config")
    pairs = [word.partition("=") for word in shlex.split(match.group(2))]
    settings = " and ".join(f"{key} to '{value}'" for key, _, value in pairs)
    return f"Set {settings} in {section}."


def _in_template(text: str, use: ExtensionUse) -> str:
    for option, word in TEMPLATE_WORDS.items():
        text = text.replace(option, word)
    return OPTION.sub(lambda match: section_name(use, "protected" if match.group(1) else "config"), text)


def adapt_compute(finding: Finding, command: str = "") -> Finding:
    """A finding on the name or namespace of a compute, in the words of a file or of a command: ml or amlk8s."""
    if command == "amlk8s":
        return finding
    fix = finding.fix.replace(" --create-namespace", "")
    if not command:
        fix = re.sub(r"--(name|namespace) (\S+)", r"Set \1 to '\2'.", fix)
    return replace(finding, fix=fix)
