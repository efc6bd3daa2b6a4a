"""The prediction of what a deployment would change.

https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-what-if
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.deployments.collection_functions import find_key
from sandbox.azure.deployments.compilation import Compiled, partial_body
from sandbox.azure.deployments.complete_mode import is_tracked
from sandbox.azure.deployments.engine import Send
from sandbox.azure.deployments.parameters import is_secure
from sandbox.azure.deployments.planning import Planned
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Tree

Nested = Callable[[Compiled, Planned, Mapping[str, Any]], Compiled | None]
MASK = "*******"  # assumed: how secrets are hidden
# Properties that Microsoft's descriptions mark as read-only: what-if leaves them out of the comparison.
EVERYWHERE = {"provisioningstate", "systemdata", "etag"}
READ_ONLY: Mapping[str, set[str]] = {
    "microsoft.kubernetesconfiguration/extensions": {
        "statuses", "currentversion", "errorinfo", "customlocationsettings", "packageuri", "issystemextension",
        "extensionstate", "principalid", "tenantid",
    },
    "microsoft.machinelearningservices/workspaces/computes": {
        "provisioningerrors", "createdon", "modifiedon", "isattachedcompute", "principalid", "tenantid", "clientid",
    },
    "microsoft.authorization/roleassignments": {"scope", "createdon", "updatedon", "createdby", "updatedby"},
    "microsoft.relay/namespaces": {"status", "createdat", "updatedat", "metricid", "servicebusendpoint"},
    "microsoft.relay/namespaces/hybridconnections": {"createdat", "updatedat", "listenercount"},
    "microsoft.servicebus/namespaces": {"status", "createdat", "updatedat", "metricid", "servicebusendpoint"},
    "microsoft.resources/resourcegroups": set(),
}  # fmt: skip


class WhatIf:
    """Compares what a template sends with what exists."""

    def __init__(self, tree: Tree, send: Send, claims: Mapping[str, Any], nested: Nested) -> None:
        self._tree, self._send, self._claims, self._nested = tree, send, claims, nested
        self.diagnostics: list[dict[str, Any]] = []
        self._groups: dict[str, str] = {}

    async def changes(self, compiled: Compiled, *, deletes: bool = False) -> list[dict[str, Any]]:
        """The changes by resource ID, and what a resource group has besides; deletes: the mode is Complete."""
        found = {change["resourceId"].lower(): change for change in await self._changes(compiled)}
        for scope in self._groups.values():
            for resource in self._tree.within(scope):
                if is_tracked(resource) and resource["id"].lower() not in found:
                    shown = {
                        key: resource[key] for key in ("id", "name", "type", "location", "tags") if key in resource
                    }
                    kind = "Delete" if deletes else "Ignore"
                    change = {"resourceId": resource["id"], "changeType": kind, "before": shown}
                    found[resource["id"].lower()] = change
        return [found[key] for key in sorted(found)]

    async def _changes(self, compiled: Compiled) -> list[dict[str, Any]]:
        scope = compiled.environment.scope
        if scope.group:
            self._groups[scope.id.lower()] = scope.id
        changes: list[dict[str, Any]] = []
        for resource in compiled.active:
            if not resource.is_deployment:
                changes.append(await self._change(compiled, resource))
                continue
            nested = self._nested(compiled, resource, self._claims)
            if nested is not None:
                changes += await self._changes(nested)
            else:
                self.diagnostics.append(_short_circuit(resource))
        return changes

    async def _change(self, compiled: Compiled, resource: Planned) -> dict[str, Any]:
        sent = _plain(_masked(partial_body(resource.body, resource), _secrets(compiled)), set())
        more = {
            "id": resource.id,
            "name": resource.name.rsplit("/", 1)[-1],
            "type": resource.type,
            "apiVersion": resource.api_version,
        }
        after = {**more, **sent}
        try:
            query = {"api-version": resource.api_version}
            current = (await self._send("GET", resource.id, query, {}, self._claims)).body
        except ArmError as error:
            if error.status != 404:
                text = f"The resource cannot be read: {error.body['error']['message']}"
                return {"resourceId": resource.id, "changeType": "Unsupported", "unsupportedReason": text}
            return {"resourceId": resource.id, "changeType": "Create", "after": after}
        hidden = READ_ONLY.get(resource.type.lower(), set()) | EVERYWHERE
        known = _plain({key: value for key, value in current.items() if key not in more}, hidden)
        delta = differences(known, sent)
        change = {
            "resourceId": resource.id,
            "changeType": "Modify" if delta else "NoChange",
            "before": {**more, **known},
            "after": after,
        }
        return {**change, "delta": delta} if delta else change


def differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> list[dict[str, Any]]:
    """The changes of properties. What a template leaves out is shown as deleted, as what-if does."""
    found: list[dict[str, Any]] = []
    for key, value in before.items():
        where = f"{path}.{key}" if path else key
        known = find_key(after, key)
        if known is None:
            found.append({"path": where, "propertyChangeType": "Delete", "before": value})
        elif isinstance(value, dict) and isinstance(after[known], dict):
            found += differences(value, after[known], where)
        elif isinstance(value, list) and isinstance(after[known], list):
            children = _items(value, after[known])
            if children:
                found.append({"path": where, "propertyChangeType": "Array", "children": children})
        elif value != after[known] and not _same_text(value, after[known]):
            found.append({"path": where, "propertyChangeType": "Modify", "before": value, "after": after[known]})
    for key, value in after.items():
        if find_key(before, key) is None:
            where = f"{path}.{key}" if path else key
            found.append({"path": where, "propertyChangeType": "Create", "after": value})
    return found


def _items(before: list[Any], after: list[Any]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    for index in range(max(len(before), len(after))):
        if index >= len(before):
            changes.append({"path": str(index), "propertyChangeType": "Create", "after": after[index]})
        elif index >= len(after):
            changes.append({"path": str(index), "propertyChangeType": "Delete", "before": before[index]})
        elif before[index] != after[index]:
            change = {
                "path": str(index),
                "propertyChangeType": "Modify",
                "before": before[index],
                "after": after[index],
            }
            changes.append(change)
    return changes


def _same_text(item: Any, other: Any) -> bool:
    """Locations are compared without case and blanks; an expression is not known yet, and counts as no change."""
    if not isinstance(item, str) or not isinstance(other, str):
        return False
    return other.startswith("[") or item.replace(" ", "").lower() == other.replace(" ", "").lower()


def _plain(value: Any, hidden: set[str]) -> Any:
    """Without null, without what is read-only, and without the objects that are empty then."""
    if isinstance(value, dict):
        kept = {key: _plain(item, hidden) for key, item in value.items() if key.lower() not in hidden}
        return {key: item for key, item in kept.items() if item is not None and item != {}}
    return [_plain(item, hidden) for item in value] if isinstance(value, list) else value


def _secrets(compiled: Compiled) -> set[str]:
    declared = compiled.environment.template.get("parameters") or {}
    found: set[str] = set()
    for name, value in compiled.environment.parameters.items():
        if is_secure(declared.get(name) or {}):
            found |= set(_texts(value))
    return {text for text in found if text}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _masked(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value


def _short_circuit(resource: Planned) -> dict[str, Any]:
    text = (
        "A nested deployment got short-circuited and all its resources got skipped from validation. This is due to a "
        "nested template having a parameter that was not fully evaluated (e.g. contains a reference() function)."
    )
    return {"level": "Warning", "code": "NestedDeploymentShortCircuited", "message": text, "target": resource.id}
