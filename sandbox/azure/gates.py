"""What is refused before anything is looked at: denied actions and policies of the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Address
from sandbox.world import World

VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "GET": "read", "POST": "action"}


def gate(world: World, method: str, address: Address, claims: Mapping[str, Any]) -> None:
    """Raise ArmError where the world does not let the request through."""
    action = f"{address.type}/{VERBS.get(method, 'read')}".lower()
    if any(action == str(one["action"]).lower() and _covers(one, address) for one in world.denied):
        who = claims.get("appid", "")
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{who}' with object id '{claims.get('oid', who)}' does not have authorization to perform "
            f"action '{address.type}/{VERBS.get(method, 'read')}' over scope '{address.id}' or the scope is invalid. "
            "If access was recently granted, please refresh your credentials.",
        )
    if method not in ("PUT", "PATCH"):
        return
    for policy in world.policies:
        if address.type.lower() in _lower(policy["types"]) and _covers(policy, address):
            name = policy["name"]
            assignment = (
                f"/subscriptions/{world.subscription}/providers/Microsoft.Authorization/policyAssignments/{name}"
            )
            raise ArmError(
                403,
                "RequestDisallowedByPolicy",
                f"Resource '{address.names[-1]}' was disallowed by policy. Policy identifiers: "
                f'\'[{{"policyAssignment":{{"name":"{name}","id":"{assignment}"}}}}]\'.',
                target=address.names[-1],
                additionalInfo=[
                    {
                        "type": "PolicyViolation",
                        "info": {"policyAssignmentName": name, "policyAssignmentId": assignment},
                    }
                ],
            )


def _covers(rule: Mapping[str, Any], address: Address) -> bool:
    """Whether a rule holds here: one that names no resource group holds everywhere."""
    return address.group.lower() == str(rule.get("group", address.group)).lower()


def _lower(words: Iterable[str]) -> set[str]:
    return {str(one).lower() for one in words}
