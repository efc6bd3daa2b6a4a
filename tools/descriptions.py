"""The API version of Microsoft's descriptions with which an exchange is compared.

Not every API version that clients use is described. An exchange of another version is compared with the newest
description of its operation. Spellings that ARM accepts are normalised: a double slash, and the case of api-version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PARAMETER = re.compile(r"\{[^}]+\}")
REGISTRATION = re.compile(r"/subscriptions/\{[^}]+\}/providers/\{[^}]+\}(/register)?$")
VERSION = re.compile(r"([?&])api-version=([^&]*)", re.I)


@dataclass(frozen=True)
class DescribedOperation:
    """An operation of a description: method, pattern of the path, number of fixed segments, API version."""

    method: str
    path: re.Pattern[str]
    fixed_segments: int
    version: str


def read(specifications: Path) -> list[DescribedOperation]:
    """The operations of all descriptions beneath a folder, except those of resources of any provider."""
    operations = []
    for file in sorted(specifications.rglob("*.json")):
        if "examples" in file.parts:
            continue
        content = json.loads(file.read_text(encoding="utf-8"))
        for path, methods in content.get("paths", {}).items():
            of_any_provider = re.search(r"/providers/\{[^/]+$|/providers/\{[^/]+/(?!.*/providers/[^{])", path)
            if of_any_provider and not REGISTRATION.match(path):
                continue
            pattern = re.compile(_pattern(path), re.I)
            fixed = len([word for word in path.split("/") if word and not word.startswith("{")])
            operations += [
                DescribedOperation(method.upper(), pattern, fixed, content["info"]["version"]) for method in methods
            ]
    return operations


def at_described_version(line: str, operations: Iterable[DescribedOperation]) -> str:
    """The exchange as a line of JSON; an API version that is not described is replaced by the newest one that is."""
    exchange = json.loads(line)
    request = exchange["liveRequest"]
    path, _, query = request["url"].partition("?")
    path = re.sub("/{2,}", "/", path)
    requested = VERSION.search(f"?{query}")
    matching = [
        operation
        for operation in operations
        if operation.method == request["method"] and operation.path.match(path.rstrip("/"))
    ]
    if requested and matching:
        closest = max(match.fixed_segments for match in matching)
        versions = sorted(match.version for match in matching if match.fixed_segments == closest)
        version = requested.group(2) if requested.group(2) in versions else versions[-1]
        query = VERSION.sub(rf"\1api-version={version}", f"?{query}")[1:]
    request["url"] = f"{path}?{query}"
    return json.dumps(exchange)


def _pattern(path: str) -> str:
    prefix = "/.+" if PARAMETER.match(path.lstrip("/")) else ""
    rest = PARAMETER.sub("", path.lstrip("/"), count=1) if prefix else path
    segments = ["[^/]+" if PARAMETER.fullmatch(word) else re.escape(word) for word in rest.strip("/").split("/")]
    return f"^{prefix}/{'/'.join(segments)}$"
