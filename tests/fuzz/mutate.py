"""Examples from the scenarios of the tests, and random changes of them: decided by a seed, so that inputs are cheap."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.unit.diagnosis_cases import REPORTS, TEXTS

SCENARIOS = Path(__file__).parent.parent / "scenarios"
LONG = 20_000
DEEP = 3_000
# Values that documents should not have, and sometimes do.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**40, 1.5, float("inf"), float("nan"), "", " ", "text", "7", "1e9", "-1Gi", "1" * 400,
    "x" * LONG, "\x00", "\ud800", "é" * 300, "\n", "a: b", "{}", "[]", [], {}, [None], [[]], [{}], {"": None}, {"x": {}},
    [7, "text", None, {}], {"name": 7}, {"name": None}, [{"name": []}], {"key": "x", "operator": []},
)  # fmt: skip
PIECES = (
    "\x00", "\ud800", "﻿", "\r\n", "\t", "'", '"', "\\", "{", "}", "[", "]", "&a ", "*a", "<<: ", "!!python/object:os.system ",
    "---\n", "...\n", ": ", "- ", "# ", "|\n ", ">", "%", "@", "=", ",", "\\u0000", "null", "~", "yes", "1e999", "${{x}}", "(Code) ",
    'Code="', 'Message="', "InnerError: [", "err [", "{Error : ", "Status: Failed, Name: ", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


def change_text(text: str, seed: int) -> str:
    """A text with some random changes: pieces removed, doubled, repeated very often, inserted."""
    generator = random.Random(seed)
    for _ in range(generator.choice((0, 1, 1, 2, 3, 6))):
        start, end = sorted(generator.randint(0, len(text)) for _ in range(2))
        end = min(end, start + generator.choice((1, 5, 40, 1000)))
        piece = generator.choice(PIECES)
        kind = generator.randrange(6)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:end] + text[start:]
        elif kind == 2:
            text = text[:start] + text[start:end][:40] * generator.choice((2, 50, 500)) + text[end:]
        elif kind == 3:
            text = text[:start] + piece * generator.choice((1, 1, 1, 100, DEEP)) + text[start:]
        elif kind == 4:
            text = text[:start] + piece + text[end:]
        else:
            text = text[:start] + "".join(generator.choice(PIECES) for _ in range(8)) + text[end:]
    return text[: 10 * LONG]


def change_document(document: Any, seed: int) -> Any:
    """A document with some of its values replaced, removed or wrapped."""
    generator = random.Random(seed)
    document = copy.deepcopy(document)
    places = [place for place in _places(document) if generator.random() < 0.9]
    if not places:
        return generator.choice(ODD)
    for holder, key in generator.sample(places, min(len(places), generator.choice((1, 1, 2, 3, 8)))):
        kind = generator.randrange(8)
        try:
            if kind == 0 and isinstance(holder, dict):
                del holder[key]
            elif kind == 1:
                holder[key] = [holder[key]]
            elif kind == 2:
                holder[key] = {"x": holder[key]}
            elif kind == 3 and isinstance(holder[key], list):
                times = generator.choice((2, 50))
                holder[key] = holder[key] * (times if len(repr(holder[key])) * times < 10 * LONG else 1)
            else:
                holder[key] = copy.deepcopy(generator.choice(ODD))
        except (KeyError, IndexError):
            continue
    return document if generator.random() < 0.98 else generator.choice(ODD)


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Every value in a document as its holder and its key."""
    if depth > 12:
        return
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, item in list(entries):
        yield value, key
        yield from _places(item, depth + 1)


@functools.cache
def scenario_documents() -> tuple[Any, ...]:
    """Everything in the files of scenarios."""
    files = sorted(SCENARIOS.glob("*.yaml"))
    return tuple(yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)


@functools.cache
def files_of_users() -> tuple[str, ...]:
    """The texts of files that scenarios give to commands."""
    texts = {
        text
        for document in scenario_documents()
        for holder in _all(document)
        for text in (holder.get("files") or {}).values()
        if isinstance(holder.get("files"), dict) and isinstance(text, str)
    }
    return tuple(sorted(texts)) + (BILLION_LAUGHS, "a: " * DEEP, "[" * DEEP, "a: &a [*a]\n", "{" * DEEP)


@functools.cache
def named_files(*suffixes: str) -> tuple[tuple[str, str], ...]:
    """The files with these suffixes that scenarios give to commands, by name and text."""
    files = {
        (name, text)
        for document in scenario_documents()
        for holder in _all(document)
        if isinstance(holder.get("files"), dict)
        for name, text in holder["files"].items()
        if isinstance(text, str) and name.endswith(suffixes)
    }
    return tuple(sorted(files))


@functools.cache
def objects(kind: str = "") -> tuple[Any, ...]:
    """The Kubernetes objects in the worlds of scenarios, of one kind or of all."""
    found = [
        item
        for document in scenario_documents()
        for item in _all(document)
        if "apiVersion" in item and isinstance(item.get("metadata"), dict)
    ]
    return tuple(item for item in found if kind in ("", item.get("kind")))


@functools.cache
def resources() -> tuple[Any, ...]:
    """The ARM resources in the worlds of scenarios."""
    found = [item for document in scenario_documents() for item in _all(document)]
    return tuple(item for item in found if isinstance(item.get("properties"), dict) and "name" in item)


@functools.cache
def messages() -> tuple[str, ...]:
    """Messages of Azure, Helm, the health check, pods and jobs."""
    texts = [text for _, _, text in (*TEXTS, *REPORTS)]
    nested = json.dumps({"error": {"code": "A", "message": texts[0], "details": [{"code": "B", "message": texts[1]}]}})
    return (*texts, nested, json.dumps({"error": {"message": nested}}))


def _all(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _all(item)
    elif isinstance(value, list):
        for item in value:
            yield from _all(item)


BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
