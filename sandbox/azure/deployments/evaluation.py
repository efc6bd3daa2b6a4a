"""Evaluates the values of a template: expressions inside anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.deployments.collection_functions import find_key
from sandbox.azure.deployments.expressions import (
    Call,
    Index,
    Literal,
    Member,
    Node,
    TemplateError,
    is_expression,
    parse_expression,
    plain_text,
)
from sandbox.azure.deployments.functions import FUNCTIONS

# A function of a scope gets the evaluator and its arguments, which are not evaluated yet.
ScopeFunction = Callable[["Evaluator", tuple[Node, ...]], Any]


@dataclass(frozen=True)
class Evaluator:
    """Evaluates with the functions of a scope. copies: the index of each copy loop; '' is the innermost one."""

    functions: Mapping[str, ScopeFunction]
    copies: Mapping[str, int] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def with_copy(self, name: str, index: int) -> Evaluator:
        """The same inside an iteration of a copy loop."""
        return Evaluator(self.functions, {**self.copies, name.lower(): index, "": index}, self.arguments)

    def with_arguments(self, arguments: Mapping[str, Any]) -> Evaluator:
        """The same inside a lambda function."""
        return Evaluator(self.functions, self.copies, {**self.arguments, **arguments})

    def value(self, value: Any) -> Any:
        """A value with all its expressions evaluated, those in keys too. Properties that a loop makes are expanded."""
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if is_expression(value):
            return self.node(parse_expression(value))
        return plain_text(value) if isinstance(value, str) else value

    def text(self, value: Any, place: str) -> str:
        """A value that must be text."""
        result = self.value(value)
        if not isinstance(result, str):
            raise TemplateError(f"The value of '{place}' is expected to be a string.")
        return result

    def _object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in value.items():
            if key.lower() == "copy" and is_copy(item):
                for loop in item:
                    result[loop["name"]] = self.loop(loop["name"], loop["count"], loop["input"])
            else:
                result[str(self.value(key))] = self.value(item)
        return result

    def loop(self, name: str, count: Any, item: Any) -> list[Any]:
        """The values that a copy loop makes."""
        return [self.with_copy(name, index).value(item) for index in range(self.count(count))]

    def count(self, value: Any) -> int:
        """The count of a copy loop."""
        number = self.value(value)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise TemplateError(
                f"The template copy count '{number}' is not valid: the copy count must be a non-negative integer. "
                "Please see https://aka.ms/arm-copy for usage details."
            )
        if number > 800:
            raise TemplateError(
                f"The template copy count '{number}' is greater than the maximum of '800'. "
                "Please see https://aka.ms/arm-copy for usage details."
            )
        return number

    def node(self, node: Node) -> Any:
        """The value of an expression."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Member):
            return access(self.node(node.target), node.name)
        if isinstance(node, Index):
            return access(self.node(node.target), self.node(node.index))
        return self._call(node)

    def _call(self, call: Call) -> Any:
        name = call.name.lower()
        if function := find_function(self.functions, call.name):
            return function(self, call.arguments)
        if name not in FUNCTIONS:
            raise TemplateError(
                f"The template function '{call.name}' is not valid. "
                "Please see https://aka.ms/arm-functions for usage details."
            )
        values = [self.node(argument) for argument in call.arguments]
        try:
            return FUNCTIONS[name](*values)
        except (TypeError, ValueError, AttributeError, LookupError):
            raise TemplateError(
                f"The template language function '{call.name}' expects other parameters. "
                "Please see https://aka.ms/arm-functions for usage details."
            ) from None


def find_function(functions: Mapping[str, ScopeFunction], name: str) -> ScopeFunction | None:
    """The function of a scope; the functions list* are one."""
    lower = name.lower()
    if lower not in functions and lower.startswith("list") and len(name) > len("list"):
        action = functions.get("list*")
        return (lambda evaluator, arguments: action(evaluator, (Literal(name), *arguments))) if action else None
    return functions.get(lower)


def is_copy(item: Any) -> bool:
    """Whether the value of a key 'copy' is that of loops which make properties."""
    required = {"name", "count", "input"}
    return isinstance(item, list) and all(isinstance(element, dict) and required <= set(element) for element in item)


def access(target: Any, key: Any) -> Any:
    """A property of an object or an item of an array. Raises TemplateError."""
    if isinstance(target, Mapping) and isinstance(key, str):
        known = find_key(target, key)
        if known is None:
            names = ", ".join(sorted(target))
            raise TemplateError(
                f"The language expression property '{key}' doesn't exist, available properties are '{names}'."
            )
        return target[known]
    if isinstance(target, list) and isinstance(key, int) and not isinstance(key, bool):
        if not 0 <= key < len(target):
            raise TemplateError(
                f"The language expression property array index '{key}' is out of bounds. "
                "Please see https://aka.ms/arm-syntax-expressions for usage details."
            )
        return target[key]
    raise TemplateError(
        f"The language expression property '{key}' can't be evaluated. "
        "Please see https://aka.ms/arm-syntax-expressions for usage details."
    )
