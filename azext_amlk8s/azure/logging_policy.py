"""What `--debug` shows of requests and responses: everything except secrets."""

from __future__ import annotations

import json
from logging import DEBUG, Logger
from typing import Any

from azure.core.pipeline.policies import SansIOHTTPPolicy
from knack.log import get_logger

MAX_REGISTERED_BODY = 2_000_000

_log = get_logger(__name__)


class RedactedLoggingPolicy(SansIOHTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Logs like az's own policy, which prints bodies whole, but without secrets.

    It also registers the secrets in the body of a request, and what a listing of keys returns, so that
    nothing repeats them.
    """

    def on_request(self, request: Any) -> None:
        """Log a request before it is sent."""
        sent = request.http_request
        _register(sent.content)
        if not _is_debug_printed():
            return
        from azext_amlk8s.redaction import redact_body, redact_headers, redact_url

        _log.debug("Request: %s %s", sent.method, redact_url(sent.url))
        _log.debug("Request headers: %s", redact_headers(sent.headers))
        _log.debug("Request body: %s", redact_body(sent.content))

    def on_response(self, request: Any, response: Any) -> None:
        """Log a response."""
        received = response.http_response
        is_printed = _is_debug_printed()
        is_listing = request.http_request.method == "POST"
        body = _body_of(received) if is_listing or is_printed else None
        if is_listing:
            _register(body)
        if not is_printed:
            return
        from azext_amlk8s.redaction import redact_body, redact_headers, redact_url

        _log.debug("Response: %s for %s", received.status_code, redact_url(request.http_request.url))
        _log.debug("Response headers: %s", redact_headers(received.headers))
        _log.debug("Response body: %s", "streamed" if body is None else redact_body(body))


def _is_debug_printed() -> bool:
    """Whether any handler takes messages of level DEBUG; az sets that level for its loggers, whatever it prints."""
    logger: Logger | None = _log
    while logger and not any(handler.level <= DEBUG for handler in logger.handlers):
        logger = logger.parent if logger.propagate else None
    return logger is not None


def _body_of(response: Any) -> str | None:
    """The text of a response that has been read, None for one that is streamed or cannot be decoded."""
    from azure.core.exceptions import ResponseNotReadError

    try:
        return str(response.text())
    except (ResponseNotReadError, UnicodeError, LookupError):
        return None


def _register(body: Any) -> None:
    if not body or not isinstance(body, (str, bytes)) or len(body) > MAX_REGISTERED_BODY:
        return
    from azext_amlk8s.redaction import register_secrets

    try:
        register_secrets(json.loads(body))
    except (ValueError, RecursionError):
        return
