"""What subscription(), resourceGroup(), tenant(), environment(), deployer() and deployment() return.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.behaviours import Azure
from sandbox.azure.deployments.environment import Scope
from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.deployments.parameters import is_secure
from sandbox.azure.deployments.records import template_hash
from sandbox.azure.entra import metadata


def scope_object(azure: Azure, own: Mapping[str, Any], claims: Mapping[str, Any], scope: Scope, function: str) -> Any:
    """The object of a function, by its name in lower case, in a deployment at a scope. own: its name and its body."""
    world = azure.world
    if function == "subscription":
        entries = [entry for entry in world.subscriptions if entry["id"].lower() == scope.subscription.lower()]
        shown = entries[0]["name"] if entries else ""
        more = {"tenantId": world.tenant, "displayName": shown}
        return {"id": f"/subscriptions/{scope.subscription}", "subscriptionId": scope.subscription, **more}
    if function == "resourcegroup":
        group = azure.tree.get(scope.id) if scope.group else None
        if group is None:
            raise TemplateError(
                "The template function 'RESOURCEGROUP' is not expected at this location. Please see "
                "https://aka.ms/arm-functions for usage details."
            )
        return dict(group)
    if function == "tenant":
        return {"tenantId": world.tenant, "displayName": "Sandbox"}
    if function == "environment":
        return metadata("https://management.sandbox.invalid", world.suffixes)
    if function == "deployer":
        who = str(claims.get("oid") or claims.get("appid") or "")
        return {"objectId": who, "tenantId": world.tenant, "userPrincipalName": str(claims.get("upn", ""))}
    return _deployment(own)


def _deployment(own: Mapping[str, Any]) -> dict[str, Any]:
    properties = own.get("properties") or {}
    template = properties.get("template") or {}
    declared = template.get("parameters") or {}
    given = {
        key: value
        for key, value in (properties.get("parameters") or {}).items()
        if not is_secure(declared.get(key) or {})
    }
    return {
        "name": own["name"],
        **({"location": own["location"]} if own.get("location") else {}),
        "properties": {
            "template": template,
            "templateHash": template_hash(template),
            "parameters": given,
            "mode": properties.get("mode", "Incremental"),
            "provisioningState": "Accepted",
        },
    }
