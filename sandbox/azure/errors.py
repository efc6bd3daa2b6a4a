"""Errors in the words of ARM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class ArmError(Exception):
    """A response of 400 or more. cause: gateway (ARM), service (a failed hop), None (a resource provider)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        cause: str | None = "gateway",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.cause, self.headers = status, cause, dict(headers or {})
        self.body: dict[str, Any] = {"error": {"code": code, "message": message, **more}}


def group_not_found(group: str) -> ArmError:
    """ARM's error for anything in a resource group that does not exist."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(resource_type: str, names: str, group: str) -> ArmError:
    """ARM's error for a resource that does not exist."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource_type.split('/')[0]}/{names}' under resource group "
        f"'{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(resource_type: str, parent: str) -> ArmError:
    """ARM's error for a write below a resource that does not exist."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform 'write' on resource(s) of type '{resource_type}', "
        f"because the parent resource '{parent}' could not be found.",
    )


def type_not_found(namespace: str, version: str) -> ArmError:
    """ARM's error for an unknown type or api-version."""
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type could not be found in the namespace '{namespace}' for api version '{version}'.",
    )


def missing_api_version() -> ArmError:
    """ARM's error for a request without api-version."""
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def not_registered(namespace: str) -> ArmError:
    """ARM's error for a write to a resource provider that is not registered."""
    text = (
        f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for "
        "how to register subscriptions."
    )
    details = [{"code": "MissingSubscriptionRegistration", "target": namespace, "message": text}]
    return ArmError(409, "MissingSubscriptionRegistration", text, details=details)


def wrong_audience(audience: str, base: str) -> ArmError:
    """ARM's error for a token that is meant for another service, such as Key Vault."""
    text = (
        f"The access token has been obtained for wrong audience or resource '{audience}'. It should exactly match with "
        f"one of the allowed audiences '{base}/','{base}'."
    )
    return ArmError(401, "InvalidAuthenticationTokenAudience", text)


def throttled(kind: str, subscription: str, actor: str, seconds: int, headers: Mapping[str, str] | None) -> ArmError:
    """ARM's error for too many requests of a kind: read, write or delete.

    https://github.com/velero-io/velero/issues/9171; assumed: the words for a tenant.
    """
    scope = f"subscription '{subscription}'" if subscription else "tenant"
    text = (
        f"Number of '{kind}' requests for {scope} actor '{actor}' exceeded. Please try again after '{seconds}' "
        "seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional "
        "information."
    )
    return ArmError(
        429, "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled", text, headers=headers
    )


def region_without_extension_type(name: str, location: str, regions: Iterable[str]) -> ArmError:
    """The provider's error for an extension type that a region does not have.

    https://github.com/MicrosoftDocs/azure-docs/issues/119687
    """
    text = (
        f"Extension type {name.lower()} is not registered in region {location}. Extension is available in "
        f"{', '.join(regions)}. Please try to install in these regions."
    )
    return ArmError(400, "ExtensionTypeRegistrationGetFailed", text, cause=None, additionalInfo=[])
