"""Functions of templates that evaluate their arguments themselves: conditions and lambda functions.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-lambda
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.deployments.evaluation import Evaluator, ScopeFunction
from sandbox.azure.deployments.expressions import Call, Literal, Node, TemplateError


def _function(evaluator: Evaluator, node: Node) -> Callable[..., Any]:
    """The function that lambda('name', …, expression) is."""
    if not isinstance(node, Call) or node.name.lower() != "lambda":
        raise TemplateError("The template function expects a lambda function.")
    *names, body = node.arguments
    keys = [str(name.value).lower() for name in names if isinstance(name, Literal)]

    def call(*values: Any) -> Any:
        return evaluator.with_arguments(dict(zip(keys, values, strict=False))).node(body)

    return call


def _variable(evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
    name = str(evaluator.node(arguments[0])).lower()
    if name not in evaluator.arguments:
        raise TemplateError(f"The lambda variable '{name}' is not found.")
    return evaluator.arguments[name]


def _if(evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
    if len(arguments) != 3:
        raise TemplateError("Unable to evaluate template language function 'if': it expects 3 parameters.")
    condition = evaluator.node(arguments[0])
    if not isinstance(condition, bool):
        raise TemplateError(
            "Unable to evaluate template language function 'if': the first parameter must be a boolean."
        )
    return evaluator.node(arguments[1 if condition else 2])


def _and(evaluator: Evaluator, arguments: tuple[Node, ...]) -> bool:
    return all(evaluator.node(argument) for argument in arguments)


def _or(evaluator: Evaluator, arguments: tuple[Node, ...]) -> bool:
    return any(evaluator.node(argument) for argument in arguments)


def _map(evaluator: Evaluator, arguments: tuple[Node, ...]) -> list[Any]:
    values, call = evaluator.node(arguments[0]), _function(evaluator, arguments[1])
    return [call(value, index) for index, value in enumerate(values)]


def _filter(evaluator: Evaluator, arguments: tuple[Node, ...]) -> list[Any]:
    values, call = evaluator.node(arguments[0]), _function(evaluator, arguments[1])
    return [value for index, value in enumerate(values) if call(value, index)]


def _reduce(evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
    call = _function(evaluator, arguments[2])
    return functools.reduce(call, evaluator.node(arguments[0]), evaluator.node(arguments[1]))


def _sort(evaluator: Evaluator, arguments: tuple[Node, ...]) -> list[Any]:
    precedes = _function(evaluator, arguments[1])

    def compare(left: Any, right: Any) -> int:
        return -1 if precedes(left, right) else int(bool(precedes(right, left)))

    return sorted(evaluator.node(arguments[0]), key=functools.cmp_to_key(compare))


def _to_object(evaluator: Evaluator, arguments: tuple[Node, ...]) -> dict[str, Any]:
    key = _function(evaluator, arguments[1])
    value = _function(evaluator, arguments[2]) if len(arguments) > 2 else None
    return {str(key(item)): value(item) if value else item for item in evaluator.node(arguments[0])}


def _group_by(evaluator: Evaluator, arguments: tuple[Node, ...]) -> dict[str, list[Any]]:
    call, groups = _function(evaluator, arguments[1]), dict[str, list[Any]]()
    for item in evaluator.node(arguments[0]):
        groups.setdefault(str(call(item)), []).append(item)
    return groups


def _map_values(evaluator: Evaluator, arguments: tuple[Node, ...]) -> dict[str, Any]:
    call = _function(evaluator, arguments[1])
    return {key: call(value) for key, value in evaluator.node(arguments[0]).items()}


LAMBDAS: Mapping[str, ScopeFunction] = {
    "if": _if,
    "and": _and,
    "or": _or,
    "lambdavariables": _variable,
    "map": _map,
    "filter": _filter,
    "reduce": _reduce,
    "sort": _sort,
    "toobject": _to_object,
    "groupby": _group_by,
    "mapvalues": _map_values,
}
