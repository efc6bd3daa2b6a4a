"""What the field knows, as data, and the one loader that reads it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def load(name: str) -> Any:
    """The content of knowledge/{name}.json; the same object each time, not to be changed."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
