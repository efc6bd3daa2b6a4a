"""Role definitions and assignments, clusters: what is special about them."""

from __future__ import annotations

import asyncio
import base64
import datetime
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml

from sandbox.azure import polls
from sandbox.azure.behaviours import Answer, Behaviour, Call, now
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource

ROLES: dict[str, str] = yaml.safe_load(Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8"))
EQUALS = re.compile(r"(\w+)(?:\(\))?\s+eq\s+'([^']*)'", re.I)
ASSIGNED_TO = re.compile(r"assignedTo\('([^']*)'\)", re.I)


SIZES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("sizes.yaml").read_text(encoding="utf-8"))


class VirtualMachineSizes(Behaviour):
    """The sizes of virtual machines in a region, the same in every one."""

    type = "Microsoft.MachineLearningServices/locations/vmSizes"
    needs_parent = False

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        return {
            "value": [
                {
                    "name": one["name"],
                    "family": one["family"],
                    "vCPUs": one["cpu"],
                    "gpus": one["gpus"],
                    "memoryGB": float(one["memory"]),
                    "lowPriorityCapable": True,
                    "premiumIO": True,
                    "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
                }
                for one in SIZES
            ]
        }


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
        assigned = ASSIGNED_TO.search(told)
        principal = assigned[1] if assigned else wanted.get("principalid") or wanted.get("assignedto")
        shown = []
        for one in call.azure.tree.within("", self.type):
            if is_fresh(one, call.azure.world.role_delay):
                continue
            at = one["properties"]["scope"].lower()
            above, beneath = scope.startswith(at), at.startswith(scope)
            if (above or (beneath and "atscope()" not in told.lower())) and principal in (
                None,
                one["properties"]["principalId"],
            ):
                shown.append(one)
        return {"value": shown}


def is_fresh(assignment: Resource, delay: float) -> bool:
    """Whether an assignment was made less than so many seconds ago, and so has not spread to whoever asks."""
    born = str(assignment["properties"].get("createdOn") or "")
    if not delay or not born:
        return False
    made = datetime.datetime.fromisoformat(born[:26]).replace(tzinfo=datetime.timezone.utc)
    return (datetime.datetime.now(datetime.timezone.utc) - made).total_seconds() < delay


class KubernetesVersions(Behaviour):
    """The versions of Kubernetes that AKS offers in a region."""

    type = "Microsoft.ContainerService/locations/kubernetesVersions"
    needs_parent = False
    offered = ("1.28", "1.29", "1.30", "1.31", "1.32")

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        newest = self.offered[-1]
        return {
            "values": [
                {
                    "version": one,
                    "capabilities": {"supportPlan": ["KubernetesOfficial", "AKSLongTermSupport"]},
                    **({"isPreview": True} if one == newest else {}),
                    "patchVersions": {f"{one}.9": {"upgrades": []}},
                }
                for one in self.offered
            ]
        }


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


class ArcClusters(Behaviour):
    """Arc-connected clusters: operations at the level of the tenant; polls of a removal are answered with HTTP 202."""

    type = "Microsoft.Kubernetes/connectedClusters"

    async def put(self, call: Call, there: Resource | None) -> Answer:
        told = call.body.get("properties") or {}
        if there is None:
            # No cluster stands behind a resource that was made here; agents would have to connect it.
            raise ArmError(400, "BadRequest", "Clusters are connected by their agents.", cause=None)  # assumed
        there["tags"] = call.body.get("tags") or {}
        there["properties"].update({**told, "provisioningState": "Accepted"})

        async def settle() -> None:
            await asyncio.sleep(call.azure.seconds)
            there["properties"]["provisioningState"] = "Succeeded"

        return Answer(200, there, _arc_headers(call, "Accepted", settle))

    async def delete(self, call: Call, there: Resource | None) -> Answer:
        if there is None:
            return Answer(204)
        there["properties"]["provisioningState"] = "Deleting"

        async def remove() -> None:
            await asyncio.sleep(call.azure.seconds)
            call.azure.tree.remove(there["id"])

        return Answer(202, None, _arc_headers(call, "Deleting", remove))


def _arc_headers(call: Call, word: str, work: Callable[[], Awaitable[None]]) -> dict[str, str]:
    operation = call.azure.operations.start(word, work, accepted=word == "Deleting")
    return {"Azure-AsyncOperation": polls.url(call, operation, call.address.id, tenant=True)}


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
