"""Faults of a world: which requests meet one, and what becomes of their response."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

FOREIGN_HOST = "https://foreign.sandbox.invalid"
HTML = "<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>"
# Faults that are answered instead of the service: the request has no effect.
REJECTIONS = ("expired-token", "throttled", "bad-gateway", "gateway-timeout", "error", "connection-reset")
# Faults that are answered by something else than the service, such as a proxy: the request has no effect.
INTERCEPTIONS = ("redirect", "web-page", "empty-response", "not-utf-8")
# Faults that change the response to a request that was processed.
BODIES = ("html", "empty-body", "null-body", "list-body", "truncated-body", "huge-body", "wrong-types")
DELAYS = ("slow", "slow-body")
REWRITES = (
    "foreign-url", "next-link-loop", "operation-status", "provisioning-state", "retry-after", "lost-response",
    "no-challenge", "stale-list",
)  # fmt: skip
KINDS = (*REJECTIONS, *INTERCEPTIONS, *BODIES, *DELAYS, *REWRITES)
URL_HEADERS = ("Azure-AsyncOperation", "Location")


@dataclass(frozen=True)
class Fault:
    """A fault that some requests meet: those of a method (any if empty) whose path matches a pattern.

    The first `after` matching requests pass, the next `times` meet the fault, the rest pass. cluster: the fault belongs
    to the Kubernetes API of that cluster; without it, to ARM. retry_after and seconds in seconds. status, code and
    message belong to `error`; state to operation-status and provisioning-state; url (scheme and host) to redirect and
    foreign-url.
    """

    kind: str
    method: str = ""
    path: str = "."
    after: int = 0
    times: int = 1
    cluster: str = ""
    retry_after: int | None = None
    provider: str = "Microsoft.MachineLearningServices"
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The request could not be completed."
    state: str = "Succeeded"
    url: str = FOREIGN_HOST
    seconds: float = 5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind '{self.kind}'; expected one of {', '.join(KINDS)}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"'path' is not a regular expression: {error}") from error

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one of those that the fault counts."""
        return method == (self.method or method) and re.search(self.path, path, re.I) is not None


class ConnectionReset(Exception):
    """Raised to end the connection without a response."""


@dataclass
class FaultCounter:
    """The faults of one API, and how many matching requests each has seen."""

    faults: tuple[Fault, ...]
    _seen: dict[int, int] = field(default_factory=dict)

    def active(self, method: str, path: str) -> list[Fault]:
        """Count a request and return the faults that it meets."""
        found = []
        for number, fault in enumerate(self.faults):
            if fault.matches(method, path):
                seen = self._seen[number] = self._seen.get(number, 0) + 1
                if fault.after < seen <= fault.after + fault.times:
                    found.append(fault)
        return found


def interception(fault: Fault, path: str) -> web.Response | None:
    """The response of something between client and service, None for a fault of another kind.

    307 to the same path on another host, or 200 with a sign-in page or without a body.
    """
    if fault.kind == "redirect":
        return web.Response(status=307, headers={"Location": fault.url + path})
    if fault.kind == "web-page":
        return web.Response(text=HTML, content_type="text/html", status=fault.status if fault.status != 500 else 200)
    if fault.kind == "not-utf-8":
        return web.Response(body=b'{"value": "\xff\xfe"}', content_type="application/json")
    return web.Response() if fault.kind == "empty-response" else None


def alter_response(fault: Fault, response: web.Response, url: str) -> web.Response:
    """The response that a client gets in place of another; url: that of the request. Raises ConnectionReset."""
    if fault.kind == "next-link-loop":
        body = _body(response)
        return _with_body(response, {**body, "nextLink": url}) if isinstance(body, dict) else response
    change = _CHANGES.get(fault.kind)
    return change(fault, response) if change else response


def _lose(fault: Fault, response: web.Response) -> web.Response:
    raise ConnectionReset


