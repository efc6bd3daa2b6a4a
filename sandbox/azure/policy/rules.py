"""Evaluates a policy rule for a resource: whether it applies, whether what it requires exists, what it deploys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.behaviours import Azure
from sandbox.azure.deployments.collection_functions import find_key
from sandbox.azure.deployments.environment import Scope
from sandbox.azure.deployments.evaluation import Evaluator
from sandbox.azure.deployments.expressions import Node, TemplateError
from sandbox.azure.deployments.scope_objects import scope_object
from sandbox.azure.policy.conditions import holds
from sandbox.azure.tree import Resource, parse

# Types whose resources are beneath others only.
OF_OTHERS = (
    "microsoft.authorization/locks",
    "microsoft.insights/diagnosticsettings",
    "microsoft.kubernetesconfiguration/extensions",
    "microsoft.kubernetesconfiguration/fluxconfigurations",
)


@dataclass(frozen=True)
class Rule:
    """A definition with the parameters of an assignment."""

    azure: Azure
    properties: Mapping[str, Any]
    given: Mapping[str, Any]

    @property
    def details(self) -> Mapping[str, Any]:
        """What the effect deploys, and when."""
        return dict(self.properties["policyRule"]["then"].get("details") or {})

    @property
    def effect(self) -> str:
        """The name of the effect."""
        return str(effect_of(self.properties, self.given))

    def applies(self, resource: Resource) -> bool:
        """Whether the rule is for a resource. Indexed definitions are for resources with a location."""
        if str(self.properties.get("mode", "Indexed")).lower() == "indexed" and "location" not in resource:
            return False
        return self._holds(self.properties["policyRule"]["if"], resource, resource)

    def is_compliant(self, resource: Resource) -> bool:
        """Whether something that satisfies the existence condition is there."""
        condition = self.details.get("existenceCondition")
        return any(
            condition is None or self._holds(condition, related, resource) for related in self._related(resource)
        )

    def deployment(self, resource: Resource) -> dict[str, Any]:
        """The properties of the deployment for a resource. Raises TemplateError."""
        properties = dict(self.details["deployment"]["properties"])
        template = properties.pop("template", None)
        return {**self._evaluator(resource).value(properties), "template": template}

    def _related(self, resource: Resource) -> Iterator[Resource]:
        """The resources of the type of the details: those beneath the resource, or else those of its group.

        https://learn.microsoft.com/azure/governance/policy/concepts/effect-deploy-if-not-exists
        """
        details, tree = self.details, self.azure.tree
        value = self._evaluator(resource).value
        kind, name = str(details["type"]), value(details.get("name"))
        beneath = list(tree.within(resource["id"], kind))
        address = parse(resource["id"])
        parts = address.scope.split("/") if address else []
        if str(details.get("existenceScope", "ResourceGroup")).lower() == "subscription":
            around = "/".join(parts[:3])
        else:
            group = value(details.get("resourceGroupName")) or (parts[4] if len(parts) > 4 else "")
            around = f"{'/'.join(parts[:3])}/resourceGroups/{group}"
        found = beneath or ([] if kind.lower() in OF_OTHERS else list(tree.within(around, kind)))
        return (candidate for candidate in found if not name or _full_name(candidate) == str(name).lower())

    def _holds(self, condition: Mapping[str, Any], fields_of: Resource, evaluated: Resource) -> bool:
        return holds(condition, lambda name: field_of(fields_of, name), self._evaluator(evaluated).value)

    def _evaluator(self, resource: Resource) -> Evaluator:
        parameters = parameter_values(self.properties, self.given)

        def parameter(inner: Evaluator, nodes: tuple[Node, ...]) -> Any:
            key = find_key(parameters, str(inner.node(nodes[0])))
            if key is None:
                raise TemplateError(f"The policy parameter '{inner.node(nodes[0])}' is not found.")
            return parameters[key]

        def field(inner: Evaluator, nodes: tuple[Node, ...]) -> Any:
            return field_of(resource, str(inner.node(nodes[0])))

        functions = {"parameters": parameter, "field": field}
        for name in ("subscription", "resourcegroup"):
            functions[name] = self._object(name, resource)
        return Evaluator(functions)

    def _object(self, name: str, resource: Resource) -> Any:
        parts = resource["id"].split("/")
        scope = Scope(parts[2] if len(parts) > 2 else "", parts[4] if len(parts) > 4 else "")
        return lambda inner, nodes: scope_object(self.azure, {}, {}, scope, name)


def effect_of(properties: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """The effect of a definition with the parameters of an assignment."""
    parameters = parameter_values(properties, given)

    def parameter(inner: Evaluator, nodes: tuple[Node, ...]) -> Any:
        return parameters.get(find_key(parameters, str(inner.node(nodes[0]))) or "")

    return Evaluator({"parameters": parameter}).value(properties["policyRule"]["then"].get("effect"))


def parameter_values(properties: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each parameter: that of the assignment, or the default."""
    values = {key: entry.get("defaultValue") for key, entry in (properties.get("parameters") or {}).items()}
    return {**values, **{find_key(values, key) or key: entry.get("value") for key, entry in given.items()}}


def field_of(resource: Resource, name: str) -> Any:
    """The value of a field: one of all resources, a tag, or an alias such as TYPE/PROPERTY."""
    lower = name.lower()
    if lower in ("name", "fullname", "kind", "type", "location", "id"):
        value = resource.get("name" if lower == "fullname" else lower)
        return str(value).replace(" ", "").lower() if lower == "location" and value else value
    if lower == "tags":
        return resource.get("tags") or {}
    if lower.startswith("tags"):
        return _member(resource.get("tags") or {}, name[4:].strip("[].'"))
    if lower.startswith("identity."):
        return _member(resource.get("identity") or {}, name.split(".", 1)[1])
    kind = str(resource["type"]).lower()
    if not lower.startswith(f"{kind}/"):
        return None
    value = resource.get("properties") or {}
    for part in name[len(kind) + 1 :].replace("/", ".").split("."):
        value = _member(value, part)
    return value


def _member(value: Any, name: str) -> Any:
    key = find_key(value, name) if isinstance(value, Mapping) else None
    return value[key] if key is not None and isinstance(value, Mapping) else None


def _full_name(resource: Resource) -> str:
    address = parse(resource["id"])
    return "/".join(address.names).lower() if address else str(resource["name"]).lower()
