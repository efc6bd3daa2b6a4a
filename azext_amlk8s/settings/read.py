"""key=value words into Settings: canonical keys, normalised values, each in the bag where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from azext_amlk8s.findings import Finding, Severity
from azext_amlk8s.settings.model import Settings
from azext_amlk8s.settings.schema import Key, find, nearest, schema

OPTIONS = {"config": "--config", "protected": "--config-protected"}
GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"


@dataclass
class _Bags:
    config: dict[str, str] = field(default_factory=dict)
    protected: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def of(self, name: str) -> dict[str, str]:
        return self.protected if name == "protected" else self.config


def read_settings(config: Iterable[str], protected: Iterable[str]) -> tuple[Settings, tuple[Finding, ...]]:
    """Settings out of `key=value` words, and all that is to be said of the words themselves.

    Keys match in any case, old and misprinted names are mapped (seed page, Appendix II; field guide cluster-extension
    3d), a secret in the open bag is moved, a repeat wins with a warning. A secret value is never quoted in a finding.
    """
    bags = _Bags()
    for bag, words in (("config", config), ("protected", protected)):
        for word in words:
            for key, value in _pairs(word, bag, bags.findings):
                _put(bags, bag, key, value)
    for name in sorted(bags.config.keys() & bags.protected.keys()):
        bags.findings.append(
            _error(
                "S004", name, f"{name} is given both to --config and to --config-protected.", fix=f"Give {name} once."
            )
        )
    return Settings(bags.config, bags.protected), tuple(bags.findings)


def _pairs(word: str, bag: str, findings: list[Finding]) -> Iterator[tuple[Key, str]]:
    name, sign, value = word.partition("=")
    name, value = name.strip(), value.strip()
    if not sign or not name:
        shown = name if bag == "config" else "An item"
        findings.append(
            _error(
                "S001",
                shown,
                f"{shown} in {OPTIONS[bag]} is not of the form key=value.",
                fix=f"{OPTIONS[bag]} {name or 'key'}=VALUE",
            )
        )
        return
    if name.lower() in _lowered("x-dropped"):
        why = _lowered("x-dropped")[name.lower()]
        findings.append(_warning("S005", name, f"{name} is no longer a setting and is left out. {why}"))
        return
    if name.lower() in _lowered("x-mapped"):
        yield from _mapped(name, value, findings)
        return
    key = find(name)
    if key is None:
        close = nearest(name)
        hint = f" Did you mean {close}?" if close else ""
        findings.append(
            _error(
                "S002",
                name,
                f"{name} is not a setting of the extension.{hint}",
                found=name,
                required=close,
                fix=f"{OPTIONS[bag]} {close}=VALUE" if close else "",
            )
        )
        return
    if key.alias:
        turned = ", with its value turned round" if key.inverted else ""
        findings.append(_warning("S006", name, f"{name} is read as {key.name}{turned}.", fix=f"{key.name}=VALUE"))
    yield from _valued(key, name, value, findings)


def _valued(key: Key, name: str, value: str, findings: list[Finding]) -> Iterator[tuple[Key, str]]:
    if not value:
        findings.append(_error("S003", name, f"{name} has no value.", fix=f"{key.name}=VALUE"))
        return
    if key.values:
        normal = next((one for one in key.values if one.lower() == value.lower()), None)
        if normal is None:
            choices = " or ".join(key.values)
            findings.append(
                _error(
                    "S003",
                    key.name,
                    f"{key.name}={value} is not possible: the value is {choices}.",
                    required=choices,
                    found=value,
                    fix=f"{key.name}={_likely(key, value)}",
                )
            )
            return
        value = {"True": "False", "False": "True"}[normal] if key.inverted else normal
    yield key, value


def _put(bags: _Bags, given: str, key: Key, value: str) -> None:
    bag = given if key.bag == "either" else key.bag
    if bag != given and given == "config":
        bags.findings.append(
            _warning(
                "S007",
                key.name,
                f"{key.name} is kept secret: it is sent as a protected setting.",
                fix=f"--config-protected {key.name}=VALUE",
            )
        )
    held = bags.of(bag)
    if key.name in held and held[key.name] != value:
        bags.findings.append(
            _warning("S008", key.name, f"{key.name} is given more than once; the last value is taken.")
        )
    held[key.name] = value


def _mapped(name: str, value: str, findings: list[Finding]) -> Iterator[tuple[Key, str]]:
    told = _lowered("x-mapped")[name.lower()]
    if value.lower() != told["when"].lower():
        findings.append(_warning("S005", name, f"{name} is no longer a setting and is left out."))
        return
    words = " ".join(f"{key}={to}" for key, to in told["to"].items())
    findings.append(_warning("S006", name, f"{name} is read as {words}.", fix=words))
    for to_name, to_value in told["to"].items():
        if (key := find(to_name)) is not None:
            yield replace(key, alias=False), to_value


def _likely(key: Key, value: str) -> str:
    said_yes = value.lower() in ("yes", "y", "1", "on", "enabled", "t")
    return ("True" if said_yes else "False") if set(key.values) == {"True", "False"} else key.values[0]


def _lowered(name: str) -> Mapping[str, Any]:
    return {key.lower(): value for key, value in schema()[name].items()}


def _error(rule: str, subject: str, message: str, *, required: str = "", found: str = "", fix: str = "") -> Finding:
    return Finding(rule, Severity.ERROR, subject, message, required, found, fix, GUIDE)


def _warning(rule: str, subject: str, message: str, *, fix: str = "") -> Finding:
    return Finding(rule, Severity.WARNING, subject, message, fix=fix, source=GUIDE)
