"""The policies of this package for the clients of Microsoft's SDKs."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.azure.auth_policy import FreshTokenPolicy
from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy
from azext_amlk8s.azure.rate_limiter import RateLimitPolicy
from azext_amlk8s.azure.responses import ResponseShapePolicy
from azext_amlk8s.azure.retry_policy import TIMEOUTS, BoundedRetryPolicy, TimeLimitPolicy
from azext_amlk8s.azure.transport import pooled_transport


def sdk_options(credential: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The options for a client of an SDK, in place of those that az gives it (kwargs, with base_url).

    az's own logging policy would log protected settings and secure parameters.
    """
    return {
        **kwargs,
        "logging_policy": RedactedLoggingPolicy(),
        "authentication_policy": FreshTokenPolicy(
            credential, *kwargs["credential_scopes"], base_url=kwargs["base_url"]
        ),
        "retry_policy": BoundedRetryPolicy(**kwargs),
        "per_call_policies": [ResponseShapePolicy()],
        "per_retry_policies": [RateLimitPolicy(), TimeLimitPolicy()],
        "transport": pooled_transport(**{**TIMEOUTS, **kwargs}),
    }
