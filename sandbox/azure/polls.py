"""URLs of long-running operations and responses to polls."""

from __future__ import annotations

from typing import Any

from sandbox.azure.behaviours import Call, Response
from sandbox.azure.errors import ArmError
from sandbox.azure.operations import Running

SIGNATURE = ("t", "c", "s", "h")


def url(call: Call, operation: Running, path: str, query: str = "", *, tenant: bool = False) -> str:
    """The URL of an operation, with the signature that ARM appends to it since 2023 (over 3 kB in all).

    At the level of the tenant its path names no subscription, as that of an Arc-connected cluster's.
    """
    status = "/operationresults/" not in path
    if status and (tenant or call.azure.world.polls.level == "tenant"):
        mark = operation.signature["h"].upper()
        path = f"/providers/{call.address.namespace}/locations/EASTUS/operationStatuses/{operation.id}*{mark}"
    signature = "&".join(f"{key}={operation.signature[key]}" for key in SIGNATURE)
    return f"{call.base}{path}?{query or f'api-version={call.api_version}'}&{signature}"


def poll_response(call: Call, operation: Running, body: Any) -> Response:
    """The response to a poll. Raises ArmError for a URL without the signature that was issued."""
    if any(call.query.get(key) != operation.signature[key] for key in SIGNATURE):
        # assumed: the error for a URL whose signature was lost or changed
        raise ArmError(403, "InvalidOperationUrl", "The signature of the operation's URL is missing or was changed.")
    if operation.done:
        return Response(200, body, {})
    return Response(202 if operation.accepted else call.azure.world.polls.status, body, retry_after(call))


def retry_after(call: Call) -> dict[str, str]:
    """The header that says when to poll again, none where the world has no time for it."""
    seconds = call.azure.world.polls.retry_after
    return {} if seconds is None else {"Retry-After": str(seconds)}


def envelope(call: Call, operation: Running) -> dict[str, Any]:
    """The body of most providers: id, name, status, and the error."""
    body: dict[str, Any] = {"id": call.address.id, "name": operation.id, "status": operation.status}
    return {**body, "error": operation.error} if operation.error else body
