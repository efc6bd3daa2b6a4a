"""What a response of an API server must look like: the one place that tells an object from a web page or null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.kubernetes.errors import ClusterRefused, UnexpectedResponse
from azext_amlk8s.values import wrong_type

OBJECT_TYPES: Mapping[str, type] = {
    "metadata": dict, "spec": dict, "status": dict, "data": dict, "items": list, "resources": list, "versions": list,
}  # fmt: skip
METADATA_TYPES: Mapping[str, type] = {
    "name": str, "namespace": str, "labels": dict, "annotations": dict, "continue": str,
}  # fmt: skip


@dataclass(frozen=True)
class Response:
    """The response of a server; headers are found in any case."""

    host: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


def is_missing(response: Response) -> bool:
    """Whether the API server says that something does not exist; a gateway says it with a web page."""
    return response.status == 404 and not _is_web_page(response)


def json_object(response: Response) -> dict[str, Any]:
    """The object of a response.

    Raises ClusterRefused for an error of the API server, and for whatever is not an object of Kubernetes.
    """
    body = _json(response)
    if response.status >= 400:
        raise _refused(response, body or {})
    if response.status >= 300 or body is None:
        expected = "a JSON object" + (", not a web page of a proxy" if _is_web_page(response) else "")
        raise unexpected_response(response, expected)
    if expected := _wrong_type(body):
        raise unexpected_response(response, expected)
    return body


def json_list(response: Response) -> tuple[list[dict[str, Any]], str]:
    """The items of a page and the token of the next page, empty for the last one. Raises ClusterRefused."""
    page = json_object(response)
    if "items" not in page:
        raise unexpected_response(response, "a list")
    return page["items"] or [], (page.get("metadata") or {}).get("continue") or ""


def unexpected_response(response: Response | None, expected: str) -> UnexpectedResponse:
    """The error for a response of the wrong shape; it does not repeat the body, which may contain secrets."""
    if response is None:
        return UnexpectedResponse(200, "", f"Unexpected response of the cluster; expected {expected}.")
    kind = str(response.headers.get("Content-Type") or "no content type").partition(";")[0]
    message = f"Unexpected response of the cluster at '{response.host}' ({response.status}, {kind}); expected"
    return UnexpectedResponse(response.status, "", f"{message} {expected}.")


def _refused(response: Response, status: Mapping[str, Any]) -> ClusterRefused:
    """The error for a Status object; an empty one for a response that has none."""
    message = str(status.get("message") or response.reason or "no message")
    details = status.get("details")
    listed = details.get("causes") if isinstance(details, dict) else None
    causes = [cause for cause in listed if isinstance(cause, dict)] if isinstance(listed, list) else []
    pairs = tuple((str(cause.get("message") or ""), str(cause.get("field") or "")) for cause in causes)
    return ClusterRefused(response.status, str(status.get("reason") or ""), message, pairs)


def _is_web_page(response: Response) -> bool:
    return "html" in str(response.headers.get("Content-Type") or "")


def _json(response: Response) -> dict[str, Any] | None:
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _wrong_type(body: Mapping[str, Any]) -> str:
    """What a value of an object, or of an item of a list, should be; empty where all are right."""
    if body.get("kind") == "Status":  # the response to a deletion
        return ""
    if expected := wrong_type(body, OBJECT_TYPES):
        return expected
    for item in (body, *(body.get("items") or ())):
        metadata = item.get("metadata") or {}
        if expected := wrong_type(item, OBJECT_TYPES) or wrong_type(metadata, METADATA_TYPES):
            return expected
    return next((expected for item in body.get("items") or () if (expected := _unnamed(item))), "")


def _unnamed(item: Mapping[str, Any]) -> str:
    return "" if (item.get("metadata") or {}).get("name") else "items with a name"
