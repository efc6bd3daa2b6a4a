"""Microsoft's SDK client for cluster extensions, with the policies of this package."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.azure.auth_policy import FreshTokenPolicy
from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy
from azext_amlk8s.azure.rate_limiter import RateLimitPolicy
from azext_amlk8s.azure.responses import ResponseShapePolicy
from azext_amlk8s.azure.retry_policy import TIMEOUTS, BoundedRetryPolicy, TimeLimitPolicy
from azext_amlk8s.azure.transport import pooled_transport


def extensions_client() -> type[Any]:
    """The class of the client. Raises CLIInternalError where an older azure-mgmt-kubernetesconfiguration hides it."""
    try:
        from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
    except ModuleNotFoundError as error:
        from azure.cli.core.azclierror import CLIInternalError

        raise CLIInternalError(
            "The library azure-mgmt-kubernetesconfiguration-extensions cannot be loaded. This happens when the older "
            "azure-mgmt-kubernetesconfiguration is installed in the Python of az itself.",
            recommendation="pip uninstall azure-mgmt-kubernetesconfiguration   # in the Python that az runs on",
        ) from error

    class ExtensionsClient(KubernetesConfigurationExtensionsMgmtClient):
        """The SDK's client; az's own logging policy would log the protected settings."""

        def __init__(self, credential: Any, subscription_id: str, **kwargs: Any) -> None:
            policies = {
                "logging_policy": RedactedLoggingPolicy(),
                "authentication_policy": FreshTokenPolicy(
                    credential, *kwargs["credential_scopes"], base_url=kwargs["base_url"]
                ),
                "retry_policy": BoundedRetryPolicy(**kwargs),
                "per_call_policies": [ResponseShapePolicy()],
                "per_retry_policies": [RateLimitPolicy(), TimeLimitPolicy()],
                "transport": pooled_transport(**{**TIMEOUTS, **kwargs}),
            }
            super().__init__(credential, subscription_id, **{**kwargs, **policies})

    return ExtensionsClient
