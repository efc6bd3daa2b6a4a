"""Expressions of templates, which ARM JSON and Bicep spell differently: one value, two spellings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azext_amlk8s.rendering.template_model import Resource

IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
# Either a literal (text, number, truth value, list, mapping) or an Expression; a Note around a value of a mapping.
Value = Any


class Expression:
    """A value that Azure Resource Manager computes."""

    def arm(self) -> str:
        """The expression as ARM JSON spells it, without the brackets around the whole."""
        raise NotImplementedError

    def bicep(self) -> str:
        """The expression as Bicep spells it."""
        raise NotImplementedError

    def parts(self) -> Iterator[Value]:
        """The values of which the expression is made."""
        yield from ()

    def resources(self) -> Iterator[Resource]:
        """The resources of the template that the expression names."""
        for part in self.parts():
            if isinstance(part, Expression):
                yield from part.resources()


@dataclass(frozen=True)
class Parameter(Expression):
    """The value of a parameter."""

    name: str

    def arm(self) -> str:
        return f"parameters('{self.name}')"

    def bicep(self) -> str:
        return self.name


@dataclass(frozen=True)
class Variable(Expression):
    """The value of a variable."""

    name: str

    def arm(self) -> str:
        return f"variables('{self.name}')"

    def bicep(self) -> str:
        return self.name


@dataclass(frozen=True)
class Item(Expression):
    """The current element of a loop over an array; Bicep gives it a name."""

    array: Expression
    name: str

    def arm(self) -> str:
        return f"{self.array.arm()}[copyIndex()]"

    def bicep(self) -> str:
        return self.name


@dataclass(frozen=True)
class Property(Expression):
    """A property of an object."""

    base: Expression
    name: str

    def arm(self) -> str:
        return f"{self.base.arm()}.{self.name}" if IDENTIFIER.match(self.name) else f"{self.base.arm()}['{self.name}']"

    def bicep(self) -> str:
        if IDENTIFIER.match(self.name):
            return f"{self.base.bicep()}.{self.name}"
        return f"{self.base.bicep()}['{self.name}']"

    def parts(self) -> Iterator[Value]:
        yield self.base


@dataclass(frozen=True)
class Call(Expression):
    """A function that both spell the same."""

    function: str
    arguments: tuple[Value, ...]

    def arm(self) -> str:
        return f"{self.function}({', '.join(map(arm_argument, self.arguments))})"

    def bicep(self) -> str:
        return f"{self.function}({', '.join(map(bicep_argument, self.arguments))})"

    def parts(self) -> Iterator[Value]:
        yield from self.arguments


@dataclass(frozen=True)
class Not(Expression):
    """The opposite of a truth value."""

    value: Expression

    def arm(self) -> str:
        return f"not({self.value.arm()})"

    def bicep(self) -> str:
        return f"!{self.value.bicep()}"

    def parts(self) -> Iterator[Value]:
        yield self.value


@dataclass(frozen=True)
class Text(Expression):
    """Texts and values one after the other: format() in ARM JSON, interpolation in Bicep."""

    pieces: tuple[Value, ...]

    def arm(self) -> str:
        values = [piece for piece in self.pieces if isinstance(piece, Expression)]
        pattern, number = "", 0
        for piece in self.pieces:
            if isinstance(piece, Expression):
                pattern += f"{{{number}}}"
                number += 1
            else:
                pattern += str(piece).replace("{", "{{").replace("}", "}}")
        return f"format({', '.join(map(arm_argument, (pattern, *values)))})"

    def bicep(self) -> str:
        spelled = (
            f"${{{piece.bicep()}}}" if isinstance(piece, Expression) else escape_bicep(str(piece))
            for piece in self.pieces
        )
        return f"'{''.join(spelled)}'"

    def parts(self) -> Iterator[Value]:
        yield from self.pieces


@dataclass(frozen=True)
class Fields(Expression):
    """An object as an argument of a function: createObject() in ARM JSON, braces in Bicep."""

    items: tuple[tuple[str, Value], ...]

    def arm(self) -> str:
        return f"createObject({', '.join(arm_argument(part) for item in self.items for part in item)})"

    def bicep(self) -> str:
        return f"{{ {', '.join(f'{bicep_key(key)}: {bicep_argument(value)}' for key, value in self.items)} }}"

    def parts(self) -> Iterator[Value]:
        yield from (value for _, value in self.items)


@dataclass(frozen=True)
class ResourceId(Expression):
    """The ID of a resource of the same template."""

    resource: Resource

    def arm(self) -> str:
        return self.resource.id_expression()

    def bicep(self) -> str:
        return f"{self.resource.symbol}.id"

    def resources(self) -> Iterator[Resource]:
        yield self.resource


@dataclass(frozen=True)
class ResourceProperties(Expression):
    """The properties of a resource of the same template, as Azure returns them."""

    resource: Resource

    def arm(self) -> str:
        return f"reference({self.resource.id_expression()}, '{self.resource.api_version}')"

    def bicep(self) -> str:
        return f"{self.resource.symbol}.properties"

    def resources(self) -> Iterator[Resource]:
        yield self.resource


@dataclass(frozen=True)
class Keys(Expression):
    """The response to listKeys on a resource of the same template."""

    resource: Resource

    def arm(self) -> str:
        return f"listKeys({self.resource.id_expression()}, '{self.resource.api_version}')"

    def bicep(self) -> str:
        return f"{self.resource.symbol}.listKeys()"

    def resources(self) -> Iterator[Resource]:
        yield self.resource


@dataclass(frozen=True)
class Note:
    """A value of a mapping with a comment before its key; ARM JSON leaves the comment out."""

    comment: str
    value: Value


def arm_argument(value: Value) -> str:
    """A literal or an expression inside an expression of ARM JSON."""
    if isinstance(value, Expression):
        return value.arm()
    if isinstance(value, bool):
        return f"{str(value).lower()}()"
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'"


def bicep_argument(value: Value) -> str:
    """A literal or an expression inside an expression of Bicep."""
    if isinstance(value, Expression):
        return value.bicep()
    if isinstance(value, (bool, int)):
        return str(value).lower()
    return f"'{escape_bicep(str(value))}'"


def bicep_key(key: str) -> str:
    """The key of an object of Bicep, in quotes where it is no identifier."""
    return key if IDENTIFIER.match(key) else f"'{escape_bicep(key)}'"


def escape_bicep(text: str) -> str:
    """A text between the quotes of Bicep."""
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(escapes.get(letter, letter) for letter in text).replace("${", "\\${")


def named_resources(value: Value) -> Iterator[Resource]:
    """The resources of the template that the expressions in a value name, in order."""
    if isinstance(value, Note):
        yield from named_resources(value.value)
    elif isinstance(value, Expression):
        yield from value.resources()
    elif isinstance(value, (Mapping, list, tuple)):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from named_resources(inner)
