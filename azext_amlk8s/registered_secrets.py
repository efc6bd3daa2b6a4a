"""The secret values that the running command knows; redaction removes them wherever they appear."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

# A shorter value could be an ordinary word, so it is only redacted by the name of its key.
MIN_REGISTERED = 6
# From this length on a value cannot be a part of something else, such as a name in the result of a command.
MIN_UNIQUE = 16
BLANK = "***"

# Those of at least MIN_UNIQUE characters by as many of their first ones and their length; and the shorter ones. A
# command on many clusters registers tens of thousands, so that a text is not searched for each.
_long: dict[str, dict[int, set[str]]] = {}
_short: dict[str, None] = {}


def register_secret(value: object) -> None:
    """Have a value redacted wherever it appears from now on, also encoded: see `_forms`."""
    if not isinstance(value, str) or len(value.strip()) < MIN_REGISTERED or _is_registered(value):
        return
    text = value.strip()
    if text.lower() in ("default", "enabled", "disabled"):
        return
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) >= 20 and not line.startswith("-----")]
    for form in (value, *_forms(text), *_base64_forms(value), *lines):
        if len(form) < MIN_UNIQUE:
            _short[form] = None
        else:
            _long.setdefault(form[:MIN_UNIQUE], {}).setdefault(len(form), set()).add(form)


def _is_registered(form: str) -> bool:
    return form in _short or form in _long.get(form[:MIN_UNIQUE], {}).get(len(form), ())


def _forms(text: str) -> Iterator[str]:
    """A text as JSON, URLs, HTML and hexadecimal dumps show it."""
    quoted = quote(text, safe="")
    yield from (text, json.dumps(text)[1:-1], json.dumps(json.dumps(text)[1:-1])[1:-1], html.escape(text))
    yield from (quoted, quote(text), quote_plus(text), re.sub("%..", lambda code: code[0].lower(), quoted))
    yield from (quote(quoted, safe=""), text.encode("utf-8", "replace").hex())


def _base64_forms(value: str) -> Iterator[str]:
    """A text in base64, alone and, without what depends on its neighbours, inside another text."""
    data = value.encode("utf-8", "replace")
    yield base64.b64encode(data).decode("ascii")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            start = -(-before * 8 // 6)
            inner = encode(bytes(before) + data).decode("ascii")[start : (before + len(data)) * 8 // 6]
            if len(inner) >= MIN_REGISTERED:
                yield inner


def hide_secrets(text: str) -> str:
    """A text without what was registered and is too long to be anything else."""
    parts: list[str] = []
    start = position = 0
    last = len(text) - MIN_UNIQUE if _long else -1
    while position <= last:
        forms = _long.get(text[position : position + MIN_UNIQUE])
        found = _longest_at(text, position, forms) if forms else 0
        if found:
            parts += [text[start:position], BLANK]
            start = position + found
        position += found or 1
    return "".join([*parts, text[start:]]) if parts else text


def _longest_at(text: str, position: int, forms: dict[int, set[str]]) -> int:
    """The length of the longest of the forms, by their lengths, that is at a position of a text; 0 for none."""
    lengths = sorted(forms, reverse=True)
    return next((length for length in lengths if text[position : position + length] in forms[length]), 0)


def hide_all_secrets(text: str) -> str:
    """A text without anything that was registered."""
    text = hide_secrets(text)
    for form in sorted(_short, key=len, reverse=True):
        text = text.replace(form, BLANK)
    return text


def forget_secrets() -> None:
    """Forget what was registered, before another command runs in the same process."""
    _long.clear()
    _short.clear()
