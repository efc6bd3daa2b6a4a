"""What a response of Azure must look like: the one place that tells a resource from a web page, null or half a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.rest import HttpResponse

from azext_amlk8s.values import mapping, wrong_type

# The types of values that commands read, where they are not null. Other values are passed on as they are.
RESOURCE_TYPES: Mapping[str, type] = {
    "value": list, "nextLink": str, "id": str, "name": str, "type": str, "location": str, "kind": str, "status": str,
    "properties": dict, "identity": dict, "tags": dict, "error": dict,
}  # fmt: skip
PROPERTY_TYPES: Mapping[str, type] = {
    "agentPoolProfiles": list, "compute": str, "computeType": str, "configurationProtectedSettings": dict,
    "configurationSettings": dict, "connectivityStatus": str, "createdOn": str, "currentVersion": str,
    "description": str, "distribution": str, "errorInfo": dict, "extensionType": str, "kubernetesVersion": str,
    "networkProfile": dict, "powerState": dict, "properties": dict, "provisioningErrors": list,
    "provisioningState": str, "releaseTrain": str, "resourceId": str, "statuses": list, "version": str,
}  # fmt: skip
ERROR_TYPES: Mapping[str, type] = {"error": dict}
WRITES = ("PUT", "PATCH")
RESOURCE_STATUSES = (200, 201, 203, 204, 205, 206)  # all of success but 202
KUBERNETES = "kubernetes"


class UnexpectedResponse(HttpResponseError):
    """A response that is not what was requested. Its message does not repeat the body.

    It has no status_code: the status of whatever has answered says nothing about the resource.
    """


class ReadableResponsePolicy(HTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Raises UnexpectedResponse for a response that cannot be read: broken headers, an odd redirect, no text.

    It is the outermost policy of a client.
    """

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The response of the next policy, with its body."""
        try:
            response = self.next.send(request)
            response.http_response.read()
        except DecodeError as error:
            if error.response is None:
                raise
            raise unexpected_response(error.response, "JSON") from None  # its text has the body
        except (ValueError, LookupError, RecursionError):  # from decoding text and JSON
            host = request.http_request.url.split("/")[2]
            raise UnexpectedResponse(f"Unexpected response from '{host}'; expected JSON in UTF-8.") from None
        return response


class ResponseShapePolicy(ReadableResponsePolicy):
    """Raises UnexpectedResponse for a response that no resource provider sends, successful or not.

    A body that is empty is only an error where it must not be: after a PUT or a PATCH that was not only accepted, and
    with a status of failure, which raises HttpResponseError.
    """

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The response of the next policy."""
        response = super().send(request)
        received = response.http_response
        is_write = request.http_request.method in WRITES and received.status_code in RESOURCE_STATUSES
        if received.content.strip() or is_write:
            body = json_object(received)
            if is_write and "properties" in body and body["properties"] is None:
                raise unexpected_response(received, "a resource with properties")
        else:
            raise_for_status(received)
        return response


def raise_for_status(response: HttpResponse) -> None:
    """Raise HttpResponseError for a refused request, UnexpectedResponse for a redirect, and for no final response."""
    if response.status_code >= 400:
        from azure.mgmt.core.exceptions import ARMErrorFormat

        kind = ResourceNotFoundError if response.status_code == 404 else HttpResponseError
        raise kind(response=response, error_format=ARMErrorFormat)
    if not 200 <= response.status_code < 300:
        raise unexpected_response(response, "a final response without a redirect")


def json_object(response: HttpResponse) -> dict[str, Any]:
    """The JSON object of a response. Raises UnexpectedResponse for anything else, and for values of a wrong type."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise unexpected_response(response, "a JSON object")
    if expected := wrong_type(body, ERROR_TYPES) if response.status_code >= 400 else _wrong_type(body):
        raise unexpected_response(response, expected)
    return body


def json_list(response: HttpResponse) -> tuple[list[dict[str, Any]], str]:
    """The items of a page and the link to the next page, empty for the last one. Raises UnexpectedResponse."""
    page = json_object(response)
    if page.get("value") is None:
        raise unexpected_response(response, "a list of resources")
    return page["value"], page.get("nextLink") or ""


def unexpected_response(response: Any, expected: str) -> UnexpectedResponse:
    """The error for a response of the wrong shape, such as the page of a captive portal; it contains no secrets."""
    kind = str(response.headers.get("Content-Type") or "no content type").partition(";")[0]
    host = response.request.url.split("/")[2]
    message = f"Unexpected response from '{host}' ({response.status_code}, {kind}); expected {expected}."
    if "html" in kind:
        message += " It is a web page, probably of a proxy or of a network that requires signing in."
    return UnexpectedResponse(message)


def _items(body: Mapping[str, Any]) -> list[Any]:
    value = body.get("value")
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _wrong_type(body: Mapping[str, Any]) -> str:
    """What a value of a resource, or of an item of a list, should be; empty where all are right."""
    for resource in (body, *_items(body)):
        if expected := wrong_type(resource, RESOURCE_TYPES):
            return expected
        properties = mapping(resource.get("properties"))
        # The properties of other kinds of computes are shown as they are.
        is_other_compute = str(properties.get("computeType") or KUBERNETES).lower() != KUBERNETES
        types = {"computeType": str} if is_other_compute else PROPERTY_TYPES
        if expected := wrong_type(properties, types, "properties."):
            return expected
    return ""
