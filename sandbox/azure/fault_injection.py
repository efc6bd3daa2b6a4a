"""Bad weather on the way to Azure: what its gateway answers now and then, to requests that the world names."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.world import Weather, World


class Dropped(Exception):
    """The connection breaks off without an answer."""


class Sky:
    """The weather of a world; each kind of it passes after so many requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._met: Counter[int] = Counter()

    def meet(self, method: str, path: str, claims: Mapping[str, Any]) -> None:
        """Raise ArmError, or Dropped, where a request meets bad weather."""
        for number, one in enumerate(self._world.weather):
            if method not in (one.method or method) or not re.search(one.path, path, re.I):
                continue
            self._met[number] += 1
            if one.after < self._met[number] <= one.after + one.times:
                raise KINDS[one.kind](one, self._world, claims)


def _expired(one: Weather, world: World, claims: Mapping[str, Any]) -> ArmError:
    """As in the recording ExpiredAuthenticationToken."""
    now = time.strftime("%m/%d/%Y %I:%M:%S %p", time.gmtime())
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/{world.tenant}", error="invalid_token", '
        'error_description="The access token has expired."'
    )
    return ArmError(
        401,
        "ExpiredAuthenticationToken",
        f"The access token expiry UTC time '{now}' is earlier than current UTC time '{now}'.",
        headers={"WWW-Authenticate": challenge},
    )


def _throttled(one: Weather, world: World, claims: Mapping[str, Any]) -> ArmError:
    """In ARM's words for too many requests of a subscription; Retry-After where the world gives one."""
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of 'read' requests for subscription '{world.subscription}' actor '{claims.get('oid')}' exceeded. "
        f"Please try again after '{one.retry_after or 1}' seconds after additional tokens are available. Refer to "
        "https://aka.ms/arm-throttling for additional information.",
        headers={"Retry-After": str(one.retry_after)} if one.retry_after is not None else None,
    )


def _bad_gateway(one: Weather, world: World, claims: Mapping[str, Any]) -> ArmError:
    """As in the recording BadGatewayConnection."""
    text = f"The network connectivity issue encountered for '{one.provider}'; cannot fulfill the request."
    return ArmError(502, "BadGatewayConnection", text, cause="service")


def _gateway_timeout(one: Weather, world: World, claims: Mapping[str, Any]) -> ArmError:
    """A resource provider that did not answer in time."""
    text = f"The gateway did not receive a response from '{one.provider}' within the specified time period."
    return ArmError(504, "GatewayTimeout", text, cause="service")


def _refused(one: Weather, world: World, claims: Mapping[str, Any]) -> ArmError:
    """What the resource provider itself answers for a while, such as a 500 or a conflict with somebody else."""
    return ArmError(one.status, one.code, one.message, cause=None)


def _dropped(one: Weather, world: World, claims: Mapping[str, Any]) -> Exception:
    return Dropped()


KINDS: Mapping[str, Callable[[Weather, World, Mapping[str, Any]], Exception]] = {
    "expired-token": _expired,
    "throttled": _throttled,
    "bad-gateway": _bad_gateway,
    "gateway-timeout": _gateway_timeout,
    "refused": _refused,
    "dropped": _dropped,
}
