"""Every setting that a command is given must be in the request: a scenario cannot overlook one that is dropped."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

COMMANDS = (["amlk8s", "extension", "create"], ["amlk8s", "extension", "update"])
BAGS = ("configurationSettings", "configurationProtectedSettings")


def missing_settings(
    command: str, not_sent: Collection[str], out: str, exchanges: list[dict[str, Any]]
) -> Iterator[str]:
    """A sentence for each KEY=VALUE of a create or update command that its extension body lacks or has otherwise.

    The body is that of the last write of an extension, or the one that a dry run prints; without one there is nothing
    to compare. not_sent are keys that are sent under another name or with another value, or not at all.
    """
    words = shlex.split(command)
    body = _printed_body(out) if "--dry-run" in words else _sent_body(exchanges)
    if words[1:4] not in COMMANDS or body is None:
        return
    bags = [(body.get("properties") or {}).get(bag) or {} for bag in BAGS]
    sent = {key.lower(): value for bag in bags for key, value in bag.items()}
    blanked = {key for key in sent if "secret" in key} | {key.lower() for key in bags[1]}
    for key, value in given_settings(words):
        name = key.lower()
        if key in not_sent:
            continue
        if name not in sent:
            yield f"{key} is given, but not in the request; if that is right, list it under not_sent"
        elif name not in blanked and str(sent[name]).lower() != value.lower():
            yield f"{key} is {value!r} on the command line and {sent[name]!r} in the request"


def given_settings(words: list[str]) -> Iterator[tuple[str, str]]:
    """The KEY=VALUE arguments of --config and --config-protected in all their spellings."""
    is_setting = False
    for word in words:
        if word.startswith("-"):
            is_setting = word.startswith("--config") and not word.endswith("-file")
        elif is_setting and "=" in word:
            key, _, value = word.partition("=")
            yield key, value


def _printed_body(out: str) -> Mapping[str, Any] | None:
    try:
        printed = json.loads(out)
    except ValueError:
        return None
    return printed.get("body") if isinstance(printed, dict) else None


def _sent_body(exchanges: list[dict[str, Any]]) -> Mapping[str, Any] | None:
    requests = [exchange["liveRequest"] for exchange in exchanges]
    bodies = [
        request["body"]
        for request in requests
        if request["method"] in ("PUT", "PATCH") and "/extensions/" in request["url"].lower() and request.get("body")
    ]
    return bodies[-1] if bodies else None
