"""Syntax trees of Bicep, Terraform and the expressions of ARM templates: one form for all three."""

from __future__ import annotations

from dataclasses import dataclass

from azext_amlk8s.lint.values import Mark


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a file."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, true, false, null, or a text without interpolation."""

    data: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Template(Node):
    """A text with interpolations."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """target.name"""

    target: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """target[index]"""

    target: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a function, or of a method of target."""

    name: str
    arguments: tuple[Node, ...]
    target: Node | None = None
    expands: bool = False


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator with its operands: one, two, or three for the conditional `?`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Array(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Spread(Node):
    """...value in a list or an object."""

    value: Node


@dataclass(frozen=True, slots=True)
class Object(Node):
    """A mapping: pairs of a key and a value; a Spread has no key. resources are nested declarations of Bicep."""

    pairs: tuple[tuple[Node | None, Node], ...]
    resources: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """A for expression; body is what it repeats."""

    body: Node | None


class InvalidSyntax(Exception):
    """The text cannot be parsed; the message is a clause that says why."""

    def __init__(self, mark: Mark, problem: str) -> None:
        super().__init__(problem)
        self.mark, self.problem = mark, problem
