"""Microsoft.Authorization/policyAssignments at any scope.

https://learn.microsoft.com/azure/governance/policy/concepts/assignment-structure
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.policy.definitions import TYPE as DEFINITIONS
from sandbox.azure.policy.definitions import VERSIONS
from sandbox.azure.policy.rules import effect_of
from sandbox.azure.tree import Resource

TYPE = "Microsoft.Authorization/policyAssignments"
OF_DEFINITION = re.compile(r"policyDefinitionId\s+eq\s+'([^']*)'", re.I)
NEEDS_IDENTITY = {"deployifnotexists": "DeployIfNotExists", "modify": "Modify"}


class PolicyAssignments(Behaviour):
    """Assignments of the definitions of a subscription."""

    type = TYPE
    api_versions = VERSIONS | {"2022-06-01"}
    needs_parent = False
    returns_deleted = True

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = call.body.get("properties") or {}
        definition = self._definition(call, str(properties.get("policyDefinitionId") or ""))
        given = properties.get("parameters") or {}
        _require_parameters(call.address.names[-1], definition, given)
        _require_identity(call, definition, given)
        resource: Resource = {
            "properties": {
                **{key: value for key, value in properties.items() if value is not None},
                "scope": call.address.scope,
                "enforcementMode": properties.get("enforcementMode") or "Default",
                "policyDefinitionId": definition["id"],
                "metadata": {
                    **(properties.get("metadata") or {}),
                    "createdBy": call.caller.get("oid"),
                    "createdOn": ((existing or {}).get("properties") or {}).get("metadata", {}).get("createdOn")
                    or now(),
                    "updatedBy": None,
                    "updatedOn": None,
                },
            },
            "id": existing["id"] if existing else call.address.id,
            "type": TYPE,
            "name": existing["name"] if existing else call.address.names[-1],
        }
        if location := call.body.get("location"):
            resource["location"] = location
        if identity := _identity(call, existing):
            resource["identity"] = identity
        call.azure.tree.put(resource)
        return Response(201, resource)

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        scope, condition = call.address.scope.lower(), call.query.get("$filter", "")
        wanted, kind = OF_DEFINITION.search(condition), condition.lower()
        shown = []
        for resource in call.azure.tree.within("", TYPE):
            at = str(resource["properties"]["scope"]).lower()
            exact, above, beneath = at == scope, scope.startswith(f"{at}/"), at.startswith(f"{scope}/")
            listed = exact or (above and "atexactscope()" not in kind and "atscopeandbelow()" not in kind)
            listed = listed or (beneath and "atscope()" not in kind and "atexactscope()" not in kind)
            if wanted and resource["properties"]["policyDefinitionId"].lower() != wanted[1].lower():
                listed = False
            if listed:
                shown.append(resource)
        return {"value": shown}

    def absent(self, call: Call) -> ArmError | None:
        name = call.address.names[-1]
        return ArmError(404, "PolicyAssignmentNotFound", f"The policy assignment '{name}' is not found.")

    def _definition(self, call: Call, definition_id: str) -> Resource:
        found = call.azure.tree.get(definition_id)
        if found is None or found["type"] != DEFINITIONS:
            # https://github.com/Azure/Enterprise-Scale/issues/804
            text = (
                "The policy assignment create request is invalid. The policy definition "
                f"'{definition_id}' could not be found."
            )
            raise ArmError(400, "PolicyDefinitionNotFound", text)
        return found


def _require_parameters(name: str, definition: Resource, given: Mapping[str, Any]) -> None:
    """Raise ArmError 400 for missing, unknown and disallowed values.

    https://github.com/Azure/azure-sdk-for-net/issues/39734,
    https://github.com/Azure/terraform-azurerm-caf-enterprise-scale/pull/282; assumed: the words for a disallowed value.
    """
    declared = definition["properties"].get("parameters") or {}
    known = {key.lower(): value for key, value in declared.items()}
    if unknown := [key for key in given if key.lower() not in known]:
        text = (
            f"The policy assignment '{name}' has the parameter(s) '{','.join(unknown)}' which are not defined in the "
            f"policy definition '{definition['name']}'."
        )
        raise ArmError(400, "UndefinedPolicyParameter", text)
    names = {key.lower() for key in given}
    if missing := [key for key, value in declared.items() if "defaultValue" not in value and key.lower() not in names]:
        text = (
            f"The policy assignment '{name}' is missing the parameter(s) '{','.join(missing)}' as defined in the "
            f"policy definition '{definition['name']}'."
        )
        raise ArmError(400, "MissingPolicyParameter", text)
    for key, entry in given.items():
        allowed = known[key.lower()].get("allowedValues")
        if allowed and entry.get("value") not in allowed:
            text = (
                f"The policy assignment '{name}' has the value '{entry.get('value')}' for the parameter '{key}', which "
                f"is not allowed by the policy definition '{definition['name']}'."
            )
            raise ArmError(400, "PolicyParameterValueNotAllowed", text)


def _require_identity(call: Call, definition: Resource, given: Mapping[str, Any]) -> None:
    """Raise ArmError 400 where the effect needs an identity, and where an identity lacks its location.

    https://github.com/Azure/azure-cli/issues/13150; assumed: the code of the second.
    """
    effect = NEEDS_IDENTITY.get(str(effect_of(definition["properties"], given)).lower())
    identity = str((call.body.get("identity") or {}).get("type") or "None")
    if effect and identity.lower() == "none":
        text = (
            f"The policy assignment '{call.address.names[-1]}' request is invalid. Policy assignments must include a "
            f"'managed identity' when assigning '{effect}' policy definitions. Please see "
            "https://aka.ms/policyremediation for usage details."
        )
        raise ArmError(400, "ResourceIdentityRequired", text)
    if identity.lower() != "none" and not call.body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")


def _identity(call: Call, existing: Resource | None) -> dict[str, Any] | None:
    """The identity of an assignment; a system-assigned one keeps its principal."""
    sent = call.body.get("identity") or {}
    kind = str(sent.get("type") or "None")
    if kind.lower() == "systemassigned":
        principal = ((existing or {}).get("identity") or {}).get("principalId") or str(uuid.uuid4())
        return {"type": "SystemAssigned", "principalId": principal, "tenantId": call.azure.world.tenant}
    if kind.lower() == "userassigned":
        assigned = {}
        for identity_id in sent.get("userAssignedIdentities") or {}:
            known = call.azure.tree.get(identity_id)
            if known is None:
                text = f"The user assigned identity '{identity_id}' could not be found."  # assumed
                raise ArmError(400, "FailedIdentityOperation", text)
            properties = known.get("properties") or {}
            assigned[identity_id] = {key: properties.get(key) for key in ("clientId", "principalId")}
        return {"type": "UserAssigned", "userAssignedIdentities": assigned}
    return None


def principal_of(assignment: Resource) -> str:
    """The object ID of the identity that deploys for an assignment."""
    identity = assignment.get("identity") or {}
    users = list((identity.get("userAssignedIdentities") or {}).values())
    return str(identity.get("principalId") or (users[0]["principalId"] if users else ""))


def covers(assignment: Resource, resource_id: str) -> bool:
    """Whether a resource is in the scope of an assignment."""
    properties, lower = assignment["properties"], resource_id.lower() + "/"
    excluded = [str(not_scope).lower() for not_scope in properties.get("notScopes") or ()]
    return lower.startswith(f"{properties['scope'].lower()}/") and not any(
        lower.startswith(f"{scope}/") for scope in excluded
    )
