"""Who gets a token: only https hosts of the user's cloud, on every hop; and how an expired token is replaced."""

from __future__ import annotations

import json
import re
import time
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from azure.core.pipeline.policies import BearerTokenCredentialPolicy

from azext_amlk8s.azure.sign_in import follow_no_redirects, sign_in_errors
from azext_amlk8s.registered_secrets import register_secret

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline import PipelineRequest, PipelineResponse

CHALLENGE = "WWW-Authenticate"
RENEWED = "amlk8s_renewed_token"
HTTPS_PORT = "443"
_ADDRESS = re.compile(r"https://(?P<host>[a-z0-9][a-z0-9.-]*)(?::(?P<port>\d{1,5}))?(?=[/?#]|$)", re.I | re.A)


class ForeignHost(Exception):
    """Azure returned a link, or a redirect, that leads out of the user's cloud; nothing was sent there."""

    def __init__(self, url: str, base_url: str) -> None:
        try:
            address = urlsplit(url)
            host, scheme = address.hostname or "an unknown host", address.scheme
        except ValueError:
            host, scheme = "an invalid host", "https"
        reason = "without encryption" if scheme != "https" else "which is not a host of this cloud"
        super().__init__(
            f"Azure's response refers to '{host}', {reason} (expected '{urlsplit(base_url).hostname}'). "
            "Nothing was sent there."
        )


class FreshTokenPolicy(BearerTokenCredentialPolicy):  # type: ignore[type-arg,unused-ignore]
    """Authorizes requests to the user's cloud and no others, and replaces a token that ARM rejects as expired.

    It runs for each redirect, retry, poll and page, so no other host gets a token or a body. azure-core's policy only
    answers challenges for claims. A 401 means that nothing was done, so a write is sent again too, but only once.
    """

    def __init__(self, credential: TokenCredential, *scopes: str, base_url: str, **kwargs: Any) -> None:
        super().__init__(credential, *scopes, **kwargs)
        self._base_url = base_url
        follow_no_redirects(credential)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Authorize a request. Raises ForeignHost for an address outside of the cloud."""
        if not is_host_of_cloud(request.http_request.url, self._base_url):
            raise ForeignHost(request.http_request.url, self._base_url)
        super().on_request(request)

    def _request_token(self, *scopes: str, **kwargs: Any) -> None:
        """Get a token. Raises SignInFailed where Microsoft Entra ID returns an unusable response."""
        with sign_in_errors():
            super()._request_token(*scopes, **kwargs)

    @staticmethod
    def _update_headers(headers: MutableMapping[str, str], token: str) -> None:
        """Authorize a request; no error or log repeats the token from then on."""
        register_secret(token)
        headers["Authorization"] = f"Bearer {token}"

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The response; a request that is answered with 401 is sent again with a new token, whatever its headers."""
        response = super().send(request)
        received = response.http_response
        if received.status_code == 401 and CHALLENGE not in received.headers and self._renew(request):
            response = self.next.send(request)
        return response

    def on_challenge(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether the request has a new token and is to be sent again."""
        if super().on_challenge(request, response):
            request.context[RENEWED] = True
            return True
        return self._renew(request)

    def _renew(self, request: PipelineRequest[Any]) -> bool:
        """Whether the request got another token than the rejected one; never twice for one request."""
        if request.context.get(RENEWED):
            return False
        request.context[RENEWED] = True
        rejected = request.http_request.headers.get("Authorization")
        # Without claims az returns the token of its cache, which is the one that was rejected.
        claims = {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}}
        self.authorize_request(request, *self._scopes, claims=json.dumps(claims))
        return bool(request.http_request.headers.get("Authorization") != rejected)


def absolute_url(base_url: str, link: str) -> str:
    """A link of a response, which may be relative, as a URL. Raises ForeignHost for one that cannot be read."""
    try:
        return urljoin(base_url, link)
    except ValueError:
        raise ForeignHost(link, base_url) from None


def is_host_of_cloud(url: str, base_url: str) -> bool:
    """Whether an https URL is on the host of Azure Resource Manager or on one of its regional hosts.

    Whatever libraries read differently, such as a user name or a backslash in the host, is not.
    """
    address, cloud = _ADDRESS.match(url), _ADDRESS.match(base_url)
    if not address or not cloud or (address["port"] or HTTPS_PORT) != (cloud["port"] or HTTPS_PORT):
        return False
    host, cloud_host = address["host"].lower(), cloud["host"].lower()
    return host == cloud_host or host.endswith(f".{cloud_host}")
