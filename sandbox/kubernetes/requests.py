"""Requests to the stand-in of an API server: over a connection, or of the sandbox itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

# The User-Agent of the sandbox itself.
AGENT = "sandbox"


@dataclass(frozen=True)
class LocalRequest:
    """A request of the sandbox itself, with what is read of an aiohttp request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    content_type: str

    async def text(self) -> str:
        """The body."""
        return self.body

    async def read(self) -> bytes:
        """The body as bytes."""
        return self.body.encode()

    async def json(self) -> Any:
        """The body as a JSON value. Raises ValueError."""
        return json.loads(self.body)


Request = web.Request | LocalRequest
