"""Faults between a client and a cluster's API server."""

from __future__ import annotations

from aiohttp import web

from sandbox.faults import ConnectionReset, Fault, interception
from sandbox.kubernetes import status
from sandbox.kubernetes.forms import as_json

REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
CODES = {"expired-token": 401, "throttled": 429, "bad-gateway": 502, "gateway-timeout": 504}
MESSAGES = {
    401: "Unauthorized",
    429: "the server has received too many requests and has asked us to try again later",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


def rejection(fault: Fault) -> web.Response | None:
    """The response in place of the API server's own, None for a fault of another kind. Raises ConnectionReset."""
    if fault.kind == "connection-reset":
        raise ConnectionReset
    if intercepted := interception(fault, "/"):
        return intercepted
    code = CODES.get(fault.kind, fault.status if fault.kind == "error" else 0)
    if not code:
        return None
    if fault.kind == "bad-gateway":
        return web.Response(status=502, text="<html>502 Bad Gateway</html>", content_type="text/html")
    details = {"retryAfterSeconds": fault.retry_after}
    message = MESSAGES.get(code, fault.message) if fault.message == Fault("error").message else fault.message
    response = as_json(status.ApiError(code, REASONS.get(code, ""), message, **details).body, code)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response
