"""Role definitions and assignments, clusters: what is special about them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure.behaviours import Answer, Behaviour, Call, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource

ROLES: dict[str, str] = yaml.safe_load(Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8"))
EQUALS = re.compile(r"(\w+)(?:\(\))?\s+eq\s+'([^']*)'", re.I)


class RoleDefinitions(Behaviour):
    """Built-in roles, the same at every scope."""

    type = "Microsoft.Authorization/roleDefinitions"
    needs_parent = False

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        wanted = {key.lower(): value for key, value in EQUALS.findall(call.query.get("$filter", ""))}
        roles = [_role(call, name, guid) for name, guid in ROLES.items()]
        if "rolename" in wanted:
            roles = [one for one in roles if one["properties"]["roleName"].lower() == wanted["rolename"].lower()]
        return {"value": roles}

    def absent(self, call: Call) -> ArmError | None:
        return ArmError(
            404,
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{call.address.names[-1]}' does not exist.",
            cause=None,
        )


class RoleAssignments(Behaviour):
    """Who may do what, at a scope and beneath it."""

    type = "Microsoft.Authorization/roleAssignments"
    needs_parent = False

    async def put(self, call: Call, there: Resource | None) -> Answer:
        told = call.body.get("properties") or {}
        role, principal = told.get("roleDefinitionId", ""), told.get("principalId", "")
        if role.rsplit("/", 1)[-1].lower() not in {guid.lower() for guid in ROLES.values()}:
            raise ArmError(
                404,
                "RoleDefinitionDoesNotExist",
                f"The specified role definition with ID '{role}' does not exist.",
                cause=None,
            )
        for other in call.azure.tree.within(call.address.scope, self.type):
            properties = other["properties"]
            same = (
                properties["scope"].lower() == call.address.scope.lower()
                and properties["principalId"] == principal
                and properties["roleDefinitionId"].rsplit("/", 1)[-1] == role.rsplit("/", 1)[-1]
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
                "principalType": told.get("principalType", "ServicePrincipal"),
                "scope": call.address.scope,
                "condition": None,
                "conditionVersion": None,
                "createdOn": stamp,
                "updatedOn": stamp,
                "createdBy": None,
                "updatedBy": call.caller.get("oid"),
                "delegatedManagedIdentityResourceId": None,
                "description": told.get("description"),
            },
            "id": call.address.id,
            "type": self.type,
            "name": call.address.names[-1],
        }
        call.azure.tree.put(resource)
        return Answer(200 if there else 201, resource)

    async def delete(self, call: Call, there: Resource | None) -> Answer:
        if there is None:
            return Answer(204)
        call.azure.tree.remove(there["id"])
        return Answer(200, there)

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        scope, told = call.address.scope.lower(), call.query.get("$filter", "")
        wanted = {key.lower(): value for key, value in EQUALS.findall(told)}
        principal = wanted.get("principalid") or wanted.get("assignedto")
        shown = []
        for one in call.azure.tree.within("", self.type):
            at = one["properties"]["scope"].lower()
            above, beneath = scope.startswith(at), at.startswith(scope)
            if (above or (beneath and "atscope()" not in told.lower())) and principal in (
                None,
                one["properties"]["principalId"],
            ):
                shown.append(one)
        return {"value": shown}


class Permissions(Behaviour):
    """What the caller may do at a scope: all but what the world denies there."""

    type = "Microsoft.Authorization/permissions"
    api_versions = frozenset({"2015-07-01", "2018-07-01", "2022-04-01"})
    needs_parent = False

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        words = call.address.scope.split("/")
        group = words[4].lower() if len(words) > 4 else ""
        denied = [one["action"] for one in call.azure.world.denied if str(one.get("group", group)).lower() == group]
        return {"value": [{"actions": ["*"], "notActions": denied, "dataActions": [], "notDataActions": []}]}


class AksClusters(Behaviour):
    """AKS: the kubeconfig of a user."""

    type = "Microsoft.ContainerService/managedClusters"

    async def action(self, call: Call, there: Resource, name: str) -> Answer:
        side = call.azure.cluster_of(there["id"])
        if name.lower() not in ("listclusterusercredential", "listclusteradmincredential") or side is None:
            return await super().action(call, there, name)
        text = call.azure.kubeconfig(side)
        user = "clusterUser" if "user" in name.lower() else "clusterAdmin"
        return Answer(200, {"kubeconfigs": [{"name": user, "value": base64.b64encode(text.encode()).decode()}]})


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
