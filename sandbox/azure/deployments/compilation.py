"""A template with its parameters, ready to run: what validation, what-if and the engine share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.deployments.environment import Deferred, Environment, Scope
from sandbox.azure.deployments.expressions import TemplateError, is_expression
from sandbox.azure.deployments.parameters import read_parameters, resolve_type, shown, shown_type
from sandbox.azure.deployments.planning import MAX_BYTES, Planned, plan_resources

MAX_OUTPUTS = 64
Objects = Callable[[Scope, str], Any]


@dataclass
class Compiled:
    """A template in its environment."""

    environment: Environment
    resources: list[Planned]
    has_own_parameters: bool = True

    @property
    def active(self) -> list[Planned]:
        """The resources that are deployed."""
        return [resource for resource in self.resources if resource.condition and not resource.existing]

    def shown_parameters(self) -> dict[str, Any]:
        """The parameters as a response has them, without secrets."""
        if not self.has_own_parameters:
            return {}
        declared = self.environment.template.get("parameters") or {}
        values = self.environment.parameters
        return {
            name: shown(resolve_type(self.environment.template, declared[name]), value)
            for name, value in values.items()
            if name in declared
        }

    def outputs(self) -> dict[str, Any]:
        """The outputs. Raises Deferred and TemplateError."""
        evaluator, result = self.environment.evaluator(), {}
        for name, entry in (self.environment.template.get("outputs") or {}).items():
            declaration = resolve_type(self.environment.template, entry)
            if evaluator.value(declaration.get("condition", True)) is False:
                continue
            loop = declaration.get("copy")
            value = (
                evaluator.loop(name, loop["count"], loop["input"])
                if isinstance(loop, dict)
                else evaluator.value(declaration.get("value"))
            )
            result[name] = {"type": shown_type(declaration), "value": value}
        return result

    def shown_outputs(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs as a response has them, without secrets."""
        declared = self.environment.template.get("outputs") or {}
        template = self.environment.template
        return {
            name: shown(resolve_type(template, declared[name]), output["value"]) for name, output in outputs.items()
        }


def compile_template(
    scope: Scope,
    template: Any,
    given: Mapping[str, Any],
    objects: Objects,
    read_secret: Callable[[Mapping[str, Any]], str],
    outer: Environment | None = None,
    copies: Mapping[str, int] | None = None,
) -> Compiled:
    """Evaluate everything that is known beforehand. Raises TemplateError.

    outer: the environment of the deployment above, whose parameters and variables a nested template of outer scope has;
    copies: the loops that it is in.
    """
    require_shape(template)
    environment = Environment(scope, template, lambda name: objects(scope, name))
    if outer is not None:
        environment.template = {**template, **{key: outer.template[key] for key in _DECLARED if key in outer.template}}
        environment.parameters, environment.variables = outer.parameters, outer.variables
        environment.copies = copies or {}
    else:
        read_parameters(template, given, environment.evaluator, environment.parameters, read_secret)
    compiled = Compiled(environment, plan_resources(environment, outer), outer is None)
    if len(template.get("outputs") or {}) > MAX_OUTPUTS:
        raise TemplateError(f"The number of template outputs limit exceeded. Limit: '{MAX_OUTPUTS}'.")
    for resource in compiled.active:
        if not resource.is_deployment:
            _try_body(resource)
    return compiled


_DECLARED = ("parameters", "variables", "functions", "definitions")


def require_shape(template: Any) -> None:
    """Raise TemplateError where a template is none."""
    if not isinstance(template, dict) or not template:
        raise TemplateError("The template is missing.", "InvalidRequestContent")
    if len(json.dumps(template)) > MAX_BYTES:
        raise TemplateError("The request content size exceeds the maximum size of 4 MB.", "RequestContentTooLarge")
    for key in ("$schema", "contentVersion"):
        if not isinstance(template.get(key), str):
            raise TemplateError(
                f"Required property '{key}' not found in JSON. Path '', line 1, position 1.", "InvalidTemplate"
            )
    if "resources" not in template:
        raise TemplateError("Required property 'resources' not found in JSON. Path '', line 1, position 1.")


def _try_body(resource: Planned) -> None:
    """Evaluate the body of a resource as far as it is known, so that its errors show at once."""
    try:
        resource.evaluator.value(resource.body)
    except Deferred:
        return
    except TemplateError as error:
        raise TemplateError(
            f"Unable to process template language expressions for resource '{resource.id}' at line '1' and column '1'. "
            f"'{error.message}'"
        ) from None


def partial_body(value: Any, resource: Planned) -> Any:
    """A body in which only what needs a response stays an expression, as what-if shows it."""
    if isinstance(value, dict):
        return {key: partial_body(item, resource) for key, item in value.items() if key.lower() != "copy"}
    if isinstance(value, list):
        return [partial_body(item, resource) for item in value]
    if not is_expression(value):
        return resource.evaluator.value(value)
    try:
        return resource.evaluator.value(value)
    except Deferred:
        return value
