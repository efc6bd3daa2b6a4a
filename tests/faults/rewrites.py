"""How faults change a response of the sandbox. Each takes the response, the URL of its request, and a foreign host."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

POLL_HEADERS = ("Location", "Azure-AsyncOperation")
LARGE = 20_000_000
DEEP = 100_000


@dataclass(frozen=True)
class Response:
    """Status, headers and body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# Rewrites of what only Azure Resource Manager returns: states, lists, and the URLs of operations.
OF_ARM = re.compile(r"state|items|propert|failed|canceled|polls|-as-status|next-link|-as-error")

Rewrite = Callable[[Response, str, str], Response]


def _of_json(change: Callable[[Any], Any]) -> Rewrite:
    """A rewrite of the decoded body; a body that is not JSON stays as it is."""

    def rewrite(response: Response, url: str, foreign: str) -> Response:
        try:
            value = json.loads(response.body)
        except ValueError:
            return response
        return replace(response, body=json.dumps(change(value)).encode())

    return rewrite


def _state(word: str) -> Rewrite:
    pattern = re.compile(rb'"(provisioningState|status)": ?"(Succeeded|Creating|Updating|Deleting|InProgress)"')

    def rewrite(response: Response, url: str, foreign: str) -> Response:
        return replace(response, body=pattern.sub(rb'"\1": "' + word.encode() + b'"', response.body))

    return rewrite


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return [7] if isinstance(value, list) else 7


def _strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "text" if isinstance(item, (dict, list)) else item for key, item in value.items()}
    return "text"


def _nulls(value: Any) -> Any:
    return dict.fromkeys(value) if isinstance(value, dict) else None


def _inner_nulls(value: Any) -> Any:
    """The values below the first level null, also those of the items of a list."""
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("value"), list):
        return {**value, "value": [_inner_nulls(entry) for entry in value["value"]]}
    return {key: dict.fromkeys(item) if isinstance(item, dict) else item for key, item in value.items()}


def _without_items(value: Any) -> Any:
    """A list that does not show its items yet."""
    names = [name for name in ("value", "items") if isinstance(value, dict) and isinstance(value.get(name), list)]
    return {**value, **{name: [] for name in names}} if names else value


def _odd_items(value: Any) -> Any:
    """A list whose items are not objects."""
    names = [name for name in ("value", "items") if isinstance(value, dict) and isinstance(value.get(name), list)]
    return {**value, **{name: [None, 7, "text"] for name in names}} if names else value


def _without_state(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_state(item) for key, item in value.items() if key not in ("provisioningState", "status")}
    return [_without_state(item) for item in value] if isinstance(value, list) else value


def _empty_properties(value: Any) -> Any:
    return {**value, "properties": {}} if isinstance(value, dict) and "properties" in value else value


def _foreign_polls(response: Response, url: str, foreign: str) -> Response:
    return replace(
        response, headers=_with_poll_headers(response, lambda value: re.sub(r"^https://[^/]+", foreign, value))
    )


def _http_polls(response: Response, url: str, foreign: str) -> Response:
    return replace(response, headers=_with_poll_headers(response, lambda value: value.replace("https://", "http://")))


def _poll_links(change: Callable[[SplitResult], str]) -> Rewrite:
    """A rewrite of the poll URLs by their parts."""

    def rewrite(response: Response, url: str, foreign: str) -> Response:
        return replace(response, headers=_with_poll_headers(response, lambda value: change(urlsplit(value))))

    return rewrite


def _no_polls(response: Response, url: str, foreign: str) -> Response:
    return replace(response, headers={key: item for key, item in response.headers.items() if key not in POLL_HEADERS})


def _odd_polls(response: Response, url: str, foreign: str) -> Response:
    return replace(response, headers=_with_poll_headers(response, lambda value: "not a URL"))


def _with_poll_headers(response: Response, change: Callable[[str], str]) -> dict[str, str]:
    return {key: change(item) if key in POLL_HEADERS else item for key, item in response.headers.items()}


def _next_link(link: Callable[[str, str], Any]) -> Rewrite:
    def rewrite(response: Response, url: str, foreign: str) -> Response:
        def change(value: Any) -> Any:
            is_list = isinstance(value, dict) and isinstance(value.get("value"), list)
            return {**value, "nextLink": link(url, foreign)} if is_list else value

        return _of_json(change)(response, url, foreign)

    return rewrite


def _next_link_loop_of_two(response: Response, url: str, foreign: str) -> Response:
    """A link from each of two pages to the other one."""
    base, page = re.sub(r"&page=\d", "", url), 2 if "&page=1" in url else 1
    return _next_link(lambda _url, _foreign: f"{base}&page={page}")(response, url, foreign)


def _member(name: str, value: Any) -> Rewrite:
    """A rewrite that replaces a member of the body, where there is one."""
    return _of_json(lambda body: {**body, name: value} if isinstance(body, dict) and name in body else body)


