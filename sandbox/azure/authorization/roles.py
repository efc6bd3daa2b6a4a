"""Microsoft.Authorization: role definitions, role assignments and permissions."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource

ROLES: dict[str, str] = yaml.safe_load(Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8"))
EQUALS = re.compile(r"(\w+)(?:\(\))?\s+eq\s+'([^']*)'", re.I)
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
ASSIGNED_TO = re.compile(r"assignedTo\('([^']*)'\)", re.I)


class RoleDefinitions(Behaviour):
    """Built-in roles, the same at every scope."""

    type = "Microsoft.Authorization/roleDefinitions"
    needs_parent = False

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        wanted = {key.lower(): value for key, value in EQUALS.findall(call.query.get("$filter", ""))}
        roles = [_role(call, name, guid) for name, guid in ROLES.items()]
        if "rolename" in wanted:
            roles = [role for role in roles if role["properties"]["roleName"].lower() == wanted["rolename"].lower()]
        return {"value": roles}

    def absent(self, call: Call) -> ArmError | None:
        return ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.address.names[-1]}' does not exist.",
            cause=None,
        )


class RoleAssignments(Behaviour):
    """Role assignments at a scope and below it."""

    type = "Microsoft.Authorization/roleAssignments"
    needs_parent = False
    returns_deleted = True

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = call.body.get("properties") or {}
        role, principal = properties.get("roleDefinitionId", ""), properties.get("principalId", "")
        if role.rsplit("/", 1)[-1].lower() not in {guid.lower() for guid in ROLES.values()}:
            raise ArmError(
                404,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{role}' does not exist.",
                cause=None,
            )
        _require_principal_type(call, principal, properties.get("principalType", "ServicePrincipal"))
        for other in call.azure.tree.within(call.address.scope, self.type):
            assigned = other["properties"]
            same = (
                assigned["scope"].lower() == call.address.scope.lower()
                and assigned["principalId"] == principal
                and assigned["roleDefinitionId"].rsplit("/", 1)[-1] == role.rsplit("/", 1)[-1]
            )
            if same and other["name"].lower() != call.address.names[-1].lower():
                raise ArmError(
                    409,
                    "RoleAssignmentExists",
                    "The role assignment already exists. The ID of the conflicting role "
                    f"assignment is {other['name'].replace('-', '')}.",
                    cause=None,
                )
        stamp = now()
        resource: Resource = {
            "properties": {
                "roleDefinitionId": role,
                "principalId": principal,
                "principalType": properties.get("principalType", "ServicePrincipal"),
                "scope": call.address.scope,
                "condition": None,
                "conditionVersion": None,
                "createdOn": stamp,
                "updatedOn": stamp,
                "createdBy": None,
                "updatedBy": call.caller.get("oid"),
                "delegatedManagedIdentityResourceId": None,
                "description": properties.get("description"),
            },
            "id": call.address.id,
            "type": self.type,
            "name": call.address.names[-1],
        }
        call.azure.tree.put(resource)
        return Response(200 if existing else 201, resource)

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        scope, condition = call.address.scope.lower(), call.query.get("$filter", "")
        wanted = {key.lower(): value for key, value in EQUALS.findall(condition)}
        assigned = ASSIGNED_TO.search(condition)
        principal = assigned[1] if assigned else wanted.get("principalid") or wanted.get("assignedto")
        shown = []
        for resource in call.azure.tree.within("", self.type):
            if is_fresh(resource, call.azure.world.role_delay):
                continue
            at = resource["properties"]["scope"].lower()
            above, beneath = scope.startswith(at), at.startswith(scope)
            if (above or (beneath and "atscope()" not in condition.lower())) and principal in (
                None,
                resource["properties"]["principalId"],
            ):
                shown.append(resource)
        return {"value": shown}


class Permissions(Behaviour):
    """The caller's permissions at a scope: everything that the world does not deny."""

    type = "Microsoft.Authorization/permissions"
    api_versions = frozenset({"2015-07-01", "2018-07-01", "2022-04-01"})
    needs_parent = False

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        parts = call.address.scope.split("/")
        group = parts[4].lower() if len(parts) > 4 else ""
        denied = [
            denial["action"] for denial in call.azure.world.denied if str(denial.get("group", group)).lower() == group
        ]
        return {"value": [{"actions": ["*"], "notActions": denied, "dataActions": [], "notDataActions": []}]}


def is_fresh(assignment: Resource, delay: float) -> bool:
    """Whether an assignment is younger than the delay in seconds and not effective yet."""
    born = str(assignment["properties"].get("createdOn") or "")
    if not delay or not born:
        return False
    made = datetime.datetime.fromisoformat(born[:26]).replace(tzinfo=datetime.timezone.utc)
    return (datetime.datetime.now(datetime.timezone.utc) - made).total_seconds() < delay


def _require_principal_type(call: Call, principal: str, principal_type: str) -> None:
    """Raise ArmError where the principal is an identity of the world, and so a service principal, and another is named.

    The misprint in the text is Azure's own.
    """
    identities = [resource.get("identity") or {} for resource in call.azure.tree.within("")]
    known = {identity.get("principalId") for identity in identities}
    known |= {
        (identity.get("properties") or {}).get("principalId") for identity in call.azure.tree.within("", IDENTITIES)
    }
    if principal_type != "ServicePrincipal" and principal in known:
        text = (
            f"The PrincipalId '{principal.replace('-', '')}' has type 'ServicePrincipal' , which is different from "
            f"specified PrinciaplType '{principal_type}'."
        )
        raise ArmError(400, "UnmatchedPrincipalType", text, cause=None)


def _role(call: Call, name: str, guid: str) -> Resource:
    subscription = "/".join(call.address.scope.split("/")[:3]) if call.address.scope else ""
    return {
        "properties": {
            "roleName": name,
            "type": "BuiltInRole",
            "description": name,
            "assignableScopes": ["/"],
            "permissions": [{"actions": [], "notActions": [], "dataActions": [], "notDataActions": []}],
        },
        "id": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
    }
