"""The Azure resources beneath the extension: found, told of, made, read again, removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azext_amlk8s.operations.failure_context import operation_failed

RESUME = "Run the same command again: it goes on from where things stand."


def look(arm: Any, needs: Sequence[Any]) -> dict[str, dict[str, Any] | None]:
    """What is there of these dependencies, by kind; asked for side by side."""
    from concurrent.futures import ThreadPoolExecutor

    if not needs:
        return {}
    with ThreadPoolExecutor(len(needs)) as pool:
        found = list(pool.map(arm.find, (one.id for one in needs)))
    return {one.kind: resource for one, resource in zip(needs, found, strict=True)}


def described(needs: Iterable[Any], there: Mapping[str, Any]) -> list[dict[str, str]]:
    """The dependencies as a plan shows them."""
    return [
        {
            "kind": one.label,
            "name": one.name,
            "id": one.id,
            "action": "reuse" if there[one.kind] else "create",
            "costs": one.costs,
        }
        for one in needs
    ]


def ensure(cmd: Any, arm: Any, needs: Sequence[Any], there: Mapping[str, Any]) -> Any:
    """Make what is not there, and return the settings that all of it gives.

    Whatever is found is used, half-made or whole, so that an interrupted run is gone on with.
    """
    from knack.log import get_logger

    from azext_amlk8s.settings import Settings, merge_settings

    log = get_logger(__name__)
    for one in needs:
        if there[one.kind] is None:
            log.warning("The %s %s is created in Azure. %s", one.label, one.name, one.costs)
    settings = Settings()
    for one in needs:
        resource = _made(cmd, arm, one, there[one.kind])
        settings = merge_settings(settings, one.settings(resource, str(arm.post(one.keys_id)[one.key])))
    return settings


def restored(arm: Any, candidates: Sequence[Any], config: Mapping[str, str]) -> dict[str, str]:
    """The protected settings that can be read from Azure again; what cannot be found is left out.

    What may not be read is left out too, and said, so that it can be given by hand.
    """
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    found: dict[str, str] = {}
    for one in candidates:
        try:
            keys_id = _keys_id(arm, one, config)
            found.update(dict.fromkeys(one.protected, str(arm.post(keys_id)[one.key])) if keys_id else {})
        except HttpResponseError as error:
            if error.status_code == 403:
                told = " ".join(str(error.message).split())
                get_logger(__name__).warning("The key of the %s %s cannot be read again: %s", one.label, one.name, told)
            elif error.status_code != 404:
                raise
    return found


def remove(cmd: Any, arm: Any, leftovers: Sequence[Any]) -> None:
    """Delete resources, and what is in them. Raises DeploymentError with what Azure says, such as a lock."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.console.progress import follow

    for one in leftovers:
        doing = f"Removing the {one.label} {one.name}"
        try:
            follow(cmd, arm.begin_delete(one.id), doing, f"az resource show --ids {one.id}")
        except HttpResponseError as error:
            locks = f"az lock list --resource {one.id} -o table"
            raise operation_failed(doing, error, [], [locks, f"az resource delete --ids {one.id}"]) from error


def _made(cmd: Any, arm: Any, one: Any, resource: dict[str, Any] | None) -> Any:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure import StatePoller
    from azext_amlk8s.console.progress import follow

    doing = f"Creating the {one.label} {one.name}"
    try:
        if not (begun := StatePoller(resource, lambda: arm.find(one.id))).done():
            resource = follow(cmd, begun, f"Waiting for the {one.label} {one.name}", RESUME)
        if resource is None:
            resource = follow(cmd, arm.begin_put(one.id, one.body), doing, RESUME)
        for part_id, body in one.parts:
            if arm.find(part_id) is None:
                arm.begin_put(part_id, body).result()
    except HttpResponseError as error:
        raise operation_failed(doing, error, [], [RESUME]) from error
    return resource


def _keys_id(arm: Any, one: Any, config: Mapping[str, str]) -> str:
    from azext_amlk8s.settings import is_deployed_resource

    resource = arm.find(one.id)
    if resource is not None and is_deployed_resource(one, resource, config):
        return str(one.keys_id)
    words = one.id.split("/")
    everywhere = "/".join([*words[:3], *words[5:8]])
    for other in arm.list_all(everywhere) if not is_deployed_resource(one, {}, config) else ():
        if is_deployed_resource(one, other, config):
            return str(one.keys_id.replace(one.id, other["id"]))
    return ""
