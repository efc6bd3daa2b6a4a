"""Responses that no HTTP library writes: bytes as a broken server, or another protocol, sends them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping

from tests.faults.rewrites import Response

LONG_HEADER = 200_000
BOMB = 300_000_000

Raw = Callable[[Response], bytes]


def _head(response: Response, *headers: str, version: str = "HTTP/1.1", length: int | None = None) -> bytes:
    """Status line and headers; length is that of the body by default, -1 for none."""
    own = [f"{name}: {value}" for name, value in response.headers.items()]
    size = len(response.body) if length is None else length
    counted = [f"Content-Length: {size}"] if size >= 0 else []
    lines = [f"{version} {response.status} OK", *own, *headers, *counted, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _chunks(response: Response, *, ended: bool, size: str | None = None) -> bytes:
    half = response.body[: len(response.body) // 2]
    first = f"{len(half):x}" if size is None else size
    rest = response.body[len(half) :]
    body = first.encode() + b"\r\n" + half + b"\r\n"
    if ended:
        body += f"{len(rest):x}\r\n".encode() + rest + b"\r\n0\r\n\r\n"
    return _head(response, "Transfer-Encoding: chunked", length=-1) + body


def _early(response: Response, line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\n\r\n".encode() + _head(response) + response.body


def _compressed(response: Response, body: bytes, kind: str = "gzip") -> bytes:
    return _head(response, f"Content-Encoding: {kind}", length=len(body)) + body


def _bomb(response: Response) -> bytes:
    return _compressed(response, gzip.compress(response.body + b" " * BOMB, 1))


def _with(response: Response, *headers: str) -> bytes:
    return _head(response, *headers) + response.body


def _text(response: Response, change: Callable[[str], str]) -> bytes:
    body = change(response.body.decode()).encode()
    return _head(response, length=len(body)) + body


def _with_member(response: Response, member: str) -> bytes:
    """The body with a member before all others; one of the same name that follows wins."""
    return _text(response, lambda text: f"{{{member}, {text[1:]}" if text.startswith('{"') else text)


def _with_keys_twice(response: Response) -> bytes:
    """The members of the body, each with null before its value, which wins."""
    try:
        keys = list(json.loads(response.body))
    except ValueError:
        keys = []
    return _with_member(response, ", ".join(f"{json.dumps(key)}: null" for key in keys)) if keys else _with(response)


RAW: Mapping[str, Raw] = {
    "content-length-too-short": lambda item: _head(item, length=max(len(item.body) - 10, 0)) + item.body,
    "content-length-too-long": lambda item: _head(item, length=len(item.body) + 10) + item.body,
    "content-length-twice": lambda item: _with(item, f"Content-Length: {len(item.body) + 1}"),
    "content-length-odd": lambda item: _head(item, "Content-Length: many", length=-1) + item.body,
    "content-length-negative": lambda item: _head(item, length=-1)[:-2] + b"Content-Length: -5\r\n\r\n" + item.body,
    "no-content-length": lambda item: _head(item, length=-1) + item.body,
    "chunked": lambda item: _chunks(item, ended=True),
    "chunked-cut": lambda item: _chunks(item, ended=False),
    "chunked-odd": lambda item: _chunks(item, ended=True, size="zz"),
    "http-1.0": lambda item: _head(item, version="HTTP/1.0", length=-1) + item.body,
    "http-9": lambda item: _head(item, version="HTTP/9.9") + item.body,
    "continue-first": lambda item: _early(item, "100 Continue"),
    "early-hints-first": lambda item: _early(item, "103 Early Hints"),
    "long-header": lambda item: _with(item, "X-Long: " + "a" * LONG_HEADER),
    "many-headers": lambda item: _with(item, *(f"X-Header-{number}: 1" for number in range(300))),
    "repeated-headers": lambda item: _with(item, *(f"{name}: {value}" for name, value in item.headers.items())),
    "folded-header": lambda item: _with(item, "X-Folded: a\r\n b"),
    "header-without-colon": lambda item: _with(item, "what is this"),
    "header-with-nul": lambda item: _with(item, "X-Nul: a\0b"),
    "another-protocol": lambda item: b"SSH-2.0-OpenSSH_9.6\r\n",
    "status-that-is-no-number": lambda item: b"HTTP/1.1 fine OK\r\n\r\n" + item.body,
    "status-0": lambda item: b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "status-999": lambda item: b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "nothing": lambda item: b"",
    "half-a-header": lambda item: _head(item)[:20],
    "gzip": lambda item: _compressed(item, gzip.compress(item.body)),
    "gzip-cut": lambda item: _compressed(item, gzip.compress(item.body)[:-12]),
    "gzip-bomb": _bomb,
    "unknown-encoding": lambda item: _compressed(item, item.body, "zebra"),
    "deflate-that-is-none": lambda item: _compressed(item, item.body, "deflate"),
    "nul-bytes": lambda item: _text(item, lambda text: text + "\0" * 10),
    "utf-16": lambda item: _head(item, length=len(item.body.decode().encode("utf-16"))) + item.body.decode().encode("utf-16"),
    "nan": lambda item: _with_member(item, '"x": NaN, "y": -Infinity, "z": 1e999'),
    "duplicate-keys": _with_keys_twice,
    "long-number": lambda item: _with_member(item, f'"x": {"9" * 10_000}'),
    "surrogates": lambda item: _text(item, lambda text: text.replace('"eastus"', json.dumps("east\ud800us\udfff"))),
    "control-characters": lambda item: _text(item, lambda text: text.replace('"eastus"', r'"east\u001b[31mus\u0000\u0007"')),
    "words-of-other-alphabets": lambda item: _text(item, lambda text: text.replace('"eastus"', r'"\u0440\u2028\ud83d\ude00"')),
}  # fmt: skip
