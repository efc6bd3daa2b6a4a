"""What Relay and Service Bus share: namespaces, their parts, and authorization rules with keys."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sandbox.azure import polls
from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource, parse

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]$")
RIGHTS = {"Listen", "Manage", "Send"}
ROOT_RULE = "RootManageSharedAccessKey"
KEYS = ("primary", "secondary")
SECRET = "keys"
INVALID = "The specified service namespace is invalid."  # assumed wording


class Namespaces(Behaviour):
    """A namespace: created after a while, with the default rule."""

    default_sku = "Standard"
    skus: frozenset[str] = frozenset()

    async def put(self, call: Call, existing: Resource | None) -> Response:
        address = call.address
        if not NAME.match(address.names[-1]):
            raise bad_request(INVALID)
        if not call.body.get("location"):
            raise ArmError(
                400, "LocationRequired", "The location property is required for this definition.", cause="gateway"
            )
        sku = (call.body.get("sku") or {}).get("name") or self.default_sku
        if sku not in self.skus:
            raise bad_request(f"The SKU '{sku}' is not known.")  # assumed wording
        stamp = now()
        resource: Resource = {
            "sku": {"name": sku, "tier": sku},
            "id": existing["id"] if existing else address.id,
            "name": address.names[-1],
            "type": f"{address.namespace}/Namespaces",
            "location": call.body["location"],
            "tags": call.body.get("tags") or {},
            "properties": {
                "provisioningState": "Succeeded" if existing else "Created",
                "status": "Active",
                "metricId": f"{address.id.split('/')[2]}:{address.names[-1].lower()}",
                "createdAt": existing["properties"]["createdAt"] if existing else stamp,
                "updatedAt": stamp,
                "serviceBusEndpoint": f"https://{address.names[-1]}.servicebus.sandbox.invalid:443/",
            },
        }
        call.azure.tree.put(resource)
        if existing:
            return Response(200, resource)
        call.azure.tree.put(
            rule_of(f"{address.id}/AuthorizationRules/{ROOT_RULE}", f"{resource['type']}/AuthorizationRules", RIGHTS)
        )

        async def ready() -> None:
            await asyncio.sleep(call.azure.seconds)
            resource["properties"]["provisioningState"] = "Succeeded"

        call.azure.operations.start("Created", ready)
        return Response(201, resource)

    async def patch(self, call: Call, existing: Resource) -> Response:
        existing.update({key: call.body[key] for key in ("tags", "sku") if key in call.body})
        return Response(200, existing)

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        if existing is None:
            return Response(204)
        existing["properties"]["provisioningState"] = "Deleting"

        async def remove() -> None:
            await asyncio.sleep(call.azure.seconds)
            call.azure.tree.remove(existing["id"])

        operation = call.azure.operations.start("Deleting", remove)
        where = f"{call.address.id}/operationresults/{operation.id}"
        return Response(202, None, {"Location": polls.url(call, operation, where)})


class Part(Behaviour):
    """A part of a namespace: created at once, with the service's defaults."""

    spelled = ""
    defaults: Mapping[str, Any] = {}

    async def put(self, call: Call, existing: Resource | None) -> Response:
        stamp, address = now(), call.address
        namespace = call.azure.tree.get("/".join(address.id.split("/")[:9])) or {}
        if namespace.get("properties", {}).get("provisioningState") != "Succeeded":
            raise ArmError(409, "Conflict", "The namespace is not active yet.", cause=None)  # assumed wording
        resource: Resource = {
            "id": existing["id"] if existing else address.id,
            "name": address.names[-1],
            "type": self.spelled,
            "properties": {
                **self.defaults,
                **(call.body.get("properties") or {}),
                "createdAt": existing["properties"]["createdAt"] if existing else stamp,
                "updatedAt": stamp,
            },
        }
        call.azure.tree.put(resource)
        return Response(200, resource)


class Rules(Behaviour):
    """Authorization rules, and their keys by POST."""

    spelled = ""

    async def put(self, call: Call, existing: Resource | None) -> Response:
        rights = set((call.body.get("properties") or {}).get("rights") or ())
        if not rights or not rights <= RIGHTS or ("Manage" in rights and rights != RIGHTS):
            raise bad_request("Rights are Listen, Send and Manage; Manage needs the other two.")  # assumed wording
        resource = rule_of(call.address.id, self.spelled, rights)
        if existing:
            resource[SECRET] = existing.get(SECRET) or _keys()
        call.azure.tree.put(resource)
        return Response(200, await self.read(call, resource))

    async def read(self, call: Call, resource: Resource) -> Resource:
        return {key: value for key, value in resource.items() if key != SECRET}

    async def action(self, call: Call, existing: Resource, name: str) -> Response:
        existing.setdefault(SECRET, _keys())
        if name.lower() == "regeneratekeys":
            which = str(call.body.get("keyType", "")).removesuffix("Key").lower()
            if which not in KEYS:
                raise bad_request("keyType is PrimaryKey or SecondaryKey.")
            existing[SECRET][which] = _key()
        elif name.lower() != "listkeys":
            return await super().action(call, existing, name)
        return Response(200, _shown(existing))


def check_name(call: Call) -> Response:
    """Whether a namespace name is available; names are unique in the cloud."""
    name = str(call.body.get("name") or "")
    found = call.azure.tree.within("/subscriptions", f"{call.address.namespace}/Namespaces")
    if not NAME.match(name):
        return Response(200, {"nameAvailable": False, "reason": "InvalidName", "message": INVALID})
    if any(resource["name"].lower() == name.lower() for resource in found):
        message = f"The namespace '{name}' is in use."  # assumed wording
        return Response(200, {"nameAvailable": False, "reason": "NameInUse", "message": message})
    return Response(200, {"nameAvailable": True, "reason": "None", "message": ""})


def rule_of(rule_id: str, spelled: str, rights: set[str]) -> Resource:
    """A rule with new keys."""
    return {
        "id": rule_id,
        "name": rule_id.rsplit("/", 1)[-1],
        "type": spelled,
        "properties": {"rights": sorted(rights)},
        SECRET: _keys(),
    }


def bad_request(message: str) -> ArmError:
    """An error in the form of these services."""
    return ArmError(400, "BadRequest", message, cause=None)


def _keys() -> dict[str, str]:
    return {which: _key() for which in KEYS}


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _shown(rule: Resource) -> dict[str, str]:
    address = parse(rule["id"])
    assert address is not None
    entity = f";EntityPath={address.names[1]}" if len(address.names) > 2 else ""
    shown = {"keyName": rule["name"]}
    for which in KEYS:
        key = rule[SECRET][which]
        shown[f"{which}Key"] = key
        shown[f"{which}ConnectionString"] = (
            f"Endpoint=sb://{address.names[0]}.servicebus.sandbox.invalid/;"
            f"SharedAccessKeyName={rule['name']};SharedAccessKey={key}{entity}"
        )
    return shown
