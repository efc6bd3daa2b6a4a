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

_registered: dict[str, None] = {}


def register_secret(value: object) -> None:
    """Have a value redacted wherever it appears from now on, also encoded: see `_forms`."""
    if not isinstance(value, str) or len(value.strip()) < MIN_REGISTERED or value in _registered:
        return
    text = value.strip()
    if text.lower() in ("default", "enabled", "disabled"):
        return
    _registered[value] = None
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) >= 20 and not line.startswith("-----")]
    for form in (*_forms(text), *_base64_forms(value), *lines):
        _registered.setdefault(form)


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


def registered_forms() -> list[str]:
    """Everything that was registered, the longest first."""
    return sorted(_registered, key=len, reverse=True)


def hide_secrets(text: str) -> str:
    """A text without what was registered and is too long to be anything else."""
    for form in registered_forms():
        if len(form) >= MIN_UNIQUE and form in text:
            text = text.replace(form, BLANK)
    return text


def forget_secrets() -> None:
    """Forget what was registered, before another command runs in the same process."""
    _registered.clear()
