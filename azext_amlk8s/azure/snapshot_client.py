"""A client that reads each resource once and never writes, for planning many clusters at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from azext_amlk8s.azure.client import AzureClient, Resource
from azext_amlk8s.refs import ClusterRef, ComputeRef, ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core import AzCli

T = TypeVar("T")


class SnapshotClient(AzureClient):
    """An AzureClient whose reads are remembered, failures too; several threads may use it.

    A request that would change something raises AssertionError.
    """

    def __init__(self, cli_ctx: AzCli, subscription_id: str | None = None) -> None:
        super().__init__(cli_ctx, subscription_id)
        self._reads: dict[tuple[str, ...], Future[Any]] = {}
        self._reads_lock = Lock()

    def get(self, resource_id: str) -> Resource:
        return self._once(("get", resource_id.lower()), super().get, resource_id)

    def list_all(self, collection_id: str, **query: str) -> list[Resource]:
        key = ("list", collection_id.lower(), *(f"{name}={value}" for name, value in sorted(query.items())))
        return self._once(key, super().list_all, collection_id, **query)

    def get_provider(self, namespace: str) -> Resource:
        key = ("provider", namespace.lower())
        return self._once(key, super().get_provider, namespace)

    def find_feature(self, namespace: str, name: str) -> Resource | None:
        key = ("feature", namespace.lower(), name.lower())
        return self._once(key, super().find_feature, namespace, name)

    def kubernetes_versions(self, location: str) -> Resource:
        key = ("versions", location.lower())
        return self._once(key, super().kubernetes_versions, location)

    def user_kubeconfig(self, cluster: ClusterRef) -> str:
        key = ("kubeconfig", cluster.id.lower())
        return self._once(key, super().user_kubeconfig, cluster)

    def begin_put(self, resource_id: str, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PUT {resource_id}")

    def begin_delete(self, resource_id: str) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {resource_id}")

    def assign_role(self, scope: str, role_id: str, principal_id: str) -> NoReturn:
        raise AssertionError(f"planning must not write: a role at {scope}")

    def begin_detach_compute(self, compute: ComputeRef) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {compute.id}")

    def begin_create_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PUT {extension.id}")

    def begin_update_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> NoReturn:
        raise AssertionError(f"planning must not write: PATCH {extension.id}")

    def begin_delete_extension(self, extension: ExtensionRef, *, force: bool = False) -> NoReturn:
        raise AssertionError(f"planning must not write: DELETE {extension.id}")

    def _once(self, key: tuple[str, ...], read: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with self._reads_lock:
            future = self._reads.get(key)
            is_first = future is None
            if future is None:
                future = self._reads[key] = Future()
        if is_first:
            try:
                future.set_result(read(*args, **kwargs))
            except BaseException as error:  # pylint: disable=broad-exception-caught # other threads wait for it
                future.set_exception(error)
        result: T = future.result()
        return result
