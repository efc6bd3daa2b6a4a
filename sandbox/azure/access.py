"""Denied actions and policies of the world, checked before anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Address
from sandbox.world import World

PROVIDER = re.compile(r"^/subscriptions/[^/]+/providers/[^/]+/?$", re.I)
VERBS = {"PUT": "write", "PATCH": "write", "DELETE": "delete", "GET": "read", "POST": "action"}


def require_access(world: World, method: str, address: Address, claims: Mapping[str, Any]) -> None:
    """Raise ArmError where the world denies a request."""
    verb = VERBS.get(method, "read")
    _refuse_denied(world, f"{address.type}/{verb}", address.id, address.group, claims)
    if method not in ("PUT", "PATCH"):
        return
    for policy in world.policies:
        if address.type.lower() in _lower(policy["types"]) and _covers(policy, address.group):
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


def require_provider_access(world: World, method: str, path: str, claims: Mapping[str, Any]) -> None:
    """Raise ArmError where reading resource providers is denied, which are above every resource group."""
    if method == "GET" and PROVIDER.match(path):
        _refuse_denied(world, "Microsoft.Resources/subscriptions/providers/read", path, "", claims)


def _refuse_denied(world: World, action: str, scope: str, group: str, claims: Mapping[str, Any]) -> None:
    if any(action.lower() == str(denial["action"]).lower() and _covers(denial, group) for denial in world.denied):
        who = claims.get("appid", "")
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{who}' with object id '{claims.get('oid', who)}' does not have authorization to perform "
            f"action '{action}' over scope '{scope}' or the scope is invalid. "
            "If access was recently granted, please refresh your credentials.",
        )


def _covers(rule: Mapping[str, Any], group: str) -> bool:
    """Whether a rule applies: a rule without a resource group applies everywhere."""
    return group.lower() == str(rule.get("group", group)).lower()


def _lower(parts: Iterable[str]) -> set[str]:
    return {str(part).lower() for part in parts}
