"""Problems of the network in one sentence with its fix: no route, no name, an invalid certificate."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

_HOST = re.compile(r"host='([^']+)'")
_CONNECTION = re.compile(r"^\w+\(host='[^']*', port=\d+\): ")
_REASON = re.compile(r"certificate verify failed: ([^(\[]+)")
CERTIFICATE_FIX = (
    "If a proxy inspects HTTPS traffic, add its CA certificate to a copy of the CA bundle of az and set the "
    "environment variable REQUESTS_CA_BUNDLE to the path of that file."
)
PROXY_FIX = "Check the network and the proxy settings (HTTPS_PROXY, NO_PROXY), then run the same command again."


def network_problem(error: BaseException, target: str) -> tuple[str, list[str]]:
    """A sentence for a failed connection to a target, such as "Azure", and its fixes."""
    chain = list(_chain(error))
    text = "; ".join(" ".join(str(link).split()) for link in chain)
    host = _host(chain, text)
    if reason := _REASON.search(text):
        return f"Cannot verify the certificate of {host or target}: {reason[1].strip()}.", [CERTIFICATE_FIX]
    where = f"{target} ({host})" if host and host not in target else target
    return f"Cannot reach {where}: {_innermost(error)}.", [PROXY_FIX]


def is_unknown_host(error: BaseException) -> bool:
    """Whether a connection failed because no name server knows the host."""
    return any(isinstance(link, socket.gaierror) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it wraps."""
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = (getattr(link, "inner_exception", None), getattr(link, "reason", None), link.__cause__, *link.args)
        pending += [candidate for candidate in inner if isinstance(candidate, BaseException)]


def _host(chain: list[BaseException], text: str) -> str:
    if match := _HOST.search(text):
        return f"'{match[1]}'"
    for link in chain:
        url = getattr(getattr(link, "request", None), "url", None)
        if isinstance(url, str) and urlsplit(url).hostname:
            return f"'{urlsplit(url).hostname}'"
    return ""


def _innermost(error: BaseException) -> str:
    """The message of the innermost exception, after that of a wrapper that has its own message."""
    deeper = getattr(error, "inner_exception", None) or getattr(error, "reason", None)
    if isinstance(deeper, BaseException):
        return _innermost(deeper)
    for argument in error.args:
        if isinstance(argument, BaseException):
            message = error.args[0] if isinstance(error.args[0], str) else ""
            return f"{message.rstrip('.')}: {_innermost(argument)}" if message else _innermost(argument)
    return _CONNECTION.sub("", " ".join(str(error).split())).rstrip(".")
