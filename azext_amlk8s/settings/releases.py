"""Versions of the extension: their order, and what is known of each release."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from azext_amlk8s import knowledge


def version_key(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def is_older(version: str, than: str) -> bool:
    """Whether a version is older than another; never where one of them is unknown."""
    return bool(version and than) and version_key(version) < version_key(than)


def running_version(extension: Mapping[str, Any] | None) -> str:
    """The version of an extension that Azure reports as current, else the requested one; empty without either."""
    properties = (extension or {}).get("properties") or {}
    return str(properties.get("currentVersion") or properties.get("version") or "")


def sorted_versions(versions: Iterable[str]) -> list[str]:
    """Versions from the oldest to the newest, each once."""
    return sorted({version for version in versions if version}, key=version_key)


def notes_between(before: str, after: str) -> list[Mapping[str, Any]]:
    """The known releases after one version up to another, from the oldest: version, date and notes."""
    return [
        release
        for release in knowledge.load("releases")["notes"]
        if version_key(before) < version_key(release["version"]) <= version_key(after) and release["notes"]
    ]


def release_of(version: str) -> Mapping[str, Any]:
    """What is known of a release: date and notes, both perhaps absent."""
    releases = knowledge.load("releases")["notes"]
    return next((release for release in releases if release["version"] == version), {})
