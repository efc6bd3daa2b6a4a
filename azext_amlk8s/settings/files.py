"""TLS files: their contents are judged and sent, their paths never."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.rules import Finding
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.tls import CERTIFICATE, KEY, T105, T106, chain_of, judge_pem, names_of

SENT_AS = {CERTIFICATE: "scoringFe.sslCert", KEY: "scoringFe.sslKey"}
PEM = "-----BEGIN"


def file_settings(settings: Settings) -> Mapping[str, str]:
    """The settings whose value is the path of a local file, with their paths."""
    return {key: settings.get(key) for key in SENT_AS if settings.get(key) and PEM not in settings.get(key)}


def with_file_contents(
    settings: Settings, contents: Mapping[str, bytes], now: Any = None
) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings with the contents in place of the paths, base64-encoded under the keys that the service reads.

    A value that is PEM itself (key=@file of az) stands for a file. The material is judged, see tls.judge_pem; now is an
    aware datetime. Where sslCname is absent the first DNS name of the certificate is taken, with a warning. One file
    without the other is left as it is, for the rules to refuse.
    """
    given = {key: settings.get(key).encode() for key in SENT_AS if PEM in settings.get(key)}
    material = {**given, **contents}
    if set(material) != set(SENT_AS):
        return settings, ()
    config = {key: value for key, value in settings.config.items() if key not in SENT_AS}
    protected = {key: value for key, value in settings.protected.items() if key not in SENT_AS}
    protected.update({SENT_AS[key]: b64encode(content).decode("ascii") for key, content in material.items()})
    name = settings.get("sslCname")
    findings = list(judge_pem(material[CERTIFICATE], material[KEY], name, now))
    if not name and not settings.on("allowInsecureConnections") and (chain := chain_of(material[CERTIFICATE])):
        name, found = _name(chain[0])
        findings.append(found)
        config.update({"sslCname": name} if name else {})
    return Settings(config, protected), tuple(findings)


def _name(certificate: Any) -> tuple[str, Finding]:
    name = next((one for one in names_of(certificate) if not one.startswith("*")), "")
    fix = f"--config sslCname={name or 'HOST.NAME'}"
    if name:
        return name, T105.finding("sslCname", f"sslCname is not given; {name} is taken from the certificate.", fix=fix)
    return "", T106.finding("sslCname", "HTTPS needs sslCname, and the certificate names no host.", fix=fix)
