"""Faults between a client and ARM, in the form in which ARM's gateway or a resource provider reports them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.errors import ArmError, throttled
from sandbox.faults import ConnectionReset, Fault
from sandbox.world import World


def raise_rejection(fault: Fault, world: World, claims: Mapping[str, Any]) -> None:
    """Raise the ArmError, or ConnectionReset, of a fault that rejects requests; return for all other faults."""
    if error := REJECTIONS.get(fault.kind):
        raise error(fault, world, claims)


def expired_token(world: World) -> ArmError:
    """401 as in the recording ExpiredAuthenticationToken."""
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


def _expired(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    return expired_token(world)


def _throttled(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    """429 for too many requests of a subscription; Retry-After only if the fault has it.

    https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    """
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
    return throttled("read", world.subscription, str(claims.get("oid")), fault.retry_after or 1, headers)


def _bad_gateway(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    """502 as in the recording BadGatewayConnection."""
    text = f"The network connectivity issue encountered for '{fault.provider}'; cannot fulfill the request."
    return ArmError(502, "BadGatewayConnection", text, cause="service")


def _gateway_timeout(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    text = f"The gateway did not receive a response from '{fault.provider}' within the specified time period."
    return ArmError(504, "GatewayTimeout", text, cause="service")


def _error(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
    return ArmError(fault.status, fault.code, fault.message, cause=None, headers=headers)


def _reset(fault: Fault, world: World, claims: Mapping[str, Any]) -> Exception:
    return ConnectionReset()


REJECTIONS: Mapping[str, Callable[[Fault, World, Mapping[str, Any]], Exception]] = {
    "expired-token": _expired,
    "throttled": _throttled,
    "bad-gateway": _bad_gateway,
    "gateway-timeout": _gateway_timeout,
    "error": _error,
    "connection-reset": _reset,
}
