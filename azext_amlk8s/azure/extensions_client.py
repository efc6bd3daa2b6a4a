"""Microsoft's SDK client for cluster extensions, with the policies of this package."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.azure.sdk_policies import sdk_options


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
        """The SDK's client."""

        def __init__(self, credential: Any, subscription_id: str, **kwargs: Any) -> None:
            super().__init__(credential, subscription_id, **sdk_options(credential, kwargs))

    return ExtensionsClient
