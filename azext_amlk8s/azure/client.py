"""The client for Azure Resource Manager: one method for each request that the commands send."""

from __future__ import annotations

import uuid
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from azext_amlk8s.azure.operation import Operation, polling
from azext_amlk8s.change_log import record_change
from azext_amlk8s.daemon_threads import import_before_threads
from azext_amlk8s.refs import PROVIDERS, ClusterRef, ComputeRef, ExtensionRef, WorkspaceRef, canonical_type

if TYPE_CHECKING:
    from azure.cli.core import AzCli

    from azext_amlk8s.azure.key_vault import VaultClient
    from azext_amlk8s.azure.rest_client import RestClient
    from azext_amlk8s.azure.state_poller import StatePoller
    from azext_amlk8s.knowledge.clouds import Cloud

API_VERSIONS = {
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.ContainerService": "2024-09-01",
    "Microsoft.ContainerService/managedClusters": "2025-05-01",  # the first stable one with nodeProvisioningProfile
    "Microsoft.Authorization/permissions": "2022-04-01",
    "Microsoft.Kubernetes": "2024-01-01",
    "Microsoft.KubernetesConfiguration": "2025-03-01",
    "Microsoft.KubernetesConfiguration/extensionTypes": "2024-11-01-preview",
    "Microsoft.KubernetesConfiguration/locations": "2024-11-01-preview",
    "Microsoft.MachineLearningServices": "2024-10-01",
    "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.OperationalInsights": "2020-08-01",
    "Microsoft.Relay": "2021-11-01",
    "Microsoft.ServiceBus": "2021-11-01",
}
_VERSIONS = {name.lower(): version for name, version in API_VERSIONS.items()}
PROVIDERS_VERSION = "2022-09-01"
FEATURES_VERSION = "2021-07-01"
RESOURCES_VERSION = "2021-04-01"
# A workspace may have any number of jobs that ended long ago; the newest come first.
PAGES_OF_JOBS = 10

T = TypeVar("T")
Resource = dict[str, Any]  # a JSON object as ARM returns it, camelCase


