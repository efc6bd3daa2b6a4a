"""ARM errors in every shape that Azure uses, unfolded to their coded messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.values import mapping, sequence

# Deeper than any error on record; a bound, because the text may come from anywhere.
MAX_DEPTH = 24
# Braces in a text that open something other than JSON, before the search ends.
MAX_ATTEMPTS = 200
INNER = ("error", "details", "innererror", "errors", "statusmessage", "errorinfo", "provisioningerrors", "statuses")
AZ_LINE = re.compile(
    r"^[ \t]{0,80}(?:ERROR:[ \t]{0,9})?\((?P<code>[A-Za-z][A-Za-z0-9_.]{2,100})\)[ \t]*(?P<message>.*)$", re.M
)
CODE_LINE = re.compile(r"^[ \t]{0,80}Code:[ \t]*(?P<code>[A-Za-z][A-Za-z0-9_.]{2,100})[ \t]*$", re.M)
GO_LINE = re.compile(r'\bCode="(?P<code>[^"]{3,80})"\s{1,9}Message="(?P<message>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class CodedMessage:
    """One coded message of an error; depth 0 is the outermost."""

    code: str
    message: str
    target: str = ""
    depth: int = 0


def unfold_error(body: Any) -> tuple[CodedMessage, ...]:
    """The coded messages of an error in any shape, the deepest first, each once.

    It reads the envelope {"error": …} and the flat form, `details`, `innererror` in any spelling, the error inside
    `additionalInfo[].info`, and a message that is itself JSON.
    https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
    """
    distinct: dict[tuple[str, str], CodedMessage] = {}
    for message in sorted(_walk(body, 0), key=lambda message: -message.depth):
        distinct.setdefault((message.code, message.message), message)
    return tuple(distinct.values())


def extension_errors(resource: Mapping[str, Any]) -> tuple[CodedMessage, ...]:
    """The errors of a failed extension: `statuses` and `errorInfo` of its properties."""
    properties = mapping(mapping(resource).get("properties"))
    return unfold_error({"errorInfo": properties.get("errorInfo"), "statuses": properties.get("statuses")})


def compute_errors(resource: Mapping[str, Any]) -> tuple[CodedMessage, ...]:
    """The errors of a failed compute: `provisioningErrors`, which may be null, wrapped, flat or nested."""
    return unfold_error({"provisioningErrors": mapping(mapping(resource).get("properties")).get("provisioningErrors")})


def errors_in_text(text: str) -> tuple[CodedMessage, ...]:
    """The coded messages of a text: JSON anywhere in it, az's `(Code) message`, Go's `Code="…" Message="…"`."""
    errors = [error for document in _documents(text) for error in unfold_error(document)]
    for pattern in (AZ_LINE, GO_LINE):
        errors += [CodedMessage(match["code"], _flat(match["message"])) for match in pattern.finditer(text)]
    errors += [CodedMessage(match["code"], "") for match in CODE_LINE.finditer(text)]
    distinct: dict[str, CodedMessage] = {}
    for error in errors:
        distinct.setdefault(f"{error.code} {error.message}" if error.message else error.code, error)
    with_message = {error.code for error in distinct.values() if error.message}
    return tuple(error for error in distinct.values() if error.message or error.code not in with_message)


def _walk(value: Any, depth: int) -> Iterator[CodedMessage]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, depth)
    if not isinstance(value, Mapping):
        return
    lower = {str(key).lower(): item for key, item in value.items()}
    code, message = _text(lower.get("code")), _text(lower.get("message"))
    inside = _json(message)
    if code or (message and inside is None):
        yield CodedMessage(code, "" if inside is not None else _flat(message), _text(lower.get("target")), depth)
    if inside is not None:
        yield from _walk(inside, depth + 1)
    for key in INNER:
        nested = lower.get(key)
        yield from _walk(_json(nested) if isinstance(nested, str) else nested, depth + 1)
    for more in sequence(lower.get("additionalinfo")):
        yield from _walk({"error": mapping(mapping(more).get("info")).get("error")}, depth + 1)


def _documents(text: str) -> Iterator[Any]:
    """Every JSON object in a text."""
    decoder, at, attempts = json.JSONDecoder(), 0, MAX_ATTEMPTS
    while attempts and (at := text.find("{", at)) >= 0:
        try:
            document, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at, attempts = at + 1, attempts - 1
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


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _flat(text: str) -> str:
    return " ".join(text.split())
