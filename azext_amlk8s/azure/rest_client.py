"""ARM requests over azure-core's pipeline, for what no SDK of a current API version offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from azure.cli.core._debug import change_ssl_cert_verification_track2
from azure.cli.core._profile import Profile
from azure.cli.core.auth.util import resource_to_scopes
from azure.cli.core.util import get_az_user_agent
from azure.core import PipelineClient
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest, HttpResponse

from azext_amlk8s.azure.auth_policy import FreshTokenPolicy, absolute_url
from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy
from azext_amlk8s.azure.rate_limiter import RateLimitPolicy
from azext_amlk8s.azure.responses import (
    ResponseShapePolicy,
    json_list,
    json_object,
    raise_for_status,
    unexpected_response,
)
from azext_amlk8s.azure.retry_policy import TIMEOUTS, BoundedRetryPolicy, TimeLimitPolicy
from azext_amlk8s.azure.sign_in import create_credential
from azext_amlk8s.azure.transport import pooled_transport
from azext_amlk8s.change_log import record_change

if TYPE_CHECKING:
    from azure.cli.core import AzCli
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineResponse

    from azext_amlk8s.azure.operation import Operation

MOST_PAGES = 1000


class RestClient:
    """A client for Azure Resource Manager.

    It does without azure-mgmt-core, whose import takes a tenth of the time of a command that reads. The policies are
    azure-core's own, except the one that registers a resource provider by itself when a call is refused: a read must
    never write.
    """

    def __init__(self, credential: TokenCredential, base_url: str, **kwargs: Any) -> None:
        scopes = kwargs.pop("credential_scopes", [f"{base_url.rstrip('/')}/.default"])
        self._base_url = base_url.rstrip("/")
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            base_url=base_url,
            policies=[
                ResponseShapePolicy(),
                policies.RequestIdPolicy(**kwargs),
                policies.HeadersPolicy(**kwargs),
                policies.UserAgentPolicy(sdk_moniker="amlk8s", **kwargs),
                policies.ProxyPolicy(**kwargs),
                policies.ContentDecodePolicy(**kwargs),
                policies.RedirectPolicy(**kwargs),
                BoundedRetryPolicy(**kwargs),
                RateLimitPolicy(),
                TimeLimitPolicy(),
                FreshTokenPolicy(credential, *scopes, base_url=base_url, **kwargs),
                policies.CustomHookPolicy(**kwargs),
                RedactedLoggingPolicy(),
            ],
            transport=pooled_transport(**{**TIMEOUTS, **kwargs}),
            **kwargs,
        )

    def send(self, method: str, url: str, api_version: str | None = None, **query: str) -> HttpResponse:
        """The response to a request without a body; a link that ARM returned is sent as it is (api_version None)."""
        request = HttpRequest(method, self._url(url), params=_query(api_version, query))
        response: HttpResponse = self._client.send_request(request)
        raise_for_status(response)
        return response

    def get_object(self, method: str, url: str, api_version: str | None = None, **query: str) -> dict[str, Any]:
        """The JSON object that a request returns. Raises UnexpectedResponse when it is anything else."""
        return json_object(self.send(method, url, api_version, **query))

    def get_resource(self, resource_id: str, api_version: str) -> dict[str, Any]:
        """The resource of an ID. Raises UnexpectedResponse for an object without one."""
        response = self.send("GET", resource_id, api_version)
        resource = json_object(response)
        if not isinstance(resource.get("id"), str):
            raise unexpected_response(response, "a resource")
        return resource

    def list_items(self, url: str, api_version: str, **query: str) -> list[dict[str, Any]]:
        """The items of all pages.

        Raises UnexpectedResponse when a page is not one, links to an earlier page, or has items of another list.
        """
        return self.list_first_items(url, api_version, query, MOST_PAGES + 1)

    def list_first_items(
        self, url: str, api_version: str, query: Mapping[str, str], pages: int
    ) -> list[dict[str, Any]]:
        """The items of the first pages, up to a number of them. Raises UnexpectedResponse as list_items does."""
        response = self.send("GET", url, api_version, **query)
        items, link = json_list(response)
        seen: set[str] = set()
        while link and len(seen) + 1 < pages:
            if link in seen or len(seen) >= MOST_PAGES:
                raise unexpected_response(response, "a list of resources whose pages end")
            seen.add(link)
            response = self.send("GET", link)
            page, link = json_list(response)
            if items and _are_named_by(items, url) and not _are_named_by(page, url):
                raise unexpected_response(response, "more items of the same list")
            items += page
        return items

    def put(self, url: str, api_version: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The resource in the response to a PUT, whose operation is not followed."""
        return json_object(self._write("PUT", url, api_version, body).http_response)

    def begin(
        self,
        method: str,
        url: str,
        api_version: str,
        body: Mapping[str, Any] | None = None,
        *,
        relaxed: bool = False,
        **query: str,
    ) -> Operation:
        """Start a long-running operation. Raises HttpResponseError when it is refused."""
        from azure.core.polling import LROPoller

        from azext_amlk8s.azure.operation import Operation, polling

        response = self._write(method, url, api_version, body, **query)
        return Operation(LROPoller(self._client, response, _optional_object, polling(relaxed=relaxed)))

    def _write(
        self, method: str, url: str, api_version: str, body: Mapping[str, Any] | None, **query: str
    ) -> PipelineResponse[HttpRequest, HttpResponse]:
        record_change(method, url)
        request = HttpRequest(method, self._url(url), params=_query(api_version, query), json=body)
        sent = self._client.send_request(request, _return_pipeline_response=True)
        pipeline_response = cast("PipelineResponse[HttpRequest, HttpResponse]", sent)
        raise_for_status(pipeline_response.http_response)
        return pipeline_response

    def _url(self, url: str) -> str:
        """A path, or a link that ARM returned, which may be relative."""
        return absolute_url(self._base_url, url)


def rest_client(cli_ctx: AzCli) -> RestClient:
    """The client for the account and the cloud of az, with the options that az gives to clients of an SDK."""
    sign_in = partial(Profile(cli_ctx=cli_ctx).get_login_credentials, cli_ctx.data.get("subscription_id"))
    credential, _, _ = create_credential(sign_in)
    endpoints, data = cli_ctx.cloud.endpoints, cli_ctx.data
    headers = {**data["headers"], "CommandName": data["command"]}
    if data.get("safe_params"):
        headers["ParameterSetName"] = " ".join(data["safe_params"])
    return RestClient(
        credential,
        endpoints.resource_manager,
        credential_scopes=resource_to_scopes(endpoints.active_directory_resource_id),
        headers=headers,
        user_agent=f"{get_az_user_agent()} CliExtension/amlk8s",
        **change_ssl_cert_verification_track2(),
    )


def _are_named_by(items: Sequence[Mapping[str, Any]], url: str) -> bool:
    """Whether the type of all items is that of the list at the URL, whose last part names it in most lists."""
    collection = f"/{url.rstrip('/').rpartition('/')[2]}".lower()
    return all(str(item.get("type") or "").lower().endswith(collection) for item in items)


def _query(api_version: str | None, query: Mapping[str, str]) -> dict[str, str] | None:
    return {"api-version": api_version, **query} if api_version else None


def _optional_object(pipeline_response: Any) -> dict[str, Any] | None:
    response: HttpResponse = pipeline_response.http_response
    return json_object(response) if response.text() else None