def _retry_after(fault: Fault, response: web.Response) -> web.Response:
    response.headers["Retry-After"] = str(600 if fault.retry_after is None else fault.retry_after)
    return response


def _empty_list(fault: Fault, response: web.Response) -> web.Response:
    body = _body(response)
    return _with_body(response, {**body, "value": []}) if isinstance(body, dict) and "value" in body else response


def _drop_challenge(fault: Fault, response: web.Response) -> web.Response:
    response.headers.pop("WWW-Authenticate", None)
    return response


def _replace_hosts(fault: Fault, response: web.Response) -> web.Response:
    for name in URL_HEADERS:
        if name in response.headers:
            response.headers[name] = re.sub(r"^https?://[^/]+", fault.url, response.headers[name])
    body = _body(response)
    if isinstance(body, dict) and body.get("nextLink"):
        return _with_body(response, {**body, "nextLink": re.sub(r"^https?://[^/]+", fault.url, body["nextLink"])})
    if isinstance(body, dict) and "value" in body:
        return _with_body(response, {**body, "nextLink": f"{fault.url}/next?api-version=2024-01-01"})
    return response


def _operation_status(fault: Fault, response: web.Response) -> web.Response:
    body = _body(response)
    if not isinstance(body, dict):
        return response
    kept = {key: value for key, value in body.items() if key != "error" or fault.state == "Failed"}
    return _with_body(response, {**kept, "status": fault.state}, status=200)


def _provisioning_state(fault: Fault, response: web.Response) -> web.Response:
    def changed(resource: Any) -> Any:
        if not isinstance(resource, dict) or not isinstance(resource.get("properties"), dict):
            return resource
        return {**resource, "properties": {**resource["properties"], "provisioningState": fault.state}}

    body = _body(response)
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        return _with_body(response, {**body, "value": [changed(item) for item in body["value"]]})
    return _with_body(response, changed(body))


def _text(text: str, content_type: str = "application/json") -> Callable[[Fault, web.Response], web.Response]:
    def change(fault: Fault, response: web.Response) -> web.Response:
        kept = {key: value for key, value in response.headers.items() if not key.lower().startswith("content-")}
        status = 200 if response.status == 204 else response.status
        return web.Response(status=status, headers=kept, text=text, content_type=content_type)

    return change


def _truncate(fault: Fault, response: web.Response) -> web.Response:
    text = response.text or ""
    return _text(text[: len(text) // 2])(fault, response)


def _enlarge(fault: Fault, response: web.Response) -> web.Response:
    body = _body(response)
    return _with_body(response, {**(body if isinstance(body, dict) else {}), "padding": "x" * 20_000_000})


def _mistype(fault: Fault, response: web.Response) -> web.Response:
    return _with_body(response, _numbers(_body(response)))


def _numbers(value: Any) -> Any:
    """The value with a number in the place of everything that is not an object."""
    return {key: _numbers(inner) for key, inner in value.items()} if isinstance(value, dict) else 7


def _body(response: web.Response) -> Any:
    try:
        return json.loads(response.text or "null")
    except ValueError:
        return None


def _with_body(response: web.Response, body: Any, status: int | None = None) -> web.Response:
    kept = {key: value for key, value in response.headers.items() if not key.lower().startswith("content-")}
    return web.json_response(body, status=status or response.status, headers=kept)


_CHANGES: Mapping[str, Callable[[Fault, web.Response], web.Response]] = {
    "html": _text(HTML, "text/html"),
    "empty-body": _text(""),
    "null-body": _text("null"),
    "list-body": _text("[]"),
    "truncated-body": _truncate,
    "wrong-types": _mistype,
    "huge-body": _enlarge,
    "foreign-url": _replace_hosts,
    "operation-status": _operation_status,
    "provisioning-state": _provisioning_state,
    "retry-after": _retry_after,
    "lost-response": _lose,
    "no-challenge": _drop_challenge,
    "stale-list": _empty_list,
}
