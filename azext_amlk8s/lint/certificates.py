"""Certificates that commands name as files, or that are in templates and commands as base64."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import replace

from azext_amlk8s.lint.files import paths_from
from azext_amlk8s.lint.model import ExtensionUse, LintFinding, Result
from azext_amlk8s.lint.settings import ReadSettings
from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import Settings, load_certificate_files
from azext_amlk8s.settings.certificate_files import SENT_AS
from azext_amlk8s.settings.certificates import PEM

# What az amlk8s takes from a certificate; with other tools it is a rule of its own that sslCname is given.
OF_HOST_NAMES = ("T105", "T106")


def certificate_findings(use: ExtensionUse, read: ReadSettings, result: Result) -> list[LintFinding]:
    """The findings on a certificate and its key as far as they are known."""
    settings = read.settings
    contents, places = dict[str, bytes](), dict[str, str]()
    for key, sent in SENT_AS.items():
        embedded = _decoded(settings.get(sent))
        content = embedded or (None if use.is_template else _content(use, settings.get(key), result))
        if content is not None:
            contents[key], places[key] = content, sent if embedded else key
    if not contents:
        return []
    paths = {key: settings.get(key) for key in contents if places[key] == key}
    host = settings.get("sslCname")
    own = Settings({"enableInference": "True", **({"sslCname": host} if host else {})}, paths)
    _, findings = load_certificate_files(own, contents, result.now)
    return [_placed(use, read, finding, places) for finding in findings if finding.id not in OF_HOST_NAMES]


def _decoded(text: str) -> bytes | None:
    """PEM of a text in base64; None for any other text, such as a placeholder."""
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if PEM in content else None


def _content(use: ExtensionUse, path: str, result: Result) -> bytes | None:
    """The file that a command names, relative to the script or to where it is run; None where it is not at hand."""
    for candidate in paths_from(use.mark.source, path) if path else ():
        if (text := result.read(candidate)) is not None:
            return text.encode()
    return None


def _placed(use: ExtensionUse, read: ReadSettings, finding: Finding, places: dict[str, str]) -> LintFinding:
    """A finding in the words of the settings that have the certificate."""
    subject = places.get(finding.subject, finding.subject)
    message = finding.message
    for key, place in places.items():
        message = message.replace(key, place)
    mark = next((read.marks[key] for key in (subject, *places.values()) if key in read.marks), use.mark)
    return LintFinding(replace(finding, subject=subject, message=message), mark)
