"""ARM over azure-core's pipeline, for what no SDK of a current API version reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.pipeline import policies
from azure.core.polling import LROPoller
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient

from azext_amlk8s.azure.auth_policy import FreshTokenPolicy
from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy
from azext_amlk8s.azure.operation import Operation, polling


class ThinClient:
    """A client in the shape that az's get_mgmt_service_client makes.

    The policies are azure-core's own, but for the one that registers a resource provider by itself when a call is
    refused: a read must never write.
    """

    def __init__(self, credential: Any, base_url: str = "https://management.azure.com", **kwargs: Any) -> None:
        scopes = kwargs.pop("credential_scopes", [f"{base_url.rstrip('/')}/.default"])
        self._base_url = base_url.rstrip("/")
        self._client: ARMPipelineClient = ARMPipelineClient(
            base_url=base_url,
            policies=[
                policies.RequestIdPolicy(**kwargs),
                policies.HeadersPolicy(**kwargs),
                policies.UserAgentPolicy(sdk_moniker="amlk8s", **kwargs),
                policies.ProxyPolicy(**kwargs),
                policies.ContentDecodePolicy(**kwargs),
                policies.RedirectPolicy(**kwargs),
                policies.RetryPolicy(**kwargs),
                FreshTokenPolicy(credential, *scopes, **kwargs),
                policies.CustomHookPolicy(**kwargs),
                RedactedLoggingPolicy(),
            ],
            **kwargs,
        )

    def send(self, method: str, url: str, api_version: str | None = None, **query: str) -> Any:
        """The response to a request without a body; a link that ARM gave is sent as it stands (api_version None)."""
        response = self._client.send_request(HttpRequest(method, self._url(url), params=_query(api_version, query)))
        _raise_for(response)
        return response

    def begin(
        self, method: str, url: str, api_version: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> Operation:
        """Start a long operation. Raises HttpResponseError when it is refused."""
        request = HttpRequest(method, self._url(url), params=_query(api_version, query), json=body)
        pipeline_response = self._client.send_request(request, _return_pipeline_response=True)
        _raise_for(pipeline_response.http_response)
        return Operation(LROPoller(self._client, pipeline_response, _body, polling()))

    def _url(self, url: str) -> str:
        return url if url.startswith("https://") else self._base_url + url


def _query(api_version: str | None, query: Mapping[str, str]) -> dict[str, str] | None:
    return {"api-version": api_version, **query} if api_version else None


def _body(pipeline_response: Any) -> Any:
    response = pipeline_response.http_response
    return response.json() if response.text() else None


def _raise_for(response: Any) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
    from azure.mgmt.core.exceptions import ARMErrorFormat

    if response.status_code >= 400:
        kind = ResourceNotFoundError if response.status_code == 404 else HttpResponseError
        raise kind(response=response, error_format=ARMErrorFormat)
