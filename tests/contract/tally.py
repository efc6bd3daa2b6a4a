"""What was judged by whom, counted in a file that `make contract` reads."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / ".traffic" / "tally"


def tally(kind: str, name: str) -> None:
    """Count one judged thing: kind is exchanges, answers or clients."""
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps([kind, name]) + "\n")
