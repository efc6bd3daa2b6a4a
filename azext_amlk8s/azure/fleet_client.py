"""A client for changing many clusters at the same time: few reads, few polls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from azext_amlk8s.azure.client import AzureClient, Resource
from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.remembering_client import RememberingClient
from azext_amlk8s.azure.state_poller import TERMINAL, StatePoller
from azext_amlk8s.refs import ComputeRef, ExtensionRef, WorkspaceRef

if TYPE_CHECKING:
    from azure.cli.core import AzCli

KEEP_SECONDS = 300.0
# One list of the computes of a workspace serves the clusters that are attached to it at that time.
COMPUTES_SECONDS = 2.0
SECONDS_FOR_A_COMPUTE = 0.002  # a longer list costs more requests
# As many computes as ARM admits reads in a second are read alone.
MOST_READ_ALONE = 25


class FleetClient(RememberingClient):
    """An AzureClient that remembers for some minutes what nobody is changing, and polls computes by one list for all.

    What this client writes, and what is changing, is read anew each time.
    """

    relaxed_polling = True

    def __init__(self, cli_ctx: AzCli, subscription_id: str | None = None) -> None:
        super().__init__(cli_ctx, subscription_id)
        self._written: set[str] = set()
        self._collections: set[str] = set()
        self._written_lock = Lock()
        self._pending_computes: set[str] = set()

    def seconds_to_keep(self, resource_id: str, value: Any) -> float:
        if _is_list_of_computes(resource_id):
            computes = value[1] if isinstance(value, tuple) else value  # by name, or as the list is
            return COMPUTES_SECONDS + SECONDS_FOR_A_COMPUTE * len(computes) if value else 0.0
        resources = value if isinstance(value, list) else [value]
        changing = any(isinstance(resource, Mapping) and _is_changing(resource) for resource in resources)
        return 0.0 if changing or self._is_written(resource_id) else KEEP_SECONDS

    def begin_put(self, resource_id: str, body: Mapping[str, Any]) -> Operation:
        self._write(resource_id)
        return super().begin_put(resource_id, body)

    def begin_delete(self, resource_id: str) -> Operation:
        self._write(resource_id)
        return super().begin_delete(resource_id)

    def begin_put_compute(self, compute: ComputeRef, body: Mapping[str, Any]) -> StatePoller:
        self._write(compute.id)
        sent = time.monotonic()
        resource = self.put(compute.id, body)
        self._pending_computes.add(compute.id)

        def poll() -> Resource | None:
            current = self._poll_sent(compute, resource, sent)
            if current is None or not _is_changing(current):
                self._pending_computes.discard(compute.id)
            return current

        return StatePoller(resource, poll, relaxed=True)

    def _poll_sent(self, compute: ComputeRef, resource: Resource, sent: float) -> Resource | None:
        """The compute that was sent at a time; read alone where few are pending, because a list may be old."""
        if len(self._pending_computes) <= MOST_READ_ALONE:
            return self.find(compute.id)
        listed_at, _ = self._computes(compute.workspace)
        return resource if listed_at < sent else self.poll_compute(compute)

    def begin_detach_compute(self, compute: ComputeRef) -> Operation:
        self._write(compute.id)
        return super().begin_detach_compute(compute)

    def begin_create_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> Operation:
        self._write(extension.id)
        return super().begin_create_extension(extension, body)

    def begin_update_extension(self, extension: ExtensionRef, body: Mapping[str, Any]) -> Operation:
        self._write(extension.id)
        return super().begin_update_extension(extension, body)

    def begin_delete_extension(self, extension: ExtensionRef, *, force: bool = False) -> Operation:
        self._write(extension.id)
        return super().begin_delete_extension(extension, force=force)

    def list_computes(self, workspace: WorkspaceRef) -> list[Resource]:
        return list(self._computes(workspace)[1].values())

    def poll_compute(self, compute: ComputeRef) -> Resource | None:
        """The compute as the list of its workspace has it, a moment ago; read alone where the list lacks it."""
        return self._computes(compute.workspace)[1].get(compute.name.lower()) or self.find(compute.id)

    def _computes(self, workspace: WorkspaceRef) -> tuple[float, dict[str, Resource]]:
        """When the list of computes was requested, and the computes by name."""

        def read() -> tuple[float, dict[str, Resource]]:
            began = time.monotonic()
            computes = AzureClient.list_all(self, f"{workspace.id}/computes")
            return began, {str(compute.get("name")).lower(): compute for compute in computes}

        return self.remember(f"{workspace.id}/computes", read, "by name")

    def _write(self, resource_id: str) -> None:
        written = resource_id.lower()
        collection = written.rpartition("/")[0]
        with self._written_lock:
            self._written.add(written)
            self._collections.add(collection)
        self.forget(written)
        if not _is_list_of_computes(collection):
            self.forget_list(collection)

    def _is_written(self, resource_id: str) -> bool:
        """Whether this client has written the resource, one above it, or one of the collection."""
        parts = resource_id.split("/")
        above = {"/".join(parts[:length]) for length in range(len(parts), 0, -1)}
        with self._written_lock:
            return bool(above & self._written) or resource_id in self._collections


def _is_list_of_computes(resource_id: str) -> bool:
    return resource_id.endswith("/computes")


def _is_changing(resource: Mapping[str, Any]) -> bool:
    state = (resource.get("properties") or {}).get("provisioningState")
    return isinstance(state, str) and state.lower() not in TERMINAL
