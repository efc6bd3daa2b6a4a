"""Microsoft's SDK client for deployments of templates, with the policies of this package.

az ships it: in azure-mgmt-resource with its older versions, as azure-mgmt-resource-deployments with the newer ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from azext_amlk8s.azure.operation import Operation, polling
from azext_amlk8s.azure.sdk_policies import sdk_options
from azext_amlk8s.change_log import record_change

if TYPE_CHECKING:
    from azure.cli.core import AzCli

Resource = dict[str, Any]  # camelCase, as ARM returns it


class DeploymentsClient:
    """Deployments at a subscription.

    Every method raises azure-core's HttpResponseError for a refused request, as AzureClient does.
    """

    def __init__(self, cli_ctx: AzCli, subscription: str) -> None:
        from azure.cli.core.commands.client_factory import get_mgmt_service_client

        from azext_amlk8s.azure.sign_in import create_credential

        self.subscription = subscription
        get_client = partial(get_mgmt_service_client, cli_ctx, _client_class(), subscription_id=subscription)
        self._sdk = create_credential(get_client)

    def begin(self, name: str, body: Mapping[str, Any]) -> None:
        """PUT of a deployment, which runs in Azure from then on."""
        record_change("PUT", f"/subscriptions/{self.subscription}/providers/Microsoft.Resources/deployments/{name}")
        self._sdk.deployments.begin_create_or_update_at_subscription_scope(name, _content(body), polling=False)

    def begin_what_if(self, name: str, body: Mapping[str, Any]) -> Operation:
        """The prediction of a deployment; its result is {status, changes, diagnostics, error}."""
        poller = self._sdk.deployments.begin_what_if_at_subscription_scope(name, _content(body), polling=polling())
        return Operation(poller, _plain)

    def get(self, name: str) -> Resource:
        """A deployment."""
        return _plain(self._sdk.deployments.get_at_subscription_scope(name))

    def get_nested(self, resource_group: str, name: str) -> Resource:
        """A deployment at a resource group."""
        return _plain(self._sdk.deployments.get(resource_group, name))

    def list_operations(self, name: str) -> list[Resource]:
        """The operations of a deployment, of all pages."""
        return [_plain(operation) for operation in self._sdk.deployment_operations.list_at_subscription_scope(name)]


class _WholeResponsePolicy(SansIOHTTPPolicy):  # type: ignore[type-arg,misc,unused-ignore]
    """Reads responses at once: the SDK reads them as streams, which can be read only once."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Before a request is sent."""
        request.context.options["stream"] = False


def _content(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _plain(model: Any) -> Resource:
    """A model of either generation of the SDK as ARM's JSON."""
    serialize = getattr(model, "serialize", None)
    found: Resource = serialize(keep_readonly=True) if serialize else model.as_dict()
    return found


def _client_class() -> type[Any]:
    class PolicyClient(_sdk_client()):  # type: ignore[misc]
        """The SDK's client."""

        def __init__(self, credential: Any, subscription_id: str, **kwargs: Any) -> None:
            options = sdk_options(credential, kwargs)
            options["per_call_policies"] = [_WholeResponsePolicy(), *options["per_call_policies"]]
            super().__init__(credential, subscription_id, **options)

    return PolicyClient


def _sdk_client() -> Any:
    try:
        from azure.mgmt.resource.deployments import DeploymentsMgmtClient
    except ModuleNotFoundError:
        from azure.mgmt.resource.resources import ResourceManagementClient

        return ResourceManagementClient
    return DeploymentsMgmtClient