def _attribute(name: str, value: Any) -> Rewrite:
    """A rewrite that gives a secret of a vault another attribute."""
    return _of_json(lambda body: {**body, "attributes": {**body["attributes"], name: value}})


def _half_certificate(body: Any) -> Any:
    """A secret that holds half of a certificate; any other secret stays as it is."""
    value = body["value"]
    return {**body, "value": value[: len(value) // 2] if "BEGIN" in value else value}


def _header(name: str, text: str) -> Rewrite:
    def rewrite(response: Response, url: str, foreign: str) -> Response:
        return replace(response, headers={**response.headers, name: text})

    return rewrite


def _body(change: Callable[[bytes], bytes]) -> Rewrite:
    def rewrite(response: Response, url: str, foreign: str) -> Response:
        return replace(response, body=change(response.body)) if response.body else response

    return rewrite


REWRITES: Mapping[str, Rewrite] = {
    "truncated": _body(lambda body: body[: len(body) // 2]),
    "padded": _body(lambda body: body + b" " * LARGE),
    "not-utf-8": _body(lambda body: body[:-1] + b'\xff\xfe"'),
    "byte-order-mark": _body(lambda body: b"\xef\xbb\xbf" + body),
    "deep": _body(lambda body: b'{"properties":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "two-documents": _body(lambda body: body + body),
    "numbers": _of_json(_numbers),
    "strings": _of_json(_strings),
    "nulls": _of_json(_nulls),
    "inner-nulls": _of_json(_inner_nulls),
    "without-items": _of_json(_without_items),
    "odd-items": _of_json(_odd_items),
    "without-state": _of_json(_without_state),
    "empty-properties": _of_json(_empty_properties),
    "unknown-state": _state("Pondering"),
    "state-in-lower-case": _state("succeeded"),
    "canceled": _state("Canceled"),
    "failed": _state("Failed"),
    "foreign-polls": _foreign_polls,
    "http-polls": _http_polls,
    "no-polls": _no_polls,
    "relative-polls": _poll_links(lambda link: f"{link.path}?{link.query}"),
    "polls-of-another-port": _poll_links(lambda link: link._replace(netloc=f"{link.hostname}:1").geturl()),
    "polls-with-user": _poll_links(lambda link: link._replace(netloc=f"user@{link.netloc}").geturl()),
    "polls-in-upper-case": _poll_links(lambda link: link._replace(netloc=link.netloc.upper()).geturl()),
    "polls-with-a-dot": _poll_links(lambda link: link._replace(netloc=f"{link.hostname}.:{link.port}").geturl()),
    "empty-polls": _poll_links(lambda link: ""),
    "list-as-status": _member("status", ["Succeeded"]),
    "number-as-status": _member("status", 7),
    "null-as-status": _member("status", None),
    "text-as-properties": _member("properties", "Succeeded"),
    "null-as-properties": _member("properties", None),
    "list-as-error": _member("error", ["failed"]),
    "number-as-value": _member("value", 7),
    "object-as-value": _member("value", {"value": "x"}),
    "nothing-as-value": _member("value", None),
    "empty-value": _member("value", ""),
    "number-as-id": _member("id", 7),
    "control-characters-in-id": _member("id", "https://x/secrets/\x1b[2J\x07\nERROR: x"),
    "number-as-content-type": _member("contentType", 7),
    "content-type-of-another-form": _member("contentType", "application/x-pkcs12; \x1b[2J"),
    "list-as-attributes": _member("attributes", [7]),
    "null-as-attributes": _member("attributes", None),
    "text-as-expiry": _attribute("exp", "soon"),
    "huge-expiry": _attribute("exp", 10**400),
    "negative-expiry": _attribute("exp", -(10**30)),
    "fraction-as-expiry": _attribute("exp", 1e300),
    "half-certificate": _of_json(_half_certificate),
    "odd-polls": _odd_polls,
    "foreign-next-link": _next_link(lambda url, foreign: f"{foreign}/subscriptions?api-version=2022-12-01"),
    "next-link-of-another-list": _next_link(
        lambda url, foreign: "/".join(url.split("/")[:3]) + "/subscriptions?api-version=2022-12-01"
    ),
    "next-link-loop": _next_link(lambda url, foreign: url),
    "next-link-loop-of-two": _next_link_loop_of_two,
    "next-link-with-user": _next_link(lambda url, foreign: url.replace("https://", "https://user:secret@")),
    "next-link-with-backslash": _next_link(lambda url, foreign: url.replace("https://", foreign + "\\.", 1)),
    "next-link-without-tls": _next_link(lambda url, foreign: url.replace("https://", "http://")),
    "next-link-that-is-none": _next_link(lambda url, foreign: "https://[::1"),
    "odd-next-link": _next_link(lambda url, foreign: 7),
    "not-gzip": _header("Content-Encoding", "gzip"),
    "another-day": _header("Date", "Tue, 01 Jan 2019 00:00:00 GMT"),
    "wrong-content-type": _header("Content-Type", "text/plain; charset=nonsense"),
}