class AzureClient:
    """Azure Resource Manager for one command: one subscription, one credential, one connection pool.

    Every method raises azure-core's HttpResponseError for a refused request (ResourceNotFoundError for 404) and
    ServiceRequestError or ServiceResponseError when Azure cannot be reached.
    """

    # Whether operations are polled rarely, because many of them run at the same time.
    relaxed_polling = False
    # Whether reads are remembered for many clusters, so that one that serves all of them is preferred.
    shares_reads = False

    def __init__(self, cli_ctx: AzCli, subscription_id: str | None = None) -> None:
        from azure.cli.core.commands.client_factory import get_subscription_id

        import_before_threads("azext_amlk8s.azure.rest_client", "azure.cli.core.auth.identity")
        self._cli_ctx = cli_ctx
        self.subscription_id: str = subscription_id or get_subscription_id(cli_ctx)
        self.cloud_name = str(cli_ctx.cloud.name)
        self._rest: RestClient | None = None
        self._lock = Lock()
        self._sdk: Any = None

    @property
    def cloud(self) -> Cloud:
        """The cloud of the user, with the hosts and suffixes that az knows."""
        from urllib.parse import urlsplit

        from azure.cli.core.cloud import CloudEndpointNotSetException, CloudSuffixNotSetException

        from azext_amlk8s.knowledge.clouds import find_cloud

        def read(section: Any, name: str) -> str:
            try:
                return str(getattr(section, name) or "")
            except (CloudEndpointNotSetException, CloudSuffixNotSetException):
                return ""

        endpoints, suffixes = self._cli_ctx.cloud.endpoints, self._cli_ctx.cloud.suffixes
        return find_cloud(
            self.cloud_name,
            login=urlsplit(read(endpoints, "active_directory")).netloc,
            management=urlsplit(read(endpoints, "resource_manager")).netloc,
            storage=read(suffixes, "storage_endpoint"),
            registry=read(suffixes, "acr_login_server_endpoint").lstrip("."),
        )

    def cluster_ref(self, resource_group: str, cluster_type: str, name: str) -> ClusterRef:
        """A cluster of the subscription."""
        return ClusterRef(self.subscription_id, resource_group, canonical_type(cluster_type), name)

    def workspace_ref(self, resource_group: str, name: str) -> WorkspaceRef:
        """A workspace of the subscription."""
        return WorkspaceRef(self.subscription_id, resource_group, name)

    def vaults(self) -> VaultClient:
        """The key vaults of the cloud, read as the same user."""
        from azext_amlk8s.azure.key_vault import VaultClient

        return VaultClient(self._cli_ctx, self.subscription_id)

    def get(self, resource_id: str) -> Resource:
        """A resource by its ID."""
        return self._client().get_resource(resource_id, _api_version(resource_id))

    def find(self, resource_id: str) -> Resource | None:
        """A resource by its ID, or None for 404."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self.get(resource_id)
        except ResourceNotFoundError:
            return None

    def find_in_group(self, resource_id: str) -> Resource | None:
        """As find, for one of many resources of a type in a group; a client for many clusters lists them instead."""
        return self.find(resource_id)

    def post(self, action_id: str) -> Resource:
        """The response to an action without a body, such as listKeys; it may contain secrets."""
        return self._client().get_object("POST", action_id, _api_version(action_id))

    def put(self, resource_id: str, body: Mapping[str, Any]) -> Resource:
        """PUT of a resource whose operation is not followed; the resource as the response has it."""
        return self._client().put(resource_id, _api_version(resource_id), body)

    def begin_put(self, resource_id: str, body: Mapping[str, Any]) -> Operation:
        """PUT of a resource; one that completes at once is an operation that is done."""
        return self._begin("PUT", resource_id, body=body)

    def begin_delete(self, resource_id: str) -> Operation:
        """DELETE of a resource."""
        return self._begin("DELETE", resource_id)

    def list_all(self, collection_id: str, **query: str) -> list[Resource]:
        """The items of a collection, of all its pages."""
        return self._client().list_items(collection_id, _api_version(collection_id), **query)

    def get_cluster(self, cluster: ClusterRef) -> Resource:
        """The cluster as ARM describes it."""
        return self.get(cluster.id)

    def get_workspace(self, workspace: WorkspaceRef) -> Resource:
        """The workspace as ARM describes it."""
        return self.get(workspace.id)

    def list_clusters(self, scope: str, cluster_type: str) -> list[Resource]:
        """The clusters of a type in a subscription or a resource group, by the ID of that."""
        return self.list_all(f"{scope}/providers/{PROVIDERS[cluster_type]}/{cluster_type}")

    def list_workspaces(self) -> list[Resource]:
        """The workspaces of the subscription, in all its resource groups."""
        return self.list_all(f"{self._root}/providers/Microsoft.MachineLearningServices/workspaces")

    def list_resources(self, resource_type: str) -> list[Resource]:
        """The resources of a type in the subscription: their IDs, names, locations and tags."""
        condition = {"$filter": f"resourceType eq '{resource_type}'"}
        return self._client().list_items(f"{self._root}/resources", RESOURCES_VERSION, **condition)

    def list_vm_sizes(self, location: str) -> list[Resource]:
        """The sizes of virtual machines that Azure Machine Learning offers in a region."""
        return self.list_all(f"{self._root}/providers/Microsoft.MachineLearningServices/locations/{location}/vmSizes")

    def get_provider(self, namespace: str) -> Resource:
        """A resource provider with its registrationState in the subscription."""
        return self._client().get_object("GET", f"{self._root}/providers/{namespace}", PROVIDERS_VERSION)

    def find_feature(self, namespace: str, name: str) -> Resource | None:
        """A preview feature with its state, or None for an unknown one."""
        from azure.core.exceptions import ResourceNotFoundError

        feature = f"{self._root}/providers/Microsoft.Features/providers/{namespace}/features/{name}"
        try:
            return self._client().get_object("GET", feature, FEATURES_VERSION)
        except ResourceNotFoundError:
            return None

    def get_compute(self, compute: ComputeRef) -> Resource:
        """The compute as ARM describes it."""
        return self.get(compute.id)

    def poll_compute(self, compute: ComputeRef) -> Resource | None:
        """The compute while an operation runs on it, or None for 404."""
        return self.find(compute.id)

    def list_computes(self, workspace: WorkspaceRef) -> list[Resource]:
        """The computes of a workspace, of every kind."""
        return self.list_all(f"{workspace.id}/computes")

    def list_jobs(self, workspace: WorkspaceRef) -> list[Resource]:
        """The jobs of a workspace that are not archived, as far as the first pages have them."""
        url = f"{workspace.id}/jobs"
        query = {"listViewType": "ActiveOnly"}
        return self._client().list_first_items(url, _api_version(url), query, PAGES_OF_JOBS)

    def user_kubeconfig(self, cluster: ClusterRef) -> str:
        """The kubeconfig (YAML) of a user of an AKS cluster; a secret."""
        from azext_amlk8s.azure.responses import unexpected_response

        action = f"{cluster.id}/listClusterUserCredential"
        response = self._client().send("POST", action, API_VERSIONS["Microsoft.ContainerService"])
        try:
            return b64decode(response.json()["kubeconfigs"][0]["value"], validate=True).decode("utf-8")
        except (ValueError, KeyError, IndexError, TypeError):
            raise unexpected_response(response, "a kubeconfig") from None

    def list_role_assignments(self, scope: str, principal_id: str) -> list[Resource]:
        """The role assignments of a principal, and of groups that it is in, at a scope and above it."""
        query = {"$filter": f"atScope() and assignedTo('{principal_id}')"}
        return self.list_all(f"{scope}/providers/Microsoft.Authorization/roleAssignments", **query)

    def kubernetes_versions(self, location: str) -> Resource:
        """The versions of Kubernetes that AKS offers in a region, as AKS returns them."""
        url = f"{self._root}/providers/Microsoft.ContainerService/locations/{location}/kubernetesVersions"
        return self._client().get_object("GET", url, API_VERSIONS["Microsoft.ContainerService"])

    def assign_role(self, scope: str, role_id: str, principal_id: str) -> None:
        """Assign a built-in role at a scope to a service principal; an existing assignment is kept."""
        from azure.core.exceptions import HttpResponseError

        definition = f"{self._root}/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
        assignment = {"roleDefinitionId": definition, "principalId": principal_id, "principalType": "ServicePrincipal"}
        try:
            self.begin_put(role_assignment_id(scope, role_id, principal_id), {"properties": assignment})
        except HttpResponseError as error:
            if getattr(error.error, "code", "") != "RoleAssignmentExists":
                raise

    def begin_put_compute(self, compute: ComputeRef, body: Mapping[str, Any]) -> Operation | StatePoller:
        """PUT of a compute: attach it, or replace it."""
        return self.begin_put(compute.id, body)

    def begin_detach_compute(self, compute: ComputeRef) -> Operation:
        """DELETE of a compute; the cluster itself is not changed."""
        return self._begin("DELETE", compute.id, underlyingResourceAction="Detach")

    def get_extension(self, extension: ExtensionRef) -> Resource:
        """The extension as ARM describes it. Not through the SDK, which registers a provider when it reads."""
        return self.get(extension.id)

    def list_extensions(self, cluster: ClusterRef) -> list[Resource]:
        """The extensions of a cluster, of every type."""
        return self.list_all(f"{cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions")

    def begin_create_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> Operation:
        """PUT of an extension."""
        record_change("PUT", extension.id)
        poller = self._extensions().begin_create(*_sdk_path(extension), dict(body), polling=self._polling())
        return Operation(poller, _as_resource)

    def begin_update_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> Operation:
        """PATCH of an extension."""
        record_change("PATCH", extension.id)
        poller = self._extensions().begin_update(*_sdk_path(extension), dict(body), polling=self._polling())
        return Operation(poller, _as_resource)

    def begin_delete_extension(self, extension: ExtensionRef, *, force: bool = False) -> Operation:
        """DELETE of an extension; force deletes it from Azure without contacting the cluster."""
        record_change("DELETE", extension.id)
        options = {"force_delete": True} if force else {}
        return Operation(self._extensions().begin_delete(*_sdk_path(extension), polling=self._polling(), **options))

    def remember(self, about: str, read: Callable[[], T], *kind: str) -> T:
        """The value of read, which a client for many clusters calls once; about is a resource ID or another name."""
        return read()

    def _begin(self, method: str, resource_id: str, body: Mapping[str, Any] | None = None, **query: str) -> Operation:
        relaxed, version = self.relaxed_polling, _api_version(resource_id)
        return self._client().begin(method, resource_id, version, body=body, relaxed=relaxed, **query)

    def _polling(self) -> Any:
        return polling(relaxed=self.relaxed_polling)

    @property
    def _root(self) -> str:
        return f"/subscriptions/{self.subscription_id}"

    def _client(self) -> RestClient:
        with self._lock:
            if self._rest is None:
                from azext_amlk8s.azure.rest_client import rest_client

                self._rest = rest_client(self._cli_ctx)
            return self._rest

    def _extensions(self) -> Any:
        with self._lock:
            if self._sdk is None:
                from azure.cli.core.commands.client_factory import get_mgmt_service_client

                from azext_amlk8s.azure.extensions_client import extensions_client
                from azext_amlk8s.azure.sign_in import create_credential

                kind = extensions_client()
                get_client = partial(get_mgmt_service_client, self._cli_ctx, kind, subscription_id=self.subscription_id)
                self._sdk = create_credential(get_client).extensions
            return self._sdk


def role_assignment_id(scope: str, role_id: str, principal_id: str) -> str:
    """The ID of the assignment that assign_role creates: always the same for a scope, a role and a principal."""
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}|{role_id}|{principal_id}".lower())
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"


def _as_resource(result: Any) -> Resource:
    """The result of an operation of the SDK, which is None for a response without a body."""
    return result.as_dict() if result is not None else {}


def _sdk_path(extension: ExtensionRef) -> tuple[str, str, str, str, str]:
    """Resource group, provider, cluster type, cluster and extension, as the SDK takes them."""
    cluster = extension.cluster
    return cluster.resource_group, cluster.provider, cluster.type, cluster.name, extension.name


def _api_version(resource_id: str) -> str:
    provider, kind = resource_id.rsplit("/providers/", 1)[-1].lower().split("/")[:2]
    return _VERSIONS.get(f"{provider}/{kind}") or _VERSIONS[provider]
