"""The body of a request: JSON, or the JSON with comments and texts of several lines that az sends templates in."""

from __future__ import annotations

import json
import re
from typing import Any

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.S)
BARE_KEY = re.compile(r"([{,]\s*)template(\s*:)")


def read_json(text: str) -> Any:
    """The value of a body. Raises ValueError."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(BARE_KEY.sub(r'\1"template"\2', TOKEN.sub(_without_comment, text), count=1), strict=False)


def _without_comment(found: re.Match[str]) -> str:
    return "" if found.group().startswith("/") else found.group()
