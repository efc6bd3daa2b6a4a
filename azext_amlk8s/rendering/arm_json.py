"""Templates as ARM JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.rendering.expressions import Expression, Note, Text, Value, named_resources
from azext_amlk8s.rendering.template_model import (
    SUBSCRIPTION,
    Module,
    Resource,
    Template,
    TemplateParameter,
    VaultSecret,
)

SCHEMAS = {
    "subscription": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
    "resourceGroup": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
}
PARAMETERS_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
SECURE = {"string": "securestring", "object": "secureObject"}
DEPLOYMENTS = "Microsoft.Resources/deployments"
DEPLOYMENTS_API_VERSION = "2022-09-01"
Object = dict[str, Any]


def template_object(template: Template) -> Object:
    """A template in ARM JSON, modules as nested deployments.

    https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax
    """
    result: Object = {
        "$schema": SCHEMAS[template.scope],
        "contentVersion": "1.0.0.0",
        "metadata": {"description": template.description},
        "parameters": {parameter.name: _parameter(parameter) for parameter in template.parameters},
    }
    if template.variables:
        result["variables"] = {variable.name: value_object(variable.value) for variable in template.variables}
    declared = [resource_object(resource) for resource in template.resources if not resource.existing]
    result["resources"] = [*declared, *(_deployment(module, template.scope) for module in template.modules)]
    return result


def parameters_object(values: Mapping[str, Value]) -> Object:
    """The content of a file with values of parameters."""
    parameters = {name: {"value": value} for name, value in values.items()}
    return {"$schema": PARAMETERS_SCHEMA, "contentVersion": "1.0.0.0", "parameters": parameters}


def as_json(content: Mapping[str, Any]) -> str:
    """An object as the text of a file."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def value_object(value: Value) -> Any:
    """A value of a template as JSON: expressions in brackets, literal texts that begin with one escaped."""
    if isinstance(value, Note):
        return value_object(value.value)
    if isinstance(value, Expression):
        return f"[{value.arm()}]"
    if isinstance(value, Mapping):
        return {key: value_object(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [value_object(inner) for inner in value]
    if isinstance(value, str) and value.startswith("["):
        return f"[{value}"
    return value


def resource_object(resource: Resource) -> Object:
    """A resource of a template."""
    result: Object = {"comments": resource.comment} if resource.comment else {}
    if resource.loop:
        result["copy"] = {"name": resource.symbol, "count": f"[length({resource.loop.array.arm()})]"}
    result |= {"type": resource.type, "apiVersion": resource.api_version, "name": value_object(_full_name(resource))}
    if resource.scope:
        result["scope"] = value_object(_scope(resource.scope))
    result |= {key: value_object(value) for key, value in resource.body.items()}
    if depends := _depends_on(resource):
        result["dependsOn"] = depends
    return result


def _parameter(parameter: TemplateParameter) -> Object:
    kind = SECURE[parameter.type] if parameter.secure else parameter.type
    result: Object = {"type": kind, "metadata": {"description": parameter.description}}
    if parameter.default is not None:
        result["defaultValue"] = value_object(parameter.default)
    return result


def _full_name(resource: Resource) -> Value:
    if len(resource.names) == 1:
        return resource.name
    pieces = [piece for name in resource.names for piece in ("/", name)][1:]
    if not any(isinstance(piece, Expression) for piece in pieces):
        return "".join(map(str, pieces))
    return Text(tuple(pieces))


def _scope(resource: Resource) -> Value:
    return Text((f"{resource.type}/", resource.name)) if isinstance(resource.name, Expression) else (
        f"{resource.type}/{resource.name}"
    )  # fmt: skip


def _depends_on(resource: Resource) -> list[str]:
    """What a resource waits for: its parent and what it names; not what existed before."""
    above = [outer for outer in (resource.parent, resource.scope) if outer]
    return list(_identifiers((*above, *named_resources(resource.body))))


def _identifiers(resources: Iterable[Resource]) -> Iterator[str]:
    created = (_created(resource) for resource in resources)
    found = (resource.symbol if resource.loop else f"[{resource.id_expression()}]" for resource in created if resource)
    yield from dict.fromkeys(found)


def _created(resource: Resource) -> Resource | None:
    """The resource, or the nearest one above it that the template creates."""
    if not resource.existing:
        return resource
    return _created(resource.parent) if resource.parent else None


def _deployment(module: Module, scope: str) -> Object:
    """A module as a nested deployment, whose expressions are evaluated inside it."""
    result: Object = {"comments": module.comment} if module.comment else {}
    if module.condition:
        result["condition"] = value_object(module.condition)
    if module.loop:
        result["copy"] = {"name": module.symbol, "count": f"[length({module.loop.array.arm()})]"}
    result |= {"type": DEPLOYMENTS, "apiVersion": DEPLOYMENTS_API_VERSION, "name": value_object(module.name)}
    if module.subscription is not None:
        result["subscriptionId"] = value_object(module.subscription)
    result["resourceGroup"] = value_object(module.group)
    result["properties"] = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": "inner"},
        "parameters": {name: _argument(value) for name, value in module.parameters.items()},
        "template": template_object(module.template),
    }
    if depends := list(_identifiers(module.depends_on)):
        result["dependsOn"] = depends
    assert scope == SUBSCRIPTION or module.loop is None
    return result


def _argument(value: Value) -> Object:
    if isinstance(value, VaultSecret):
        vault = {"id": f"[{value.vault.id_expression()}]"}
        return {"reference": {"keyVault": vault, "secretName": value.secret}}
    return {"value": value_object(value)}
