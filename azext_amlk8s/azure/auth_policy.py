"""A token that expires on the way is replaced, and the request sent again, once."""

from __future__ import annotations

from typing import Any

from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy


class FreshTokenPolicy(ARMChallengeAuthenticationPolicy):
    """azure-core's policy answers a challenge for claims alone; ARM's for a token that has expired ends an operation's
    polling in it, though the next token is at hand (recording ExpiredAuthenticationToken.401-on-poll).

    A 401 means that nothing was done, so a write may be sent again too.
    """

    def on_challenge(self, request: Any, response: Any) -> bool:
        """Whether the request has a new token, and is to be sent again."""
        if super().on_challenge(request, response):
            return True
        if 'error="invalid_token"' not in response.http_response.headers["WWW-Authenticate"]:
            return False
        self.authorize_request(request, *self._scopes)
        return True
