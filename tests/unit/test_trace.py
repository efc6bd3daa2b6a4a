"""What --debug logs of requests and responses, and what the logging policy registers as secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from azext_amlk8s.azure import logging_policy
from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.registered_secrets import forget_secrets

SECRET = "c2VjcmV0-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def exchange(method: str, sent: Any, received: Any) -> tuple[Any, Any]:
    """A request and its response as azure-core hands them to a policy."""
    http_request = SimpleNamespace(
        method=method,
        url=f"https://management.azure.com/x?sig={SECRET}",
        headers={"Authorization": f"Bearer {SECRET}"},
        content=json.dumps(sent) if sent is not None else None,
    )
    http_response = SimpleNamespace(status_code=200, headers={}, text=lambda: json.dumps(received))
    return SimpleNamespace(http_request=http_request), SimpleNamespace(http_response=http_response)


def test_debug_log_has_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    request, response = exchange("POST", {"password": SECRET}, {"primaryKey": SECRET})
    caplog.set_level(logging.DEBUG, f"cli.{logging_policy.__name__}")
    RedactedLoggingPolicy().on_request(request)
    RedactedLoggingPolicy().on_response(request, response)
    lines = caplog.messages
    assert len(lines) == 6
    assert SECRET not in "\n".join(lines)
    assert "primaryKey" in lines[-1]


REGISTERED: dict[str, tuple[str, Any, Any]] = {
    "protected settings that are sent": (
        "PUT",
        {"properties": {"configurationProtectedSettings": {"sslKeyPemFile": SECRET}}},
        {},
    ),
    "keys that are listed": ("POST", None, {"primaryConnectionString": SECRET}),
}


@pytest.mark.parametrize(("method", "sent", "received"), REGISTERED.values(), ids=REGISTERED)
def test_secrets_of_requests_are_registered(method: str, sent: Any, received: Any) -> None:
    request, response = exchange(method, sent, received)
    RedactedLoggingPolicy().on_request(request)
    RedactedLoggingPolicy().on_response(request, response)
    assert SECRET not in redact_text(f"the chart repeats {SECRET} in its error")


@pytest.mark.parametrize("body", ["", "<html>", "[", "null", "[" * 100_000])
def test_bodies_that_are_not_json_are_ignored(body: str) -> None:
    request, response = exchange("POST", None, {})
    response.http_response.text = lambda: body
    request.http_request.content = body
    RedactedLoggingPolicy().on_request(request)
    RedactedLoggingPolicy().on_response(request, response)
