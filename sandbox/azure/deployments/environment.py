"""What the expressions of one deployment can refer to, and the functions for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.deployments.collection_functions import find_key
from sandbox.azure.deployments.evaluation import Evaluator, ScopeFunction
from sandbox.azure.deployments.expressions import Node, TemplateError
from sandbox.azure.deployments.lambdas import LAMBDAS

GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.I)


@dataclass(frozen=True)
class Request:
    """What an expression asks of a resource: GET, or POST for a list function."""

    method: str
    id: str
    api_version: str
    action: str = ""
    body: str = "{}"


class Deferred(Exception):
    """An expression needs a response which is not there yet."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.id)
        self.request = request


@dataclass(frozen=True)
class Scope:
    """Where a deployment goes: a subscription, or a resource group of it."""

    subscription: str
    group: str = ""

    @property
    def id(self) -> str:
        """The resource ID of the scope."""
        return f"/subscriptions/{self.subscription}" + (f"/resourceGroups/{self.group}" if self.group else "")


@dataclass
class Environment:
    """Everything that a template's expressions see.

    objects: what subscription(), resourceGroup(), tenant(), environment(), deployer() and deployment() return, called
    with the name in lower case. find: the ID and the API version of a resource of the template by its symbolic name,
    name or ID. responses: those that are known; None while nothing may be asked.
    """

    scope: Scope
    template: Mapping[str, Any]
    objects: Callable[[str], Any]
    find: Callable[[str], list[tuple[str, str]]] = lambda name: []
    parameters: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    responses: dict[Request, Any] = field(default_factory=dict)
    copies: Mapping[str, int] = field(default_factory=dict)
    _evaluating: list[str] = field(default_factory=list)

    def evaluator(self) -> Evaluator:
        """An evaluator in this environment."""
        return Evaluator(self._functions(), self.copies)

    def _functions(self) -> dict[str, ScopeFunction]:
        found: dict[str, ScopeFunction] = {
            **LAMBDAS,
            "parameters": self._parameters,
            "variables": self._variables,
            "copyindex": _copy_index,
            "resourceid": self._resource_id,
            "subscriptionresourceid": self._subscription_resource_id,
            "tenantresourceid": _tenant_resource_id,
            "managementgroupresourceid": _tenant_resource_id,
            "extensionresourceid": _extension_resource_id,
            "reference": self._reference,
            "references": self._references,
            "list*": self._list,
        }
        for name in ("subscription", "resourcegroup", "tenant", "environment", "deployment", "deployer"):
            found[name] = _Object(self.objects, name)
        for space in self.template.get("functions") or ():
            for name, member in (space.get("members") or {}).items():
                found[f"{space['namespace']}.{name}".lower()] = _UserFunction(member, found)
        return found

    def _parameters(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        name = evaluator.node(arguments[0])
        key = find_key(self.parameters, str(name))
        if key is None:
            raise TemplateError(
                f"The template parameter '{name}' is not found. Please see "
                "https://aka.ms/arm-syntax-parameters for usage details."
            )
        return self.parameters[key]

    def _variables(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        name = str(evaluator.node(arguments[0]))
        known = find_key(self.variables, name)
        if known is not None:
            return self.variables[known]
        declared = self.template.get("variables") or {}
        loops = {loop["name"]: loop for loop in declared.get("copy") or () if isinstance(loop, dict)}
        key = find_key(loops, name) or find_key(declared, name)
        if key is None or key.lower() == "copy":
            raise TemplateError(
                f"The template variable '{name}' is not found. Please see "
                "https://aka.ms/arm-syntax-variables for usage details."
            )
        if key in self._evaluating:
            raise TemplateError(f"The template variable '{name}' depends on itself.")
        self._evaluating.append(key)
        try:
            plain = self.evaluator()
            loop = loops.get(key)
            self.variables[key] = (
                plain.loop(key, loop["count"], loop["input"]) if loop is not None else plain.value(declared[key])
            )
        finally:
            self._evaluating.pop()
        return self.variables[key]

    def _resource_id(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> str:
        values = [str(evaluator.node(argument)) for argument in arguments]
        before, kind, names = _split_id(values)
        subscription, group = self.scope.subscription, self.scope.group
        if len(before) == 2:
            subscription, group = before
        elif before and GUID.match(before[0]):
            subscription = before[0]
        elif before:
            group = before[0]
        return f"{Scope(subscription, group).id}/providers/{interleave(kind, names)}"

    def _subscription_resource_id(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> str:
        before, kind, names = _split_id([str(evaluator.node(argument)) for argument in arguments])
        subscription = before[0] if before else self.scope.subscription
        return f"/subscriptions/{subscription}/providers/{interleave(kind, names)}"

    def _target(self, name: str, version: str) -> tuple[str, str]:
        """The ID and the API version of a referenced resource."""
        found = self.find(name)
        if len(found) == 1:
            return found[0][0], version or found[0][1]
        if not name.startswith("/"):
            raise TemplateError(
                f"The template reference '{name}' is not valid: could not find template resource or resource copy "
                "with this name. Please see https://aka.ms/arm-function-reference for usage details."
            )
        if not version:
            raise TemplateError(
                f"The resource '{name}' is not defined in the template, and its reference has no API version. "
                "Please see https://aka.ms/arm-function-reference for usage details."
            )
        return name, version

    def _reference(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        name, version, full = _three([evaluator.node(argument) for argument in arguments])
        target, version = self._target(str(name), str(version))
        body = self._ask(Request("GET", target, version))
        if str(full).lower() != "full":
            return body.get("properties") or {}
        parts = target.split("/")
        more = {"apiVersion": version, "resourceId": target, "subscriptionId": self.scope.subscription}
        if len(parts) > 4 and parts[3].lower() == "resourcegroups":
            more["resourceGroupName"] = parts[4]
        return {**more, **body}

    def _references(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> list[Any]:
        name = str(evaluator.node(arguments[0]))
        full = len(arguments) > 1 and str(evaluator.node(arguments[1])).lower() == "full"
        bodies = [self._ask(Request("GET", target, version)) for target, version in self.find(name)]
        return bodies if full else [body.get("properties") or {} for body in bodies]

    def _list(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        action, name, version, body = (*(evaluator.node(argument) for argument in arguments), None, None)[:4]
        target, version = self._target(str(name), str(version or ""))
        return self._ask(Request("POST", target, version, str(action), json.dumps(body or {}, sort_keys=True)))

    def _ask(self, request: Request) -> Any:
        if request not in self.responses:
            raise Deferred(request)
        return self.responses[request]


@dataclass(frozen=True)
class _Object:
    objects: Callable[[str], Any]
    name: str

    def __call__(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        return self.objects(self.name)


@dataclass(frozen=True)
class _UserFunction:
    """A function that the template declares; it sees its own parameters, and no variables."""

    member: Mapping[str, Any]
    functions: Mapping[str, ScopeFunction]

    def __call__(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        names = [str(parameter["name"]).lower() for parameter in self.member.get("parameters") or ()]
        values = dict(zip(names, (evaluator.node(argument) for argument in arguments), strict=False))

        def parameter(inner: Evaluator, nodes: tuple[Node, ...]) -> Any:
            name = str(inner.node(nodes[0])).lower()
            if name not in values:
                raise TemplateError(f"The template parameter '{name}' is not found.")
            return values[name]

        return Evaluator({**self.functions, "parameters": parameter}).value(self.member["output"]["value"])


def _copy_index(evaluator: Evaluator, arguments: tuple[Node, ...]) -> int:
    name, offset = "", 0
    for value in (evaluator.node(argument) for argument in arguments):
        if isinstance(value, str):
            name = value.lower()
        else:
            offset = value
    if name not in evaluator.copies:
        raise TemplateError(
            "The template function 'copyIndex' is not expected at this location. The function can only be used in a "
            "resource with copy specified. Please see https://aka.ms/arm-copy for usage details."
        )
    return evaluator.copies[name] + int(offset)


def _tenant_resource_id(evaluator: Evaluator, arguments: tuple[Node, ...]) -> str:
    _, kind, names = _split_id([str(evaluator.node(argument)) for argument in arguments])
    return f"/providers/{interleave(kind, names)}"


def _extension_resource_id(evaluator: Evaluator, arguments: tuple[Node, ...]) -> str:
    above, *rest = [str(evaluator.node(argument)) for argument in arguments]
    _, kind, names = _split_id(rest)
    return f"{above}/providers/{interleave(kind, names)}"


def _split_id(values: list[str]) -> tuple[list[str], str, list[str]]:
    """What comes before the type, the type and the names."""
    at = next((index for index, value in enumerate(values) if "/" in value), None)
    if at is None:
        raise TemplateError(
            "Unable to evaluate template language function 'resourceId': the type "
            f"'{values[0] if values else ''}' must be a fully qualified resource type name."
        )
    kind, names = values[at], values[at + 1 :]
    if kind.count("/") != len(names):
        raise TemplateError(
            "Unable to evaluate template language function 'resourceId': the type "
            f"'{kind}' requires '{kind.count('/')}' resource name argument(s)."
        )
    return values[:at], kind, names


def interleave(kind: str, names: list[str]) -> str:
    """NAMESPACE/type/name/type/name"""
    namespace, *types = kind.split("/")
    return "/".join([namespace, *(word for pair in zip(types, names, strict=True) for word in pair)])


def _three(values: list[Any]) -> tuple[Any, Any, Any]:
    first, second, third = (*values, "", "", "")[:3]
    return first, second or "", third
