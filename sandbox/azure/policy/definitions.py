"""Microsoft.Authorization/policyDefinitions of a subscription.

https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-basics
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.deployments.expressions import calls_in
from sandbox.azure.errors import ArmError
from sandbox.azure.policy.conditions import require_condition
from sandbox.azure.policy.rules import effect_of
from sandbox.azure.tree import Resource

TYPE = "Microsoft.Authorization/policyDefinitions"
VERSIONS = frozenset({"2021-06-01", "2023-04-01", "2025-01-01", "2025-11-01"})
POLICY_TYPE = re.compile(r"policyType\s+eq\s+'([^']*)'", re.I)
# The effects that deploy or audit what should exist beside a resource.
IF_NOT_EXISTS = ("deployifnotexists", "auditifnotexists")


class PolicyDefinitions(Behaviour):
    """Custom definitions; there are no built-in ones."""

    type = TYPE
    api_versions = VERSIONS
    needs_parent = False

    async def put(self, call: Call, existing: Resource | None) -> Response:
        name, properties = call.address.names[-1], call.body.get("properties") or {}
        _require_valid(name, properties)
        kept = (existing or {}).get("properties") or {}
        metadata = {
            **(properties.get("metadata") or {}),
            "createdBy": call.caller.get("oid"),
            "createdOn": (kept.get("metadata") or {}).get("createdOn") or now(),
            "updatedBy": call.caller.get("oid") if existing else None,
            "updatedOn": now() if existing else None,
        }
        version = str((properties.get("metadata") or {}).get("version") or "1.0.0")
        resource = {
            "properties": {
                **properties,
                "policyType": "Custom",
                "mode": properties.get("mode") or "Indexed",
                "metadata": metadata,
                "version": version,
                "versions": [version],
            },
            "id": existing["id"] if existing else call.address.id,
            "type": TYPE,
            "name": name,
        }
        call.azure.tree.put(resource)
        return Response(201, resource)

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        wanted = POLICY_TYPE.search(call.query.get("$filter", ""))
        return {"value": resources if not wanted or wanted[1].lower() == "custom" else []}

    def absent(self, call: Call) -> ArmError | None:
        name = call.address.names[-1]
        return ArmError(404, "PolicyDefinitionNotFound", f"The policy definition '{name}' could not be found.")


def _require_valid(name: str, properties: Mapping[str, Any]) -> None:
    """Raise ArmError 400 for a definition that Azure rejects. assumed: the words, except for undefined parameters."""
    rule = properties.get("policyRule")
    if not isinstance(rule, dict) or not isinstance(rule.get("if"), dict) or not isinstance(rule.get("then"), dict):
        raise _invalid(name, "The policy rule must have the properties 'if' and 'then'.")
    require_condition(rule["if"], lambda text: _invalid(name, text))
    details = rule["then"].get("details")
    if str(effect_of(properties, {})).lower() not in IF_NOT_EXISTS:
        return
    if not isinstance(details, dict) or not details.get("type"):
        raise _invalid(name, "The property 'type' of the details is required.")
    if "existenceCondition" in details:
        require_condition(details["existenceCondition"], lambda text: _invalid(name, text))
    if str(effect_of(properties, {})).lower() == "deployifnotexists":
        if not details.get("roleDefinitionIds"):
            raise _invalid(name, "The property 'roleDefinitionIds' of the details is required.")
        if not isinstance((details.get("deployment") or {}).get("properties"), dict):
            raise _invalid(name, "The property 'deployment' of the details is required.")
    declared = {key.lower() for key in properties.get("parameters") or {}}
    for used in _parameters_in(rule):
        if used.lower() not in declared:
            raise _undefined(name, used)


def _parameters_in(rule: Mapping[str, Any]) -> Iterator[str]:
    """The parameters of the policy that a rule uses; those of the deployment's template are not among them."""
    for call in calls_in(_without_template(rule)):
        if call.name.lower() == "parameters" and call.arguments:
            yield str(getattr(call.arguments[0], "value", ""))


def _without_template(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_template(item) for key, item in value.items() if key.lower() != "template"}
    return [_without_template(item) for item in value] if isinstance(value, list) else value


def _invalid(name: str, text: str) -> ArmError:
    return ArmError(400, "InvalidPolicyRule", f"Failed to parse policy rule of the definition '{name}': '{text}'.")


def _undefined(name: str, parameter: str) -> ArmError:
    """https://github.com/Azure/Community-Policy/issues/402"""
    inner = (
        f"The policy '{name}' has undefined parameter '{parameter}' which is used in the policy rule. Please either "
        "define it in policy definition or remove the reference in policy rule."
    )
    text = (
        f"A function or parameter in policy '{name}' could not be validated. If using template functions, try "
        f"following the tips in: https://aka.ms/policy-avoiding-template-failures. The inner exception '{inner}'."
    )
    return ArmError(400, "InvalidPolicyParameters", text)
