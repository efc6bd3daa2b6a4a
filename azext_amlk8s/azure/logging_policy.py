"""What `--debug` shows of our requests: enough to see what was asked, never a secret."""

from __future__ import annotations

import json
import re
from logging import DEBUG
from typing import Any

from azure.core.pipeline.policies import SansIOHTTPPolicy
from knack.log import get_logger

BLANK = "***"
BAGS_OF_SECRETS = ("configurationprotectedsettings", "kubeconfigs")
SECRET_KEY = re.compile(r"(connectionstring|sharedkey|primarykey|secondarykey|password|secret|token|kubeconfig)$", re.I)
SECRET_HEADERS = ("authorization", "x-ms-authorization-auxiliary")
SIGNED_QUERY = re.compile(r"([?&][tcsh]=)[^&]*")

_log = get_logger(__name__)


class BlankedTrace(SansIOHTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Traces as az's own policy does, which prints bodies whole, with the values of secrets blanked."""

    def on_request(self, request: Any) -> None:
        """Log a request that is about to be sent."""
        if not _log.isEnabledFor(DEBUG):
            return
        sent = request.http_request
        _log.debug("Request: %s %s", sent.method, blanked_url(sent.url))
        _log.debug("Request headers: %s", blanked_headers(sent.headers))
        _log.debug("Request body: %s", blanked_body(sent.content))

    def on_response(self, request: Any, response: Any) -> None:
        """Log a response that has come."""
        if not _log.isEnabledFor(DEBUG):
            return
        got = response.http_response
        _log.debug("Response: %s for %s", got.status_code, blanked_url(request.http_request.url))
        _log.debug("Response headers: %s", blanked_headers(got.headers))
        _log.debug("Response body: %s", _body_of(got))


def blanked_url(url: str) -> str:
    """A URL without the signature that lets anybody ask for an operation's status."""
    return SIGNED_QUERY.sub(rf"\1{BLANK}", url)


def blanked_headers(headers: Any) -> dict[str, str]:
    """Headers without credentials; those that hold a URL without its signature."""
    return {
        name: BLANK if name.lower() in SECRET_HEADERS else blanked_url(str(value)) for name, value in headers.items()
    }


def blanked_body(body: Any) -> str:
    """A JSON body with every secret value blanked; of any other body its length in characters, none for none."""
    if not body:
        return "none"
    try:
        return json.dumps(blanked(json.loads(body)))
    except (TypeError, ValueError):
        return f"{len(body)} characters that are not JSON"


def blanked(value: Any) -> Any:
    """A JSON value in which what lies in a bag of secrets, or under a secret's name, is blanked."""
    if isinstance(value, dict):
        return {key: _all_blank(one) if _is_secret(key, one) else blanked(one) for key, one in value.items()}
    return [blanked(one) for one in value] if isinstance(value, list) else value


def _body_of(response: Any) -> str:
    from azure.core.exceptions import ResponseNotReadError

    try:
        return blanked_body(response.text())
    except ResponseNotReadError:
        return "streamed"


def _is_secret(key: str, value: Any) -> bool:
    return key.lower() in BAGS_OF_SECRETS or (isinstance(value, str) and bool(SECRET_KEY.search(key)))


def _all_blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_blank(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_all_blank(one) for one in value]
    return value if value in (None, "") else BLANK
