"""Pages of a list: the link to the next one carries $skiptoken, which is not for clients to read."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.azure.errors import ArmError


def page(url: str, query: Mapping[str, str], items: Sequence[Any], size: int) -> dict[str, Any]:
    """The page that a request asks for, of $top items or the usual size. url: that of the request without its query.

    The last page has no nextLink. Raises ArmError 400 for a $skiptoken or $top that is not valid.
    """
    begin, size = _begin(query), _size(query, size)
    found: dict[str, Any] = {"value": list(items[begin : begin + size])}
    if begin + size < len(items):
        token = base64.urlsafe_b64encode(f"next:{begin + size}".encode()).decode().rstrip("=")
        kept = {key: value for key, value in query.items() if key.lower() != "$skiptoken"}
        found["nextLink"] = f"{url}?{urllib.parse.urlencode({**kept, '$skiptoken': token})}"
    return found


def _begin(query: Mapping[str, str]) -> int:
    token = next((value for key, value in query.items() if key.lower() == "$skiptoken"), None)
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().removeprefix("next:"))
    except ValueError:
        text = f"The skip token '{token}' is invalid."  # assumed
        raise ArmError(400, "InvalidSkipTokenInQueryString", text) from None


def _size(query: Mapping[str, str], size: int) -> int:
    top = query.get("$top")
    if top is None:
        return size
    if not top.isdigit() or not int(top):
        text = f"The value '{top}' of $top is invalid."  # assumed
        raise ArmError(400, "InvalidTopInQueryString", text)
    return min(int(top), size)
