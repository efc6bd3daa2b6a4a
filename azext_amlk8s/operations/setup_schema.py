"""az amlk8s schema"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def schema() -> Mapping[str, Any]:
    """The JSON Schema of setup files."""
    from azext_amlk8s.setup_files import setup_schema

    return setup_schema()
