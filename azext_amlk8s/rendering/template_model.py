"""Templates as values: parameters, variables, resources and modules. ARM JSON and Bicep are printed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from azext_amlk8s.rendering.expressions import Expression, Item, Value, arm_argument

SUBSCRIPTION, RESOURCE_GROUP = "subscription", "resourceGroup"


@dataclass(frozen=True)
class TemplateParameter:
    """A parameter; default is None where a value is required. type is string, bool, array or object."""

    name: str
    type: str
    description: str
    default: Value = None
    secure: bool = False


@dataclass(frozen=True)
class TemplateVariable:
    """A variable with the comment before it."""

    name: str
    value: Value
    comment: str = ""


@dataclass(frozen=True)
class Resource:
    """A resource; type is complete, name is its own, and parent is the resource that contains it.

    body has everything but type, name and scope. scope is the resource that an extension resource belongs to; group
    and subscription are those of one that exists elsewhere. A loop creates one resource for each element.
    """

    symbol: str
    type: str
    api_version: str
    name: Value
    body: Mapping[str, Value] = field(default_factory=dict)
    parent: Resource | None = None
    scope: Resource | None = None
    existing: bool = False
    group: Value = None
    subscription: Value = None
    loop: Item | None = None
    comment: str = ""

    @property
    def names(self) -> tuple[Value, ...]:
        """The names of the resources above and its own."""
        return (*(self.parent.names if self.parent else ()), self.name)

    def id_expression(self) -> str:
        """Its ID as an expression of ARM JSON."""
        if self.scope:
            arguments: tuple[Value, ...] = (self.type, *self.names)
            return f"extensionResourceId({self.scope.id_expression()}, {', '.join(map(arm_argument, arguments))})"
        group = tuple(place for place in (self.subscription, self.group) if place is not None)
        return f"resourceId({', '.join(map(arm_argument, (*group, self.type, *self.names)))})"


@dataclass(frozen=True)
class VaultSecret:
    """A secret of a key vault as the value of a secure parameter of a module; vault is an existing resource."""

    vault: Resource
    secret: str


@dataclass(frozen=True)
class Module:
    """A template that is deployed to a resource group by another one; once for each element with a loop.

    path is that of its Bicep file. subscription is None for the one of the template that deploys it.
    """

    symbol: str
    path: str
    template: Template
    name: Value
    group: Value
    parameters: Mapping[str, Value]
    subscription: Value = None
    loop: Item | None = None
    condition: Expression | None = None
    depends_on: tuple[Resource, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Template:
    """A template for a scope, subscription or resourceGroup."""

    scope: str
    description: str
    parameters: tuple[TemplateParameter, ...] = ()
    variables: tuple[TemplateVariable, ...] = ()
    resources: tuple[Resource, ...] = ()
    modules: tuple[Module, ...] = ()
