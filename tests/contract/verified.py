"""What has been verified by which evidence, counted in a file that `make contract` reads."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / ".traffic" / "verified"


def count_verified(kind: str, name: str) -> None:
    """Count one verified thing: kind is responses, clients or quantities."""
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps([kind, name]) + "\n")
