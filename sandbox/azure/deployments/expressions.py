"""The grammar of template expressions.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lark import Lark, Transformer
from lark.exceptions import LarkError

GRAMMAR = r"""
start: expression
?expression: primary
?primary: STRING -> string
    | NUMBER -> number
    | call
    | primary "." NAME -> member
    | primary "[" expression "]" -> index
call: NAME ("." NAME)? "(" arguments ")"
arguments: [expression ("," expression)*]
STRING: /'(?:[^']|'')*'/
NUMBER: /[+-]?\d+/
NAME: /[A-Za-z_$][A-Za-z0-9_$]*/
%ignore /\s+/
"""


class TemplateError(Exception):
    """A template or an expression is not valid; the message is that of ARM. code: that of the error."""

    def __init__(self, message: str, code: str = "InvalidTemplate") -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True)
class Literal:
    """A string or a number."""

    value: str | int


@dataclass(frozen=True)
class Call:
    """A call of a function; that of a user has a namespace before a dot."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Member:
    """TARGET.NAME"""

    target: Node
    name: str


@dataclass(frozen=True)
class Index:
    """TARGET[INDEX]"""

    target: Node
    index: Node


Node = Literal | Call | Member | Index


class _Builder(Transformer[Any, Any]):
    def start(self, children: list[Any]) -> Any:
        return children[0]

    def string(self, children: list[Any]) -> Literal:
        return Literal(str(children[0])[1:-1].replace("''", "'"))

    def number(self, children: list[Any]) -> Literal:
        return Literal(int(children[0]))

    def member(self, children: list[Any]) -> Member:
        return Member(children[0], str(children[1]))

    def index(self, children: list[Any]) -> Index:
        return Index(children[0], children[1])

    def arguments(self, children: list[Any]) -> tuple[Node, ...]:
        return tuple(child for child in children if child is not None)

    def call(self, children: list[Any]) -> Call:
        *names, arguments = children
        return Call(".".join(str(name) for name in names), arguments)


_PARSER = Lark(GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


def is_expression(value: Any) -> bool:
    """Whether a value of a template is an expression."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def plain_text(value: str) -> str:
    """A text of a template that is no expression: two brackets at its begin stand for one."""
    return value[1:] if value.startswith("[[") else value


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Node:
    """The syntax tree of an expression with its brackets. Raises TemplateError."""
    try:
        return _PARSER.parse(text[1:-1])  # type: ignore[return-value]
    except LarkError:
        raise TemplateError(
            f"Unable to parse language expression '{text[1:-1]}': the syntax is not valid. "
            "Please see https://aka.ms/arm-functions for usage details."
        ) from None


def calls_in(value: Any) -> Iterator[Call]:
    """Every call in the expressions of a value of a template."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from calls_in(key)
            yield from calls_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from calls_in(item)
    elif is_expression(value):
        yield from _calls(parse_expression(value))


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from _calls(argument)
    elif isinstance(node, Member):
        yield from _calls(node.target)
    elif isinstance(node, Index):
        yield from _calls(node.target)
        yield from _calls(node.index)
