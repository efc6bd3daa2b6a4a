"""ARM errors, unfolded to their leaves in every shape that Azure gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Deeper than any error on record; a bound, because the text may come from anywhere.
DEEPEST = 24
# Braces of a text that may open something else than JSON, before the search is given up.
ATTEMPTS = 500
INNER = ("error", "details", "innererror", "errors", "statusmessage", "errorinfo", "provisioningerrors", "statuses")
AZ_LINE = re.compile(r"^\s*(?:ERROR:\s*)?\((?P<code>[A-Za-z][A-Za-z0-9_.]{2,})\)[ \t]*(?P<message>.*)$", re.M)
CODE_LINE = re.compile(r"^\s*Code:[ \t]*(?P<code>[A-Za-z][A-Za-z0-9_.]{2,})[ \t]*$", re.M)
GO_LINE = re.compile(r'\bCode="(?P<code>[^"]{3,80})"\s+Message="(?P<message>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Coded:
    """One coded message of an error; depth 0 is the outermost."""

    code: str
    message: str
    target: str = ""
    depth: int = 0


def unfold(body: Any) -> tuple[Coded, ...]:
    """The coded messages of an error in any shape, the deepest first and none twice.

    Read are the envelope {"error": …} and the flat form, `details`, `innererror` in any spelling, the error inside
    `additionalInfo[].info`, and a message that is JSON itself (field guide arm-protocol 1 and 5, compute 2.3).
    """
    found = sorted(_walk(body, 0), key=lambda one: -one.depth)
    kept: dict[tuple[str, str], Coded] = {}
    for one in found:
        kept.setdefault((one.code, one.message), one)
    return tuple(kept.values())


def of_extension(resource: Mapping[str, Any]) -> tuple[Coded, ...]:
    """What a failed extension says: `statuses` and `errorInfo` of its properties."""
    properties = _mapping(resource.get("properties"))
    return unfold({"errorInfo": properties.get("errorInfo"), "statuses": properties.get("statuses")})


def of_compute(resource: Mapping[str, Any]) -> tuple[Coded, ...]:
    """What a failed compute says: `provisioningErrors`, be they null, wrapped, flat or nested."""
    return unfold({"provisioningErrors": _mapping(resource.get("properties")).get("provisioningErrors")})


def of_text(text: str) -> tuple[Coded, ...]:
    """The coded messages of a text: JSON anywhere in it, az's `(Code) message`, Go's `Code="…" Message="…"`."""
    found = [one for document in _documents(text) for one in unfold(document)]
    for pattern in (AZ_LINE, GO_LINE):
        found += [Coded(one["code"], _flat(one["message"])) for one in pattern.finditer(text)]
    found += [Coded(one["code"], "") for one in CODE_LINE.finditer(text)]
    kept: dict[str, Coded] = {}
    for one in found:
        kept.setdefault(f"{one.code} {one.message}" if one.message else one.code, one)
    said = {one.code for one in kept.values() if one.message}
    return tuple(one for one in kept.values() if one.message or one.code not in said)


def _walk(value: Any, depth: int) -> Iterator[Coded]:
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _walk(one, depth)
    if not isinstance(value, Mapping):
        return
    lower = {str(key).lower(): one for key, one in value.items()}
    code, message = _word(lower.get("code")), _word(lower.get("message"))
    inside = _json(message)
    if code or (message and inside is None):
        yield Coded(code, "" if inside is not None else _flat(message), _word(lower.get("target")), depth)
    if inside is not None:
        yield from _walk(inside, depth + 1)
    for key in INNER:
        one = lower.get(key)
        yield from _walk(_json(one) if isinstance(one, str) else one, depth + 1)
    for more in _list(lower.get("additionalinfo")):
        yield from _walk({"error": _mapping(_mapping(more).get("info")).get("error")}, depth + 1)


def _documents(text: str) -> Iterator[Any]:
    """Every JSON object or array of objects that stands in a text."""
    decoder, at, left = json.JSONDecoder(), 0, ATTEMPTS
    while left and (at := text.find("{", at)) >= 0:
        try:
            document, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at, left = at + 1, left - 1
            continue
        if document:
            yield document
        at = end


def _json(text: Any) -> Any:
    """A message that is an object in JSON, else None."""
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _flat(text: str) -> str:
    return " ".join(text.split())
