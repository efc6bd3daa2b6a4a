"""Microsoft.Authorization/locks: stored at any scope, checked by every write."""

from __future__ import annotations

from typing import Any

from sandbox.azure.behaviours import Behaviour, Call, Response
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Address, Resource, Tree, parse

LEVELS = ("CanNotDelete", "ReadOnly")


class Locks(Behaviour):
    """Locks; a list has those that apply at a scope and those below it."""

    type = "Microsoft.Authorization/locks"
    api_versions = frozenset({"2016-09-01", "2017-04-01", "2020-05-01"})
    needs_parent = False

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = call.body.get("properties") or {}
        if properties.get("level") not in LEVELS:
            raise ArmError(
                400, "InvalidLockLevel", f"The lock level '{properties.get('level')}' is not valid."
            )  # assumed
        resource: Resource = {
            "properties": {key: properties[key] for key in ("level", "notes", "owners") if properties.get(key)},
            "id": call.address.id,
            "type": self.type,
            "name": call.address.names[-1],
        }
        call.azure.tree.put(resource)
        return Response(200 if existing else 201, resource)

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        scope = call.address.scope
        only_here = "atscope()" in call.query.get("$filter", "").lower()
        shown = [
            lock
            for lock in call.azure.tree.within("", self.type)
            if _holds(_scope(lock), scope) or (not only_here and _holds(scope, _scope(lock)))
        ]
        return {"value": shown}


def require_unlocked(tree: Tree, method: str, address: Address) -> None:
    """Raise ArmError 409 where a lock forbids a write: at the scope or above it, for a removal beneath it too."""
    if method not in ("PUT", "PATCH", "POST", "DELETE") or address.type.lower() == Locks.type.lower():
        return
    stop = [
        _scope(lock)
        for lock in tree.within("", Locks.type)
        if (method == "DELETE" or lock["properties"]["level"] == "ReadOnly")
        and (_holds(_scope(lock), address.id) or (method == "DELETE" and _holds(address.id, _scope(lock))))
    ]
    if stop:
        verb = "delete" if method == "DELETE" else "write"
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{address.id}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{','.join(stop)}'. Please remove the lock and try again.",
        )


def _scope(lock: Resource) -> str:
    address = parse(lock["id"])
    return address.scope if address else ""


def _holds(above: str, beneath: str) -> bool:
    return f"{beneath.lower()}/".startswith(f"{above.lower()}/")
