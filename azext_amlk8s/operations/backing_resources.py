"""The Azure resources beneath the extension (Relay, Log Analytics, Service Bus): find, create, read again, delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.failure_context import operation_failed
from azext_amlk8s.operations.waiting import Awaited, begin_deletion, wait_until_deleted

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.settings import Dependency, Settings

RESUME = "Run the same command again to continue from here."
RESOURCE_SECONDS = 1200

Resource = dict[str, Any]


def find_resources(client: AzureClient, needs: Sequence[Dependency]) -> dict[str, Resource | None]:
    """The existing resources by kind, None for those that do not exist; read in parallel."""
    if not needs:
        return {}
    with DaemonPool(len(needs)) as pool:
        resources = list(pool.map(client.find_in_group, (need.id for need in needs)))
    return {need.kind: resource for need, resource in zip(needs, resources, strict=True)}


def describe(needs: Iterable[Dependency], existing: Mapping[str, Resource | None]) -> list[dict[str, str]]:
    """The resources as a plan shows them."""
    return [
        {
            "kind": need.label,
            "name": need.name,
            "id": need.id,
            "action": "reuse" if existing[need.kind] else "create",
            "costs": need.costs,
        }
        for need in needs
    ]


def ensure(
    cmd: AzCliCommand, client: AzureClient, needs: Sequence[Dependency], existing: Mapping[str, Resource | None]
) -> Settings:
    """Create what does not exist, and return the settings that all resources give.

    Whatever exists is used, complete or not, so that an interrupted run is continued.
    """
    from knack.log import get_logger

    from azext_amlk8s.settings import Settings, merge_settings

    for need in needs:
        if existing[need.kind] is None:
            get_logger(__name__).warning("Creating the %s '%s' in Azure. %s", need.label, need.name, need.costs)
    settings = Settings()
    for need in needs:
        resource = _create(cmd, client, need, existing[need.kind])
        settings = merge_settings(settings, need.settings(resource, _read_key(client, need, need.keys_id)))
    return settings


def restore_keys(client: AzureClient, candidates: Sequence[Dependency], config: Mapping[str, str]) -> dict[str, str]:
    """The protected settings that can be read from Azure again, without those whose resource no longer exists.

    Keys that must not be read are left out with a warning, so that they can be given by hand.
    """
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    restored: dict[str, str] = {}
    for need in candidates:
        try:
            if keys_id := _keys_id(client, need, config):
                restored.update(dict.fromkeys(need.protected, _read_key(client, need, keys_id)))
        except HttpResponseError as error:
            if error.status_code == 403:
                message = " ".join(str(error.message).split())
                get_logger(__name__).warning(
                    "The key of the %s '%s' cannot be read again: %s", need.label, need.name, message
                )
            elif error.status_code != 404:
                raise
    return restored


def delete_resources(cmd: AzCliCommand, client: AzureClient, leftovers: Sequence[Dependency]) -> None:
    """Delete resources with what they contain. Raises DeploymentError with Azure's reason, such as a lock."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.console.progress import ProgressLine, follow

    for need in leftovers:
        action, show = f"Deleting the {need.label} {need.name}", f"az resource show --ids {need.id}"
        commands = [f"az lock list --resource {need.id} -o table", f"az resource delete --ids {need.id}"]
        read = partial(client.find, need.id)
        awaited, line = Awaited(need.name, read, show, show), ProgressLine(cmd, action)
        try:
            operation = begin_deletion(partial(client.begin_delete, need.id), read)
            follow(cmd, operation, action, show, timeout=RESOURCE_SECONDS, line=line)
            wait_until_deleted(awaited, RESOURCE_SECONDS, commands, line)
        except HttpResponseError as error:
            raise operation_failed(action, error, [], commands) from error


def _create(cmd: AzCliCommand, client: AzureClient, need: Dependency, resource: Resource | None) -> Resource | None:
    """The resource and its parts, created where they do not exist, and waited for."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.console.progress import follow

    action = f"Creating the {need.label} {need.name}"
    try:
        poller = StatePoller(resource, lambda: client.find(need.id), relaxed=client.relaxed_polling)
        if not poller.done():
            waiting = f"Waiting for the {need.label} {need.name}"
            resource = follow(cmd, poller, waiting, RESUME, timeout=RESOURCE_SECONDS)
        is_new = resource is None
        if is_new:
            operation = client.begin_put(need.id, need.body)
            resource = follow(cmd, operation, action, RESUME, timeout=RESOURCE_SECONDS)
        for part_id, body in need.parts:
            if is_new or client.find(part_id) is None:
                part = f"Creating {'/'.join(part_id.split('/')[-2:])} of the {need.label} {need.name}"
                follow(cmd, client.begin_put(part_id, body), part, RESUME, timeout=RESOURCE_SECONDS)
    except HttpResponseError as error:
        raise operation_failed(action, error, [], [RESUME]) from error
    state = str(((resource or {}).get("properties") or {}).get("provisioningState") or "Succeeded")
    if state.lower() != "succeeded":
        raise az_error("DeploymentError", f"{action} failed: its state is {state}.", [RESUME])
    return resource


def _read_key(client: AzureClient, need: Dependency, keys_id: str) -> str:
    """The key or connection string of a resource. Raises AzureResponseError where the response has none."""
    key = client.post(keys_id).get(need.key)
    if not isinstance(key, str) or not key:
        raise az_error(
            "AzureResponseError",
            f"Azure returned no {need.key} for the {need.label} '{need.name}'. Nothing was sent to the extension.",
            [RESUME],
        )
    return key


def _keys_id(client: AzureClient, need: Dependency, config: Mapping[str, str]) -> str:
    """The ID of the action that lists the keys of the deployed resource, empty where it is not found."""
    from azext_amlk8s.settings import is_deployed_resource

    resource = client.find(need.id)
    if resource is not None and is_deployed_resource(need, resource, config):
        return need.keys_id
    parts = need.id.split("/")
    collection = "/".join([*parts[:3], *parts[5:8]])
    for other in client.list_all(collection) if not is_deployed_resource(need, {}, config) else ():
        if is_deployed_resource(need, other, config):
            return need.keys_id.replace(need.id, str(other["id"]))
    return ""
