"""One client for everything that is asked of Azure; nothing that ARM says is dropped, nothing is judged."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from azext_amlk8s.azure.operation import Operation, polling

API_VERSIONS = {
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.ContainerService": "2024-09-01",
    "Microsoft.Authorization/permissions": "2022-04-01",
    "Microsoft.Kubernetes": "2024-01-01",
    "Microsoft.KubernetesConfiguration": "2025-03-01",
    "Microsoft.MachineLearningServices": "2024-10-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.OperationalInsights": "2020-08-01",
    "Microsoft.Relay": "2021-11-01",
    "Microsoft.ServiceBus": "2021-11-01",
}
PROVIDERS_VERSION = "2022-09-01"
FEATURES_VERSION = "2021-07-01"
CLUSTER_PROVIDERS = {"managedclusters": "Microsoft.ContainerService", "connectedclusters": "Microsoft.Kubernetes"}


class Arm:
    """Azure, as one command sees it: one subscription, one credential, one connection pool."""

    def __init__(self, cli_ctx: Any, subscription_id: str | None = None) -> None:
        from azure.cli.core.commands.client_factory import get_subscription_id

        self._cli_ctx = cli_ctx
        self.subscription_id: str = subscription_id or get_subscription_id(cli_ctx)
        self._thin: Any = None
        self._lock = Lock()
        self._sdk: Any = None

    def cluster_id(self, group: str, cluster_type: str, name: str) -> str:
        """The ARM id of a cluster; cluster_type is managedClusters or connectedClusters in any case."""
        return f"{self._group(group)}/providers/{CLUSTER_PROVIDERS[cluster_type.lower()]}/{cluster_type}/{name}"

    def workspace_id(self, group: str, name: str) -> str:
        """The ARM id of a workspace."""
        return f"{self._group(group)}/providers/Microsoft.MachineLearningServices/workspaces/{name}"

    def compute_id(self, group: str, workspace: str, name: str) -> str:
        """The ARM id of a compute."""
        return f"{self.workspace_id(group, workspace)}/computes/{name}"

    def get(self, resource_id: str) -> dict[str, Any]:
        """A resource by its id. Raises azure.core's HttpResponseError, ResourceNotFoundError for 404."""
        return self._client().send("GET", resource_id, _api_version(resource_id)).json()

    def find(self, resource_id: str) -> dict[str, Any] | None:
        """A resource by its id, or None where it is not there."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self.get(resource_id)
        except ResourceNotFoundError:
            return None

    def post(self, action_id: str) -> dict[str, Any]:
        """The answer to an action without a body, such as listKeys; it may be a secret."""
        return self._client().send("POST", action_id, _api_version(action_id)).json()

    def begin_put(self, resource_id: str, body: Mapping[str, Any]) -> Operation:
        """PUT of a resource; one that ends at once is an operation that has ended."""
        return self._client().begin("PUT", resource_id, _api_version(resource_id), body=body)

    def begin_delete(self, resource_id: str) -> Operation:
        """DELETE of a resource."""
        return self._client().begin("DELETE", resource_id, _api_version(resource_id))

    def list_all(self, collection_id: str, **query: str) -> list[dict[str, Any]]:
        """All pages of a collection."""
        client = self._client()
        found: list[dict[str, Any]] = []
        page = client.send("GET", collection_id, _api_version(collection_id), **query).json()
        while True:
            found += page.get("value") or []
            if not page.get("nextLink"):
                return found
            page = client.send("GET", page["nextLink"]).json()

    def get_cluster(self, group: str, cluster_type: str, name: str) -> dict[str, Any]:
        """The cluster as ARM describes it."""
        return self.get(self.cluster_id(group, cluster_type, name))

    def get_workspace(self, group: str, name: str) -> dict[str, Any]:
        """The workspace as ARM describes it."""
        return self.get(self.workspace_id(group, name))

    def list_workspaces(self) -> list[dict[str, Any]]:
        """The workspaces of the subscription, in all its groups."""
        root = f"/subscriptions/{self.subscription_id}"
        return self.list_all(f"{root}/providers/Microsoft.MachineLearningServices/workspaces")

    def list_vm_sizes(self, location: str) -> list[dict[str, Any]]:
        """The sizes of virtual machines that Azure Machine Learning knows in a region."""
        root = f"/subscriptions/{self.subscription_id}/providers/Microsoft.MachineLearningServices"
        return self.list_all(f"{root}/locations/{location}/vmSizes")

    def get_provider(self, namespace: str) -> dict[str, Any]:
        """A resource provider as the subscription has it, with its registrationState."""
        root = f"/subscriptions/{self.subscription_id}"
        return self._client().send("GET", f"{root}/providers/{namespace}", PROVIDERS_VERSION).json()

    def find_feature(self, namespace: str, name: str) -> dict[str, Any] | None:
        """A preview feature with its state, None where Azure does not know it."""
        from azure.core.exceptions import ResourceNotFoundError

        root = f"/subscriptions/{self.subscription_id}/providers/Microsoft.Features/providers"
        try:
            return self._client().send("GET", f"{root}/{namespace}/features/{name}", FEATURES_VERSION).json()
        except ResourceNotFoundError:
            return None

    def get_compute(self, group: str, workspace: str, name: str) -> dict[str, Any]:
        """The compute as ARM describes it."""
        return self.get(self.compute_id(group, workspace, name))

    def list_computes(self, group: str, workspace: str) -> list[dict[str, Any]]:
        """The computes of a workspace, of every kind."""
        return self.list_all(f"{self.workspace_id(group, workspace)}/computes")

    def user_kubeconfig(self, group: str, cluster: str) -> str:
        """The kubeconfig (YAML) of a user of an AKS cluster; a secret."""
        from base64 import b64decode

        resource_id = f"{self.cluster_id(group, 'managedClusters', cluster)}/listClusterUserCredential"
        answer = self._client().send("POST", resource_id, API_VERSIONS["Microsoft.ContainerService"]).json()
        return b64decode(answer["kubeconfigs"][0]["value"]).decode("utf-8")

    def list_role_assignments(self, scope: str, principal_id: str) -> list[dict[str, Any]]:
        """The role assignments of a principal, and of groups that it is in, at a scope and above it."""
        told = {"$filter": f"atScope() and assignedTo('{principal_id}')"}
        return self.list_all(f"{scope}/providers/Microsoft.Authorization/roleAssignments", **told)

    def kubernetes_versions(self, location: str) -> dict[str, Any]:
        """The versions of Kubernetes that AKS offers in a region, as AKS answers."""
        provider = f"/subscriptions/{self.subscription_id}/providers/Microsoft.ContainerService"
        version = API_VERSIONS["Microsoft.ContainerService"]
        return self._client().send("GET", f"{provider}/locations/{location}/kubernetesVersions", version).json()

    def assign_role(self, scope: str, role_id: str, principal_id: str) -> None:
        """Give a service principal a built-in role at a scope; one that it has already is left as it is."""
        import uuid

        from azure.core.exceptions import HttpResponseError

        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role_id}|{principal_id}".lower())
        definition = (
            f"/subscriptions/{self.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
        )
        told = {"roleDefinitionId": definition, "principalId": principal_id, "principalType": "ServicePrincipal"}
        try:
            self.begin_put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", {"properties": told})
        except HttpResponseError as error:
            if getattr(error.error, "code", "") != "RoleAssignmentExists":
                raise

    def begin_put_compute(self, group: str, workspace: str, name: str, body: Mapping[str, Any]) -> Operation:
        """Attach, or replace: PUT of a compute."""
        resource_id = self.compute_id(group, workspace, name)
        return self._client().begin("PUT", resource_id, _api_version(resource_id), body=body)

    def begin_detach_compute(self, group: str, workspace: str, name: str) -> Operation:
        """Detach a compute; the cluster beneath is not touched."""
        resource_id = self.compute_id(group, workspace, name)
        return self._client().begin("DELETE", resource_id, _api_version(resource_id), underlyingResourceAction="Detach")

    def get_extension(self, group: str, cluster_type: str, cluster: str, name: str) -> dict[str, Any]:
        """The extension as ARM describes it. Not through the SDK, which registers a provider when it reads."""
        return self.get(self.extension_id(group, cluster_type, cluster, name))

    def list_extensions(self, group: str, cluster_type: str, cluster: str) -> list[dict[str, Any]]:
        """The extensions of a cluster, of every type."""
        on = self.cluster_id(group, cluster_type, cluster)
        return self.list_all(f"{on}/providers/Microsoft.KubernetesConfiguration/extensions")

    def begin_create_extension(
        self, group: str, cluster_type: str, cluster: str, name: str, body: Mapping[str, Any]
    ) -> Operation:
        """PUT of an extension."""
        poller = self._extensions().begin_create(
            *self._on_cluster(group, cluster_type, cluster), name, dict(body), polling=polling()
        )
        return Operation(poller, lambda extension: extension.as_dict())

    def begin_update_extension(
        self, group: str, cluster_type: str, cluster: str, name: str, body: Mapping[str, Any]
    ) -> Operation:
        """PATCH of an extension."""
        poller = self._extensions().begin_update(
            *self._on_cluster(group, cluster_type, cluster), name, dict(body), polling=polling()
        )
        return Operation(poller, lambda extension: extension.as_dict())

    def begin_delete_extension(
        self, group: str, cluster_type: str, cluster: str, name: str, *, force: bool = False
    ) -> Operation:
        """DELETE of an extension; force removes it from Azure without asking the cluster."""
        where = self._on_cluster(group, cluster_type, cluster)
        more = {"force_delete": True} if force else {}
        return Operation(self._extensions().begin_delete(*where, name, polling=polling(), **more))

    def extension_id(self, group: str, cluster_type: str, cluster: str, name: str) -> str:
        """The ARM id of an extension."""
        on = self.cluster_id(group, cluster_type, cluster)
        return f"{on}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"

    def _group(self, group: str) -> str:
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{group}"

    def _on_cluster(self, group: str, cluster_type: str, cluster: str) -> tuple[str, str, str, str]:
        return group, CLUSTER_PROVIDERS[cluster_type.lower()], cluster_type, cluster

    def _client(self) -> Any:
        with self._lock:
            if self._thin is None:
                from azure.cli.core.commands.client_factory import get_mgmt_service_client

                from azext_amlk8s.azure.rest_client import ThinClient

                self._thin = get_mgmt_service_client(self._cli_ctx, ThinClient, subscription_bound=False)
            return self._thin

    def _extensions(self) -> Any:
        if self._sdk is None:
            from azure.cli.core.commands.client_factory import get_mgmt_service_client

            client = get_mgmt_service_client(self._cli_ctx, _extensions_client(), subscription_id=self.subscription_id)
            self._sdk = client.extensions
        return self._sdk


def _extensions_client() -> Any:
    try:
        from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
    except ModuleNotFoundError as error:
        from azure.cli.core.azclierror import CLIInternalError

        raise CLIInternalError(
            "The library azure-mgmt-kubernetesconfiguration-extensions cannot be loaded. This happens when the older "
            "azure-mgmt-kubernetesconfiguration is installed in the Python of az itself.",
            recommendation="pip uninstall azure-mgmt-kubernetesconfiguration   # in the Python that az runs on",
        ) from error

    from azext_amlk8s.azure.auth_policy import FreshTokenPolicy
    from azext_amlk8s.azure.logging_policy import RedactedLoggingPolicy

    class ExtensionsClient(KubernetesConfigurationExtensionsMgmtClient):
        """The SDK's client with our trace (az would log the protected settings), and tokens that are replaced."""

        def __init__(self, credential: Any, subscription_id: str, **kwargs: Any) -> None:
            ours = {
                "logging_policy": RedactedLoggingPolicy(),
                "authentication_policy": FreshTokenPolicy(credential, *kwargs["credential_scopes"]),
            }
            super().__init__(credential, subscription_id, **{**kwargs, **ours})

    return ExtensionsClient


def _api_version(resource_id: str) -> str:
    provider, kind = resource_id.rsplit("/providers/", 1)[-1].lower().split("/")[:2]
    versions = {name.lower(): version for name, version in API_VERSIONS.items()}
    return versions.get(f"{provider}/{kind}") or versions[provider]
