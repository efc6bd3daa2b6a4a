"""Which of Microsoft's descriptions an exchange is held against.

Not every version that some client asks at is described. An exchange at another one is held against the newest
description of its operation, instead of against none; and what ARM reads alike is written alike: a doubled slash,
and the name of api-version in any case.
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
class Described:
    """An operation of a description: its method, what its path looks like, how many words of that are fixed."""

    method: str
    path: re.Pattern[str]
    words: int
    version: str


def read(specifications: Path) -> list[Described]:
    """The operations of all descriptions beneath a folder, except those of resources of any provider."""
    found = []
    for file in sorted(specifications.rglob("*.json")):
        if "examples" in file.parts:
            continue
        told = json.loads(file.read_text(encoding="utf-8"))
        for path, methods in told.get("paths", {}).items():
            of_any_provider = re.search(r"/providers/\{[^/]+$|/providers/\{[^/]+/(?!.*/providers/[^{])", path)
            if of_any_provider and not REGISTRATION.match(path):
                continue
            fits = re.compile(_pattern(path), re.I)
            fixed = len([word for word in path.split("/") if word and not word.startswith("{")])
            found += [Described(method.upper(), fits, fixed, told["info"]["version"]) for method in methods]
    return found


def held(line: str, operations: Iterable[Described]) -> str:
    """The same exchange as a line of JSON, at a version that is described where its own is not."""
    exchange = json.loads(line)
    request = exchange["liveRequest"]
    path, _, query = request["url"].partition("?")
    path = re.sub("/{2,}", "/", path)
    asked = VERSION.search(f"?{query}")
    fits = [
        operation
        for operation in operations
        if operation.method == request["method"] and operation.path.match(path.rstrip("/"))
    ]
    if asked and fits:
        closest = max(fit.words for fit in fits)
        versions = sorted(fit.version for fit in fits if fit.words == closest)
        version = asked.group(2) if asked.group(2) in versions else versions[-1]
        query = VERSION.sub(rf"\1api-version={version}", f"?{query}")[1:]
    request["url"] = f"{path}?{query}"
    return json.dumps(exchange)


def _pattern(path: str) -> str:
    begin = "/.+" if PARAMETER.match(path.lstrip("/")) else ""
    rest = PARAMETER.sub("", path.lstrip("/"), count=1) if begin else path
    words = ["[^/]+" if PARAMETER.fullmatch(word) else re.escape(word) for word in rest.strip("/").split("/")]
    return f"^{begin}/{'/'.join(words)}$"
